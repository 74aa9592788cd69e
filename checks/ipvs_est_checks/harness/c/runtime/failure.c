// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What goes wrong in the kernel's code: violations after which the history goes
 * on are told with the next answer; one after which nothing defined follows ends
 * the process, whose parent then answers for it (protocol.c).
 */
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime.h"

#ifdef __SANITIZE_ADDRESS__
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define PENDING	16
#define ALTERNATE_STACK	(64 * 1024)

struct told {
	char kind[32];
	char thing[128];
	char where[64];
};

struct last_words *last_words;

static struct told pending[PENDING];
static int pending_count;
static bool any;		/* since violations_expect_none() */

void rt_bug(const char *file, int line) NORETURN;
void rt_missing_symbol(const char *name) NORETURN;
int _printk(const char *format, ...);
void warn_slowpath_fmt(const char *file, int line, unsigned int taint,
		       const char *format, ...);
void __warn_printk(const char *format, ...);
void refcount_warn_saturate(void *refcount, int type);

/* The same violation again before the next answer says nothing new. */
void violation(const char *kind, const char *thing, const char *where)
{
	struct told told = { "", "", "" };
	int i;

	any = true;
	snprintf(told.kind, sizeof(told.kind), "%s", kind);
	snprintf(told.thing, sizeof(told.thing), "%s", thing);
	snprintf(told.where, sizeof(told.where), "%s", where ? where : "");
	for (i = 0; i < pending_count; i++) {
		if (!memcmp(&pending[i], &told, sizeof(told)))
			return;
	}
	if (pending_count < PENDING)
		pending[pending_count++] = told;
}

void rt_violation(const char *kind, const char *thing, const char *where)
{
	violation(kind, thing, where);
}

bool violations_pending(void)
{
	return pending_count > 0;
}

void violations_expect_none(void)
{
	any = false;
}

/* Told or not. */
bool violations_came(void)
{
	return any;
}

static void out_violation(const struct told *told)
{
	out_raw("{\"kind\":");
	out_text(told->kind);
	out_raw(",\"thing\":");
	out_text(told->thing);
	if (!strcmp(told->kind, "use-after-free"))
		out_raw(",\"field\":\"\"");
	if (*told->where) {
		out_raw(",\"where\":");
		out_text(told->where);
	}
	out_raw("}");
}

/* The list, each in the form of SCHEMA.md. */
void violations_out(void)
{
	int i;

	for (i = 0; i < pending_count; i++) {
		out_raw(i ? "," : "[");
		out_violation(&pending[i]);
	}
	out_raw("]");
	pending_count = 0;
}

/* The first one, which ends a history that has to raise it. */
void violation_out_first(void)
{
	out_violation(&pending[0]);
}

/* Who waits for whom, from the caller of the operation on. */
void out_cycle(void)
{
	struct task *task = current_task;
	int steps;

	out_raw("[");
	for (steps = 0; steps < 16; steps++) {
		if (steps)
			out_raw(",");
		if (task->state == TASK_BLOCKED) {
			struct task *owner = task->mutex->owner;

			out_raw("\"");
			out_format("%s: waits for %s, held by %s", task->name,
				   task->mutex->name, owner ? owner->name : "nobody");
			out_raw("\"");
			task = owner;
		} else if (task->state == TASK_JOINING) {
			out_raw("\"");
			out_format("%s: waits for the exit of %s", task->name,
				   task->joined->name);
			out_raw("\"");
			task = task->joined;
		} else {
			out_raw("\"");
			out_format("%s: waits for nobody", task->name);
			out_raw("\"");
			break;
		}
		if (!task || task == current_task)
			break;
	}
	out_raw("]");
}

/* The caller has waited too long: the operation's answer, and the last one. */
void violation_deadlock(void)
{
	/* Behind the member's name, which is there before the operation begins. */
	out_raw("{\"deadlock\":\"control process blocked\"},"
		"\"violations\":[{\"kind\":\"deadlock\",\"cycle\":");
	out_cycle();
	out_raw("}]}\n");
	out_commit();
	_exit(ENDING_ANSWERED);
}

static void remember_places(const void *first, int skipped)
{
	void *frames[32];
	int count = backtrace(frames, 32);
	int i;

	last_words->place_count = 0;
	if (first)
		last_words->places[last_words->place_count++] = (uintptr_t)first;
	for (i = skipped; i < count && last_words->place_count < 32; i++)
		last_words->places[last_words->place_count++] = (uintptr_t)frames[i];
}

void end_history(const char *kind, const char *thing, const void *pc)
{
	snprintf(last_words->kind, sizeof(last_words->kind), "%s", kind);
	snprintf(last_words->thing, sizeof(last_words->thing), "%s", thing);
	remember_places(pc, 2);
	_exit(ENDING_FAILURE);
}

/* The harness itself cannot go on. */
void fail(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	end_history("harness", text, NULL);
}

void rt_bug(const char *file, int line)
{
	char text[256];

	snprintf(text, sizeof(text), "BUG at %s:%d", file, line);
	end_history("bug", text, __builtin_return_address(0));
}

void rt_missing_symbol(const char *name)
{
	end_history("missing-symbol", name, __builtin_return_address(0));
}

int _printk(const char *format, ...)
{
	(void)format;
	return 0;
}

