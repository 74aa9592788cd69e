/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runtime: what stands in for the rest of the kernel. It is compiled with
 * libc's headers alone and meets the kernel by its binary interface, so that the
 * variants of all versions stand side by side.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "../glue/glue.h"

#define KERNEL_ENOMEM	12
#define PLACE_SIZE	64	/* of a point's name */
#define FRAMES		12	/* of callers */
#define LINE_SIZE	64	/* of a cache; the kernel aligns to it */

/* ---- tasks (task.c) ---- */

enum task_kind {
	TASK_CALLER,	/* the context in which operations run */
	TASK_CONTROL,	/* a control process of a scheduled run */
	TASK_WORK,
	TASK_KTHREAD,
};

enum task_state {
	TASK_NEW,
	TASK_RUNNABLE,
	TASK_RUNNING,
	TASK_SLEEPING,
	TASK_BLOCKED,
	TASK_JOINING,
	TASK_WAITING,	/* for handlers of sysctls */
	TASK_EXITED,
};

struct mutex_record;

/* The object that a task adds: the table has it when the operation is over. */
struct starting {
	long id;
	bool is_service;
	bool from_trash;
	void *stats;			/* NULL: its estimator is not started yet */
};

struct task {
	struct task *next;		/* of those that have not exited */
	enum task_kind kind;
	enum task_state state;
	int rank;			/* who goes first under the rule */
	unsigned long age;		/* and among equals */
	int (*function)(void *argument);
	void *argument;
	bool should_stop;
	bool sleep_ends;
	uint64_t wake_at;		/* jiffies since boot */
	struct mutex_record *mutex;	/* that it waits for */
	struct task *joined;		/* whose exit it waits for */
	bool (*ready)(void *argument);	/* NULL: it waits for nothing but its turn */
	void *ready_argument;
	long nice;
	char name[32];
	ucontext_t context;
	jmp_buf registers;		/* where it has paused */
	bool started;
	void *stack;
	void *fake_stack;		/* AddressSanitizer's */
	char place[PLACE_SIZE];		/* the point that it stands at */
	void *frames[FRAMES];		/* and where in the code, see keep_frames */
	int frame_count;
	struct starting starting;
};

struct json;

extern struct task *current_task;
extern struct task *tasks;

struct task *task_new(enum task_kind kind, const char *name, int rank);
void *task_kernel(struct task *task);
struct task *task_of(const void *kernel);
void task_boot(void);
void task_keep_stacks(void);
void task_wake(struct task *task);
void task_put(struct task *task);
void task_slice(struct task *task);
void task_pause(void);
void task_join(struct task *other);
void task_wait(enum task_state state, bool (*ready)(void *), void *argument);
bool task_is_caller(void);

/* ---- the rule of the recordings (schedule.c) ---- */

extern volatile unsigned long jiffies;	/* the kernel's */
extern uint64_t now;			/* jiffies since the start, not wrapped */
extern glue_u64 clock_ns;
extern glue_u64 est_cost_ns;
extern bool exploring;
extern bool following;	/* exploring, step by step */

const char *moment_text(glue_u64 since_start);
void schedule_boot(uint64_t initial_jiffies);
void schedule_settle(void);
void schedule_advance(uint64_t jiffies);
void schedule_until(bool (*ready)(void *), void *argument);
void schedule_jiffy(void);
void schedule_to(uint64_t then);
long schedule_timeout(long timeout);	/* the kernel's: sleep */

/* ---- mutexes (mutex.c) ---- */

struct mutex_record {
	const void *mutex;
	const char *name;
	struct task *owner;
};

struct mutex_record *mutex_records(int *count);
bool mutex_held_by(const struct task *task);
bool mutex_is_held(const char *name);
unsigned long mutexes_held(void);

/* ---- work and timers (work.c) ---- */

void work_look(void);
void work_exited(struct task *task);
uint64_t work_next_event(void);
bool work_state(uint64_t *due, const struct task **instance);
bool timer_due(void *timer, uint64_t *due);
void timers_run(void);

/* ---- sysctls (sysctl.c) ---- */

