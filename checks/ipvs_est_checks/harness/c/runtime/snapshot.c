// SPDX-License-Identifier: GPL-2.0-or-later
/* The snapshot of SCHEMA.md: the kernel's part by the glue, the rest from here. */
#include <stdlib.h>

#include "runtime.h"

static const char *state_name(const struct task *task)
{
	static const char * const names[] = {
		[TASK_NEW] = "new",
		[TASK_RUNNABLE] = "runnable",
		[TASK_RUNNING] = "running",
		[TASK_SLEEPING] = "sleeping",
		[TASK_BLOCKED] = "blocked",
		[TASK_JOINING] = "joining",
		[TASK_WAITING] = "blocked",
		[TASK_EXITED] = "exited",
	};

	return names[task->state];
}

static void out_waits_for(const struct task *task)
{
	out_raw(",\"waits_for\":");
	if (task->state == TASK_BLOCKED && task->mutex)
		out_text(task->mutex->name);
	else if (task->state == TASK_JOINING && task->joined)
		out_text(task->joined->name);
	else
		out_raw("null");
}

static void out_optional(const char *name, bool given, uint64_t value)
{
	out_raw(name);
	if (given)
		out_moment(value);
	else
		out_raw("null");
}

/* A task holds a reference on itself until it exits. */
void rt_out_task(const void *kernel, int ktid)
{
	struct task *task = task_of(kernel);
	int references = glue_task_references(task_kernel(task));

	if (task->state != TASK_EXITED)
		references--;
	out_raw("{\"ktid\":");
	out_signed(ktid);
	out_raw(",\"state\":");
	out_text(state_name(task));
	out_raw(task->should_stop ? ",\"should_stop\":true" : ",\"should_stop\":false");
	out_optional(",\"wake_at\":", task->state == TASK_SLEEPING, task->wake_at);
	out_waits_for(task);
	out_raw(",\"nice\":");
	out_signed(task->nice);
	out_raw(",\"cpus\":");
	glue_out_affinity(task_kernel(task));
	out_raw(task->state == TASK_EXITED && references <= 0 ?
		",\"life\":\"freed\"" : ",\"life\":\"live\"");
	out_raw(",\"references\":");
	out_signed(references > 0 ? references : 0);
	out_raw("}");
}

