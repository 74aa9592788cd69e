// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for kernel/locking: mutexes are a table by address, spinlocks and
 * read-write locks are held by nobody, since tasks are not switched inside.
 */
#include <string.h>

#include "runtime.h"

#define MUTEXES	64

static struct mutex_record records[MUTEXES];
static int record_count;
static const struct task *stats_lock_owner;	/* that took one last */

void mutex_init_generic(const void *mutex);
void mutex_destroy(const void *mutex);
void mutex_lock(const void *mutex);
int mutex_trylock(const void *mutex);
void mutex_unlock(const void *mutex);
void _raw_spin_lock(void *lock);
void _raw_spin_unlock(void *lock);
unsigned long _raw_spin_lock_irqsave(void *lock);
void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags);
void _raw_read_lock(void *lock);
void _raw_read_unlock(void *lock);
void _raw_write_lock(void *lock);
void _raw_write_unlock(void *lock);
void _raw_write_lock_bh(void *lock);
void _raw_write_unlock_bh(void *lock);
void __init_rwsem(void *sem, const char *name, void *key);
void down_read(void *sem);
int down_read_killable(void *sem);
void up_read(void *sem);
void down_write(void *sem);
int down_write_trylock(void *sem);
void up_write(void *sem);

static struct mutex_record *find(const void *mutex)
{
	int i;

	for (i = 0; i < record_count; i++) {
		if (records[i].mutex == mutex)
			return &records[i];
	}
	if (record_count == MUTEXES)
		fail("more than %d mutexes", MUTEXES);
	records[record_count].mutex = mutex;
	return &records[record_count++];
}

struct mutex_record *mutex_records(int *count)
{
	*count = record_count;
	return records;
}

void rt_name_mutex(const void *mutex, const char *name)
{
	find(mutex)->name = name;
}

bool mutex_held_by(const struct task *task)
{
	int i;

	for (i = 0; i < record_count; i++) {
		if (records[i].owner == task)
			return true;
	}
	return false;
}

/* Whether the task that runs holds the mutex of that name, or one whose name ends so. */
bool mutex_is_held(const char *name)
{
	bool is_service = !strcmp(name, "service_mutex");
	int i;

	for (i = 0; i < record_count; i++) {
		if (records[i].owner != current_task || !records[i].name)
			continue;
		if (!strcmp(records[i].name, name) ||
		    (is_service && !strcmp(records[i].name, "__ip_vs_mutex")))
			return true;
	}
	return false;
}

#define STATS_LOCK	1UL

/* The named mutexes that the task holds, a bit each, and the stats lock. */
unsigned long mutexes_held(void)
{
	unsigned long held = stats_lock_owner == current_task ? STATS_LOCK : 0;
	int i;

	for (i = 0; i < record_count && i < 30; i++) {
		if (records[i].name && records[i].owner == current_task)
			held |= 2UL << i;
	}
	return held;
}

int rt_holds_mutex(void)
{
	return mutex_held_by(current_task);
}

void mutex_init_generic(const void *mutex)
{
	find(mutex)->owner = NULL;
}

void mutex_destroy(const void *mutex)
{
	(void)mutex;
}

static bool is_free(void *record)
{
	return !((struct mutex_record *)record)->owner;
}

/* Only a mutex that has a name is one that tasks of the estimator share. */
void mutex_lock(const void *mutex)
{
	struct mutex_record *record = find(mutex);

	if (record->name) {
		current_task->ready = is_free;
		current_task->ready_argument = record;
		point("lock", record->name);
		current_task->ready = NULL;
	}
	if (record->owner) {
		current_task->mutex = record;
		task_wait(TASK_BLOCKED, is_free, record);
		current_task->mutex = NULL;
	}
	record->owner = current_task;
	event_lock("lock-taken", record->name);
}

int mutex_trylock(const void *mutex)
{
	struct mutex_record *record = find(mutex);

	if (record->owner)
		return 0;
	record->owner = current_task;
	return 1;
}

void mutex_unlock(const void *mutex)
{
	struct mutex_record *record = find(mutex);
	struct task *task;

	event_unlocks();
	if (record->owner != current_task)
		violation("broken-lock", record->name ? record->name : "a mutex",
			  "mutex_unlock");
	record->owner = NULL;
	event_lock("lock-released", record->name);
	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_BLOCKED && task->mutex == record)
			task->state = TASK_RUNNABLE;
	}
	if (record->name)
		point("unlocked", record->name);
}

/*
 * The stats lock is what a kthread takes once for each estimator that it
 * estimates: there the clock that the limits test reads goes on.
 */
void _raw_spin_lock(void *lock)
{
	if (current_task->kind == TASK_KTHREAD)
		clock_ns += est_cost_ns;
	stats_lock_owner = current_task;
	event_stats_locked(lock);
}

void _raw_spin_unlock(void *lock)
{
	(void)lock;
	event_stats_unlocked();
	stats_lock_owner = NULL;
}

unsigned long _raw_spin_lock_irqsave(void *lock)
{
	(void)lock;
	return 0;
}

void _raw_spin_unlock_irqrestore(void *lock, unsigned long flags)
{
	(void)lock;
	(void)flags;
}

void _raw_read_lock(void *lock)
{
	(void)lock;
}

void _raw_read_unlock(void *lock)
{
	(void)lock;
}

void _raw_write_lock(void *lock)
{
	(void)lock;
}

void _raw_write_unlock(void *lock)
{
	(void)lock;
}

void _raw_write_lock_bh(void *lock)
{
	(void)lock;
}

void _raw_write_unlock_bh(void *lock)
{
	(void)lock;
}

void __init_rwsem(void *sem, const char *name, void *key)
{
	(void)sem;
	(void)name;
	(void)key;
}

void down_read(void *sem)
{
	(void)sem;
}

int down_read_killable(void *sem)
{
	(void)sem;
	return 0;
}

void up_read(void *sem)
{
	(void)sem;
}

void down_write(void *sem)
{
	(void)sem;
}

int down_write_trylock(void *sem)
{
	(void)sem;
	return 1;
}

void up_write(void *sem)
{
	(void)sem;
}
