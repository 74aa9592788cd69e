// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for the references that hold a netns: while a control process of a
 * scheduled run asks for something, exit waits, and nobody asks it once it goes.
 * A write to a sysctl holds none, see sysctl.c.
 */
#include <string.h>

#include "runtime.h"

static int users;
static bool exiting;

/* Neither of these goes through netlink or a socket option. */
static bool needs_no_reference(const char *op)
{
	static const char * const names[] = { "advance", "traffic", "read" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(op, names[i]))
			return true;
	}
	return false;
}

static bool goes_by_files(const char *op)
{
	static const char * const names[] = {
		"advance", "nice", "run_estimation", "cpulist", "write_cpulist",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(op, names[i]))
			return true;
	}
	return false;
}

/* Whether the next operation of a control process finds its netns still there. */
bool netns_may_begin(const char *op)
{
	return goes_by_files(op) ? sysctl_registered() : !exiting;
}

static bool nobody_uses(void *unused)
{
	(void)unused;
	return !users;
}

void netns_enter(const char *op)
{
	if (!strcmp(op, "exit")) {
		if (users)
			task_wait(TASK_WAITING, nobody_uses, NULL);
		exiting = true;
	} else if (!goes_by_files(op) && !needs_no_reference(op)) {
		users++;
	}
}

void netns_leave(const char *op)
{
	struct task *task;

	if (!strcmp(op, "exit") || goes_by_files(op) || needs_no_reference(op))
		return;
	users--;
	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_WAITING)
			task->state = TASK_RUNNABLE;
	}
}
