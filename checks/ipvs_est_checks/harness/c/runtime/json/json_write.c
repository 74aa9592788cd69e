// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is written: whole answers, in memory that the parent of the process that
 * answers shares, so that nothing of them is lost when it dies.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime.h"

#define OUTPUT_SIZE	(256UL << 20)
#define FLUSH_ABOVE	(64UL << 10)

static struct output *output;
static bool is_muted;

void out_boot(void)
{
	output = mmap(NULL, OUTPUT_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (output == MAP_FAILED) {
		perror("output");
		_exit(2);
	}
}

void out_characters(const char *text, size_t length)
{
	if (is_muted)
		return;
	if (output->end + length > OUTPUT_SIZE - sizeof(*output))
		fail("an answer of more than %lu MB", OUTPUT_SIZE >> 20);
	memcpy(output->text + output->end, text, length);
	output->end += length;
}

void out_raw(const char *text)
{
	out_characters(text, strlen(text));
}

void out_unsigned(glue_u64 value)
{
	char digits[20];
	int at = sizeof(digits);

	do {
		digits[--at] = '0' + value % 10;
		value /= 10;
	} while (value);
	out_characters(digits + at, sizeof(digits) - at);
}

void out_signed(long long value)
{
	if (value < 0)
		out_raw("-");
	out_unsigned(value < 0 ? 0ULL - value : (glue_u64)value);
}

void out_hex(unsigned long value)
{
	out_format("%lx", value);
}

void out_format(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	out_raw(text);
}

/* A string, quoted. */
void out_text(const char *text)
{
	out_raw("\"");
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			out_format("\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			out_format("\\u%04x", c);
		else
			out_characters(text, 1);
	}
	out_raw("\"");
}

void out_flush(void)
{
	size_t written = 0;

	while (written < output->committed) {
		ssize_t count = write(STDOUT_FILENO, output->text + written,
				      output->committed - written);

		if (count <= 0)
			_exit(ENDING_DEAD_PIPE);
		written += count;
	}
	memmove(output->text, output->text + written, output->end - written);
	output->end -= written;
	output->committed = 0;
}

/* An answer is whole. It is written when the next line has to be waited for. */
void out_commit(void)
{
	output->committed = output->end;
	if (output->committed > FLUSH_ABOVE)
		out_flush();
}

/* Drop what was written of an answer that will not come. */
void out_rollback(void)
{
	output->end = output->committed;
}

size_t out_mark(void)
{
	return output->end;
}

const char *out_since(size_t mark, size_t *length)
{
	*length = output->end - mark;
	return output->text + mark;
}

void out_cut(size_t mark)
{
	if (!is_muted)
		output->end = mark;
}

/* What tasks of a scheduled run answer to their operations goes nowhere. */
void out_mute(bool muted)
{
	is_muted = muted;
}
