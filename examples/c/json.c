// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading one line of JSON; see json.h. */

#include "json.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 100

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
		p++;
	return p;
}

/* The place after a string; NULL if it does not end. */
static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (*p && *p != '"') {
		if (*p == '\\' && p[1])
			p++;
		p++;
	}
	return *p ? p + 1 : NULL;
}

static const char *skip_value(const char *p, int depth);

/* The place after an object or a list. */
static const char *skip_members(const char *p, char end, int depth)
{
	if (depth > MAX_DEPTH)
		return NULL;
	p = skip_space(p + 1);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (end == '}') {
			p = skip_string(p);
			if (!p)
				return NULL;
			p = skip_space(p);
			if (*p++ != ':')
				return NULL;
		}
		p = skip_value(p, depth);
		if (!p)
			return NULL;
		p = skip_space(p);
		if (*p == end)
			return p + 1;
		if (*p++ != ',')
			return NULL;
		p = skip_space(p);
	}
}

static const char *skip_value(const char *p, int depth)
{
	const char *start;

	p = skip_space(p);
	if (*p == '"')
		return skip_string(p);
	if (*p == '{')
		return skip_members(p, '}', depth + 1);
	if (*p == '[')
		return skip_members(p, ']', depth + 1);
	start = p;
	while (*p && strchr("+-.0123456789Eaeflnrstu", *p))
		p++;
	return p == start ? NULL : p;
}

bool json_is_object(const char *text)
{
	const char *end;

	text = skip_space(text);
	if (*text != '{')
		return false;
	end = skip_value(text, 0);
	return end && *skip_space(end) == '\0';
}

const char *json_member(const char *object, const char *name)
{
	size_t length = strlen(name);
	const char *p = skip_space(object);

	if (*p != '{')
		return NULL;
	p = skip_space(p + 1);
	while (*p == '"') {
		const char *key = p + 1;
		const char *value = skip_space(skip_string(p)) + 1;

		if (!strncmp(key, name, length) && key[length] == '"')
			return skip_space(value);
		p = skip_space(skip_value(value, 0));
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return NULL;
}

const char *json_item(const char *list, int index)
{
	const char *p = skip_space(list);

	if (*p != '[')
		return NULL;
	p = skip_space(p + 1);
	while (*p != ']') {
		if (!index--)
			return p;
		p = skip_space(skip_value(p, 0));
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return NULL;
}

bool json_string(const char *value, char *buf, int size)
{
	int length = 0;

	if (!value || *value++ != '"')
		return false;
	while (*value != '"') {
		if (*value == '\\' || length == size - 1)
			return false;
		buf[length++] = *value++;
	}
	buf[length] = '\0';
	return true;
}

bool json_integer(const char *value, uint64_t *number)
{
	char *end;

	if (!value || (*value != '-' && (*value < '0' || *value > '9')))
		return false;
	if (*value == '-')
		*number = (uint64_t)strtoll(value, &end, 10);
	else
		*number = strtoull(value, &end, 10);
	return !strchr(".eE", *end) || *end == '\0';
}

bool json_is_true(const char *value)
{
	return value && !strncmp(value, "true", 4);
}
