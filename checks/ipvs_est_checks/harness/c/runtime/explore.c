// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduled runs: control processes and the kernel's own tasks, switched at
 * points by a list of choices. Each run happens in a process of its own, forked
 * from the state that the setup has reached, so that the next starts from there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime.h"

#define MAX_STEPS	4096
#define MAX_CHOICES	24	/* at one step */
#define CONTROL_RANK	1000
#define TIME		0	/* the choice that a jiffy passes */
#define MAX_SECONDS	2	/* of processor time in one run */
#define SETTLING	400	/* jiffies until a run in which nobody can go on ends */

/* One step, kept where the parent finds it if the process dies. */
struct step {
	int chosen;
	int count;
	int choices[MAX_CHOICES];
	bool goes_on;		/* the task of the step before could go on */
	char name[32];
	char place[64];
};

struct trail {
	int count;
	struct step steps[MAX_STEPS];
};

/* What a control process does, one operation after the other. */
struct program {
	struct json *nodes;
	struct json *operations;
	char *text;
};

static struct trail *trail;

/* ---- control processes ---- */

static void run_operation(struct json *nodes, struct json *operation)
{
	struct refusal refusal;
	size_t mark = out_mark();

	/* One that makes no sense by now, such as on an object that is gone, is left out. */
	operation_apply(nodes, operation, &refusal);
	out_cut(mark);
}

static int run_program(void *argument)
{
	struct program *program = argument;
	int child;

	for (child = program->operations->first; child;
	     child = program->nodes[child].next) {
		struct json *operation = &program->nodes[child];
		struct json *op = json_member(program->nodes, operation, "op");
		char name[32];

		snprintf(name, sizeof(name), "%.*s", (int)op->length - 2, op->start + 1);
		point("begin", name);
		run_operation(program->nodes, operation);
	}
	return 0;
}

/* A line with `task` and `operations`: a control process of the runs that follow. */
bool explore_add_task(struct json *nodes, struct json *line, struct refusal *refusal)
{
	struct json *name = json_member(nodes, line, "task");
	struct json *operations = json_member(nodes, line, "operations");
	struct program *program;
	struct json_error error;
	char text[32];
	struct task *task;
	int child;

	if (name->kind != JSON_STRING || name->length > sizeof(text))
		return refuse(refusal, "task", "expected a name of at most 30 characters");
	if (!operations || operations->kind != JSON_ARRAY)
		return refuse(refusal, "operations", "expected a list of operations");
	for (child = operations->first; child; child = nodes[child].next) {
		struct json *op = json_member(nodes, &nodes[child], "op");

		if (nodes[child].kind != JSON_OBJECT || !op || op->kind != JSON_STRING)
			return refuse(refusal, "operations", "expected operations");
	}
	/* The line's text and nodes do not last; the process keeps its own. */
	program = calloc(1, sizeof(*program));
	snprintf(text, sizeof(text), "%.*s", (int)name->length - 2, name->start + 1);
	program->text = strndup(operations->start, operations->length);
	program->operations = json_parse(program->text, operations->length, &error);
	program->nodes = json_keep();
	task = task_new(TASK_CONTROL, text, CONTROL_RANK);
	task->function = run_program;
	task->argument = program;
	task->state = TASK_RUNNABLE;
	return true;
}

/* ---- one run ---- */

static bool control_left(void)
{
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->kind == TASK_CONTROL)
			return true;
	}
	return false;
}

static struct task *task_of_age(int age)
{
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_RUNNABLE && task->age == (unsigned long)age)
			return task;
	}
	return NULL;
}

