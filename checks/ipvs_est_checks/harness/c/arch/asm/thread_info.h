/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for arch/.../asm/thread_info.h. */
#ifndef _ASM_THREAD_INFO_H
#define _ASM_THREAD_INFO_H

#define THREAD_SHIFT		14
#define THREAD_SIZE		(1UL << THREAD_SHIFT)
#define THREAD_SIZE_ORDER	2

#ifndef __ASSEMBLY__
struct thread_info {
	unsigned long flags;
	unsigned long syscall_work;
	int preempt_count;
	int cpu;
};

#define INIT_THREAD_INFO(task)	{ .flags = 0 }
#endif

#define TIF_SYSCALL_TRACE	0
#define TIF_SIGPENDING		1
#define TIF_NEED_RESCHED	2
#define TIF_NOTIFY_RESUME	3
#define TIF_NOTIFY_SIGNAL	4
#define TIF_MEMDIE		5
#define TIF_RESTORE_SIGMASK	6
#define TIF_UPROBE		7
#define TIF_PATCH_PENDING	8
#define TIF_SECCOMP		9
#define TIF_POLLING_NRFLAG	10
#define TIF_NEED_RESCHED_LAZY	11

#define _TIF_SIGPENDING		(1 << TIF_SIGPENDING)
#define _TIF_NEED_RESCHED	(1 << TIF_NEED_RESCHED)
#define _TIF_NOTIFY_RESUME	(1 << TIF_NOTIFY_RESUME)
#define _TIF_NOTIFY_SIGNAL	(1 << TIF_NOTIFY_SIGNAL)
#define _TIF_UPROBE		(1 << TIF_UPROBE)
#define _TIF_PATCH_PENDING	(1 << TIF_PATCH_PENDING)
#define _TIF_NEED_RESCHED_LAZY	(1 << TIF_NEED_RESCHED_LAZY)

#endif
