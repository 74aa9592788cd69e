// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The record of events: what happened to estimators and tasks, in the form of
 * SCHEMA.md. It is made by hooks alone: at locks, tasks and operations, at the
 * calls of ip_vs_start_estimator() and ip_vs_stop_estimator() out of other files,
 * and where functions of ip_vs_est.c are entered and left (-finstrument-functions).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define MAX_SLOTS	1024

bool watch_events;

static char *text;
static size_t used;
static size_t size;

/* Functions of ip_vs_est.c; one that a tree does not have is NULL. */
extern char ip_vs_enqueue_estimator[] __attribute__((weak));
extern char ip_vs_est_add_kthread[] __attribute__((weak));
extern char ip_vs_est_calc_phase[] __attribute__((weak));
extern char ip_vs_est_set_params[] __attribute__((weak));
extern char ip_vs_stop_estimator[] __attribute__((weak));
int ip_vs_start_estimator(void *netns, void *stats);

void __cyg_profile_func_enter(void *function, void *site);
void __cyg_profile_func_exit(void *function, void *site);
int rt_watch_start(void *netns, void *stats);
void rt_watch_stop(void *netns, void *stats);

/* ---- the text ---- */

static void add(const char *format, ...) PRINTF(1, 2);

static void add(const char *format, ...)
{
	va_list arguments;
	int length;

	if (size - used < 512) {
		size = size ? 2 * size : 1 << 16;
		text = own_grow(text, size);
	}
	va_start(arguments, format);
	length = vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
	used += length;
}

static void begin(const char *kind)
{
	add("%s{\"event\":\"%s\",\"jiffies\":%s", used ? "," : "", kind, moment_text(now));
}

static void end(void)
{
	add("}");
}

static void group(const char *name, const glue_u64 *values)
{
	add(",\"%s\":[%llu,%llu,%llu,%llu,%llu]", name, values[0], values[1], values[2],
	    values[3], values[4]);
}

/* The list, which begins anew. */
void events_out(void)
{
	out_raw("[");
	out_characters(text, used);
	out_raw("]");
	used = 0;
}

/* ---- the guarded fields, and who runs ---- */

static void add_task(const struct task *task)
{
	add(",\"task\":\"%s\",\"ktid\":", task->name);
	if (task->kind == TASK_KTHREAD)
		add("%d", glue_context_id(task->argument));
	else
		add("null");
}

static void add_guarded(const struct task *task)
{
	struct glue_sysctls sysctls;
	struct glue_limits limits;
	const struct task *instance;
	uint64_t due;
	glue_u64 cpus;
	int freed;
	int slot;
	bool alive = glue_kthreads_alive() || work_state(&due, &instance) || instance;

	glue_limits(&limits);
	glue_sysctls(&sysctls);
	cpus = glue_cpulist(&freed);
	add(",\"guarded\":{\"est\":[%d,%lu,%d,", sysctls.genid, limits.max_threads,
	    sysctls.valid);
	add(freed ? "-1" : "%llu", cpus);
	add(",%d,%d,%d],\"service\":[%d", sysctls.nice, sysctls.stopped,
	    sysctls.run_estimation, limits.add_ktid);
	for (slot = 0; slot < limits.slots; slot++) {
		const void *kd = glue_context_of_slot(slot);

		add(kd ? ",%lu" : ",-1", (unsigned long)((uintptr_t)kd / LINE_SIZE));
	}
	add("],\"calc_phase\":%s,\"alone\":%s}", limits.calc_phase ? "true" : "false",
	    task->kind != TASK_KTHREAD && !alive ? "true" : "false");
}

void event_resumed(struct task *task)
{
	if (!watch_events)
		return;
	begin("resumed");
	add_task(task);
	add_guarded(task);
	end();
}

