// SPDX-License-Identifier: GPL-2.0-or-later
/* The sequential part of the kthread estimator; see est.h. */

#include "est.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LIMITS_TESTS 12
#define CACHE_FACTOR 4
#define GOAL_NS 95000
#define DRAIN_AT_ONCE 16
#define PACKET_SHIFT 9
#define BYTE_SHIFT 4
#define FIRST_BYTES 3
#define TEMP_LIST (-1)

struct netns netns;

static void request_start(void);
static void request_restart(void);

/* Lists: circular, with a head that is no estimator of anybody. */

static void list_init(struct estimator *head)
{
	head->next = head;
	head->prev = head;
}

static bool list_empty(const struct estimator *head)
{
	return head->next == head;
}

static void list_add(struct estimator *est, struct estimator *head)
{
	est->next = head->next;
	est->prev = head;
	head->next->prev = est;
	head->next = est;
}

static void list_del(struct estimator *est)
{
	est->prev->next = est->next;
	est->next->prev = est->prev;
	est->next = NULL;
	est->prev = NULL;
}

/* Section 2: numbers */

static int nticks(void)
{
	return (int)netns.params.nticks;
}

static uint64_t tick_jiffies(void)
{
	return 2 * netns.params.hz / netns.params.nticks;
}

static uint64_t max_threads_of(uint64_t cpus)
{
	uint64_t threads = netns.params.load_divisor / 2 * cpus;

	return threads ? threads : 1;
}

static void apply_limits(struct context *kd)
{
	kd->chain_max = netns.chain_max;
	if (netns.params.preempt_rcu)
		kd->chain_max *= (int)netns.params.chain_factor;
	kd->tick_max = (int)netns.params.tick_chains * kd->chain_max;
	kd->est_max_count = nticks() * kd->tick_max;
}

/* Section 3: counters and rates */

void est_count(struct estimator *est, uint64_t cpu, const struct group *steps)
{
	int i;

	for (i = 0; i < COUNTERS; i++)
		est->cpustats[cpu].counter[i] += steps->counter[i];
}

static void estimate(struct estimator *est)
{
	uint64_t cpu;
	int i;

	netns.clock_ns += netns.params.est_cost;
	for (i = 0; i < COUNTERS; i++) {
		int shift = i < FIRST_BYTES ? PACKET_SHIFT : BYTE_SHIFT;
		uint64_t sum = 0;
		uint64_t rate;

		for (cpu = 0; cpu < netns.params.possible_cpus; cpu++)
			sum += est->cpustats[cpu].counter[i];
		est->kstats.counter[i] = sum;
		rate = (sum - est->last.counter[i]) << shift;
		est->last.counter[i] = sum;
		/* A quarter of the way, rounded down also where it leads down. */
		est->rates.counter[i] += (uint64_t)((int64_t)(rate - est->rates.counter[i]) >>
						    (netns.mistake == MISTAKE_RATE ? 1 : 2));
	}
}

void est_zero(struct estimator *est)
{
	est->kstats0 = est->kstats;
	est->last = est->kstats;
	memset(&est->rates, 0, sizeof(est->rates));
}

void est_read(const struct estimator *est, struct group *counters, struct group *rates)
{
	int i;

	for (i = 0; i < COUNTERS; i++) {
		counters->counter[i] = est->kstats.counter[i] - est->kstats0.counter[i];
		if (i < FIRST_BYTES)
			rates->counter[i] = (est->rates.counter[i] + 0x1FF) >> 10;
		else
			rates->counter[i] = (est->rates.counter[i] + 0xF) >> 5;
	}
}

/* Section 6: kthread contexts */

static void choose_add_ktid(void)
{
	int empty = -1;
	int id;

	for (id = 0; id < netns.kt_count; id++) {
		struct context *kd = netns.slots[id];

		if (kd && kd->est_count < kd->est_max_count) {
			netns.add_ktid = id;
			return;
		}
		if (!kd && empty < 0)
			empty = id;
	}
	netns.add_ktid = empty < 0 ? netns.kt_count : empty;
}

