// SPDX-License-Identifier: GPL-2.0-or-later
/* The objects of a history by id, and the ids of stats objects by address. */
#include <string.h>

#include "runtime.h"

/* Open addressing. */
struct slot {
	const void *stats;
	long id;
	struct glue_place place;	/* where it was linked last */
};

static struct slot *slots;
static size_t slot_count;	/* a power of two */
static size_t slots_used;

#define BUCKETS	4096

static struct object *buckets[BUCKETS];
static struct object *trash;

static size_t slot_of(const void *stats)
{
	size_t at = ((uintptr_t)stats / LINE_SIZE * 0x9E3779B1u) & (slot_count - 1);

	while (slots[at].stats && slots[at].stats != stats)
		at = (at + 1) & (slot_count - 1);
	return at;
}

static void grow_slots(void)
{
	struct slot *old = slots;
	size_t old_count = slot_count;
	size_t i;

	slot_count = old_count ? 2 * old_count : 1024;
	slots = own_new(slot_count * sizeof(*slots));
	for (i = 0; i < old_count; i++) {
		if (old[i].stats)
			slots[slot_of(old[i].stats)] = old[i];
	}
	own_drop(old);
}

/* For ever: a freed object may still be found on a list. */
void rt_bind(void *stats, long id)
{
	size_t at;

	if (2 * (slots_used + 1) > slot_count)
		grow_slots();
	at = slot_of(stats);
	if (slots[at].stats && slots[at].id == id)
		return;
	if (!slots[at].stats)
		slots_used++;
	slots[at] = (struct slot){ stats, id, { -1, 0 } };
}

long rt_id_of(const void *stats)
{
	size_t at = slots ? slot_of(stats) : 0;

	return slots && slots[at].stats ? slots[at].id : -1;
}

/* Where an object was linked last. */
void rt_keep_place(const void *stats, int ktid, int row)
{
	size_t at = slots ? slot_of(stats) : 0;

	if (slots && slots[at].stats)
		slots[at].place = (struct glue_place){ ktid, row };
}

bool rt_kept_place(const void *stats, struct glue_place *place)
{
	size_t at = slots ? slot_of(stats) : 0;

	if (!slots || !slots[at].stats)
		return false;
	*place = slots[at].place;
	return true;
}

struct object *object_find(long id)
{
	struct object *object = buckets[id % BUCKETS];

	while (object && object->id != id)
		object = object->next;
	return object;
}

struct object *object_add(enum object_kind kind, long id)
{
	struct object *object = own_new(sizeof(*object));

	object->kind = kind;
	object->id = id;
	object->next = buckets[id % BUCKETS];
	buckets[id % BUCKETS] = object;
	return object;
}

static void take_out(const struct object *object)
{
	struct object **link = &buckets[object->id % BUCKETS];

	while (*link != object)
		link = &(*link)->next;
	*link = object->next;
}

void object_remove(struct object *object)
{
	take_out(object);
	own_drop(object);
}

void object_to_trash(struct object *object)
{
	take_out(object);
	object->next = trash;
	trash = object;
}

/* The first object, or the one after `previous`, in no order; NULL at the end. */
struct object *object_after(const struct object *previous)
{
	long bucket = 0;

	if (previous) {
		if (previous->next)
			return previous->next;
		bucket = previous->id % BUCKETS + 1;
	}
	for (; bucket < BUCKETS; bucket++) {
		if (buckets[bucket])
			return buckets[bucket];
	}
	return NULL;
}

/* Forget those whose destinations the kernel has let go. */
static void clean_trash(void)
{
	struct object **link = &trash;
	struct object *object;

	while ((object = *link)) {
		if (glue_dest_in_trash(object->owner)) {
			link = &object->next;
			continue;
		}
		*link = object->next;
		own_drop(object);
	}
}

/* Of a destination that is in the trash. */
const struct object *object_of_trashed(const void *owner)
{
	const struct object *object = trash;

	while (object && object->owner != owner)
		object = object->next;
	return object;
}

struct object *object_trashed(long id)
{
	struct object *object;

	if (!trash)
		return NULL;
	clean_trash();
	for (object = trash; object; object = object->next) {
		if (object->id == id)
			return object;
	}
	return NULL;
}

/* The kernel took this destination back: it is an object again. */
struct object *object_from_trash(long id, void *owner)
{
	struct object **link = &trash;
	struct object *object;
	struct object *added;

	for (; (object = *link); link = &object->next) {
		if (object->owner != owner)
			continue;
		*link = object->next;
		added = object_add(OBJECT_DEST, id);
		added->references = object->references;
		own_drop(object);
		return added;
	}
	return NULL;
}

static void drop_references(struct object *object)
{
	for (; object->references; object->references--)
		glue_put_dest(object->owner);
}

/* Connections end with their netns, and give their destinations back. */
void objects_end_connections(void)
{
	struct object *object;

	clean_trash();
	for (object = trash; object; object = object->next)
		drop_references(object);
	for (object = object_after(NULL); object; object = object_after(object)) {
		if (object->kind == OBJECT_DEST)
			drop_references(object);
	}
}

/* The namespace is gone, and all that was in it. */
void objects_forget(void)
{
	struct object *object;

	while ((object = object_after(NULL)))
		object_remove(object);
	while ((object = trash)) {
		trash = object->next;
		own_drop(object);
	}
}
