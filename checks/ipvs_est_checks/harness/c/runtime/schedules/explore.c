// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduled runs: control processes and the kernel's own tasks, switched at
 * points by a list of choices. Each starts from the state that the setup has
 * reached (checkpoint.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

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
	char place[PLACE_SIZE];
	void *frames[FRAMES];	/* of the place, see keep_frames */
	int frame_count;
};

/* What is wanted of a run: which steps, and at which the next runs may leave it. */
struct wanted {
	const struct json *word;	/* the choices, such as "3.0x2.4" */
	int jiffies;
	bool brief;		/* not each step, but where it may be left */
	bool states;		/* tell them */
	bool events;		/* tell them */
	uint64_t from;		/* the first step for that */
	uint64_t budget;	/* of preemptions */
};

/* How far the choices are read. */
struct reader {
	const char *at;
	const char *end;
	int choice;
	long times;		/* that it is still to be taken */
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

	/* One that makes no sense by now, such as on an object that is gone, is left out. */
	operation_apply(nodes, operation, &refusal);
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
		if (!netns_may_begin(name))
			break;
		netns_enter(name);
		run_operation(program->nodes, operation);
		netns_leave(name);
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
	program = own_new(sizeof(*program));
	snprintf(text, sizeof(text), "%.*s", (int)name->length - 2, name->start + 1);
	program->text = own_new(operations->length + 1);
	memcpy(program->text, operations->start, operations->length);
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

/* The choices in a word, repeated ones counted. */
static void out_word(void)
{
	int i;
	int first;

	out_raw("\"word\":\"");
	for (i = 0; i < trail->count; i++) {
		for (first = i; i + 1 < trail->count &&
		     trail->steps[i + 1].chosen == trail->steps[first].chosen; i++)
			;
		out_raw(first ? "." : "");
		out_signed(trail->steps[first].chosen);
		if (i > first) {
			out_raw("x");
			out_signed(i - first + 1);
		}
	}
	out_raw("\"");
}

/* Where the next runs may leave this one: step, other choice, what it costs. */
static void out_turns(const struct wanted *wanted)
{
	const char *between = "";
	int i;
	int j;

	out_format("\"count\":%d,\"turns\":[", trail->count);
	for (i = wanted->from; i < trail->count; i++) {
		const struct step *step = &trail->steps[i];

		for (j = 0; j < step->count; j++) {
			/* Time that passes while somebody can run is a delay of who is
			 * not chosen. */
			uint64_t cost = step->goes_on || step->choices[j] == TIME;

			if (step->choices[j] == step->chosen || cost > wanted->budget)
				continue;
			out_raw(between);
			out_signed(i);
			out_raw(",");
			out_signed(step->choices[j]);
			out_raw(cost ? ",1" : ",0");
			between = ",";
		}
	}
	out_raw("]");
}

static void out_each_step(void)
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

/* Addresses of the code at which the task of each step stood. */
static void out_frames_of_steps(void)
{
	int i;

	out_raw(",\"frames\":[");
	for (i = 0; i < trail->count; i++) {
		out_raw(i ? "," : "");
		out_frames(trail->steps[i].frames, trail->steps[i].frame_count);
	}
	out_raw("]");
}

static void out_steps(const struct wanted *wanted)
{
	out_word();
	out_raw(",");
	if (wanted->brief)
		out_turns(wanted);
	else
		out_each_step();
	if (keep_frames)
		out_frames_of_steps();
}

/* Take the next step; false when the run is over, `end` says how. */
static bool take_step(int wanted, struct task **last, int *jiffies_left, int *settling,
		      const char **end)
{
	struct step *step = &trail->steps[trail->count];
	struct task *task = NULL;

	work_look();
	rcu_look();
	if (find_cycle()) {
		*end = "deadlock";
		return false;
	}
	if (trail->count == MAX_STEPS) {
		*end = "limit";
		return false;
	}
	step->place[0] = 0;
	step->frame_count = 0;
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
	if (task) {
		memcpy(step->name, task->name, sizeof(step->name));
		memcpy(step->place, task->place, sizeof(step->place));
		memcpy(step->frames, task->frames, sizeof(step->frames));
		step->frame_count = *step->place ? task->frame_count : 0;
	} else {
		strcpy(step->name, "time");
	}
	trail->count++;
	if (task) {
		/* It may stop in the middle of what it answers. */
		out_mute(true);
		task_slice(task);
		out_mute(false);
	} else {
		if (*jiffies_left)
			(*jiffies_left)--;
		schedule_jiffy();
	}
	*last = task && task->state != TASK_EXITED ? task : NULL;
	return true;
}

/* A run that reaches no point any more ends, see on_signal(). */
void limit_time(bool limited)
{
	struct itimerval limit = { .it_value = { .tv_sec = limited ? MAX_SECONDS : 0 } };

	setitimer(ITIMER_PROF, &limit, NULL);
}

/* The next choice; -1 behind the last. */
static int next_choice(struct reader *reader)
{
	char *after;

	if (!reader->times) {
		if (reader->at >= reader->end)
			return -1;
		reader->choice = strtol(reader->at, &after, 10);
		reader->times = *after == 'x' ? strtol(after + 1, &after, 10) : 1;
		/* The dot; a word that is none ends here. */
		reader->at = after > reader->at && reader->times > 0 ? after + 1 :
								       reader->end;
		if (reader->times < 1)
			return -1;
	}
	reader->times--;
	return reader->choice;
}

/* The answer's members; they begin after the brace and the seq. */
static void run_schedule(const struct wanted *wanted)
{
	struct reader reader = { .at = wanted->word->start + 1,
				 .end = wanted->word->start + wanted->word->length - 1 };
	int jiffies_left = wanted->jiffies;
	struct task *last = NULL;
	int settling = SETTLING;
	const char *end = NULL;

	exploring = true;
	limit_time(true);
	while (take_step(next_choice(&reader), &last, &jiffies_left, &settling, &end)) {
		if (violations_pending()) {
			end = "violation";
			break;
		}
		if (wanted->states)
			states_look(trail->count, false);
	}
	exploring = false;
	limit_time(false);
	if (wanted->states) {
		if (!strcmp(end, "done"))
			states_look(trail->count, true);
		states_out();
	}
	if (wanted->events) {
		out_raw("\"events\":");
		events_out();
		out_raw(",");
	}
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
	out_steps(wanted);
	if (!wanted->brief) {
		out_raw(",\"state\":");
		glue_dump();
	}
	out_raw("}}\n");
	out_commit();
}

/* ---- the lines that ask for them ---- */

static bool read_number(struct json *nodes, const struct json *line, const char *name,
			uint64_t most, uint64_t *value, struct refusal *refusal)
{
	struct json *node = json_member(nodes, line, name);
	bool negative;

	if (!node)
		return true;
	if (!json_integer(node, &negative, value) || (negative && *value) || *value > most)
		return refuse(refusal, name, "not in 0..%llu", (unsigned long long)most);
	return true;
}

static bool read_wanted(struct json *nodes, struct json *line, struct wanted *wanted,
			struct refusal *refusal)
{
	struct json *fields = json_member(nodes, line, "fields");
	struct json *states = json_member(nodes, line, "states");
	struct json *events = json_member(nodes, line, "events");
	struct json *frames = json_member(nodes, line, "frames");
	uint64_t jiffies_left = 10;