static int add_context(void)
{
	struct context *kd;
	int id = 0;

	mutex_lock(&netns.est_mutex);
	if (netns.enable && netns.max_threads &&
	    (uint64_t)netns.kt_count >= netns.max_threads) {
		mutex_unlock(&netns.est_mutex);
		return -EINVAL;
	}
	while (id < netns.kt_count && netns.slots[id])
		id++;
	kd = calloc(1, sizeof(*kd));
	kd->id = id;
	kd->avail = nticks() == 64 ? ~0ULL : (1ULL << nticks()) - 1;
	kd->est_timer = jiffies;
	apply_limits(kd);
	kd->needed = true;
	request_start();
	if (id == netns.kt_count)
		netns.kt_count++;
	netns.slots[id] = kd;
	netns.add_ktid = id;
	mutex_unlock(&netns.est_mutex);
	return 0;
}

static void stop_task(struct context *kd)
{
	if (!kd->task)
		return;
	task_stop(kd->task);
	task_free(kd->task);
	kd->task = NULL;
}

static void free_context(struct context *kd)
{
	int row;

	stop_task(kd);
	for (row = 0; row < nticks(); row++)
		free(kd->ticks[row]);
	free(kd);
}

/* Section 5: enqueueing */

static int highest_row(uint64_t rows)
{
	return 63 - __builtin_clzll(rows);
}

static int choose_row(const struct context *kd, int crow, bool new)
{
	uint64_t below = ~0ULL >> (63 - crow);
	uint64_t above = ~0ULL << crow;

	if (new)
		return highest_row(kd->avail & below ? kd->avail & below : kd->avail);
	return __builtin_ctzll(kd->avail & above ? kd->avail & above : kd->avail);
}

static struct tick *new_tick(void)
{
	struct tick *td = calloc(1, sizeof(*td));
	uint64_t cid;

	for (cid = 0; cid < netns.params.tick_chains; cid++)
		list_init(&td->chains[cid]);
	return td;
}

static int enqueue(struct estimator *est)
{
	struct context *kd = NULL;
	struct tick *td;
	bool new = est->ktrow == nticks() - 1;
	int base;
	int row;
	int cid;

	if (netns.add_ktid < netns.kt_count)
		kd = netns.slots[netns.add_ktid];
	if (!kd) {
		int ret = add_context();

		if (ret)
			return ret;
		kd = netns.slots[netns.add_ktid];
	}
	base = new && kd->est_count < 2 * kd->tick_max ? kd->add_row : kd->est_row;
	row = choose_row(kd, (base + est->ktrow) % nticks(), new);
	if (!kd->ticks[row])
		kd->ticks[row] = new_tick();
	td = kd->ticks[row];
	cid = __builtin_ctzll(~td->full);

	kd->est_count++;
	kd->tick_len[row]++;
	if (!td->chain_len[cid])
		td->present |= 1ULL << cid;
	td->chain_len[cid]++;
	est->ktid = kd->id;
	est->ktrow = row;
	est->ktcid = cid;
	list_add(est, &td->chains[cid]);
	if (netns.mistake == MISTAKE_COUNT ? td->chain_len[cid] > kd->chain_max :
					     td->chain_len[cid] >= kd->chain_max) {
		td->full |= 1ULL << cid;
		if (kd->tick_len[row] >= kd->tick_max)
			kd->avail &= ~(1ULL << row);
	}
	if (kd->est_count == kd->est_max_count)
		choose_add_ktid();
	return 0;
}

/* Section 4: starting, section 7: stopping */

static int start_estimator(struct estimator *est)
{
	est->ktid = TEMP_LIST;
	est->ktrow = nticks() - 1;
	if (!netns.slots[0]) {
		int ret = add_context();

		if (ret)
			return ret;
	} else if (!netns.slots[0]->needed) {
		mutex_lock(&netns.est_mutex);
		netns.slots[0]->needed = true;
		request_restart();
		mutex_unlock(&netns.est_mutex);
	}
	list_add(est, &netns.temp);
	return 0;
}

static void destroy_context(struct context *kd)
{
	int id = kd->id;

	mutex_lock(&netns.est_mutex);
	free_context(kd);
	netns.slots[id] = NULL;
	if (id == netns.kt_count - 1) {
		do {
			netns.kt_count--;
		} while (netns.kt_count > 1 && !netns.slots[netns.kt_count - 1]);
	}
	mutex_unlock(&netns.est_mutex);
	if (netns.add_ktid == id)
		choose_add_ktid();
}

