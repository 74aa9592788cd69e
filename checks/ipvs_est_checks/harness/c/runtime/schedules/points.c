// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a task of a scheduled run may be switched, and what stands in for the
 * library of -fsanitize=thread: its functions are called at each access of the
 * kernel's files, and find uses of freed memory and points at shared fields.
 */
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime.h"

bool field_points;
bool keep_frames;

/* Only these of them, if there are any. */
#define FIELDS	16

static char chosen_fields[FIELDS][32];
static int chosen_count;

static char *append(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}

/* Under the rule of the recordings nothing happens here. */
void point(const char *what, const char *object)
{
	struct task *task = current_task;
	const char *end = task->place + sizeof(task->place) - 1;
	char *to = task->place;

	if (!exploring || task_is_caller())
		return;
	to = append(to, end, what);
	to = append(to, end, *object ? " " : "");
	*append(to, end, object) = 0;
	if (following && steps_pass(what, object, task->place))
		return;
	if (keep_frames)
		task->frame_count = backtrace(task->frames, FRAMES);
	task->state = TASK_RUNNABLE;
	task_pause();
}

/* Where it was called, as a list of addresses, the innermost first. */
void out_frames(void *const *frames, int count)
{
	int i;

	out_raw("[");
	for (i = 0; i < count; i++)
		out_format(i ? ",%lu" : "%lu", (unsigned long)frames[i]);
	out_raw("]");
}

/* What `fields` of a schedule says; false if it makes no sense. */
bool point_at_fields(struct json *nodes, const struct json *names)
{
	int child;

	chosen_count = 0;
	if (!names || names->kind == JSON_TRUE || names->kind == JSON_FALSE)
		return true;
	if (names->kind != JSON_ARRAY)
		return false;
	for (child = names->first; child; child = nodes[child].next) {
		const struct json *name = &nodes[child];

		if (name->kind != JSON_STRING || chosen_count == FIELDS ||
		    name->length > sizeof(*chosen_fields))
			return false;
		snprintf(chosen_fields[chosen_count++], sizeof(*chosen_fields), "%.*s",
			 (int)name->length - 2, name->start + 1);
	}
	return true;
}

/* The netns' fields, by offset: the name of the one there, or NULL. */
static const char **field_names;
static uintptr_t netns_start;
static unsigned long netns_size;

void points_boot(void)
{
	const struct glue_type *type = glue_netns_type();
	const struct glue_field *field;
	unsigned long at;

	field_names = own_new(type->size * sizeof(*field_names));
	for (field = type->fields; field->name; field++) {
		for (at = 0; at < field->size; at++)
			field_names[field->offset + at] = field->name;
	}
	netns_start = (uintptr_t)glue_netns();
	netns_size = type->size;
}

#ifndef WITH_POINTS

void accesses_boot(void)
{
}

void accesses_out(void)
{
	out_raw("{\"accesses\":[]}\n");
	out_commit();
}

#else

/* A type is known by the address of its name. */
static const char *field_at(const char *type, unsigned long offset)
{
	const struct glue_field *field;
	const struct glue_type *known;

	for (known = glue_types(); known->name; known++) {
		if (known->name != type || !known->fields)
			continue;
		for (field = known->fields; field->name; field++) {
			if (offset - field->offset < field->size)
				return field->name;
		}
	}
	return "";
}

static void access_freed(const char *type, unsigned long offset)
{
	char thing[96];
	const char *field = field_at(type, offset);

	snprintf(thing, sizeof(thing), "%s%s%s", type, *field ? "." : "", field);
	violation("use-after-free", thing, current_task ? current_task->name : "");
}

/*
 * Accesses that were seen, one for each place, task and set of locks, kept where
 * the runs of a search leave them to the process that they are forked from.
 */
#define ACCESSES	16384

struct access {
	const void *place;
	const void *object;
	const char *field;	/* of the program's own text: the same in all processes */
	unsigned long locks;
	bool write;
	bool once;
	char task[32];
};

static struct access *accesses;