void event_paused(struct task *task)
{
	struct task *joined = task->state == TASK_JOINING ? task->joined : NULL;

	if (!watch_events)
		return;
	begin("paused");
	add_task(task);
	add_guarded(task);
	add(",\"mutex\":");
	if (task->state == TASK_BLOCKED && task->mutex->name)
		add("\"%s\"", task->mutex->name);
	else
		add("null");
	if (joined && joined->kind == TASK_KTHREAD)
		add(",\"exit_of\":%d", glue_context_id(joined->argument));
	else
		add(",\"exit_of\":null");
	add(",\"asked\":%s,\"sleeps\":%s", joined && joined->should_stop ? "true" : "false",
	    task->state == TASK_SLEEPING ? "true" : "false");
	end();
}

/* Its guarded fields are nobody's from here on. */
void rt_netns_goes(void)
{
	event_paused(current_task);
}

void event_lock(const char *kind, const char *mutex)
{
	if (!watch_events || !mutex)
		return;
	begin(kind);
	add_task(current_task);
	add_guarded(current_task);
	add(",\"mutex\":\"%s\"", mutex);
	end();
}

/* ---- tasks ---- */

void event_task_started(const struct task *task)
{
	if (!watch_events || task->kind != TASK_KTHREAD)
		return;
	begin("task-started");
	add(",\"ktid\":%d,\"enable\":%s", glue_context_id(task->argument),
	    glue_enabled() ? "true" : "false");
	end();
}

void event_task_exited(const struct task *task)
{
	if (!watch_events || task->kind == TASK_CONTROL)
		return;
	begin("task-exited");
	add(",\"task\":\"%s\"", task->name);
	end();
}

/* ---- estimations: between lock and unlock of an object's stats ---- */

static const void *estimated;
static struct glue_averages before;

void event_stats_locked(const void *lock)
{
	const void *stats;

	if (!watch_events || current_task->kind != TASK_KTHREAD)
		return;
	stats = glue_stats_of_lock(lock);
	estimated = rt_id_of(stats) >= 0 ? stats : NULL;
	if (estimated)
		glue_averages(stats, &before);
}

void event_stats_unlocked(void)
{
	static const struct glue_averages nothing;
	struct glue_averages after;
	struct glue_context context;
	int ktid;

	if (!watch_events || !estimated || current_task->kind != TASK_KTHREAD)
		return;
	glue_averages(estimated, &after);
	/* Of nothing from nothing there is nothing to tell. */
	if (memcmp(&before, &nothing, sizeof(nothing)) ||
	    memcmp(&after, &nothing, sizeof(nothing))) {
		begin("averaged");
		add(",\"id\":%ld", rt_id_of(estimated));
		group("last", before.last);
		group("sums", after.sums);
		group("before", before.rates);
		group("after", after.rates);
		end();
	}
	ktid = glue_context_id(current_task->argument);
	if (glue_context(ktid, &context)) {
		begin("estimated");
		add(",\"id\":%ld,\"ktid\":%d,\"row\":%d", rt_id_of(estimated), ktid,
		    context.est_row);
		end();
	}
	estimated = NULL;
}

/* ---- the drain: who is enqueued is who was first when it asked whether to stop ---- */

static const void *first_waiting;
static struct {
	const void *stats;
	struct glue_place place;
	struct glue_context context;
	int has_context;
} enqueue;

static void enter_enqueue(void)
{
	struct glue_limits limits;

	enqueue.stats = first_waiting;
	if (!enqueue.stats)
		return;
	glue_limits(&limits);
	glue_place(enqueue.stats, &enqueue.place);
	enqueue.has_context = glue_context(limits.add_ktid, &enqueue.context);
}

static void exit_enqueue(void)
{
	struct glue_context context;
	struct glue_build build;
	struct glue_place place;
	int delay = enqueue.place.row;
	unsigned long all;
	int row;

	if (!enqueue.stats || !glue_linked(enqueue.stats))
		return;
	glue_place(enqueue.stats, &place);
	if (!glue_context(place.ktid, &context))
		return;
	glue_describe(&build);
	all = build.nticks < build.word_bits ? (1UL << build.nticks) - 1 : ~0UL;
	if (!enqueue.has_context) {
		enqueue.context = context;
		enqueue.context.avail = all;
		enqueue.context.est_count = 0;
	}
	row = enqueue.context.add_row;
	if (enqueue.context.est_count >= 2 * context.tick_max || delay < build.nticks - 1)
		row = enqueue.context.est_row;
	begin("enqueued");
	add(",\"id\":%ld,\"ktid\":%d,\"row\":%d,\"est_row\":%d,\"delay\":%d,\"crow\":%d",
	    rt_id_of(enqueue.stats), place.ktid, place.row, enqueue.context.est_row, delay,
	    (row + delay) % build.nticks);
	add(",\"avail\":%lu", enqueue.context.avail & all);
	end();
	rt_keep_place(enqueue.stats, place.ktid, place.row);
	enqueue.stats = NULL;
}

