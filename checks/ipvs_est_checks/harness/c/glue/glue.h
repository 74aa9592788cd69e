/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the glue, compiled with the kernel's headers, and the runtime, compiled
 * with libc's, know of each other: C types only, since neither knows the
 * other's. The glue's names begin with glue_, the runtime's with rt_ and out_.
 */
#ifndef GLUE_H
#define GLUE_H

typedef unsigned long long glue_u64;

/* The build, as the kernel's own macros have it. */
struct glue_build {
	const char *version;
	int hz;
	int nticks;
	int tick_jiffies;
	int tick_chains;
	int chain_factor;
	int load_divisor;
	int preempt_rcu;
	int sysctl;
	int word_bits;
	int max_cpus;
};

/* Counters, in the order conns, inpkts, outpkts, inbytes, outbytes. */
#define GLUE_COUNTERS	5

/* A member of one of the structures whose accesses are of interest. */
struct glue_field {
	const char *name;
	unsigned long offset;
	unsigned long size;
};

/* A structure on the heap, known by its size. */
struct glue_type {
	const char *name;
	unsigned long size;
	const struct glue_field *fields;
};

/* Where an estimator says that it is. */
struct glue_place {
	int ktid;
	int row;
};

struct glue_context {
	int est_row;
	int add_row;
	int est_count;
	int tick_max;
	unsigned long avail;	/* its first word */
};

struct glue_limits {
	int slots;
	int contexts;
	int add_ktid;
	int chain_max;
	unsigned long max_threads;
	int calc_phase;
};

struct glue_averages {
	glue_u64 last[GLUE_COUNTERS];
	glue_u64 sums[GLUE_COUNTERS];
	glue_u64 rates[GLUE_COUNTERS];
};

struct glue_sysctls {
	int valid;
	int nice;
	int stopped;
	int run_estimation;
	int genid;
};

/* ---- build and boot ---- */
void glue_describe(struct glue_build *build);
void glue_boot(int possible_cpus);
const struct glue_type *glue_types(void);
const struct glue_type *glue_netns_type(void);
const struct glue_field *glue_est_parts(void);
void *glue_netns(void);

/* ---- tasks, work and timers, which have the kernel's layout ---- */
void *glue_current_task(void);
void glue_set_current(void *task);
unsigned long glue_task_size(void);
void glue_task_init(void *task, int kthread);
void glue_task_set_running(void *task);
int glue_task_references(void *task);
int glue_task_put(void *task);
int glue_task_atomic(void *task);
void glue_task_allow_cpus(void *task, const int *cpus, int count);
int glue_is_reload_work(void *work);
void *glue_reload_work(void);
void glue_run_work(void *work);
void glue_run_timer(void *timer);
int glue_wants_zeroed(unsigned int gfp);
int glue_cpumask_cpus(const void *mask, int *cpus, int size);
int glue_enabled(void);

/* ---- operations; each returns 0 or a negated error number ---- */
long glue_start_total(void);
long glue_start_object(long id, int is_service, void **stats);
void glue_stop_object(void *stats);
long glue_write_nice(int value, long offset);
long glue_write_run_estimation(int value, long offset);
long glue_set_cpulist(int weight);
long glue_write_cpulist(char *text, unsigned long length, long offset);
long glue_read_cpulist(char *text, unsigned long size);
void glue_count(void *stats, int cpu, const glue_u64 *steps);
void glue_lock_services(void);
void glue_unlock_services(void);
void glue_zero(void *stats);
void glue_enter_rcu(void);
void glue_leave_rcu(void);
void glue_read(void *stats);
void glue_export(void *stats);
void glue_disable(void);
void glue_cleanup(void);
long glue_init_netns(void);
void glue_exit_netns(void);
void glue_renew_netns(void);
long glue_add_service(long id, void **service);
long glue_delete_service(void *service);
long glue_add_dest(long id, void *service, void **dest);
long glue_delete_dest(long id, void *service);
void *glue_hashed_service(long id);
void *glue_service_stats(void *service);
void *glue_dest_stats(void *dest);
void *glue_total_stats(void);
int glue_dest_in_trash(void *dest);
void *glue_newer_trashed(void *dest);
void glue_hold_dest(void *dest);
void glue_put_dest(void *dest);

/* ---- state ---- */
void glue_dump(void);
void glue_out_contexts(void);
void glue_out_object(void *object, long id, const char *owner);
void glue_out_service(void *object, long id);
void glue_out_dest(void *object, long id, long service, glue_u64 now, int in_trash);
void glue_out_affinity(void *task);
void glue_out_sysctls(void);
void *glue_trash_timer(void);

/* ---- for the record of events ---- */
const void *glue_stats_of_lock(const void *lock);
const void *glue_first_waiting(void);
int glue_linked(const void *stats);
void glue_place(const void *stats, struct glue_place *place);
int glue_context(long ktid, struct glue_context *context);
int glue_context_id(const void *kd);
const void *glue_context_of_slot(int slot);
void glue_limits(struct glue_limits *limits);
void glue_averages(const void *stats, struct glue_averages *averages);
int glue_parse_cpus(const char *text, glue_u64 *bits);
glue_u64 glue_writer_cpus(void);
glue_u64 glue_cpulist(int *freed);
void glue_sysctls(struct glue_sysctls *sysctls);
int glue_kthreads_alive(void);

/* ---- supplied by the runtime ---- */
void out_raw(const char *text);
void out_signed(long long value);
void out_unsigned(glue_u64 value);
void out_hex(unsigned long value);
void out_moment(glue_u64 jiffies);	/* since boot, of those since the start */
void rt_bind(void *stats, long id);
long rt_id_of(const void *stats);
int rt_is_freed(const void *object);
void rt_netns_goes(void);
int rt_task_runs(const void *task);
void rt_out_task(const void *task, int ktid);
void rt_out_dests(long service);
void rt_name_mutex(const void *mutex, const char *name);
int rt_holds_mutex(void);
int rt_allocation_fails(void);
void *rt_allocate_uncounted(unsigned long size, int zeroed);
void rt_timer_set(void *timer, unsigned long expires);
int rt_timer_clear(void *timer);
void rt_violation(const char *kind, const char *thing, const char *where);

#endif
