// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process of SCHEMA.md: a line of JSON in, a line of JSON out.
 *
 * Each history runs in a child process, which reads the lines up to the next
 * configuration from the memory that it shares with its parent. So each starts
 * on a new machine, and a crash of the kernel's code ends the child only: the
 * parent answers the line at which it happened. In the same way a child of the
 * history answers the lines that ask for scheduled runs, one after the other: each
 * begins at the checkpoint that the history has reached.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime.h"

#define MAX_LINE	(8UL << 20)
#define MAX_SEQ_TEXT	64

/* What was read and not yet answered, and where in the stream that is. */
struct input {
	size_t start;
	size_t end;
	uint64_t line;		/* number of the next one, from 1 */
	bool ended;
	bool skipping;		/* the rest of a line that is too long */
	char text[2 * MAX_LINE];
};

struct line {
	const char *text;
	size_t length;
	bool too_long;
};

/* Of the members that every line may have. */
struct envelope {
	struct json *nodes;
	struct json *value;
	const struct json *seq;
};

static struct input *input;
static struct glue_build build;
static const struct machine *answering;

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED) {
		perror("memory");
		exit(2);
	}
	return memory;
}

static void read_more(void)
{
	ssize_t count;

	out_flush();
	memmove(input->text, input->text + input->start, input->end - input->start);
	input->end -= input->start;
	input->start = 0;
	count = read(STDIN_FILENO, input->text + input->end,
		     sizeof(input->text) - input->end);
	if (count <= 0)
		input->ended = true;
	else
		input->end += count;
}

/* The next line; it is the next one until it is consumed. False at the end. */
static bool next_line(struct line *line)
{
	size_t looked = 0;

	for (;;) {
		const char *start = input->text + input->start;
		size_t length = input->end - input->start;
		const char *newline = memchr(start + looked, '\n', length - looked);

		if (newline || (input->ended && length)) {
			line->text = start;
			line->length = newline ? (size_t)(newline - start) : length;
			line->too_long = line->length > MAX_LINE;
			return true;
		}
		if (input->ended)
			return false;
		looked = length;
		if (length > MAX_LINE) {
			/* Keep enough to know that it is too long. */
			input->end = input->start + MAX_LINE + 1;
			looked = MAX_LINE + 1;
		}
		read_more();
	}
}

static void consume(const struct line *line)
{
	input->start += line->length;
	if (input->start < input->end)
		input->start++;
	input->line++;
}

/* ---- answers ---- */

static void out_start(const struct envelope *envelope)
{
	out_raw("{");
	if (!envelope->seq)
		return;
	out_raw("\"seq\":");
	out_characters(envelope->seq->start, envelope->seq->length);
	out_raw(",");
}

static void out_refusal(const struct envelope *envelope, const char *type,
			const struct refusal *refusal)
{
	out_start(envelope);
	out_raw("\"error\":{\"type\":");
	out_text(type);
	out_raw(",\"field\":");
	out_text(refusal->field);
	out_raw(",\"message\":");
	out_text(refusal->message);
	out_raw(",\"line\":");
	out_unsigned(input->line);
	out_raw("}}\n");
	out_commit();
}

static bool check_seq(const struct json *seq, struct refusal *refusal)
{
	uint64_t value;
	bool negative;

	if (seq->kind == JSON_STRING)
		return seq->length - 2 <= MAX_SEQ_TEXT ||
		       refuse(refusal, "seq", "longer than %d characters", MAX_SEQ_TEXT);
	if (!json_integer(seq, &negative, &value) || (negative && value))
		return refuse(refusal, "seq", "expected an integer or a string, found %s",
			      json_kind_name(seq));
	return true;
}

/* False, and answered, if the line is no object of the language. */
static bool open_line(const struct line *line, struct envelope *envelope)
{
	struct refusal refusal;
	struct json_error error;
	const struct json *seq;

	*envelope = (struct envelope){ NULL, NULL, NULL };
	if (line->too_long) {
		refuse(&refusal, "", "longer than %lu bytes", MAX_LINE);
		goto refused;
	}
	envelope->nodes = json_parse(line->text, line->length, &error);
	if (!envelope->nodes) {
		refuse(&refusal, "", "not JSON at byte %zu: %s", error.at + 1,
		       error.message);
		goto refused;
	}
	envelope->value = envelope->nodes;
	if (envelope->value->kind != JSON_OBJECT) {
		refuse(&refusal, "", "expected an object, found %s",
		       json_kind_name(envelope->value));
		goto refused;
	}
	seq = json_member(envelope->nodes, envelope->value, "seq");
	if (seq && !check_seq(seq, &refusal))
		goto refused;
	envelope->seq = seq;
	return true;
refused:
	out_refusal(envelope, "bad-input", &refusal);
	return false;
}

