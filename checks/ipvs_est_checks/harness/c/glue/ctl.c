// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The unit that holds the tree's ip_vs_ctl.c whole and unmodified, so that its
 * static functions can be called, and the glue around it. CONTROL_FILE is that
 * file; HAVE_... tell what differs between versions (symbols.py).
 */
#include CONTROL_FILE

#include <generated/utsrelease.h>
#include <linux/kthread.h>
#include <linux/wait.h>

#include "glue.h"

struct task_struct *glue_current;

/* The one network namespace, and the machine that it runs on. */
static struct netns_ipvs *netns;
static struct task_struct caller;

struct net init_net;
struct user_namespace init_user_ns;
unsigned int nr_cpu_ids;
struct cpumask __cpu_possible_mask;
struct cpumask __cpu_online_mask;
unsigned long __per_cpu_offset[NR_CPUS];

#ifdef HAVE_SERVICE_MUTEX
#define SERVICE_MUTEX	(&netns->service_mutex)
#else
#define SERVICE_MUTEX	(&__ip_vs_mutex)
#endif

#include "boot.c"
#include "stand_ins.c"
#include "task.c"
#include "bare.c"
#include "sysctl.c"
#include "control.c"
#include "dump.c"
#include "layout.c"
#include "snapshot.c"
#include "events.c"
