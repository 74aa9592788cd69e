// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON text: a strict reader, into nodes that point into the line. */
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

#define MAX_DEPTH	100

struct reader {
	const char *at;
	const char *start;
	const char *end;
	struct json *nodes;
	int count;
	int size;
	struct json_error *error;
};

static struct json *kept;	/* of the last line, to be used again */
static int kept_size;

static bool bad(struct reader *reader, const char *message)
{
	reader->error->at = reader->at - reader->start;
	reader->error->message = message;
	return false;
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end &&
	       (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r'))
		reader->at++;
}

static int new_node(struct reader *reader)
{
	if (reader->count == reader->size) {
		reader->size = reader->size ? 2 * reader->size : 256;
		reader->nodes = own_grow(reader->nodes,
					 reader->size * sizeof(*reader->nodes));
	}
	memset(&reader->nodes[reader->count], 0, sizeof(*reader->nodes));
	return reader->count++;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Past the closing quote. */
static bool read_string(struct reader *reader)
{
	reader->at++;
	while (reader->at < reader->end) {
		unsigned char c = *reader->at++;

		if (c == '"')
			return true;
		if (c < ' ')
			return bad(reader, "a control character in a string");
		if (c != '\\')
			continue;
		if (reader->at == reader->end)
			break;
		c = *reader->at++;
		if (c == 'u') {
			int i;

			for (i = 0; i < 4; i++, reader->at++) {
				if (reader->at == reader->end || !is_hex(*reader->at))
					return bad(reader, "a bad \\u escape");
			}
		} else if (!strchr("\"\\/bfnrt", c)) {
			return bad(reader, "a bad escape");
		}
	}
	return bad(reader, "a string does not end");
}

static bool read_digits(struct reader *reader)
{
	const char *start = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > start;
}

static bool read_number(struct reader *reader)
{
	if (*reader->at == '-')
		reader->at++;
	if (reader->at < reader->end && *reader->at == '0')
		reader->at++;
	else if (!read_digits(reader))
		return bad(reader, "expected a value");
	if (reader->at < reader->end && *reader->at == '.') {
		reader->at++;
		if (!read_digits(reader))
			return bad(reader, "a bad number");
	}
	if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
		reader->at++;
		if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
			reader->at++;
		if (!read_digits(reader))
			return bad(reader, "a bad number");
	}
	return true;
}

static bool read_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length ||
	    memcmp(reader->at, word, length))
		return bad(reader, "expected a value");
	reader->at += length;
	return true;
}

static bool read_value(struct reader *reader, int index, int depth);

static bool given_twice(const struct reader *reader, int object, int member)
{
	const struct json *new = &reader->nodes[member];
	int other;

	for (other = reader->nodes[object].first; other && other != member;
	     other = reader->nodes[other].next) {
		const struct json *old = &reader->nodes[other];

		if (old->key_length == new->key_length &&
		    !memcmp(old->key, new->key, new->key_length))
			return true;
	}
	return false;
}

static bool read_key(struct reader *reader, int object, int member)
{
	const char *start = reader->at + 1;

	if (reader->at == reader->end || *reader->at != '"')
		return bad(reader, "expected a member's name");
	if (!read_string(reader))
		return false;
	reader->nodes[member].key = start;
	reader->nodes[member].key_length = reader->at - 1 - start;
	if (given_twice(reader, object, member))
		return bad(reader, "a member is given twice");
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != ':')
		return bad(reader, "expected a colon");
	reader->at++;
	skip_space(reader);
	return true;
}

/* The members of an object or the items of an array, past the closing bracket. */
static bool read_children(struct reader *reader, int index, int depth)
{
	bool is_object = reader->nodes[index].kind == JSON_OBJECT;
	char close = is_object ? '}' : ']';
	int previous = 0;

	if (depth == MAX_DEPTH)
		return bad(reader, "nested too deeply");
	reader->at++;
	skip_space(reader);
	if (reader->at < reader->end && *reader->at == close) {
		reader->at++;
		return true;
	}
	for (;;) {
		int child = new_node(reader);

		if (previous)
			reader->nodes[previous].next = child;
		else
			reader->nodes[index].first = child;
		previous = child;
		if (is_object && !read_key(reader, index, child))
			return false;
		if (!read_value(reader, child, depth + 1))
			return false;
		skip_space(reader);
		if (reader->at == reader->end)
			return bad(reader, "the text ends too early");
		if (*reader->at == close) {
			reader->at++;
			return true;
		}
		if (*reader->at != ',')
			return bad(reader, "expected a comma");
		reader->at++;
		skip_space(reader);
	}
}