	*wanted = (struct wanted){ 0 };
	wanted->word = json_member(nodes, line, "schedule");
	wanted->brief = json_member(nodes, line, "from") != NULL;
	if (wanted->word->kind != JSON_STRING)
		return refuse(refusal, "schedule", "expected choices, such as 3.0x2.4");
	if (!read_number(nodes, line, "jiffies", 1000000, &jiffies_left, refusal) ||
	    !read_number(nodes, line, "from", MAX_STEPS, &wanted->from, refusal) ||
	    !read_number(nodes, line, "budget", 1000, &wanted->budget, refusal))
		return false;
	wanted->jiffies = jiffies_left;
	wanted->states = states && states->kind == JSON_TRUE;
	wanted->events = events && events->kind == JSON_TRUE;
	keep_frames = frames && frames->kind == JSON_TRUE;
	field_points = fields && fields->kind != JSON_FALSE;
	if (!point_at_fields(nodes, fields))
		return refuse(refusal, "fields", "expected a boolean or names of fields");
	return true;
}

/* What runs leave to others. */
void explore_boot(void)
{
	if (trail)
		return;
	trail = mmap(NULL, sizeof(*trail), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (trail == MAP_FAILED)
		fail("no memory for the steps of a schedule");
	accesses_boot();
	states_boot();
}

/* A line with `schedule`, the choices; its answer, but for the first brace. */
bool explore_run(struct json *nodes, struct json *line, struct refusal *refusal)
{
	struct wanted wanted;

	trail->count = 0;
	if (!read_wanted(nodes, line, &wanted, refusal))
		return false;
	run_schedule(&wanted);
	return true;
}

/* The same for a run whose process has died. */
void explore_out_crash(struct json *nodes, struct json *line, const char *place,
		       int status)
{
	struct refusal refusal;
	struct wanted wanted;

	if (!read_wanted(nodes, line, &wanted, &refusal))
		fail("a refused schedule that has run");
	out_raw("\"schedule\":{\"end\":\"crash\",\"violations\":[");
	out_last_words(place, status);
	out_raw("],");
	out_steps(&wanted);
	out_raw("}}\n");
	out_commit();
}
