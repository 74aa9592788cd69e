// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a task of a scheduled run may be switched, and what stands in for the
 * library of -fsanitize=thread: its functions are called at each access of the
 * kernel's files, and find uses of freed memory and points at shared fields.
 */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

bool field_points;

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
	task->state = TASK_RUNNABLE;
	task_pause();
}

/* The netns' fields, by offset: the name of the one there, or NULL. */
static const char *field_names[1 << 16];
static uintptr_t netns_start;
static unsigned long netns_size;

void points_boot(void)
{
	const struct glue_type *type = glue_netns_type();
	const struct glue_field *field;
	unsigned long at;

	if (type->size > sizeof(field_names) / sizeof(*field_names))
		fail("struct netns_ipvs has %lu bytes", type->size);
	for (field = type->fields; field->name; field++) {
		for (at = 0; at < field->size; at++)
			field_names[field->offset + at] = field->name;
	}
	netns_start = (uintptr_t)glue_netns();
	netns_size = type->size;
}

#ifdef WITH_POINTS

static const char *field_at(const char *type, unsigned long offset)
{
	const struct glue_field *field;
	const struct glue_type *known;

	for (known = glue_types(); known->name; known++) {
		if (strcmp(known->name, type) || !known->fields)
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

/* The estimator's own structures, and those fields of the netns that are its. */
static void point_at_field(const void *address, uintptr_t in_netns, bool write, bool once)
{
	const char *what = write ? (once ? "write once" : "write") :
				   (once ? "read once" : "read");
	const char *field;
	const char *type;
	unsigned long offset;

	if (in_netns < netns_size) {
		if (field_names[in_netns])
			point(what, field_names[in_netns]);
		return;
	}
	if (!memory_type(address, &type, &offset))
		return;
	field = field_at(type, offset);
	if (*field)
		point(what, field);
}

static void access_at(const void *address, bool write, bool once)
{
	uintptr_t at = (uintptr_t)address - netns_start;
	unsigned long offset;
	const char *type;

	if (!current_task)
		return;
	if (field_points && exploring)
		point_at_field(address, at, write, once);
	if (memory_freed(address, &type, &offset))
		access_freed(type, offset);
}

#define PLAIN_ACCESS(name, write, once)					\
void __tsan_##name(void *address);					\
void __tsan_##name(void *address)					\
{									\
	access_at(address, write, once);				\
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
	access_at(address, false, false);
}

void __tsan_write_range(void *address, unsigned long size)
{
	(void)size;
	access_at(address, true, false);
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
	access_at((void *)at, true, true);				\
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
	access_at((void *)at, true, true);				\
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
	access_at((void *)at, false, true);				\
	return *at;							\
}									\
void __tsan_atomic##bits##_store(volatile type *at, type value, int order);	\
void __tsan_atomic##bits##_store(volatile type *at, type value, int order)	\
{									\
	(void)order;							\
	access_at((void *)at, true, true);				\
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
	access_at((void *)at, true, true);				\
	old = *at;							\
	*at = value;							\
	return old;							\
}

ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)

#endif
