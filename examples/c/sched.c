// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks, mutexes and virtual time; see sched.h. */

#include "sched.h"

#include <stddef.h>
#include <stdlib.h>

#define STACK_SIZE 65536
#define BLOCKED_SECONDS 10

uint64_t jiffies;
uint64_t sched_hz;
bool sched_blocked;
void (*sched_due)(void);

/* By age, the oldest first. */
static struct task *tasks;
/* NULL: the control process, in whose context operations are done. */
static struct task *current;
static ucontext_t control;

void sched_reset(uint64_t start)
{
	while (tasks) {
		struct task *task = tasks;

		tasks = task->next;
		free(task->stack);
		free(task);
	}
	jiffies = start;
	sched_blocked = false;
}

static void first_slice(void)
{
	struct task *task = current;

	/* Asked to stop before its first slice, it does not enter its function. */
	if (!task->should_stop)
		task->function(task->data);
	task->state = TASK_EXITED;
	swapcontext(&task->context, &control);
}

struct task *task_create(int rank, void (*function)(void *data), void *data)
{
	struct task *task = calloc(1, sizeof(*task));
	struct task **end = &tasks;

	task->rank = rank;
	task->function = function;
	task->data = data;
	task->state = TASK_RUNNABLE;
	task->stack = malloc(STACK_SIZE);
	getcontext(&task->context);
	task->context.uc_stack.ss_sp = task->stack;
	task->context.uc_stack.ss_size = STACK_SIZE;
	makecontext(&task->context, first_slice, 0);
	while (*end)
		end = &(*end)->next;
	*end = task;
	return task;
}

void task_free(struct task *task)
{
	struct task **link = &tasks;

	while (*link != task)
		link = &(*link)->next;
	*link = task->next;
	free(task->stack);
	free(task);
}

/* What a task waits for may have come. */
static bool can_run(const struct task *task)
{
	if (task->state == TASK_WAITING) {
		if (task->waits_for)
			return !task->waits_for->locked;
		return task->joins->state == TASK_EXITED;
	}
	return task->state == TASK_RUNNABLE;
}

static bool run_slice(void)
{
	struct task *chosen = NULL;
	struct task *task;

	sched_due();
	for (task = tasks; task; task = task->next) {
		if (can_run(task) && (!chosen || task->rank < chosen->rank))
			chosen = task;
	}
	if (!chosen)
		return false;
	chosen->state = TASK_RUNNABLE;
	current = chosen;
	swapcontext(&control, &chosen->context);
	current = NULL;
	return true;
}

static void tick(void)
{
	struct task *task;

	jiffies++;
	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_SLEEPING && task->wake_at == jiffies)
			task->state = TASK_RUNNABLE;
	}
	sched_due();
}

/* End the slice of the task that runs. */
static void give_up_cpu(enum task_state state)
{
	struct task *task = current;

	task->state = state;
	swapcontext(&task->context, &control);
}

static bool satisfied(const struct mutex *mutex, const struct task *task)
{
	return mutex ? !mutex->locked : task->state == TASK_EXITED;
}

/* Wait for a mutex or for a task's end. */
static void wait_for(const struct mutex *mutex, const struct task *task)
{
	uint64_t patience = BLOCKED_SECONDS * sched_hz;

	if (current) {
		while (!satisfied(mutex, task)) {
			current->waits_for = mutex;
			current->joins = task;
			give_up_cpu(TASK_WAITING);
		}
		return;
	}
	/* The control process goes on before any other task, as soon as it can. */
	while (!satisfied(mutex, task) && !sched_blocked) {
		if (run_slice())
			continue;
		if (!patience--)
			sched_blocked = true;
		else
			tick();
	}
}

void mutex_lock(struct mutex *mutex)
{
	wait_for(mutex, NULL);
	mutex->locked = true;
}

void mutex_unlock(struct mutex *mutex)
{
	mutex->locked = false;
}

void task_stop(struct task *task)
{
	task->should_stop = true;
	if (task->state == TASK_SLEEPING)
		task->state = TASK_RUNNABLE;
	wait_for(NULL, task);
}

bool task_should_stop(void)
{
	return current && current->should_stop;
}

void task_sleep(uint64_t n)
{
	if (!n || task_should_stop())
		return;
	current->wake_at = jiffies + n;
	give_up_cpu(TASK_SLEEPING);
}

void sched_settle(void)
{
	while (run_slice())
		;
}

void sched_advance(uint64_t n)
{
	sched_settle();
	while (n--) {
		tick();
		sched_settle();
	}
}