/* Whether nothing is left, so that kthread 0 is not needed. */
static void release_kd0_if_idle(void)
{
	struct context *kd = netns.slots[0];

	if (netns.kt_count != 1 || !list_empty(&netns.temp) || (kd && kd->est_count))
		return;
	if (kd) {
		mutex_lock(&netns.est_mutex);
		kd->needed = false;
		request_restart();
		mutex_unlock(&netns.est_mutex);
	}
	netns.add_ktid = 0;
}

static void stop_estimator(struct estimator *est)
{
	struct context *kd;
	struct tick *td;
	int row = est->ktrow;
	int cid = est->ktcid;

	if (!est->prev)
		return;
	list_del(est);
	if (est->ktid == TEMP_LIST) {
		release_kd0_if_idle();
		return;
	}
	kd = netns.slots[est->ktid];
	td = kd->ticks[row];
	td->full &= ~(1ULL << cid);
	td->chain_len[cid]--;
	if (!td->chain_len[cid])
		td->present &= ~(1ULL << cid);
	kd->tick_len[row]--;
	kd->avail |= 1ULL << row;
	if (!kd->tick_len[row]) {
		free(td);
		kd->ticks[row] = NULL;
	}
	kd->est_count--;
	if (kd->est_count) {
		if (kd->id < netns.add_ktid)
			netns.add_ktid = kd->id;
		return;
	}
	if (kd->id > 0)
		destroy_context(kd);
	release_kd0_if_idle();
}

/* Section 10: the drain */

static void drain(void)
{
	for (;;) {
		int left = DRAIN_AT_ONCE;

		mutex_lock(&netns.service_mutex);
		while (left--) {
			struct estimator *est = netns.temp.next;

			if (list_empty(&netns.temp) || task_should_stop()) {
				mutex_unlock(&netns.service_mutex);
				return;
			}
			list_del(est);
			if (netns.mistake == MISTAKE_LOST && est->id == 2)
				continue;
			if (enqueue(est)) {
				est->ktid = TEMP_LIST;
				list_add(est, &netns.temp);
				mutex_unlock(&netns.service_mutex);
				return;
			}
		}
		mutex_unlock(&netns.service_mutex);
	}
}

/* Section 11: the limits test and the calc phase */

static bool given_up(void)
{
	return !netns.enable || task_should_stop();
}

/* How many estimators a chain may have; 0 if the test was given up. */
static int calc_limits(void)
{
	uint64_t min_est = 0;
	uint64_t loops = 1;
	int max = 8;
	int test;

	for (test = 0; test < LIMITS_TESTS; test++) {
		uint64_t diff;

		/* A change of the CPU's frequency takes a while. */
		if (test % 4 == 0)
			task_sleep(netns.params.hz / 50);
		if (given_up())
			return 0;
		diff = CACHE_FACTOR * loops * netns.params.est_cost;
		netns.clock_ns += netns.params.est_cost + diff;
		if (diff <= 1000) {
			loops *= 2;
			continue;
		}
		if (diff >= 1000000000)
			continue;
		if (!min_est || diff / loops < min_est) {
			min_est = diff / loops;
			max = min_est > GOAL_NS ? 1 : (int)(GOAL_NS / min_est);
		}
	}
	return max;
}

/* Move what the row's chains hold to the temp list; false: leave this delay. */
static bool relink_row(struct context *kd, int row, int delay)
{
	int id = kd->id;
	int cid;

	for (cid = 0; cid < (int)netns.params.tick_chains; cid++) {
		while (!list_empty(&kd->ticks[row]->chains[cid])) {
			struct estimator *est = kd->ticks[row]->chains[cid].next;

			if (id == 0 && kd->est_count == 1)
				return false;
			stop_estimator(est);
			est->ktid = TEMP_LIST;
			est->ktrow = delay;
			list_add(est, &netns.temp);
			if (id >= netns.kt_count || netns.slots[id] != kd || !kd->ticks[row])
				return true;
		}
	}
	return true;
}

/* Whether all were relinked. */
static bool relink_all(void)
{
	int delay;
	int id;

	for (delay = nticks() - 1; delay >= 0; delay--) {
		for (id = netns.kt_count - 1; id >= 0; id--) {
			struct context *kd = netns.slots[id];
			int row;

			if (given_up())
				return false;
			if (!kd)
				continue;
			if (id == 0 && kd->est_count <= 1)
				break;
			row = (kd->est_row + delay) % nticks();
			if (kd->ticks[row] && !relink_row(kd, row, delay))
				break;
		}
	}
	return true;
}

