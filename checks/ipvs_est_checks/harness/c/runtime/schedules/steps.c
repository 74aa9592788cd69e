// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scheduled runs that follow another's steps: the model's, which is ahead. Each
 * step lets one task go on to the next point that both have, lets time pass to a
 * given jiffy, or runs the oldest RCU callback. After each one it is told who
 * could go on, where the task stands, and the snapshot.
 */
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define MAX_SLICES	16	/* of one step */
#define MAX_PASSED	128	/* different points that one step passes */
#define NAME_SIZE	PLACE_SIZE

static bool with_snapshots;	/* at each point, not at the last alone */

/* A task that could go on, unlike in a search also one that stands before a wait. */
static bool is_able(const struct task *task)
{
	if (task->state == TASK_NEW)
		return false;
	if (task->state == TASK_SLEEPING)
		return task->sleep_ends && task->wake_at <= now;
	return !task->ready || task->ready(task->ready_argument);
}

static void out_able(void)
{
	const char *between = "[";
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (!is_able(task))
			continue;
		out_raw(between);
		out_text(task->name);
		between = ",";
	}
	out_raw(*between == '[' ? "[]" : "]");
}

/* Of those of that name that live, the one with so many older ones. */
static struct task *find_task(const char *name, uint64_t older)
{
	struct task *found = NULL;
	struct task *task;
	uint64_t i;

	for (i = 0; i <= older; i++) {
		struct task *next = NULL;

		for (task = tasks; task; task = task->next) {
			if (task->state == TASK_NEW || strcmp(task->name, name))
				continue;
			if ((!found || task->age > found->age) &&
			    (!next || task->age < next->age))
				next = task;
		}
		if (!next)
			return NULL;
		found = next;
	}
	return found;
}

static bool begins(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Points that the model has wherever the kernel has them; others are passed unless wanted. */
static bool is_common(const char *place)
{
	static const char * const starts[] = {
		"lock ", "stop ", "queue_work ", "cancel_work ",
	};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		if (begins(place, starts[i]))
			return true;
	}
	return false;
}

static const char *waiting_at(const struct task *task)
{
	switch (task->state) {
	case TASK_EXITED:
		return "exited";
	case TASK_SLEEPING:
		return "sleep";
	case TASK_JOINING:
		return "join";
	case TASK_BLOCKED:
	case TASK_WAITING:
		return "wait";
	default:
		return NULL;
	}
}

/* Where a task is to come to: that point, behind so many unlocks and others like it. */
struct target {
	char place[PLACE_SIZE];
	uint64_t unlocks;
	uint64_t others;
};

/* A point that a step has passed; the names last as long as the program. */
struct passed {
	const char *what;
	const char *object;
};

static struct target *current_target;
static struct passed passed[MAX_PASSED];
static int passed_count;

static bool is_reached(struct target *target, const char *place)
{
	if (begins(place, "unlocked ") && target->unlocks)
		target->unlocks--;
	if (target->unlocks || strcmp(place, target->place))
		return false;
	return !target->others--;
}

static void note_passed(const char *what, const char *object, const char *place)
{
	int i;

	for (i = 0; i < passed_count; i++) {
		if (passed[i].what == what && passed[i].object == object)
			return;
	}
	if (passed_count == MAX_PASSED)
		return;
	passed[passed_count].what = what;
	passed[passed_count].object = object;
	out_mute(false);
	out_raw(passed_count++ ? "," : "");
	out_text(place);
	out_mute(true);
}

/* Whether the running task goes on from a point at once, which is told as passed. */
bool steps_pass(const char *what, const char *object, const char *place)
{
	if (!strcmp(what, "sleep") || is_common(place))
		return false;
	if (current_target && is_reached(current_target, place))
		return false;
	note_passed(what, object, place);
	return true;
}

/* Let the task go on to its target, or to a point that is common; its name. */
static const char *go_on(struct task *task, struct target *target)
{
	const char *at = NULL;
	bool asleep = false;
	int i;

	current_target = target;
	passed_count = 0;
	out_raw("[");
	for (i = 0; !at && i < MAX_SLICES; i++) {
		out_mute(true);
		task_slice(task);
		out_mute(false);
		work_look();
		at = waiting_at(task);
		if (at)
			break;
		if (!strcmp(task->place, "sleep")) {
			/* The second time it is asked to stop, and does not sleep. */
			if (asleep)
				at = "sleep";
			asleep = true;
			continue;
		}
		at = task->place;
	}
	current_target = NULL;
	out_raw("],");
	return at ? at : "endless";
}