static int by_id(const void *left, const void *right)
{
	const struct object * const *a = left;
	const struct object * const *b = right;

	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

/* All objects of the table by id; to be dropped. */
static struct object **sorted_objects(size_t *count)
{
	struct object **found = NULL;
	struct object *object = NULL;
	size_t size = 0;

	*count = 0;
	while ((object = object_after(object))) {
		if (*count == size) {
			size = size ? 2 * size : 64;
			found = own_grow(found, size * sizeof(struct object *));
		}
		found[(*count)++] = object;
	}
	if (found)
		qsort(found, *count, sizeof(struct object *), by_id);
	return found;
}

void rt_out_dests(long service)
{
	size_t count;
	struct object **objects = sorted_objects(&count);
	const char *separator = "[";
	size_t i;

	for (i = 0; i < count; i++) {
		if (objects[i]->kind != OBJECT_DEST || objects[i]->service != service)
			continue;
		out_raw(separator);
		out_signed(objects[i]->id);
		separator = ",";
	}
	out_raw(*separator == '[' ? "[]" : "]");
	own_drop(objects);
}

static void out_objects(struct object **objects, size_t count)
{
	const char *separator = "";
	const struct task *task;
	size_t i;

	out_raw(",\"objects\":[");
	if (glue_total_stats()) {
		glue_out_object(glue_total_stats(), 0, "total");
		separator = ",";
	}
	for (i = 0; i < count; i++) {
		out_raw(separator);
		glue_out_object(objects[i]->stats, objects[i]->id,
				objects[i]->is_service ? "service" : "dest");
		separator = ",";
	}
	for (task = tasks; task; task = task->next) {
		const struct starting *starting = &task->starting;

		if (!starting->stats || object_find(starting->id))
			continue;
		out_raw(separator);
		glue_out_object(starting->stats, starting->id,
				starting->is_service ? "service" : "dest");
		separator = ",";
	}
	out_raw("]");
}

static void out_services(struct object **objects, size_t count)
{
	const char *separator = "";
	size_t i;

	out_raw(",\"services\":[");
	for (i = 0; i < count; i++) {
		if (objects[i]->kind != OBJECT_SERVICE)
			continue;
		out_raw(separator);
		glue_out_service(objects[i]->owner, objects[i]->id);
		separator = ",";
	}
	out_raw("]");
}

static void out_dests(struct object **objects, size_t count)
{
	const char *separator = "";
	void *dest;
	size_t i;

	out_raw(",\"dests\":[");
	for (i = 0; i < count; i++) {
		if (objects[i]->kind != OBJECT_DEST)
			continue;
		out_raw(separator);
		glue_out_dest(objects[i]->owner, objects[i]->id, objects[i]->service, now, 0);
		separator = ",";
	}
	for (dest = glue_newer_trashed(NULL); dest; dest = glue_newer_trashed(dest)) {
		const struct object *trashed = object_of_trashed(dest);

		if (!trashed)
			continue;
		out_raw(separator);
		glue_out_dest(dest, trashed->id, trashed->service, now, 1);
		separator = ",";
	}
	out_raw("]");
}

static void out_mutexes(void)
{
	int count;
	struct mutex_record *records = mutex_records(&count);
	const char *separator = "";
	int i;

	out_raw(",\"mutexes\":[");
	for (i = 0; i < count; i++) {
		const char *between = "[";
		struct task *task;

		if (!records[i].name)
			continue;
		out_raw(separator);
		out_raw("{\"name\":");
		out_text(records[i].name);
		out_raw(",\"owner\":");
		if (records[i].owner)
			out_text(records[i].owner->name);
		else
			out_raw("null");
		out_raw(",\"waiters\":");
		for (task = tasks; task; task = task->next) {
			if (task->state != TASK_BLOCKED || task->mutex != &records[i])
				continue;
			out_raw(between);
			out_text(task->name);
			between = ",";
		}
		out_raw(*between == '[' ? "[]}" : "]}");
		separator = ",";
	}
	out_raw("]");
}

static void out_work(void)
{
	const struct task *running;
	uint64_t due;
	bool pending = work_state(&due, &running);

	out_raw(pending ? ",\"work\":{\"pending\":true" : ",\"work\":{\"pending\":false");
	out_optional(",\"due\":", pending, due);
	out_raw(running ? ",\"running\":true" : ",\"running\":false");
	if (running)
		out_waits_for(running);
	else
		out_raw(",\"waits_for\":null");
	out_raw("}");
}

void snapshot_out(const struct machine *machine, const struct glue_build *build)
{
	size_t count;
	struct object **objects = sorted_objects(&count);
	uint64_t due;
	bool scan_is_due = timer_due(glue_trash_timer(), &due);

	out_raw("{\"version\":2,\"revision\":\"linux-");
	out_raw(build->version);
	out_raw("\",\"params\":");
	machine_out_params(machine, build);
	out_raw(",\"now\":");
	out_moment(now);
	out_raw(",\"clock_ns\":");
	out_unsigned(clock_ns);
	out_raw(",\"est_cost_ns\":");
	out_unsigned(est_cost_ns);
	out_raw(",\"state\":");
	glue_dump();
	out_raw(",\"contexts\":");
	glue_out_contexts();
	out_objects(objects, count);
	out_services(objects, count);
	out_dests(objects, count);
	out_optional(",\"trash_scan_due\":", scan_is_due, due);
	out_raw(",\"sysctls\":");
	glue_out_sysctls();
	out_mutexes();
	out_work();
	memory_out();
	out_raw(",\"violations\":[]}");
	own_drop(objects);
}