static bool stop_others(void)
{
	bool done = true;
	int id;

	mutex_lock(&netns.est_mutex);
	for (id = 1; id < netns.kt_count && done; id++) {
		done = !given_up();
		if (done && netns.slots[id])
			stop_task(netns.slots[id]);
	}
	mutex_unlock(&netns.est_mutex);
	return done;
}

static void calc_phase(void)
{
	uint64_t genid = netns.genid;
	struct estimator *total;
	int max = calc_limits();

	if (!max || !stop_others())
		return;
	mutex_lock(&netns.service_mutex);
	if (!relink_all()) {
		mutex_unlock(&netns.service_mutex);
		return;
	}
	netns.slots[0]->add_row = netns.slots[0]->est_row;
	netns.chain_max = max;
	apply_limits(netns.slots[0]);
	total = est_find(0);
	if (total && total->prev && total->ktid == TEMP_LIST) {
		list_del(total);
		list_add(total, &netns.temp);
	}
	mutex_lock(&netns.est_mutex);
	if (netns.genid == genid)
		netns.calc_phase = false;
	mutex_unlock(&netns.est_mutex);
	mutex_unlock(&netns.service_mutex);
}

/* Section 8: the kthread's function */

static void estimate_tick(const struct tick *td)
{
	uint64_t cid;

	for (cid = 0; cid < netns.params.tick_chains; cid++) {
		const struct estimator *head = &td->chains[cid];
		struct estimator *est;

		if (!(td->present >> cid & 1))
			continue;
		if (task_should_stop())
			return;
		for (est = head->next; est != head; est = est->next)
			estimate(est);
	}
}

static void wait_for_turn(struct context *kd)
{
	uint64_t tick = tick_jiffies();
	int64_t gap = (int64_t)(kd->est_timer - jiffies);

	if (gap > 0) {
		if (gap > (int64_t)tick) {
			kd->est_timer = jiffies - tick;
			gap = (int64_t)tick;
		}
		task_sleep((uint64_t)gap);
	} else if (gap < -8 * (int64_t)tick) {
		kd->est_timer = jiffies;
	}
}

static void kthread(void *data)
{
	struct context *kd = data;
	int row = kd->est_row;

	if (kd->id > 0) {
		if (!netns.chain_max)
			return;
	} else {
		if (!netns.chain_max)
			netns.calc_phase = true;
		if (netns.calc_phase) {
			calc_phase();
			if (given_up())
				return;
		}
	}
	for (;;) {
		if (kd->id == 0 && !list_empty(&netns.temp))
			drain();
		if (task_should_stop())
			return;
		wait_for_turn(kd);
		if (kd->tick_len[row] && kd->ticks[row])
			estimate_tick(kd->ticks[row]);
		row = (row + 1) % nticks();
		kd->est_row = row;
		kd->est_timer += tick_jiffies();
	}
}

/* Section 9: tasks and the reload work */

static void start_task(struct context *kd)
{
	int64_t gap = (int64_t)(kd->est_timer - jiffies);
	int64_t most = 4 * (int64_t)tick_jiffies();

	if (gap > most || gap < -most)
		kd->est_timer = jiffies;
	kd->task = task_create(kd->id, kthread, kd);
}

static void request_start(void)
{
	if (!netns.enable)
		return;
	netns.stopped = !netns.run_estimation ||
			(netns.cpulist_valid && !netns.cpulist_weight);
	netns.work_pending = true;
}

static void request_restart(void)
{
	if (netns.enable)
		netns.genid++;
	request_start();
}

static void reload_work(void *data)
{
	uint64_t done = netns.genid_done;
	uint64_t genid;
	int id;

	(void)data;
	mutex_lock(&netns.est_mutex);
	genid = netns.genid;
	for (id = 0; id < netns.kt_count; id++) {
		struct context *kd = netns.slots[id];

		if (!netns.enable)
			goto out;
		if (!kd)
			continue;
		if (genid != done && id == 0) {
			mutex_unlock(&netns.est_mutex);
			stop_task(kd);
			mutex_lock(&netns.est_mutex);
			if (!netns.enable)
				goto out;
		} else if (genid != done) {
			stop_task(kd);
		}
		if (kd->task || netns.stopped)
			continue;
		if (id == 0 ? kd->needed : !netns.calc_phase)
			start_task(kd);
	}
	netns.genid_done = genid;
out:
	mutex_unlock(&netns.est_mutex);
}

