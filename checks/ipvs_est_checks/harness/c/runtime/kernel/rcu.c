// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for RCU: callbacks run at the next jiffy, in the order in which they
 * were queued, unless a task stands where it may read.
 */
#include <string.h>

#include "runtime.h"

struct callback {
	void (*function)(void *head);	/* NULL: free the object */
	void *argument;
};

static struct callback *callbacks;
static int callback_count;
static int callback_size;

void call_rcu(void *head, void (*function)(void *head));
void kvfree_call_rcu(void *head, void *object);
void synchronize_rcu(void);
void kfree(const void *object);

static void push(void (*function)(void *head), void *argument)
{
	if (callback_count == callback_size) {
		callback_size = callback_size ? 2 * callback_size : 256;
		callbacks = own_grow(callbacks, callback_size * sizeof(*callbacks));
	}
	callbacks[callback_count++] = (struct callback){ function, argument };
}

void call_rcu(void *head, void (*function)(void *head))
{
	push(function, head);
}

void kvfree_call_rcu(void *head, void *object)
{
	(void)head;
	push(NULL, object);
}

void synchronize_rcu(void)
{
}

int rcu_callbacks(void)
{
	return callback_count;
}

bool rcu_pending(void)
{
	return callback_count > 0;
}

static bool somebody_reads(void)
{
	struct task *task;

	if (!exploring)
		return false;
	for (task = tasks; task; task = task->next) {
		if (task->stack && glue_task_atomic(task_kernel(task)))
			return true;
	}
	return false;
}

/* Of an object of the estimator and its owners; not of a table of services. */
static bool is_of_object(const struct callback *callback)
{
	unsigned long offset;
	const char *type;

	return memory_type(callback->argument, &type, &offset) && memory_type_is_known(type);
}

/* The oldest callback of an object, and those of others before; false if there is none. */
bool rcu_run_oldest(void)
{
	struct callback oldest;
	bool found = false;

	while (callback_count && !found) {
		oldest = callbacks[0];
		found = is_of_object(&oldest);
		callback_count--;
		memmove(callbacks, callbacks + 1, callback_count * sizeof(*callbacks));
		if (oldest.function)
			oldest.function(oldest.argument);
		else
			kfree(oldest.argument);
	}
	return found;
}

int rcu_object_callbacks(void)
{
	int count = 0;
	int i;

	for (i = 0; i < callback_count; i++)
		count += is_of_object(&callbacks[i]);
	return count;
}

/* A callback may queue another, which then waits for the next one. */
void rcu_grace_period(void)
{
	struct callback *due = callbacks;
	int count = callback_count;
	int i;

	if (!count || somebody_reads())
		return;
	callbacks = NULL;
	callback_count = 0;
	callback_size = 0;
	for (i = 0; i < count; i++) {
		if (due[i].function)
			due[i].function(due[i].argument);
		else
			kfree(due[i].argument);
	}
	own_drop(due);
}

static bool nobody_reads(void *unused)
{
	(void)unused;
	return !somebody_reads();
}

/* Until all callbacks have run; in a scheduled run readers go on meanwhile. */
void rcu_drain(void)
{
	while (rcu_pending()) {
		if (exploring)
			task_wait(TASK_WAITING, nobody_reads, NULL);
		rcu_grace_period();
	}
}

/* Who waits for readers can go on when there are none any more. */
void rcu_look(void)
{
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_WAITING && task->ready == nobody_reads &&
		    !somebody_reads())
			task->state = TASK_RUNNABLE;
	}
}
