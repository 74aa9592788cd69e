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
static void out_cycle(void)
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
	out_raw("\"result\":{\"deadlock\":\"control process blocked\"},"
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
	} else {
		snprintf(thing, sizeof(thing), "%s at address %p", strsignal(number),
			 info->si_addr);
		end_history("invalid-pointer", thing, pc);
	}
}

void failure_boot(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction action = { .sa_sigaction = on_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	void *frame;
	stack_t stack = { .ss_sp = malloc(ALTERNATE_STACK),
			  .ss_size = ALTERNATE_STACK };
	size_t i;

	/* Loads what it needs now, not in a signal handler. */
	backtrace(&frame, 1);
	sigaltstack(&stack, NULL);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
}