static bool is_member(const struct envelope *envelope, const char *name)
{
	return json_member(envelope->nodes, envelope->value, name) != NULL;
}

static bool is_operation(const struct envelope *envelope)
{
	return is_member(envelope, "op");
}

static bool is_machine(const struct envelope *envelope)
{
	return !is_operation(envelope) &&
	       (is_member(envelope, "configure") || is_member(envelope, "trace") ||
		is_member(envelope, "format") || is_member(envelope, "kernel") ||
		is_member(envelope, "params"));
}

/* ---- the child: one history ---- */

void snapshot_of_machine(void)
{
	snapshot_out(answering, &build);
}

/* A recorded result beside an operation is compared with the computed one. */
static void out_equality(const char *start, size_t length, struct json *recorded_nodes,
			 const struct json *recorded)
{
	struct json_error error;
	struct json *computed = json_parse(start, length, &error);
	const char *difference;

	if (!computed)
		fail("a result that is no JSON: %s", error.message);
	difference = json_difference(recorded_nodes, recorded, computed, computed);
	out_raw(difference ? ",\"equal\":false,\"differs_at\":" : ",\"equal\":true");
	if (difference)
		out_text(difference);
}

static void answer_operation(struct envelope *envelope, const struct machine *machine)
{
	struct json *recorded = json_member(envelope->nodes, envelope->value, "result");
	long recorded_at = recorded ? recorded - envelope->nodes : 0;
	struct refusal refusal;
	size_t mark;
	const char *result;
	size_t length;
	bool applied;

	out_start(envelope);
	out_raw("\"result\":");
	mark = out_mark();
	event_resumed(current_task);
	applied = operation_apply(envelope->nodes, envelope->value, &refusal);
	event_paused(current_task);
	if (!applied) {
		out_rollback();
		out_refusal(envelope, "bad-input", &refusal);
		return;
	}
	if (machine->raise_violations && violations_pending()) {
		out_cut(mark - strlen("\"result\":"));
		out_raw("\"violation\":");
		violation_out_first();
		out_raw("}\n");
		out_commit();
		_exit(ENDING_ANSWERED);
	}
	if (recorded) {
		struct json *nodes = json_keep();

		result = out_since(mark, &length);
		out_equality(result, length, nodes, nodes + recorded_at);
		own_drop(nodes);
	}
	if (violations_pending()) {
		out_raw(",\"violations\":");
		violations_out();
	}
	if (machine->watch_events) {
		out_raw(",\"events\":");
		events_out();
	}
	if (machine->watch_snapshot) {
		out_raw(",\"snapshot\":");
		snapshot_of_machine();
	}
	out_raw("}\n");
	out_commit();
}

static void answer_line(struct envelope *envelope, const struct machine *machine)
{
	struct refusal refusal;

	if (is_operation(envelope)) {
		answer_operation(envelope, machine);
	} else if (is_member(envelope, "task")) {
		if (!explore_add_task(envelope->nodes, envelope->value, &refusal))
			goto refused;
		out_raw("{\"task\":true}\n");
		out_commit();
	} else if (is_member(envelope, "accesses")) {
		accesses_out();
	} else {
		refuse(&refusal, "op", "missing: neither an operation nor a"
		       " configuration nor a header");
		goto refused;
	}
	return;
refused:
	out_refusal(envelope, "bad-input", &refusal);
}

/* ---- the child's child: scheduled runs ---- */

static bool is_run(const struct envelope *envelope)
{
	return !is_operation(envelope) && !is_member(envelope, "task") &&
	       !is_member(envelope, "accesses") &&
	       (is_member(envelope, "follow") || is_member(envelope, "schedule"));
}

static void answer_run(const struct envelope *envelope)
{
	struct refusal refusal;
	bool is_taken;

	out_start(envelope);
	if (is_member(envelope, "follow"))
		is_taken = steps_run(envelope->nodes, envelope->value, &refusal);
	else
		is_taken = explore_run(envelope->nodes, envelope->value, &refusal);
	if (is_taken)
		return;
	out_rollback();
	out_refusal(envelope, "bad-input", &refusal);
}

/* Up to a line that asks for something else, or to a run that nothing may follow. */
NORETURN static void serve_runs(bool can_return)
{
	struct envelope envelope;
	struct line line;

	violations_expect_none();
	while (next_line(&line)) {
		if (open_line(&line, &envelope)) {
			if (!is_run(&envelope))
				break;
			answer_run(&envelope);
		}
		consume(&line);
		if (!can_return || violations_came())
			break;
		checkpoint_return();
		violations_expect_none();
	}
	_exit(ENDING_DONE);
}

/* The child died at this run. */
static void answer_for_run(const struct envelope *envelope, int status)
{
	char place[256];

	find_place(place, sizeof(place));
	out_start(envelope);
	if (is_member(envelope, "follow"))
		steps_out_crash(place, status);
	else
		explore_out_crash(envelope->nodes, envelope->value, place, status);
}