void warn_slowpath_fmt(const char *file, int line, unsigned int taint,
		       const char *format, ...)
{
	char where[64];

	(void)taint;
	(void)format;
	snprintf(where, sizeof(where), "line %d", line);
	violation("warning", file, where);
}

void __warn_printk(const char *format, ...)
{
	violation("warning", format, NULL);
}

void refcount_warn_saturate(void *refcount, int type)
{
	static const char * const words[] = {
		"addition saturated", "addition saturated", "addition on 0",
		"underflow", "decrement hit 0",
	};

	(void)refcount;
	violation("warning", "refcount_t", type >= 0 && type < 5 ? words[type] : "");
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	const void *pc = NULL;
	char thing[64];

#ifdef __x86_64__
	pc = (const void *)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__i386__)
	pc = (const void *)at->uc_mcontext.gregs[REG_EIP];
#endif
	if (number == SIGFPE) {
		end_history("division-by-zero", "an integer", pc);
	} else if (number == SIGPROF) {
		end_history("endless-loop", current_task ? current_task->name : "", pc);
	} else {
		snprintf(thing, sizeof(thing), "%s at address %p", strsignal(number),
			 info->si_addr);
		end_history("invalid-pointer", thing, pc);
	}
}

#ifdef __SANITIZE_ADDRESS__

/* A report ends the history: what was touched, in AddressSanitizer's words. */
static void on_report(const char *report)
{
	static const char before[] = "AddressSanitizer: ";
	const char *kind = strstr(report, before);
	char thing[64];

	kind = kind ? kind + strlen(before) : report;
	snprintf(thing, sizeof(thing), "%.*s", (int)strcspn(kind, " \n"), kind);
	end_history("sanitiser", thing, NULL);
}

/* What it would write besides goes nowhere: on_report() tells it. */
static void watch_sanitiser(void)
{
	int nowhere = open("/dev/null", O_WRONLY);

	if (nowhere >= 0)
		__sanitizer_set_report_fd((void *)(intptr_t)nowhere);
	__asan_set_error_report_callback(on_report);
}

/* UndefinedBehaviorSanitizer calls this for each report, and then asks for it. */
void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **kind, const char **message,
				     const char **file, unsigned int *line,
				     unsigned int *column, char **address);

void __ubsan_on_report(void)
{
	const char *kind;
	const char *message;
	const char *file;
	unsigned int line;
	unsigned int column;
	char *address;
	char thing[256];

	__ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
	snprintf(thing, sizeof(thing), "%s: %s", kind, message);
	end_history("sanitiser", thing, NULL);
}

#else

static void watch_sanitiser(void)
{
}

#endif

void failure_boot(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
				       SIGPROF };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frame;
	stack_t stack = { .ss_sp = malloc(ALTERNATE_STACK),
			  .ss_size = ALTERNATE_STACK };
	size_t i;

	watch_sanitiser();
	/* Loads what it needs now, not in a signal handler. */
	backtrace(&frame, 1);
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* Where in the kernel's source: the innermost of its functions. */
static void look_up_place(char *place, size_t size)
{
	char command[1024];
	char function[128];
	char file[512];
	char self[256];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t used;
	FILE *lines;
	int i;

	*place = 0;
	if (length <= 0 || !last_words->place_count)
		return;
	self[length] = 0;
	used = snprintf(command, sizeof(command), "addr2line -i -f -e '%s'", self);
	for (i = 0; i < last_words->place_count && used < sizeof(command) - 32; i++)
		used += snprintf(command + used, sizeof(command) - used, " %#lx",
				 (unsigned long)last_words->places[i] - 1);
	snprintf(command + used, sizeof(command) - used, " 2>/dev/null");
	lines = popen(command, "r");
	if (!lines)
		return;
	while (!*place && fgets(function, sizeof(function), lines) &&
	       fgets(file, sizeof(file), lines)) {
		const char *in_tree = strstr(file, "/net/netfilter/ipvs/");

		if (!in_tree)
			continue;
		function[strcspn(function, "\n")] = 0;
		snprintf(place, size, "%s (%.*s)", function,
			 (int)strcspn(in_tree + 1, " \n"), in_tree + 1);
	}
	pclose(lines);
}

/* The same, by looking up what is not what was asked last: runs of a search die alike. */
void find_place(char *place, size_t size)
{
	static uintptr_t known[32];
	static int known_count;
	static char known_place[256];

	if (!known_count || known_count != last_words->place_count ||
	    memcmp(known, last_words->places, known_count * sizeof(*known))) {
		look_up_place(known_place, sizeof(known_place));
		known_count = last_words->place_count;
		memcpy(known, last_words->places, sizeof(known));
	}
	snprintf(place, size, "%s", known_place);
}

/* What ended a history, as a violation. */
void out_last_words(const char *place, int status)
{
	if (!*last_words->kind) {
		snprintf(last_words->kind, sizeof(last_words->kind), "harness");
		snprintf(last_words->thing, sizeof(last_words->thing),
			 "the process ended with status %#x", status);
	}
	out_raw("{\"kind\":");
	out_text(last_words->kind);
	out_raw(",\"thing\":");
	out_text(last_words->thing);
	out_raw(",\"where\":");
	out_text(place);
	out_raw("}");
}
