/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sequential part of the kthread estimator, as mainline has it: starting
 * and stopping of estimators, kthread contexts, the drain, the limits test and
 * the calc phase, the reload work, and the sysctls.
 *
 * Section numbers in est.c are those of the behaviour document.
 */
#ifndef PORT_EST_H
#define PORT_EST_H

#include "sched.h"

#include <stdbool.h>
#include <stdint.h>

#define COUNTERS 5
#define MAX_TICKS 64
#define MAX_CHAINS 64
#define MAX_SLOTS 32768

/* Mistakes that can be switched on, to see that they are found. */
enum mistake {
	MISTAKE_NONE,
	MISTAKE_COUNT,
	MISTAKE_CRASH,
	MISTAKE_SILENCE,
	MISTAKE_ERRNO,
	MISTAKE_LOST,
	MISTAKE_RATE,
};

struct params {
	uint64_t hz;
	uint64_t nticks;
	uint64_t load_divisor;
	uint64_t chain_factor;
	uint64_t tick_chains;
	uint64_t possible_cpus;
	/* CPUs for kthreads while no cpulist is set. */
	uint64_t housekeeping;
	/* ns to estimate one estimator */
	uint64_t est_cost;
	uint64_t initial_jiffies;
	bool preempt_rcu;
};

struct group {
	uint64_t counter[COUNTERS];
};

struct estimator {
	/* 0: the total */
	uint32_t id;
	struct estimator *next;
	struct estimator *prev;
	int ktid;
	int ktrow;
	int ktcid;
	struct group *cpustats;
	struct group last;
	/* scaled: 2^10 for connections and packets, 2^5 for bytes */
	struct group rates;
	struct group kstats;
	struct group kstats0;
};

struct tick {
	/* The heads are estimators of their own, so that all others have a prev. */
	struct estimator chains[MAX_CHAINS];
	int chain_len[MAX_CHAINS];
	uint64_t present;
	uint64_t full;
};

struct context {
	int id;
	struct task *task;
	bool needed;
	struct tick *ticks[MAX_TICKS];
	uint64_t avail;
	int tick_len[MAX_TICKS];
	int est_count;
	int est_max_count;
	int chain_max;
	int tick_max;
	int add_row;
	int est_row;
	uint64_t est_timer;
};

struct netns {
	struct params params;
	enum mistake mistake;
	struct mutex service_mutex;
	struct mutex est_mutex;
	struct estimator temp;
	struct context *slots[MAX_SLOTS];
	int kt_count;
	int add_ktid;
	uint64_t max_threads;
	int chain_max;
	bool calc_phase;
	bool enable;
	bool stopped;
	bool cpulist_valid;
	uint64_t cpulist_weight;
	uint64_t run_estimation;
	int nice;
	uint64_t genid;
	uint64_t genid_done;
	bool work_pending;
	struct task *work;
	uint64_t clock_ns;
	struct estimator **objects;
	uint32_t nr_objects;
};

extern struct netns netns;

void est_reset(const struct params *params, enum mistake mistake);
struct estimator *est_find(uint32_t id);

int est_init(void);
int est_add(uint32_t id, bool service);
void est_delete(struct estimator *est);
void est_disable(void);

void est_set_cpulist(uint64_t weight);
int est_set_nice(int64_t value);
void est_set_run(uint64_t value);

void est_count(struct estimator *est, uint64_t cpu, const struct group *steps);
void est_zero(struct estimator *est);
/* Counters since the zero point, and rates per second. */
void est_read(const struct estimator *est, struct group *counters, struct group *rates);

#endif