/* Pending work becomes a task when no earlier instance is alive. */
static void start_due_work(void)
{
	if (netns.work && netns.work->state == TASK_EXITED) {
		task_free(netns.work);
		netns.work = NULL;
	}
	if (netns.work_pending && !netns.work) {
		netns.work_pending = false;
		netns.work = task_create(-1, reload_work, NULL);
	}
}

/* Section 12: sysctls */

void est_set_cpulist(uint64_t weight)
{
	mutex_lock(&netns.est_mutex);
	netns.cpulist_valid = true;
	netns.cpulist_weight = weight;
	netns.max_threads = max_threads_of(weight);
	netns.calc_phase = true;
	request_restart();
	mutex_unlock(&netns.est_mutex);
}

int est_set_nice(int64_t value)
{
	if (value < -20 || value > 19)
		return netns.mistake == MISTAKE_ERRNO ? -ERANGE : -EINVAL;
	if (value != netns.nice) {
		mutex_lock(&netns.est_mutex);
		netns.nice = (int)value;
		request_restart();
		mutex_unlock(&netns.est_mutex);
	}
	return 0;
}

void est_set_run(uint64_t value)
{
	if (value == netns.run_estimation)
		return;
	mutex_lock(&netns.est_mutex);
	netns.run_estimation = value;
	request_restart();
	mutex_unlock(&netns.est_mutex);
}

/* Objects, and the netns */

void est_reset(const struct params *params, enum mistake mistake)
{
	uint32_t i;
	int id;

	for (i = 0; i < netns.nr_objects; i++) {
		if (netns.objects[i]) {
			free(netns.objects[i]->cpustats);
			free(netns.objects[i]);
		}
	}
	free(netns.objects);
	sched_reset(params->initial_jiffies);
	for (id = 0; id < netns.kt_count; id++) {
		if (netns.slots[id]) {
			netns.slots[id]->task = NULL;
			free_context(netns.slots[id]);
		}
	}
	memset(&netns, 0, sizeof(netns));
	netns.params = *params;
	netns.mistake = mistake;
	netns.run_estimation = 1;
	list_init(&netns.temp);
	sched_hz = params->hz;
	sched_due = start_due_work;
}

struct estimator *est_find(uint32_t id)
{
	return id < netns.nr_objects ? netns.objects[id] : NULL;
}

static struct estimator *new_object(uint32_t id)
{
	struct estimator *est = calloc(1, sizeof(*est));

	est->id = id;
	est->cpustats = calloc(netns.params.possible_cpus, sizeof(*est->cpustats));
	if (id >= netns.nr_objects) {
		uint32_t more = id + 1 + netns.nr_objects;

		netns.objects = realloc(netns.objects, more * sizeof(*netns.objects));
		memset(netns.objects + netns.nr_objects, 0,
		       (more - netns.nr_objects) * sizeof(*netns.objects));
		netns.nr_objects = more;
	}
	netns.objects[id] = est;
	return est;
}

static void free_object(struct estimator *est)
{
	netns.objects[est->id] = NULL;
	free(est->cpustats);
	free(est);
}

int est_init(void)
{
	return start_estimator(new_object(0));
}

int est_add(uint32_t id, bool service)
{
	struct estimator *est = new_object(id);
	int ret;

	mutex_lock(&netns.service_mutex);
	ret = start_estimator(est);
	if (ret) {
		free_object(est);
	} else if (service && !netns.enable) {
		mutex_lock(&netns.est_mutex);
		netns.enable = true;
		netns.max_threads = max_threads_of(netns.cpulist_valid ?
						   netns.cpulist_weight :
						   netns.params.housekeeping);
		request_restart();
		mutex_unlock(&netns.est_mutex);
	}
	mutex_unlock(&netns.service_mutex);
	return ret;
}

void est_delete(struct estimator *est)
{
	mutex_lock(&netns.service_mutex);
	stop_estimator(est);
	mutex_unlock(&netns.service_mutex);
	free_object(est);
}

void est_disable(void)
{
	netns.enable = false;
}