/* Looking at what is freed is no use of it by anybody. */
static void out_snapshot(void)
{
	struct task *before = current_task;

	current_task = NULL;
	snapshot_of_machine();
	current_task = before;
}

static void out_point(const char *at, const struct task *task, bool is_last)
{
	out_text(at);
	out_raw(",");
	out_able();
	out_format(",%d,", rcu_object_callbacks());
	if (with_snapshots || is_last)
		out_snapshot();
	else
		out_raw("null");
	if (keep_frames && task && strcmp(at, "exited")) {
		out_raw(",");
		out_frames(task->frames, task->frame_count);
	}
	out_raw("]");
}

static void copy_text(const struct json *node, char *text, size_t size)
{
	snprintf(text, size, "%.*s", (int)node->length - 2, node->start + 1);
}

static uint64_t number_of(const struct json *node)
{
	uint64_t value = 0;
	bool negative;

	json_integer(node, &negative, &value);
	return value;
}

/* One step, [name, number, place, unlocks, others]; false if it cannot be followed. */
static bool follow(struct json *nodes, const struct json *step)
{
	struct json *name = &nodes[step->first];
	struct json *number = &nodes[name->next];
	char task_name[NAME_SIZE];
	struct json *place = &nodes[number->next];
	struct json *unlocks = &nodes[place->next];
	struct target target;
	struct task *task = NULL;
	const char *at = "";
	uint64_t value = number_of(number);

	copy_text(name, task_name, sizeof(task_name));
	copy_text(place, target.place, sizeof(target.place));
	target.unlocks = number_of(unlocks);
	target.others = number_of(&nodes[unlocks->next]);
	if (!strcmp(task_name, "time")) {
		out_raw("[[],");
		schedule_to(now + value);
	} else if (!strcmp(task_name, "RCU")) {
		out_raw("[[],");
		if (!rcu_run_oldest())
			at = "no callback";
	} else {
		task = find_task(task_name, value);
		if (!task || !is_able(task)) {
			out_raw("[[],");
			at = task ? "cannot go on" : "no such task";
			task = NULL;
		} else {
			out_raw("[");
			at = go_on(task, &target);
		}
	}
	out_point(at, task, !step->next || violations_pending());
	return strcmp(at, "no callback") && strcmp(at, "no such task") &&
	       strcmp(at, "cannot go on") && strcmp(at, "endless");
}

static void run_steps(struct json *nodes, const struct json *steps)
{
	int child;

	exploring = true;
	following = true;
	limit_time(true);
	out_raw("\"followed\":{\"points\":[[[],");
	out_point("", NULL, !steps->first);
	for (child = steps->first; child; child = nodes[child].next) {
		out_raw(",");
		if (!follow(nodes, &nodes[child]) || violations_pending())
			break;
	}
	exploring = false;
	limit_time(false);
	out_raw("],\"violations\":");
	if (violations_pending())
		violations_out();
	else
		out_raw("[]");
	out_raw("}}\n");
	out_commit();
}

static bool is_step(struct json *nodes, const struct json *step)
{
	static const enum json_kind kinds[] = {
		JSON_STRING, JSON_NUMBER, JSON_STRING, JSON_NUMBER, JSON_NUMBER,
	};
	int child = step->kind == JSON_ARRAY ? step->first : 0;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!child || nodes[child].kind != kinds[i] ||
		    (kinds[i] == JSON_STRING && nodes[child].length > NAME_SIZE))
			return false;
		child = nodes[child].next;
	}
	return !child;
}

static bool is_true(struct json *nodes, const struct json *line, const char *name)
{
	const struct json *value = json_member(nodes, line, name);

	return value && value->kind == JSON_TRUE;
}

/* A line with `follow`, the steps; its answer, but for the first brace. */
bool steps_run(struct json *nodes, struct json *line, struct refusal *refusal)
{
	struct json *steps = json_member(nodes, line, "follow");
	int child;

	if (steps->kind != JSON_ARRAY)
		return refuse(refusal, "follow", "expected a list of steps");
	for (child = steps->first; child; child = nodes[child].next) {
		if (!is_step(nodes, &nodes[child]))
			return refuse(refusal, "follow", "expected steps such as"
				      " [\"CTL\",0,\"lock est_mutex\",0,0]");
	}
	field_points = true;
	with_snapshots = is_true(nodes, line, "snapshots");
	keep_frames = is_true(nodes, line, "frames");
	run_steps(nodes, steps);
	return true;
}

/* The same for a run whose process has died. */
void steps_out_crash(const char *place, int status)
{
	out_raw("\"followed\":{\"points\":[],\"violations\":[");
	out_last_words(place, status);
	out_raw("]}}\n");
	out_commit();
}