static void run_runs(void)
{
	struct envelope envelope;
	struct line line;
	bool can_return;
	pid_t child;
	int status;

	explore_boot();
	can_return = checkpoint_take();
	memset(last_words, 0, sizeof(*last_words));
	child = fork();
	if (child < 0)
		fail("no process for schedules");
	if (!child)
		serve_runs(can_return);
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDING_DONE)
		return;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDING_DEAD_PIPE)
		_exit(ENDING_DEAD_PIPE);
	/* What it has written of an answer is not whole. */
	out_rollback();
	if (!next_line(&line) || !open_line(&line, &envelope))
		fail("schedules ended at no line");
	answer_for_run(&envelope, status);
	consume(&line);
}

NORETURN static void run_history(const struct machine *machine)
{
	struct envelope envelope;
	struct line line;

	answering = machine;
	failure_boot();
	machine_boot(machine);
	while (next_line(&line)) {
		if (open_line(&line, &envelope)) {
			if (is_machine(&envelope))
				break;
			if (is_run(&envelope)) {
				run_runs();
				continue;
			}
			checkpoint_forget();
			answer_line(&envelope, machine);
		}
		consume(&line);
	}
	out_flush();
	_exit(ENDING_DONE);
}

/* ---- the parent: what no history is there for ---- */

static void refuse_operation(const struct envelope *envelope, bool ended)
{
	struct refusal refusal;

	if (!is_operation(envelope)) {
		refuse(&refusal, "op", "missing: neither an operation nor a"
		       " configuration nor a header");
		out_refusal(envelope, "bad-input", &refusal);
	} else if (ended) {
		refuse(&refusal, "", "the history has ended");
		out_refusal(envelope, "cannot-answer", &refusal);
	} else {
		refuse(&refusal, "op", "there is no machine: configure one first");
		out_refusal(envelope, "bad-input", &refusal);
	}
}

/* The child died at this line. */
static void answer_for_child(const struct line *line, int status)
{
	struct envelope envelope;
	char place[256];

	out_rollback();
	if (!open_line(line, &envelope))
		return;
	find_place(place, sizeof(place));
	out_start(&envelope);
	out_raw("\"violation\":");
	out_last_words(place, status);
	out_raw("}\n");
	out_commit();
}

/* Runs the history up to the next configuration; whether it has ended before. */
static bool run_child(const struct machine *machine)
{
	struct line line;
	pid_t child;
	int status;

	out_flush();
	memset(last_words, 0, sizeof(*last_words));
	child = fork();
	if (child < 0) {
		perror("fork");
		exit(2);
	}
	if (!child)
		run_history(machine);
	if (waitpid(child, &status, 0) < 0) {
		perror("waitpid");
		exit(2);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDING_DONE)
		return false;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDING_DEAD_PIPE)
		exit(ENDING_DEAD_PIPE);
	if (!next_line(&line))
		return true;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != ENDING_ANSWERED)
		answer_for_child(&line, status);
	consume(&line);
	return true;
}

static void out_handshake(void)
{
	out_raw("{\"oracle\":\"ipvs-est\",\"protocol\":1,\"formats\":[1],\"snapshots\":[2],"
		"\"version\":\"harness\",\"revisions\":[\"linux-");
	out_raw(build.version);
	out_raw("\"],\"kernels\":[\"");
	out_raw(build.version);
	out_raw("\"],\"operations\":");
	operations_out();
	out_raw(",\"max_line\":");
	out_unsigned(MAX_LINE);
	out_raw(",\"gives\":{\"violations\":1,\"snapshot\":2,\"events\":1,\"fail_allocations\":1");
#ifdef WITH_POINTS
	out_raw(",\"schedules\":2");
#endif
	out_raw("}}\n");
	out_commit();
}

int serve(void)
{
	struct machine machine;
	struct refusal refusal;
	struct envelope envelope;
	struct line line;
	bool ended = false;

	glue_describe(&build);
	input = share(sizeof(*input));
	last_words = share(sizeof(*last_words));
	input->line = 1;
	own_boot();
	out_boot();
	out_handshake();
	while (next_line(&line)) {
		if (!open_line(&line, &envelope)) {
			consume(&line);
			continue;
		}
		if (!is_machine(&envelope)) {
			refuse_operation(&envelope, ended);
			consume(&line);
			continue;
		}
		ended = false;
		if (!machine_read(envelope.nodes, envelope.value, &build, &machine,
				  &refusal)) {
			out_refusal(&envelope, "bad-input", &refusal);
			consume(&line);
			continue;
		}
		out_start(&envelope);
		out_raw("\"configured\":");
		machine_out(&machine, &build);
		out_raw("}\n");
		out_commit();
		consume(&line);
		ended = run_child(&machine);
	}
	out_flush();
	return 0;
}