static int by_age(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

static int runnable(int *choices)
{
	struct task *task;
	int count = 0;

	for (task = tasks; task; task = task->next) {
		if (task->state == TASK_RUNNABLE && count < MAX_CHOICES - 1)
			choices[count++] = task->age;
	}
	qsort(choices, count, sizeof(*choices), by_age);
	return count;
}

/* Who waits for whom comes back to where it began. */
static struct task *find_cycle(void)
{
	struct task *first;
	struct task *task;
	int steps;

	for (first = tasks; first; first = first->next) {
		task = first;
		for (steps = 0; steps < 16 && task; steps++) {
			if (task->state == TASK_BLOCKED)
				task = task->mutex->owner;
			else if (task->state == TASK_JOINING)
				task = task->joined;
			else
				task = NULL;
			if (task == first)
				return first;
		}
	}
	return NULL;
}

static void out_steps(void)
{
	int i;
	int j;

	out_raw("\"steps\":[");
	for (i = 0; i < trail->count; i++) {
		const struct step *step = &trail->steps[i];

		out_raw(i ? ",[" : "[");
		out_signed(step->chosen);
		for (j = 0; j < step->count; j++) {
			out_raw(j ? "," : ",[");
			out_signed(step->choices[j]);
		}
		out_raw(step->goes_on ? "],true," : "],false,");
		out_text(step->name);
		out_raw(",");
		out_text(step->place);
		out_raw("]");
	}
	out_raw("]");
}

/* Take the next step; false when the run is over, `end` says how. */
static bool take_step(int wanted, struct task **last, int *jiffies_left, int *settling,
		      const char **end)
{
	struct step *step = &trail->steps[trail->count];
	struct task *task = NULL;

	work_look();
	if (find_cycle()) {
		*end = "deadlock";
		return false;
	}
	if (trail->count == MAX_STEPS) {
		*end = "limit";
		return false;
	}
	memset(step, 0, sizeof(*step));
	step->count = runnable(step->choices);
	step->goes_on = *last && (*last)->state == TASK_RUNNABLE;
	if (!step->count && !*jiffies_left && (!control_left() || !(*settling)--)) {
		*end = control_left() ? "stuck" : "done";
		return false;
	}
	if (*jiffies_left || !step->count)
		step->choices[step->count++] = TIME;
	if (wanted < 0)
		wanted = step->goes_on ? (int)(*last)->age : step->choices[0];
	if (wanted != TIME) {
		task = task_of_age(wanted);
		if (!task) {
			*end = "bad choice";
			return false;
		}
	}
	step->chosen = wanted;
	snprintf(step->name, sizeof(step->name), "%s", task ? task->name : "time");
	snprintf(step->place, sizeof(step->place), "%.63s", task ? task->place : "");
	trail->count++;
	if (task) {
		task_slice(task);
	} else {
		if (*jiffies_left)
			(*jiffies_left)--;
		schedule_jiffy();
	}
	*last = task && task->state != TASK_EXITED ? task : NULL;
	return true;
}

/* A run that reaches no point any more ends, see on_signal(). */
static void limit_time(void)
{
	struct itimerval limit = { .it_value = { .tv_sec = MAX_SECONDS } };

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* The answer's members; they begin after the brace and the seq. */
static void run_schedule(struct json *nodes, const struct json *choices, int jiffies_left)
{
	struct task *last = NULL;
	int settling = SETTLING;
	const char *end = NULL;
	int child = choices->first;
	bool negative;

	exploring = true;
	limit_time();
	for (;;) {
		uint64_t age = 0;
		int wanted = -1;

		if (child) {
			if (!json_integer(&nodes[child], &negative, &age))
				age = 0;
			wanted = age;
			child = nodes[child].next;
		}
		if (!take_step(wanted, &last, &jiffies_left, &settling, &end))
			break;
		if (violations_pending()) {
			end = "violation";
			break;
		}
	}
	exploring = false;
	out_raw("\"schedule\":{\"end\":");
	out_text(end);
	if (!strcmp(end, "deadlock")) {
		out_raw(",\"cycle\":");
		current_task = find_cycle();
		out_cycle();
	}
	if (violations_pending()) {
		out_raw(",\"violations\":");
		violations_out();
	}
	out_raw(",");
	out_steps();
	out_raw(",\"state\":");
	glue_dump();
	out_raw("}}\n");
	out_commit();
}

/* ---- the fork server ---- */

static bool read_jiffies(struct json *nodes, struct json *line, int *value,
			 struct refusal *refusal)
{
	struct json *node = json_member(nodes, line, "jiffies");
	uint64_t magnitude;
	bool negative;

	*value = 10;
	if (!node)
		return true;
	if (!json_integer(node, &negative, &magnitude) || (negative && magnitude) ||
	    magnitude > 1000000)
		return refuse(refusal, "jiffies", "not in 0..1000000");
	*value = magnitude;
	return true;
}

static void explore_boot(void)
{
	if (trail)
		return;
	trail = mmap(NULL, sizeof(*trail), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trail == MAP_FAILED)
		fail("no memory for the steps of a schedule");
}

/* A line with `schedule`, a list of choices; its answer, but for the first brace. */
bool explore_run(struct json *nodes, struct json *line, struct refusal *refusal)
{
	struct json *choices = json_member(nodes, line, "schedule");
	struct json *fields = json_member(nodes, line, "fields");
	char place[256];
	int jiffies_left;
	pid_t child;
	int status;

	if (choices->kind != JSON_ARRAY)
		return refuse(refusal, "schedule", "expected a list of choices");
	if (!read_jiffies(nodes, line, &jiffies_left, refusal))
		return false;
	explore_boot();
	trail->count = 0;
	memset(last_words, 0, sizeof(*last_words));
	field_points = fields && fields->kind == JSON_TRUE;
	child = fork();
	if (child < 0)
		fail("no process for a schedule");
	if (!child) {
		run_schedule(nodes, choices, jiffies_left);
		_exit(ENDING_DONE);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == ENDING_DONE)
		return true;
	/* What it has written of an answer is not whole. */
	out_rollback();
	find_place(place, sizeof(place));
	out_raw("{\"schedule\":{\"end\":\"crash\",\"violations\":[");
	out_last_words(place, status);
	out_raw("],");
	out_steps();
	out_raw("}}\n");
	out_commit();
	return true;
}