bool sysctl_registered(void);
bool sysctl_enter(void);
void sysctl_leave(void);

/* ---- who uses the netns (netns_use.c) ---- */

bool netns_may_begin(const char *op);
void netns_enter(const char *op);
void netns_leave(const char *op);

/* ---- RCU (rcu.c) ---- */

bool rcu_pending(void);
int rcu_callbacks(void);
void rcu_grace_period(void);
void rcu_drain(void);
void rcu_look(void);
bool rcu_run_oldest(void);
int rcu_object_callbacks(void);

/* ---- memory (memory.c) ---- */

void memory_boot(int possible_cpus);
void memory_fail(uint64_t nth, uint64_t count);
void memory_report_leaks(void);
void memory_mark_boot(void);
void memory_keep_areas(void);
void memory_keep(void *object);
void memory_out(void);
void *memory_allocate(unsigned long size, bool zeroed);
bool memory_freed(const void *address, const char **type, unsigned long *offset);
bool memory_type(const void *address, const char **type, unsigned long *offset);
bool memory_type_is_known(const char *type);

/* ---- the runtime's own memory (own_memory.c) ---- */

void *map_space(unsigned long *size);
void own_boot(void);
void *own_new(size_t size);
void *own_grow(void *memory, size_t size);
void own_drop(void *memory);
void own_keep_area(void);

/* ---- points (points.c) ---- */

void point(const char *what, const char *object);
void points_boot(void);
void accesses_boot(void);
void accesses_out(void);
extern bool field_points;
extern bool keep_frames;
void out_frames(void *const *frames, int count);

bool point_at_fields(struct json *nodes, const struct json *names);

/* ---- states of scheduled runs (states.c) ---- */

void states_boot(void);
void states_look(int steps, bool settled);
void states_out(void);

/* ---- the record of events (events.c) ---- */

extern bool watch_events;

void events_out(void);
void event_resumed(struct task *task);
void event_paused(struct task *task);
void event_lock(const char *kind, const char *mutex);
void event_unlocks(void);
void event_task_started(const struct task *task);
void event_task_exited(const struct task *task);
void event_stats_locked(const void *lock);
void event_stats_unlocked(void);
void event_asks_to_stop(void);
void event_starts(long id, bool is_service, bool from_trash);
void event_counted(long id, int cpu, const glue_u64 *steps);
void event_of_netns(const char *kind);
void event_dest_taken(long id, long error, bool in_service, bool in_trash);
void event_cpulist_set(const char *written, glue_u64 allowed);
void event_sysctl_written(const char *sysctl, long long written, long long value);

/* ---- failures (failure.c) ---- */

#define NORETURN	__attribute__((noreturn))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

void violation(const char *kind, const char *thing, const char *where);
void violation_deadlock(void);
bool violations_pending(void);
void violations_expect_none(void);
bool violations_came(void);
void violations_out(void);
void violation_out_first(void);
NORETURN void end_history(const char *kind, const char *thing, const void *pc);
NORETURN void fail(const char *format, ...) PRINTF(1, 2);
void failure_boot(void);

/* How the process of a history exits. */
enum ending {
	ENDING_DONE = 0,	/* at the next configuration, or the end */
	ENDING_ANSWERED = 40,	/* its last line is answered, and was the last */
	ENDING_FAILURE = 41,	/* it could not answer its last line */
	ENDING_DEAD_PIPE = 141,	/* nobody reads what is answered */
};

/* What a child that ended a history leaves to its parent. */
struct last_words {
	char kind[32];
	char thing[256];
	uintptr_t places[32];
	int place_count;
};

extern struct last_words *last_words;

void find_place(char *place, size_t size);
void out_last_words(const char *place, int status);
void out_cycle(void);

/* ---- objects by id (registry.c) ---- */

enum object_kind {
	OBJECT_BARE,
	OBJECT_SERVICE,
	OBJECT_DEST,
};

struct object {
	enum object_kind kind;
	long id;
	void *stats;
	void *owner;		/* the kernel's service or destination */
	long service;		/* id of a destination's */
	bool is_service;	/* a service, or a bare object that was started as one */
	unsigned long references;	/* of connections */
	struct object *next;	/* in its bucket, or in the trash */
};