/* ---- the calc phase ---- */

static struct {
	struct task *task;
	bool relinking;
	bool ended;
	bool computed;
	bool stopping;
	bool relinked;
	int est_rows[MAX_SLOTS];
} calc;

static bool in_calc_phase(void)
{
	return calc.task && calc.task == current_task;
}

static void begin_relinking(void)
{
	if (!in_calc_phase() || calc.relinking || !mutex_is_held("service_mutex") ||
	    mutex_is_held("est_mutex"))
		return;
	calc.relinking = true;
	begin("relinking-begun");
	end();
}

static void end_relinking(void)
{
	if (!calc.relinking || calc.ended)
		return;
	calc.ended = true;
	begin("relinking-ended");
	end();
}

/* Whom the calc phase has just put on the temp list. */
static void flush_relinked(void)
{
	const void *stats = calc.relinked ? glue_first_waiting() : NULL;
	struct glue_place old;
	struct glue_place place;

	calc.relinked = false;
	if (!stats || rt_id_of(stats) < 0 || !rt_kept_place(stats, &old))
		return;
	glue_place(stats, &place);
	begin("stopped");
	add(",\"id\":%ld", rt_id_of(stats));
	end();
	begin("relinked");
	add(",\"id\":%ld,\"ktid\":%d,\"row\":%d,\"est_row\":%d,\"delay\":%d",
	    rt_id_of(stats), old.ktid, old.row,
	    old.ktid < MAX_SLOTS ? calc.est_rows[old.ktid] : 0, place.row);
	end();
}

static void enter_stop(void)
{
	struct glue_context context;
	struct glue_limits limits;
	int id;

	glue_limits(&limits);
	for (id = 0; id < limits.slots && id < MAX_SLOTS; id++)
		calc.est_rows[id] = glue_context(id, &context) ? context.est_row : 0;
}

/* A kthread asks whether it shall stop: it is about to take the next estimator. */
void event_asks_to_stop(void)
{
	if (!watch_events || current_task->kind != TASK_KTHREAD)
		return;
	flush_relinked();
	begin_relinking();
	first_waiting = glue_first_waiting();
}

void event_unlocks(void)
{
	if (!watch_events || !in_calc_phase())
		return;
	flush_relinked();
}

/* ---- functions of ip_vs_est.c ---- */

static int contexts_before;

void __cyg_profile_func_enter(void *function, void *site)
{
	struct glue_limits limits;

	(void)site;
	if (!watch_events || !current_task)
		return;
	if (function == ip_vs_enqueue_estimator) {
		enter_enqueue();
	} else if (function == ip_vs_est_add_kthread) {
		glue_limits(&limits);
		contexts_before = limits.contexts;
	} else if (function == ip_vs_est_calc_phase) {
		memset(&calc, 0, sizeof(calc));
		calc.task = current_task;
		begin("calc-phase-begun");
		end();
	} else if (function == ip_vs_est_set_params && in_calc_phase()) {
		flush_relinked();
		begin_relinking();
		end_relinking();
	} else if (function == ip_vs_stop_estimator && in_calc_phase()) {
		enter_stop();
	}
}

