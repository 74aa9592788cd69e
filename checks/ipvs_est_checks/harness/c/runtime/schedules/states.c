// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The states that scheduled runs come to, as snapshots: each is told once for
 * all runs from one setup, since who judges it says the same of it each time.
 */
#include <string.h>
#include <sys/mman.h>

#include "runtime.h"

#define KNOWN		(1UL << 20)
#define TRIES		64

/* What no property of a state reads: time, the heap's books, where tasks stand. */
static const char * const passed_over[] = {
	"now", "clock_ns", "est_timer", "wake_at", "due", "trash_scan_due", "waiters",
	"waits_for", "memory", NULL,
};

static uint64_t *known;		/* hashes of what was told, shared with all runs */
static char *told;		/* by this run */
static size_t used;
static size_t size;

void states_boot(void)
{
	known = mmap(NULL, KNOWN * sizeof(*known), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (known == MAP_FAILED)
		fail("no memory for states");
}

static bool is_passed_over(const char *key, size_t length)
{
	int i;

	for (i = 0; passed_over[i]; i++) {
		if (strlen(passed_over[i]) == length && !memcmp(passed_over[i], key, length))
			return true;
	}
	return false;
}

/* Behind a value: at the comma or bracket that follows it. */
static const char *behind_value(const char *at, const char *end)
{
	int depth = 0;

	for (; at < end; at++) {
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == ',' || *at == '}' || *at == ']') && !depth)
			break;
		else if (*at == '}' || *at == ']')
			depth--;
	}
	return at;
}

static uint64_t hash_of(const char *text, size_t length)
{
	const char *end = text + length;
	uint64_t hash = 14695981039346656037ULL;
	const char *at;

	for (at = text; at < end; at++) {
		const char *quote;

		hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
		if (*at != '"')
			continue;
		quote = memchr(at + 1, '"', end - at - 1);
		if (!quote)
			continue;
		if (quote[1] == ':' && is_passed_over(at + 1, quote - at - 1)) {
			at = behind_value(quote + 2, end) - 1;
			continue;
		}
		for (at++; at <= quote; at++)
			hash = (hash ^ (unsigned char)*at) * 1099511628211ULL;
		at = quote;
	}
	return hash ? hash : 1;
}

/* Whether it is new; one that finds no place is. */
static bool note_state(uint64_t hash)
{
	size_t tries;

	for (tries = 0; tries < TRIES; tries++) {
		uint64_t *place = &known[(hash + tries) % KNOWN];

		if (*place == hash)
			return false;
		if (!*place) {
			*place = hash;
			return true;
		}
	}
	return true;
}

/* Keep what was written since the mark: an operation that ends drops what it finds there. */
static void keep(size_t mark)
{
	size_t length;
	const char *text = out_since(mark, &length);

	if (used + length > size) {
		size = 2 * (used + length);
		told = own_grow(told, size);
	}
	memcpy(told + used, text, length);
	used += length;
}

/* The state that so many steps led to, if it was not told before. */
void states_look(int steps, bool settled)
{
	size_t mark = out_mark();
	size_t begin;
	size_t length;
	const char *text;

	out_raw(used ? ",[" : "[");
	out_signed(steps);
	out_raw(settled ? ",true," : ",false,");
	begin = out_mark();
	snapshot_of_machine();
	text = out_since(begin, &length);
	if (note_state(hash_of(text, length) + settled)) {
		out_raw("]");
		keep(mark);
	}
	out_cut(mark);
}

void states_out(void)
{
	out_raw("\"states\":[");
	out_characters(told, used);
	out_raw("],");
}
