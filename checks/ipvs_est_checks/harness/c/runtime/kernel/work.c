// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for workqueues and timers. The estimator's reload work becomes a
 * task when it is due and no earlier instance is alive; other work, such as the
 * defense against floods or a new size of the table of services, never runs.
 */
#include "runtime.h"

#define RECORDS	32
#define WORK_RANK	0

/* Work or a timer that was queued, by address. */
struct queued {
	void *what;
	bool pending;
	uint64_t due;	/* jiffies since boot */
};

struct queue {
	struct queued records[RECORDS];
	int count;
};

static struct queue works;
static struct queue timers;
static struct task *running;
static int cancelling;	/* who waits for the reload work's end */

void *workqueue;
bool queue_delayed_work_on(int cpu, void *queue, void *work, unsigned long delay);
bool mod_delayed_work_on(int cpu, void *queue, void *work, unsigned long delay);
bool queue_work_on(int cpu, void *queue, void *work);
bool cancel_delayed_work_sync(void *work);
bool cancel_work_sync(void *work);
bool disable_delayed_work_sync(void *work);
void delayed_work_timer_fn(void *timer);

static struct queued *find(struct queue *queue, void *what)
{
	int i;

	for (i = 0; i < queue->count; i++) {
		if (queue->records[i].what == what)
			return &queue->records[i];
	}
	if (queue->count == RECORDS)
		fail("more than %d works or timers", RECORDS);
	queue->records[queue->count].what = what;
	return &queue->records[queue->count++];
}

bool queue_delayed_work_on(int cpu, void *queue, void *work, unsigned long delay)
{
	struct queued *record = find(&works, work);

	(void)cpu;
	(void)queue;
	if (glue_is_reload_work(work))
		point("queue_work", "est_reload_work");
	if (record->pending || (cancelling && glue_is_reload_work(work)))
		return false;
	record->pending = true;
	record->due = now + delay;
	return true;
}

bool mod_delayed_work_on(int cpu, void *queue, void *work, unsigned long delay)
{
	find(&works, work)->pending = false;
	return queue_delayed_work_on(cpu, queue, work, delay);
}

bool queue_work_on(int cpu, void *queue, void *work)
{
	(void)cpu;
	(void)queue;
	(void)work;
	return true;
}

bool cancel_delayed_work_sync(void *work)
{
	struct queued *record = find(&works, work);
	bool was_pending = record->pending;

	if (!glue_is_reload_work(work)) {
		record->pending = false;
		return was_pending;
	}
	point("cancel_work", "est_reload_work");
	record->pending = false;
	/* Meanwhile it cannot be queued. */
	cancelling++;
	if (running)
		task_join(running);
	cancelling--;
	return was_pending;
}

bool disable_delayed_work_sync(void *work)
{
	return cancel_delayed_work_sync(work);
}

bool cancel_work_sync(void *work)
{
	(void)work;
	return false;
}

void delayed_work_timer_fn(void *timer)
{
	(void)timer;
}

static int run_work(void *work)
{
	glue_run_work(work);
	return 0;
}

void work_look(void)
{
	struct queued *record = find(&works, glue_reload_work());

	if (!record->pending || running || record->due > now)
		return;
	record->pending = false;
	running = task_new(TASK_WORK, "est_reload_work", WORK_RANK);
	running->function = run_work;
	running->argument = record->what;
	running->state = TASK_RUNNABLE;
}

void work_exited(struct task *task)
{
	if (task == running)
		running = NULL;
}

uint64_t work_next_event(void)
{
	struct queued *record = find(&works, glue_reload_work());
	uint64_t event = UINT64_MAX;
	int i;

	if (record->pending && !running)
		event = record->due;
	for (i = 0; i < timers.count; i++) {
		record = &timers.records[i];
		if (record->pending && record->due < event)
			event = record->due;
	}
	return event;
}

bool work_state(uint64_t *due, const struct task **instance)
{
	struct queued *record = find(&works, glue_reload_work());

	*due = record->due;
	*instance = running;
	return record->pending;
}

bool timer_due(void *timer, uint64_t *due)
{
	struct queued *record = find(&timers, timer);

	*due = record->due;
	return record->pending;
}

void rt_timer_set(void *timer, unsigned long expires)
{
	struct queued *record = find(&timers, timer);
	long delay = (long)(expires - jiffies);

	record->pending = true;
	record->due = delay > 0 ? now + delay : now;
}

int rt_timer_clear(void *timer)
{
	struct queued *record = find(&timers, timer);
	bool was_pending = record->pending;

	record->pending = false;
	return was_pending;
}

void timers_run(void)
{
	int i;

	for (i = 0; i < timers.count; i++) {
		struct queued *record = &timers.records[i];

		if (!record->pending || record->due > now)
			continue;
		record->pending = false;
		glue_run_timer(record->what);
	}
}
