// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands in for kernel/kthread.c and the scheduler's calls: create, stop, sleep. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

#define FIRST_KTHREAD_RANK	1

void *kthread_create_on_node(int (*function)(void *), void *argument, int node,
			     const char *format, ...);
int wake_up_process(void *kernel);
bool kthread_should_stop(void);
int kthread_stop(void *kernel);
int kthread_stop_put(void *kernel);
void set_user_nice(void *kernel, long nice);
int kthread_affine_preferred(void *kernel, const void *mask);
void __put_task_struct(void *kernel);
void __put_task_struct_rcu_cb(void *head);
void schedule(void);
int __cond_resched(void);
void preempt_schedule(void);
void preempt_schedule_notrace(void);

/* The number at the end of a kthread's name, such as 3 in ipvs-e:0:3. */
static int number_of(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? atoi(colon + 1) : 0;
}

void *kthread_create_on_node(int (*function)(void *), void *argument, int node,
			     const char *format, ...)
{
	char kernel_name[32];
	char name[32];
	struct task *task;
	va_list arguments;

	(void)node;
	if (rt_allocation_fails())
		return (void *)(intptr_t)-KERNEL_ENOMEM;
	va_start(arguments, format);
	vsnprintf(kernel_name, sizeof(kernel_name), format, arguments);
	va_end(arguments);
	/* As elsewhere: without the number of the namespace. */
	snprintf(name, sizeof(name), "ipvs-e:%d", number_of(kernel_name));
	task = task_new(TASK_KTHREAD, name, FIRST_KTHREAD_RANK + number_of(kernel_name));
	task->function = function;
	task->argument = argument;
	return task_kernel(task);
}

int wake_up_process(void *kernel)
{
	struct task *task = task_of(kernel);

	/* Property tasks.enabled, of which no state tells. */
	if (!following && task->kind == TASK_KTHREAD && !glue_enabled())
		violation("task-started-while-disabled", task->name, "wake_up_process");
	if (task->state == TASK_NEW)
		event_task_started(task);
	task_wake(task);
	return 1;
}

bool kthread_should_stop(void)
{
	event_asks_to_stop();
	if (field_points)
		point("read", "should_stop");
	return current_task->should_stop;
}

static void check_alive(struct task *task, const char *where)
{
	if (glue_task_references(task_kernel(task)) <= 0)
		violation("use-after-free", task->name, where);
}

int kthread_stop(void *kernel)
{
	struct task *task = task_of(kernel);

	check_alive(task, "kthread_stop");
	point("stop", task->name);
	task->should_stop = true;
	task_wake(task);
	task_join(task);
	return 0;
}

int kthread_stop_put(void *kernel)
{
	int ret = kthread_stop(kernel);

	task_put(task_of(kernel));
	return ret;
}

void set_user_nice(void *kernel, long nice)
{
	task_of(kernel)->nice = nice;
}

int kthread_affine_preferred(void *kernel, const void *mask)
{
	int *cpus;
	int count;
	struct glue_build build;

	glue_describe(&build);
	cpus = own_new(build.max_cpus * sizeof(*cpus));
	count = glue_cpumask_cpus(mask, cpus, build.max_cpus);
	glue_task_allow_cpus(kernel, cpus, count);
	own_drop(cpus);
	return 0;
}

/* The kernel's own put_task_struct() has dropped the last reference. */
void __put_task_struct(void *kernel)
{
	(void)kernel;
}

void __put_task_struct_rcu_cb(void *head)
{
	(void)head;
}

/* A task that is asked to stop does not sleep, but lets others run. */
long schedule_timeout(long timeout)
{
	struct task *task = current_task;

	if (task_is_caller())
		fail("the caller of an operation sleeps");
	point("sleep", "");
	if (task->should_stop) {
		task->state = TASK_RUNNABLE;
		task_pause();
		return timeout;
	}
	task->sleep_ends = timeout != LONG_MAX;
	task->wake_at = now + timeout;
	task->state = TASK_SLEEPING;
	task_pause();
	return task->wake_at > now ? (long)(task->wake_at - now) : 0;
}

void schedule(void)
{
	schedule_timeout(LONG_MAX);
}

int __cond_resched(void)
{
	point("cond_resched", "");
	return 0;
}

void preempt_schedule(void)
{
}

void preempt_schedule_notrace(void)
{
}