static bool read_typed(struct reader *reader, int index, int depth)
{
	struct json *node = &reader->nodes[index];

	if (reader->at == reader->end)
		return bad(reader, "the text ends too early");
	switch (*reader->at) {
	case '{':
		node->kind = JSON_OBJECT;
		return read_children(reader, index, depth);
	case '[':
		node->kind = JSON_ARRAY;
		return read_children(reader, index, depth);
	case '"':
		node->kind = JSON_STRING;
		return read_string(reader);
	case 't':
		node->kind = JSON_TRUE;
		return read_word(reader, "true");
	case 'f':
		node->kind = JSON_FALSE;
		return read_word(reader, "false");
	case 'n':
		node->kind = JSON_NULL;
		return read_word(reader, "null");
	default:
		node->kind = JSON_NUMBER;
		return read_number(reader);
	}
}

static bool read_value(struct reader *reader, int index, int depth)
{
	const char *start = reader->at;

	if (!read_typed(reader, index, depth))
		return false;
	reader->nodes[index].start = start;
	reader->nodes[index].length = reader->at - start;
	return true;
}

struct json *json_parse(const char *text, size_t length, struct json_error *error)
{
	struct reader reader = {
		.at = text,
		.start = text,
		.end = text + length,
		.nodes = kept,
		.size = kept_size,
		.error = error,
	};
	bool good;

	skip_space(&reader);
	good = read_value(&reader, new_node(&reader), 0);
	kept = reader.nodes;
	kept_size = reader.size;
	if (!good)
		return NULL;
	skip_space(&reader);
	if (reader.at != reader.end) {
		bad(&reader, "something follows the value");
		return NULL;
	}
	return reader.nodes;
}

/* Nodes that outlive the next call of json_parse(); to be dropped. */
struct json *json_keep(void)
{
	struct json *nodes = kept;

	kept = NULL;
	kept_size = 0;
	return nodes;
}

bool json_key_is(const struct json *node, const char *name)
{
	return node->key_length == strlen(name) &&
	       !memcmp(node->key, name, node->key_length);
}

struct json *json_member(struct json *nodes, const struct json *object, const char *name)
{
	int child;

	for (child = object->first; child; child = nodes[child].next) {
		if (json_key_is(&nodes[child], name))
			return &nodes[child];
	}
	return NULL;
}

bool json_text_is(const struct json *node, const char *text)
{
	size_t length = strlen(text);

	return node->kind == JSON_STRING && node->length == length + 2 &&
	       !memcmp(node->start + 1, text, length);
}

/* False: not an integer, or one of more than 64 bits. */
bool json_integer(const struct json *node, bool *negative, uint64_t *magnitude)
{
	const char *at = node->start;
	const char *end = at + node->length;
	uint64_t value = 0;

	if (node->kind != JSON_NUMBER)
		return false;
	*negative = *at == '-';
	for (at += *negative; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	}
	*magnitude = value;
	return true;
}

static unsigned int hex_value(const char *at)
{
	char digits[5] = { at[0], at[1], at[2], at[3], 0 };

	return strtoul(digits, NULL, 16);
}

/* One character of a string, as its code; moves on behind it. */
static unsigned int next_character(const char **at)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";
	unsigned char c = *(*at)++;
	const char *escape;
	unsigned int code;

	if (c == '\\') {
		c = *(*at)++;
		if (c == 'u') {
			code = hex_value(*at);
			*at += 4;
			return code;
		}
		escape = strchr(escapes, c);
		return escape ? (unsigned char)escape[1] : c;
	}
	if (c < 0x80)
		return c;
	if ((c & 0xe0) == 0xc0)
		return (c & 0x1f) << 6 | (*(*at)++ & 0x3f);
	return 0xffff;
}

/*
 * The string's characters as bytes, and a NUL behind them. Returns their number,
 * or -1 if a character is no byte, or if they do not fit.
 */
long json_characters(const struct json *node, char *bytes, size_t size)
{
	const char *at = node->start + 1;
	const char *end = node->start + node->length - 1;
	size_t count = 0;

	while (at < end) {
		unsigned int code = next_character(&at);

		if (code > 0xff || count + 1 >= size)
			return -1;
		bytes[count++] = code;
	}
	bytes[count] = 0;
	return count;
}

const char *json_kind_name(const struct json *node)
{
	static const char * const names[] = {
		[JSON_NULL] = "null",
		[JSON_FALSE] = "a boolean",
		[JSON_TRUE] = "a boolean",
		[JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string",
		[JSON_ARRAY] = "a list",
		[JSON_OBJECT] = "an object",
	};

	return names[node->kind];
}