void accesses_boot(void)
{
	accesses = mmap(NULL, ACCESSES * sizeof(*accesses), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (accesses == MAP_FAILED)
		fail("no memory for accesses");
}

static void note_access(const void *place, const void *object, const char *field,
			bool write, bool once)
{
	const char *task = current_task->name;
	unsigned long locks = mutexes_held();
	size_t at = ((uintptr_t)place * 31 + (uintptr_t)object / LINE_SIZE + locks * 7 +
		     task[strlen(task) - 1]) % ACCESSES;
	size_t tries;

	if (!accesses || following)
		return;
	for (tries = 0; tries < ACCESSES; tries++, at = (at + 1) % ACCESSES) {
		struct access *access = &accesses[at];

		if (!access->place) {
			*access = (struct access){ place, object, field, locks, write,
						    once, "" };
			strcpy(access->task, task);
			return;
		}
		if (access->place == place && access->object == object &&
		    access->locks == locks &&
		    access->write == write && !strcmp(access->task, task))
			return;
	}
}

/* All of them: address of the code, of the object, field, write, by one volatile access, task, locks. */
void accesses_out(void)
{
	const char *between = "";
	size_t at;

	out_raw("{\"accesses\":[");
	for (at = 0; accesses && at < ACCESSES; at++) {
		const struct access *access = &accesses[at];

		if (!access->place)
			continue;
		out_format("%s[%lu,%lu,\"%s\",%s,%s,\"%s\",%lu]", between,
			   (unsigned long)access->place, (unsigned long)access->object,
			   access->field,
			   access->write ? "true" : "false",
			   access->once ? "true" : "false", access->task, access->locks);
		between = ",";
	}
	out_raw("]}\n");
	out_commit();
}

static bool is_chosen(const char *field)
{
	int i;

	for (i = 0; i < chosen_count; i++) {
		if (!strcmp(chosen_fields[i], field))
			return true;
	}
	return !chosen_count;
}

/* The field of a stats object is chosen as a whole, or a part of it. */
static bool is_part_chosen(const char *field, unsigned long offset)
{
	const struct glue_field *part;

	if (strcmp(field, "est"))
		return false;
	for (part = glue_est_parts(); part->name; part++) {
		if (offset - part->offset < part->size)
			return is_chosen(part->name);
	}
	return false;
}

/* The estimator's own structures, and those fields of the netns that are its. */
static void point_at_field(const void *address, uintptr_t in_netns, bool write, bool once,
			   const void *place)
{
	const char *what = write ? (once ? "write once" : "write") :
				   (once ? "read once" : "read");
	const char *field;
	const char *type;
	unsigned long offset;

	if (in_netns < netns_size) {
		field = field_names[in_netns];
		if (!field)
			return;
		note_access(place, NULL, field, write, once);
		if (is_chosen(field))
			point(what, field);
		return;
	}
	if (!memory_type(address, &type, &offset))
		return;
	field = field_at(type, offset);
	if (!*field)
		return;
	note_access(place, (const char *)address - offset, field, write, once);
	if (is_chosen(field) || is_part_chosen(field, offset))
		point(what, field);
}

static void access_at(const void *address, bool write, bool once, const void *place)
{
	uintptr_t at = (uintptr_t)address - netns_start;
	unsigned long offset;
	const char *type;

	if (!current_task)
		return;
	if (field_points && exploring)
		point_at_field(address, at, write, once, place);
	if (memory_freed(address, &type, &offset))
		access_freed(type, offset);
}

#define PLAIN_ACCESS(name, write, once)					\
void __tsan_##name(void *address);					\
void __tsan_##name(void *address)					\
{									\
	access_at(address, write, once, __builtin_return_address(0));	\
}

#define SIZED_ACCESSES(size)						\
PLAIN_ACCESS(read##size, false, false)					\
PLAIN_ACCESS(write##size, true, false)					\
PLAIN_ACCESS(unaligned_read##size, false, false)			\
PLAIN_ACCESS(unaligned_write##size, true, false)			\
PLAIN_ACCESS(volatile_read##size, false, true)				\
PLAIN_ACCESS(volatile_write##size, true, true)				\
PLAIN_ACCESS(unaligned_volatile_read##size, false, true)		\
PLAIN_ACCESS(unaligned_volatile_write##size, true, true)

SIZED_ACCESSES(1)
SIZED_ACCESSES(2)
SIZED_ACCESSES(4)
SIZED_ACCESSES(8)
SIZED_ACCESSES(16)

void __tsan_read_range(void *address, unsigned long size);
void __tsan_write_range(void *address, unsigned long size);
void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);
void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_signal_fence(int order);

void __tsan_read_range(void *address, unsigned long size)
{
	(void)size;
	access_at(address, false, false, __builtin_return_address(0));
}

void __tsan_write_range(void *address, unsigned long size)
{
	(void)size;
	access_at(address, true, false, __builtin_return_address(0));
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void)
{
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
}

void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}

#define ATOMIC_FETCH(bits, type, op, expression)			\
type __tsan_atomic##bits##_fetch_##op(volatile type *at, type value, int order); \
type __tsan_atomic##bits##_fetch_##op(volatile type *at, type value, int order)	\
{									\
	type old;							\
									\
	(void)order;							\
	access_at((void *)at, true, true, __builtin_return_address(0));	\
	old = *at;							\
	*at = expression;						\
	return old;							\
}

#define ATOMIC_COMPARE(bits, type, strength)				\
int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *at,	\
	type *expected, type value, int order, int fail_order);		\
int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *at,	\
	type *expected, type value, int order, int fail_order)		\
{									\
	type old;							\
									\
	(void)order;							\
	(void)fail_order;						\
	access_at((void *)at, true, true, __builtin_return_address(0));	\
	old = *at;							\
	if (old == *expected) {						\
		*at = value;						\
		return 1;						\
	}								\
	*expected = old;						\
	return 0;							\
}

#define ATOMICS(bits, type)						\
type __tsan_atomic##bits##_load(const volatile type *at, int order);	\
type __tsan_atomic##bits##_load(const volatile type *at, int order)	\
{									\
	(void)order;							\
	access_at((void *)at, false, true, __builtin_return_address(0));				\
	return *at;							\
}									\
void __tsan_atomic##bits##_store(volatile type *at, type value, int order);	\
void __tsan_atomic##bits##_store(volatile type *at, type value, int order)	\
{									\
	(void)order;							\
	access_at((void *)at, true, true, __builtin_return_address(0));	\
	*at = value;							\
}									\
ATOMIC_FETCH(bits, type, add, old + value)				\
ATOMIC_FETCH(bits, type, sub, old - value)				\
ATOMIC_FETCH(bits, type, and, old & value)				\
ATOMIC_FETCH(bits, type, or, old | value)				\
ATOMIC_FETCH(bits, type, xor, old ^ value)				\
ATOMIC_COMPARE(bits, type, strong)					\
ATOMIC_COMPARE(bits, type, weak)					\
type __tsan_atomic##bits##_exchange(volatile type *at, type value, int order);	\
type __tsan_atomic##bits##_exchange(volatile type *at, type value, int order)	\
{									\
	type old;							\
									\
	(void)order;							\
	access_at((void *)at, true, true, __builtin_return_address(0));	\
	old = *at;							\
	*at = value;							\
	return old;							\
}

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

#endif
