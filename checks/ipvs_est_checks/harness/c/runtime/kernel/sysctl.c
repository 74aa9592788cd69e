// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for fs/proc/proc_sysctl.c: handlers run while their table is
 * registered, and whoever unregisters it waits for those that run.
 */
#include "runtime.h"

#define SOME_HANDLE	((void *)8)

static bool registered = true;	/* a netns that was set up by hand has its files */
static int handlers;

void *register_net_sysctl_sz(void *net, const char *path, void *table, size_t size);
void unregister_net_sysctl_table(void *header);

void *register_net_sysctl_sz(void *net, const char *path, void *table, size_t size)
{
	(void)net;
	(void)path;
	(void)table;
	(void)size;
	registered = true;
	return SOME_HANDLE;
}

static bool nobody_handles(void *unused)
{
	(void)unused;
	return !handlers;
}

void unregister_net_sysctl_table(void *header)
{
	(void)header;
	registered = false;
	if (handlers)
		task_wait(TASK_WAITING, nobody_handles, NULL);
	/* The next one may be set up by hand. */
	if (!exploring)
		registered = true;
}

bool sysctl_registered(void)
{
	return registered;
}

/* Whether there still is a file; if so, sysctl_leave() has to follow. */
bool sysctl_enter(void)
{
	if (!registered)
		return false;
	handlers++;
	return true;
}

void sysctl_leave(void)
{
	struct task *task;

	handlers--;
	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_WAITING)
			task->state = TASK_RUNNABLE;
	}
}
