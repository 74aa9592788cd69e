// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schedule of the recordings: among runnable tasks the reload work goes
 * first, then kthreads by id; a task runs until it waits; when nobody can run,
 * time passes. Stands in for the scheduler and the clocks.
 */
#include "runtime.h"

#define BLOCKED_SECONDS	10

volatile unsigned long jiffies;
uint64_t now;			/* from 0 at the start of the history */
static uint64_t start;		/* initial_jiffies */
glue_u64 clock_ns;
glue_u64 est_cost_ns;
bool exploring;
bool following;

glue_u64 ktime_get(void);

void schedule_boot(uint64_t initial_jiffies)
{
	jiffies = initial_jiffies;
	start = initial_jiffies;
}

/* Not wrapped, so that it may have more than 64 bits. */
const char *moment_text(glue_u64 since_start)
{
	static char digits[40];
	int at = sizeof(digits) - 1;
#ifdef __SIZEOF_INT128__
	unsigned __int128 moment = start;
#else
	glue_u64 moment = start;
#endif

	moment += since_start;
	do {
		digits[--at] = '0' + (int)(moment % 10);
		moment /= 10;
	} while (moment);
	return digits + at;
}

void out_moment(glue_u64 since_start)
{
	out_raw(moment_text(since_start));
}

glue_u64 ktime_get(void)
{
	return clock_ns;
}

static struct task *first_runnable(void)
{
	struct task *best = NULL;
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->state != TASK_RUNNABLE)
			continue;
		if (!best || task->rank < best->rank ||
		    (task->rank == best->rank && task->age < best->age))
			best = task;
	}
	return best;
}

static bool run_one(void)
{
	struct task *task = first_runnable();

	if (!task)
		return false;
	task_slice(task);
	work_look();
	return true;
}

void schedule_settle(void)
{
	work_look();
	while (run_one())
		;
}

static void wake_sleepers(void)
{
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_SLEEPING && task->sleep_ends &&
		    task->wake_at <= now)
			task->state = TASK_RUNNABLE;
	}
}

/* One jiffy passes: timers, then RCU callbacks, then who sleeps, then work. */
void schedule_jiffy(void)
{
	jiffies++;
	now++;
	timers_run();
	rcu_grace_period();
	wake_sleepers();
	work_look();
}

/* The next jiffy at which anything happens, at most `end`. */
static uint64_t next_event(uint64_t end)
{
	uint64_t event = work_next_event();
	struct task *task;

	if (rcu_pending())
		event = now + 1;
	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_SLEEPING && task->sleep_ends &&
		    task->wake_at < event)
			event = task->wake_at;
	}
	if (event <= now)
		event = now + 1;
	return event < end ? event : end;
}

static void skip_to(uint64_t then)
{
	jiffies += then - now;
	now = then;
}

/* Time passes at once, and ends no grace period. */
void schedule_to(uint64_t then)
{
	skip_to(then);
	timers_run();
	wake_sleepers();
	work_look();
}

void schedule_advance(uint64_t count)
{
	uint64_t end = now + count;

	schedule_settle();
	while (now < end) {
		skip_to(next_event(end) - 1);
		schedule_jiffy();
		schedule_settle();
	}
}

/* The caller of an operation waits: others run, and time passes, until it can go on. */
void schedule_until(bool (*ready)(void *), void *argument)
{
	struct glue_build build;
	uint64_t end;

	glue_describe(&build);
	end = now + BLOCKED_SECONDS * build.hz;
	while (!ready(argument)) {
		if (run_one())
			continue;
		if (now >= end)
			violation_deadlock();
		skip_to(next_event(end) - 1);
		schedule_jiffy();
	}
}