struct object *object_find(long id);
struct object *object_add(enum object_kind kind, long id);
struct object *object_trashed(long id);
struct object *object_from_trash(long id, void *owner);
void object_remove(struct object *object);
void object_to_trash(struct object *object);
struct object *object_after(const struct object *previous);
void objects_forget(void);
void objects_end_connections(void);
void rt_keep_place(const void *stats, int ktid, int row);
bool rt_kept_place(const void *stats, struct glue_place *place);
const struct object *object_of_trashed(const void *owner);

/* ---- text (json_read.c, json_compare.c, json_write.c) ---- */

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_kind kind;
	const char *start;	/* of its text in the line */
	size_t length;
	const char *key;	/* without quotes; NULL outside an object */
	size_t key_length;
	int first;		/* child; 0: none */
	int next;		/* sibling; 0: none */
};

struct json_error {
	size_t at;
	const char *message;
};

/* Nodes of one line, the first of which is the whole; NULL if it is no JSON. */
struct json *json_parse(const char *text, size_t length, struct json_error *error);
struct json *json_member(struct json *nodes, const struct json *object,
			 const char *name);
bool json_key_is(const struct json *node, const char *name);
bool json_text_is(const struct json *node, const char *text);
bool json_integer(const struct json *node, bool *negative, uint64_t *magnitude);
long json_characters(const struct json *node, char *bytes, size_t size);
struct json *json_keep(void);
const char *json_difference(struct json *left, const struct json *a,
			    struct json *right, const struct json *b);
const char *json_kind_name(const struct json *node);

struct output {
	size_t committed;	/* whole answers */
	size_t end;
	char text[];
};

void out_boot(void);
void out_text(const char *text);
void out_characters(const char *text, size_t length);
void out_format(const char *format, ...) PRINTF(1, 2);
void out_commit(void);
void out_rollback(void);
void out_flush(void);
size_t out_mark(void);
const char *out_since(size_t mark, size_t *length);
void out_cut(size_t mark);
void out_mute(bool muted);

/* ---- the process (protocol.c, machine.c, operations.c) ---- */

struct refusal {
	const char *field;
	char message[160];
};

struct machine {
	int possible_cpus;
	uint64_t initial_jiffies;
	uint64_t est_cost_ns;
	bool raise_violations;
	bool watch_snapshot;	/* with each answer */
	bool watch_events;
};

void machine_boot(const struct machine *machine);
bool machine_read(struct json *nodes, struct json *line, const struct glue_build *build,
		  struct machine *machine, struct refusal *refusal);
void machine_out_params(const struct machine *machine, const struct glue_build *build);
void snapshot_out(const struct machine *machine, const struct glue_build *build);
void machine_out(const struct machine *machine, const struct glue_build *build);
void snapshot_of_machine(void);	/* the one that answers */
/* Apply the operation; false, and nothing has changed, if it is refused. */
bool operation_apply(struct json *nodes, struct json *line, struct refusal *refusal);
void operations_out(void);
bool refuse(struct refusal *refusal, const char *field, const char *format, ...)
	PRINTF(3, 4);
int serve(void);

/* ---- from one scheduled run to the next (checkpoint.c) ---- */

bool checkpoint_take(void);
void checkpoint_return(void);
void checkpoint_forget(void);
void checkpoint_keep(void *start, unsigned long size, unsigned long used);
void checkpoint_keep_stack(void *start, unsigned long size, bool is_new);

/* ---- scheduled runs (explore.c) ---- */

bool explore_add_task(struct json *nodes, struct json *line, struct refusal *refusal);
bool explore_run(struct json *nodes, struct json *line, struct refusal *refusal);
void explore_boot(void);
void explore_out_crash(struct json *nodes, struct json *line, const char *place,
		       int status);
void limit_time(bool limited);

/* ---- step by step beside the model (steps.c) ---- */

bool steps_run(struct json *nodes, struct json *line, struct refusal *refusal);
void steps_out_crash(const char *place, int status);
bool steps_pass(const char *what, const char *object, const char *place);

#endif
