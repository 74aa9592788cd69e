/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks, mutexes and virtual time, by the schedule of the recordings: a task
 * runs until it sleeps, waits or ends, and the order in which tasks get their
 * turn is fixed (docs: recordings).
 */
#ifndef PORT_SCHED_H
#define PORT_SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

enum task_state {
	TASK_RUNNABLE,
	TASK_SLEEPING,
	TASK_WAITING,
	TASK_EXITED,
};

struct mutex {
	bool locked;
};

struct task {
	enum task_state state;
	/* The reload work has -1, so it goes before all kthreads. */
	int rank;
	uint64_t wake_at;
	bool should_stop;
	bool started;
	const struct mutex *waits_for;
	const struct task *joins;
	void (*function)(void *data);
	void *data;
	ucontext_t context;
	char *stack;
	struct task *next;
};

extern uint64_t jiffies;

/* What becomes due with time: called at every jiffy and after every slice. */
extern void (*sched_due)(void);

/* Forget all tasks; time begins at @start. */
void sched_reset(uint64_t start);

struct task *task_create(int rank, void (*function)(void *data), void *data);
void task_free(struct task *task);
bool task_should_stop(void);
/* Until then, or until the task is asked to stop. */
void task_sleep(uint64_t n);

/* Ask the task to stop and wait until it has ended; called by tasks and others. */
void task_stop(struct task *task);

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* Let tasks run until none is runnable. */
void sched_settle(void);
void sched_advance(uint64_t n);

/* The control process has waited for ten seconds. */
extern bool sched_blocked;
extern uint64_t sched_hz;

#endif
