// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether two results are equal, and where they first differ. */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define PATH_SIZE	256

static char path[PATH_SIZE];

static size_t path_add(size_t length, const char *text, size_t size)
{
	if (length + size >= PATH_SIZE)
		size = PATH_SIZE - 1 - length;
	memcpy(path + length, text, size);
	path[length + size] = 0;
	return length + size;
}

static bool differ(struct json *left, const struct json *a, struct json *right,
		   const struct json *b, size_t length);

static size_t path_member(size_t length, const struct json *node)
{
	if (length)
		length = path_add(length, ".", 1);
	return path_add(length, node->key, node->key_length);
}

static struct json *same_key(struct json *nodes, const struct json *object,
			     const struct json *wanted)
{
	int child;

	for (child = object->first; child; child = nodes[child].next) {
		if (nodes[child].key_length == wanted->key_length &&
		    !memcmp(nodes[child].key, wanted->key, wanted->key_length))
			return &nodes[child];
	}
	return NULL;
}

static bool objects_differ(struct json *left, const struct json *a, struct json *right,
			   const struct json *b, size_t length)
{
	int child;

	for (child = a->first; child; child = left[child].next) {
		const struct json *other = same_key(right, b, &left[child]);
		size_t longer = path_member(length, &left[child]);

		if (!other || differ(left, &left[child], right, other, longer))
			return true;
		path[length] = 0;
	}
	for (child = b->first; child; child = right[child].next) {
		if (same_key(left, a, &right[child]))
			continue;
		path_member(length, &right[child]);
		return true;
	}
	return false;
}

static bool arrays_differ(struct json *left, const struct json *a, struct json *right,
			  const struct json *b, size_t length)
{
	int i = a->first;
	int j = b->first;
	int number;

	for (number = 0; i || j; number++) {
		char text[24];
		size_t longer;

		snprintf(text, sizeof(text), "[%d]", number);
		longer = path_add(length, text, strlen(text));
		if (!i || !j || differ(left, &left[i], right, &right[j], longer))
			return true;
		path[length] = 0;
		i = left[i].next;
		j = right[j].next;
	}
	return false;
}

static bool differ(struct json *left, const struct json *a, struct json *right,
		   const struct json *b, size_t length)
{
	if (a->kind != b->kind)
		return true;
	if (a->length == b->length && !memcmp(a->start, b->start, a->length))
		return false;
	if (a->kind == JSON_OBJECT)
		return objects_differ(left, a, right, b, length);
	if (a->kind == JSON_ARRAY)
		return arrays_differ(left, a, right, b, length);
	return true;
}

/* Path of the first difference; NULL if there is none. */
const char *json_difference(struct json *left, const struct json *a, struct json *right,
			    const struct json *b)
{
	path[0] = 0;
	return differ(left, a, right, b, 0) ? path : NULL;
}