void __cyg_profile_func_exit(void *function, void *site)
{
	struct glue_limits limits;

	(void)site;
	if (!watch_events || !current_task)
		return;
	if (function == ip_vs_enqueue_estimator) {
		exit_enqueue();
	} else if (function == ip_vs_est_add_kthread) {
		glue_limits(&limits);
		if (limits.contexts <= contexts_before)
			return;
		begin("context-added");
		add(",\"ktid\":%d,\"contexts\":%d,\"max_threads\":%lu", limits.add_ktid,
		    limits.contexts, limits.max_threads);
		end();
	} else if (function == ip_vs_est_set_params && in_calc_phase() && !calc.computed) {
		calc.computed = true;
		glue_limits(&limits);
		begin("limits-computed");
		add(",\"chain_max\":%d", limits.chain_max);
		end();
	} else if (function == ip_vs_stop_estimator && in_calc_phase()) {
		calc.relinked = true;
	} else if (function == ip_vs_est_calc_phase) {
		flush_relinked();
		end_relinking();
		calc.task = NULL;
	}
}

/* ---- operations ---- */

/* The object that the task's next start is of, unless it is known. */
void event_starts(long id, bool is_service, bool from_trash)
{
	current_task->starting = (struct starting){ id, is_service, from_trash, NULL };
}

int rt_watch_start(void *netns, void *stats)
{
	struct starting *starting = &current_task->starting;
	long id;
	int ret;

	/* Others look at lists before the operation that adds it has returned. */
	if (exploring && rt_id_of(stats) < 0)
		rt_bind(stats, starting->id);
	starting->stats = stats;
	ret = ip_vs_start_estimator(netns, stats);
	if (!watch_events)
		return ret;
	/* Outside the explorer it gets its id when the operation has returned. */
	id = rt_id_of(stats);
	if (id < 0)
		id = starting->id;
	if (ret >= 0) {
		begin("started");
		add(",\"id\":%ld", id);
		end();
	}
	begin("start-returned");
	add(",\"id\":%ld,\"new\":%s,\"error\":%d,\"linked\":%s", id,
	    starting->from_trash ? "false" : "true", ret, glue_linked(stats) ? "true" : "false");
	end();
	starting->from_trash = false;
	return ret;
}

void rt_watch_stop(void *netns, void *stats)
{
	void (*stop)(void *netns, void *stats) = (void (*)(void *, void *))ip_vs_stop_estimator;

	if (watch_events && glue_linked(stats) && rt_id_of(stats) >= 0) {
		begin("stopped");
		add(",\"id\":%ld", rt_id_of(stats));
		end();
	}
	stop(netns, stats);
}

void event_counted(long id, int cpu, const glue_u64 *steps)
{
	if (!watch_events)
		return;
	begin("counted");
	add(",\"id\":%ld,\"cpu\":%d", id, cpu);
	group("steps", steps);
	end();
}

void event_of_netns(const char *kind)
{
	if (!watch_events)
		return;
	begin(kind);
	end();
}

void event_dest_taken(long id, long error, bool in_service, bool in_trash)
{
	if (!watch_events)
		return;
	begin("dest-taken");
	add(",\"id\":%ld,\"error\":%ld,\"in_service\":%s,\"in_trash\":%s", id, error,
	    in_service ? "true" : "false", in_trash ? "true" : "false");
	end();
}

/* A new cpulist is there; what the text named, if it was written as one. */
void event_cpulist_set(const char *written, glue_u64 allowed)
{
	struct glue_limits limits;
	glue_u64 parsed;
	glue_u64 mask;
	int freed;

	if (!watch_events)
		return;
	glue_limits(&limits);
	mask = glue_cpulist(&freed);
	if (written && glue_parse_cpus(written, &parsed)) {
		begin("cpulist-written");
		add(",\"parsed\":%llu,\"allowed\":%llu,\"mask\":%llu", parsed, allowed, mask);
		end();
	}
	if (limits.calc_phase && glue_enabled())
		event_of_netns("calc-phase-requested");
	begin("cpulist-set");
	add(",\"calc_phase\":%s", limits.calc_phase ? "true" : "false");
	end();
}

void event_sysctl_written(const char *sysctl, long long written, long long value)
{
	if (!watch_events)
		return;
	begin("sysctl-written");
	add(",\"sysctl\":\"%s\",\"written\":%lld,\"value\":%lld", sysctl, written, value);
	end();
}
