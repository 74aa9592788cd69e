/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading one line of JSON: enough for the lines of the oracle's protocol.
 *
 * Nothing is copied or allocated: a value is a place in the line, and is looked
 * at again whenever something is asked of it.
 */
#ifndef PORT_JSON_H
#define PORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the whole text is one JSON object. */
bool json_is_object(const char *text);

/* The value of a member of the object at @object; NULL if it has none. */
const char *json_member(const char *object, const char *name);

/* The @index-th value of the list at @list; NULL if there is none. */
const char *json_item(const char *list, int index);

/* The text of the string at @value, as far as it fits and has no escapes. */
bool json_string(const char *value, char *buf, int size);

/*
 * The integer at @value.  JSON numbers of the protocol are integers from -2^63
 * to 2^64-1; a negative one is answered modulo 2^64.
 */
bool json_integer(const char *value, uint64_t *number);

bool json_is_true(const char *value);

#endif
