// SPDX-License-Identifier: GPL-2.0-or-later
/* The operations of SCHEMA.md: their fields, what makes no sense, and their results. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define MAX_ID		INT32_MAX
#define MAX_TEXT	(1 << 20)
#define MAX_FIELDS	7

struct field {
	const char *name;
	long long low;
	uint64_t high;
	bool optional;
	long long otherwise;
};

/* The values of an operation's fields, in the order of its table. */
struct call {
	struct json *nodes;
	struct json *line;
	struct refusal *refusal;
	uint64_t values[MAX_FIELDS];
};

struct operation {
	const char *name;
	bool (*apply)(struct call *call);
	bool needs_sysctl;
	struct field fields[MAX_FIELDS + 1];
};

extern unsigned int nr_cpu_ids;	/* the kernel's */

static int possible_cpus(void)
{
	return nr_cpu_ids;
}

bool refuse(struct refusal *refusal, const char *field, const char *format, ...)
{
	va_list arguments;

	refusal->field = field;
	va_start(arguments, format);
	vsnprintf(refusal->message, sizeof(refusal->message), format, arguments);
	va_end(arguments);
	return false;
}

static bool returned(long ret)
{
	out_raw("{\"ret\":");
	out_signed(ret);
	out_raw("}");
	return true;
}

/* ---- objects ---- */

static void *stats_of(long id)
{
	struct object *object = object_find(id);

	if (id == 0)
		return glue_total_stats();
	/* Whoever adds or deletes a service meanwhile has not returned yet. */
	if (exploring && (!object || object->kind == OBJECT_SERVICE))
		return glue_hashed_service(id);
	return object ? object->stats : NULL;
}

static bool no_object(struct call *call, long id)
{
	return refuse(call->refusal, "id", "there is no object %ld", id);
}

static bool check_new(struct call *call, long id)
{
	if (id == 0)
		return refuse(call->refusal, "id",
			      "0 cannot be an object's id, they start at 1");
	if (object_find(id))
		return refuse(call->refusal, "id", "object %ld exists already", id);
	if (object_trashed(id))
		return refuse(call->refusal, "id",
			      "destination %ld still waits in the trash", id);
	return true;
}

static bool start_object(struct call *call, int is_service)
{
	long id = call->values[0];
	struct object *object;
	void *stats;
	long ret;

	if (!check_new(call, id))
		return false;
	ret = glue_start_object(id, is_service, &stats);
	if (!ret) {
		object = object_add(OBJECT_BARE, id);
		object->stats = stats;
		object->is_service = is_service;
	}
	return returned(ret);
}

static bool apply_svc(struct call *call)
{
	return start_object(call, 1);
}

static bool apply_dest(struct call *call)
{
	return start_object(call, 0);
}

static bool apply_del(struct call *call)
{
	long id = call->values[0];
	struct object *object = object_find(id);

	if (id == 0 && glue_total_stats())
		return refuse(call->refusal, "id", "the total ends with its netns only");
	if (!object)
		return no_object(call, id);
	if (object->kind != OBJECT_BARE)
		return refuse(call->refusal, "id",
			      "object %ld is a service or destination, not a bare object",
			      id);
	glue_stop_object(object->stats);
	object_remove(object);
	return returned(0);
}

static bool check_no_total(struct call *call)
{
	if (glue_total_stats())
		return refuse(call->refusal, "op", "the total's estimator exists already");
	return true;
}

static bool apply_tot(struct call *call)
{
	return check_no_total(call) && returned(glue_start_total());
}

static bool apply_zero(struct call *call)
{
	void *stats;

	glue_lock_services();
	stats = stats_of(call->values[0]);
	if (stats)
		glue_zero(stats);
	glue_unlock_services();
	return stats ? returned(0) : no_object(call, call->values[0]);
}

static bool under_rcu(struct call *call, bool (*apply)(struct call *))
{
	bool applied;

	glue_enter_rcu();
	applied = apply(call);
	glue_leave_rcu();
	return applied;
}

static bool read_stats(struct call *call)
{
	void *stats = stats_of(call->values[0]);

	if (!stats)
		return no_object(call, call->values[0]);
	glue_read(stats);
	return true;
}

static bool apply_read(struct call *call)
{
	return under_rcu(call, read_stats);
}

static bool export_stats(struct call *call)
{
	void *stats = stats_of(call->values[0]);

	if (!stats)
		return no_object(call, call->values[0]);
	glue_export(stats);
	return true;
}

static bool apply_export(struct call *call)
{
	return under_rcu(call, export_stats);
}

static bool count_traffic(struct call *call)
{
	void *stats = stats_of(call->values[0]);
	struct object *trashed;
	glue_u64 steps[GLUE_COUNTERS];
	int i;

	if (!stats) {
		trashed = object_trashed(call->values[0]);
		if (!trashed)
			return no_object(call, call->values[0]);
		stats = trashed->stats;
	}
	if (call->values[1] >= (uint64_t)possible_cpus())
		return refuse(call->refusal, "cpu",
			      "CPU %d is not possible, there are %d",
			      (int)call->values[1], possible_cpus());
	for (i = 0; i < GLUE_COUNTERS; i++)
		steps[i] = call->values[2 + i];
	glue_count(stats, call->values[1], steps);
	event_counted(call->values[0], call->values[1], steps);
	return returned(0);
}

static bool apply_traffic(struct call *call)
{
	return under_rcu(call, count_traffic);
}

/* ---- sysctls ---- */

/* A write at an offset has no number: the one that is there counts as written. */
static bool apply_nice(struct call *call)
{
	struct glue_sysctls before;
	struct glue_sysctls after;
	long ret;

	glue_sysctls(&before);
	ret = glue_write_nice(call->values[0], call->values[1]);
	glue_sysctls(&after);
	if (!ret)
		event_sysctl_written("est_nice",
				     call->values[1] ? before.nice : (int)call->values[0],
				     after.nice);
	return returned(ret);
}

static bool apply_run_estimation(struct call *call)
{
	struct glue_sysctls before;
	struct glue_sysctls after;
	long ret;

	glue_sysctls(&before);
	ret = glue_write_run_estimation(call->values[0], call->values[1]);
	glue_sysctls(&after);
	if (!ret)
		event_sysctl_written("run_estimation",
				     call->values[1] ? before.run_estimation :
						       (int)call->values[0],
				     after.run_estimation);
	return returned(ret);
}

static bool apply_cpulist(struct call *call)
{
	long ret = glue_set_cpulist(call->values[0]);

	if (!ret)
		event_cpulist_set(NULL, 0);
	return returned(ret);
}

/* The writer's own CPUs; NULL is all of them. */
static bool read_allowed(struct call *call, int **cpus, int *count)
{
	struct json *list = json_member(call->nodes, call->line, "allowed");
	int child;

	*cpus = NULL;
	*count = 0;
	if (!list)
		return true;
	if (list->kind != JSON_ARRAY)
		return refuse(call->refusal, "allowed", "expected a list, found %s",
			      json_kind_name(list));
	*cpus = own_new((possible_cpus() + 1) * sizeof(**cpus));
	for (child = list->first; child; child = call->nodes[child].next) {
		uint64_t cpu;
		bool negative;

		if (!json_integer(&call->nodes[child], &negative, &cpu) || negative ||
		    cpu >= (uint64_t)possible_cpus() || *count == possible_cpus()) {
			own_drop(*cpus);
			return refuse(call->refusal, "allowed",
				      "expected possible CPUs, none twice");
		}
		(*cpus)[(*count)++] = cpu;
	}
	return true;
}

static bool apply_write_cpulist(struct call *call)
{
	struct json *node = json_member(call->nodes, call->line, "text");
	void *writer = glue_current_task();
	glue_u64 writer_cpus;
	int *allowed;
	char *text;
	int count;
	long length;
	long ret;

	if (!node)
		return refuse(call->refusal, "text", "missing");
	if (node->kind != JSON_STRING)
		return refuse(call->refusal, "text", "expected a string, found %s",
			      json_kind_name(node));
	text = own_new(node->length);
	length = json_characters(node, text, node->length);
	if (length < 0 || length > MAX_TEXT) {
		own_drop(text);
		return refuse(call->refusal, "text",
			      "longer than %d characters, or one is no byte", MAX_TEXT);
	}
	if (!read_allowed(call, &allowed, &count)) {
		own_drop(text);
		return false;
	}
	glue_task_allow_cpus(writer, allowed, count);
	writer_cpus = glue_writer_cpus();
	text[length] = 0;
	ret = glue_write_cpulist(text, length, call->values[0]);
	/* A write of nothing, or at an offset, changes nothing. */
	if (!ret && length && !call->values[0])
		event_cpulist_set(text, writer_cpus);
	glue_task_allow_cpus(writer, NULL, 0);
	own_drop(allowed);
	own_drop(text);
	return returned(ret);
}

static bool apply_read_cpulist(struct call *call)
{
	static char text[1 << 16];
	long length = glue_read_cpulist(text, sizeof(text));

	(void)call;
	if (length < 0)
		return returned(length);
	/* Without the newline that the file ends with. */
	text[length > 0 ? length - 1 : 0] = 0;
	out_raw("{\"text\":");
	out_text(text);
	out_raw("}");
	return true;
}

/* ---- time and the harness ---- */

static bool apply_cost(struct call *call)
{
	est_cost_ns = call->values[0];
	return returned(0);
}

static bool apply_settle(struct call *call)
{
	(void)call;
	if (!exploring)
		schedule_settle();
	return returned(0);
}

/* In a control process it is a sleep. */
static bool apply_advance(struct call *call)
{
	if (exploring)
		schedule_timeout(call->values[0]);
	else
		schedule_advance(call->values[0]);
	return returned(0);
}

static bool apply_fail_allocations(struct call *call)
{
	memory_fail(call->values[0], call->values[1]);
	return returned(0);
}

static bool apply_dump(struct call *call)
{
	(void)call;
	glue_dump();
	return true;
}

/* The machine is known to who answers, see protocol.c. */
static bool apply_snapshot(struct call *call)
{
	(void)call;
	snapshot_of_machine();
	return true;
}

/* ---- the network namespace ---- */

static bool apply_disable(struct call *call)
{
	(void)call;
	glue_disable();
	return returned(0);
}

static bool apply_cleanup(struct call *call)
{
	struct object *object = object_after(NULL);

	if (object)
		return refuse(call->refusal, "op",
			      "object %ld exists: netns exit ends it before", object->id);
	glue_cleanup();
	return returned(0);
}

static bool apply_init(struct call *call)
{
	return check_no_total(call) && returned(glue_init_netns());
}

static bool apply_exit(struct call *call)
{
	struct object *object;
	struct object *next;

	(void)call;
	event_of_netns("exit-begun");
	glue_disable();
	/* Bare objects stand for services and destinations, and go with them. */
	for (object = object_after(NULL); object; object = next) {
		next = object_after(object);
		if (object->kind != OBJECT_BARE)
			continue;
		glue_stop_object(object->stats);
		object_remove(object);
	}
	objects_end_connections();
	glue_exit_netns();
	/* Step by step grace periods are told to end. */
	if (!following) {
		rcu_drain();
		memory_report_leaks();
	}
	objects_forget();
	event_of_netns("exit-ended");
	/* In a scheduled run others may still look at the one that is gone. */
	if (!exploring)
		glue_renew_netns();
	return returned(0);
}

/* ---- services and destinations ---- */

static bool apply_add_service(struct call *call)
{
	long id = call->values[0];
	struct object *object;
	void *service;
	long ret;

	if (!check_new(call, id))
		return false;
	event_starts(id, true, false);
	ret = glue_add_service(id, &service);
	if (ret)
		return returned(ret);
	object = object_add(OBJECT_SERVICE, id);
	object->owner = service;
	object->stats = glue_service_stats(service);
	object->is_service = true;
	return returned(0);
}

static struct object *find_kind(struct call *call, enum object_kind kind, long id,
				const char *field)
{
	struct object *object = object_find(id);

	if (object && object->kind == kind)
		return object;
	refuse(call->refusal, field, "there is no %s %ld",
	       kind == OBJECT_SERVICE ? "service" : "destination", id);
	return NULL;
}

/* Its destinations go to the trash with it. */
static bool apply_delete_service(struct call *call)
{
	struct object *service = find_kind(call, OBJECT_SERVICE, call->values[0], "id");
	struct object *object;
	struct object *next;
	long ret;

	if (!service)
		return false;
	ret = glue_delete_service(service->owner);
	if (ret)
		return returned(ret);
	for (object = object_after(NULL); object; object = next) {
		next = object_after(object);
		if (object->kind == OBJECT_DEST && object->service == service->id)
			object_to_trash(object);
	}
	object_remove(service);
	return returned(0);
}

static bool apply_add_dest(struct call *call)
{
	long id = call->values[0];
	struct object *service = find_kind(call, OBJECT_SERVICE, call->values[1],
					   "service");
	struct object *object;
	bool from_trash;
	void *dest;
	long ret;

	if (!service)
		return false;
	if (!object_trashed(id) && !check_new(call, id))
		return false;
	if (object_find(id))
		return refuse(call->refusal, "id", "object %ld exists already", id);
	from_trash = object_trashed(id) != NULL;
	event_starts(id, false, from_trash);
	ret = glue_add_dest(id, service->owner, &dest);
	if (from_trash)
		event_dest_taken(id, ret, !ret,
				 ret && glue_dest_in_trash(object_trashed(id)->owner));
	if (ret)
		return returned(ret);
	object = object_from_trash(id, dest);
	if (!object)
		object = object_add(OBJECT_DEST, id);
	object->owner = dest;
	object->stats = glue_dest_stats(dest);
	object->service = service->id;
	return returned(0);
}

static bool apply_delete_dest(struct call *call)
{
	struct object *dest = find_kind(call, OBJECT_DEST, call->values[0], "id");
	long ret;

	if (!dest)
		return false;
	ret = glue_delete_dest(dest->id, object_find(dest->service)->owner);
	if (!ret)
		object_to_trash(dest);
	return returned(ret);
}

static bool apply_get_dest(struct call *call)
{
	struct object *dest = find_kind(call, OBJECT_DEST, call->values[0], "id");

	if (!dest)
		return false;
	dest->references++;
	glue_hold_dest(dest->owner);
	return returned(0);
}

static bool apply_put_dest(struct call *call)
{
	long id = call->values[0];
	struct object *dest = object_find(id);

	if (!dest || dest->kind != OBJECT_DEST)
		dest = object_trashed(id);
	if (!dest)
		return refuse(call->refusal, "id", "there is no destination %ld", id);
	if (!dest->references)
		return refuse(call->refusal, "id",
			      "no connection holds a reference to destination %ld", id);
	dest->references--;
	glue_put_dest(dest->owner);
	return returned(0);
}

/* ---- the table ---- */

#define ID		{ .name = "id", .high = MAX_ID }
#define COUNTER(n)	{ .name = n, .high = UINT64_MAX }
#define OFFSET		{ .name = "offset", .high = MAX_TEXT, .optional = true }

static const struct operation operations[] = {
	{ "tot", apply_tot, true, { { NULL } } },
	{ "svc", apply_svc, false, { ID } },
	{ "dest", apply_dest, false, { ID } },
	{ "del", apply_del, false, { ID } },
	{ "cpulist", apply_cpulist, true, { { .name = "weight", .high = 8192 } } },
	{ "cost", apply_cost, false, { { .name = "ns", .high = 1000000000000000ULL } } },
	{ "nice", apply_nice, true,
	  { { .name = "value", .low = INT32_MIN, .high = INT32_MAX }, OFFSET } },
	{ "run_estimation", apply_run_estimation, true,
	  { { .name = "value", .low = INT32_MIN, .high = INT32_MAX }, OFFSET } },
	{ "traffic", apply_traffic, false,
	  { ID, { .name = "cpu", .high = 8191 }, COUNTER("conns"), COUNTER("inpkts"),
	    COUNTER("outpkts"), COUNTER("inbytes"), COUNTER("outbytes") } },
	{ "zero", apply_zero, false, { ID } },
	{ "read", apply_read, false, { ID } },
	{ "disable", apply_disable, false, { { NULL } } },
	{ "cleanup", apply_cleanup, false, { { NULL } } },
	{ "settle", apply_settle, false, { { NULL } } },
	{ "advance", apply_advance, false, { { .name = "n", .high = 10000000 } } },
	{ "dump", apply_dump, false, { { NULL } } },
	{ "init", apply_init, false, { { NULL } } },
	{ "exit", apply_exit, false, { { NULL } } },
	{ "add_service", apply_add_service, false, { ID } },
	{ "delete_service", apply_delete_service, false, { ID } },
	{ "add_dest", apply_add_dest, false, { ID, { .name = "service", .high = MAX_ID } } },
	{ "delete_dest", apply_delete_dest, false, { ID } },
	{ "get_dest", apply_get_dest, false, { ID } },
	{ "put_dest", apply_put_dest, false, { ID } },
	{ "write_cpulist", apply_write_cpulist, true, { OFFSET } },
	{ "read_cpulist", apply_read_cpulist, true, { { NULL } } },
	{ "fail_allocations", apply_fail_allocations, false,
	  { { .name = "nth", .low = 1, .high = INT32_MAX },
	    { .name = "count", .high = INT32_MAX, .optional = true, .otherwise = 1 } } },
	{ "export", apply_export, false, { ID } },
	{ "snapshot", apply_snapshot, false, { { NULL } } },
};

#define OPERATIONS	(sizeof(operations) / sizeof(*operations))

/* Their names, as in the handshake. */
void operations_out(void)
{
	size_t i;

	for (i = 0; i < OPERATIONS; i++) {
		out_raw(i ? "," : "[");
		out_text(operations[i].name);
	}
	out_raw("]");
}

static bool read_field(struct call *call, const struct field *field, uint64_t *value)
{
	struct json *node = json_member(call->nodes, call->line, field->name);
	uint64_t magnitude;
	bool negative;

	if (!node) {
		*value = field->otherwise;
		return field->optional || refuse(call->refusal, field->name, "missing");
	}
	if (!json_integer(node, &negative, &magnitude))
		return refuse(call->refusal, field->name,
			      "expected an integer of at most 64 bits, found %s",
			      json_kind_name(node));
	if (negative ? magnitude > (uint64_t)-field->low :
		       magnitude > field->high ||
		       (field->low > 0 && magnitude < (uint64_t)field->low))
		return refuse(call->refusal, field->name, "not in %lld..%llu", field->low,
			      (unsigned long long)field->high);
	*value = negative ? 0 - magnitude : magnitude;
	return true;
}

static bool is_field(const struct operation *operation, const struct json *member)
{
	const struct field *field;

	if (json_key_is(member, "op") || json_key_is(member, "seq") ||
	    json_key_is(member, "result"))
		return true;
	if (operation->apply == apply_write_cpulist &&
	    (json_key_is(member, "text") || json_key_is(member, "allowed")))
		return true;
	for (field = operation->fields; field->name; field++) {
		if (json_key_is(member, field->name))
			return true;
	}
	return false;
}

static bool read_call(struct call *call, const struct operation *operation)
{
	static char unknown[64];
	int child;
	int i;

	for (child = call->line->first; child; child = call->nodes[child].next) {
		const struct json *member = &call->nodes[child];

		if (is_field(operation, member))
			continue;
		snprintf(unknown, sizeof(unknown), "%.*s", (int)member->key_length,
			 member->key);
		return refuse(call->refusal, unknown, "unknown field");
	}
	for (i = 0; operation->fields[i].name; i++) {
		if (!read_field(call, &operation->fields[i], &call->values[i]))
			return false;
	}
	return true;
}

static bool apply_to_file(struct call *call, const struct operation *operation)
{
	struct glue_build build;
	bool applied;

	glue_describe(&build);
	if (!build.sysctl)
		return refuse(call->refusal, "op", "this kernel has no sysctl support");
	if (!sysctl_enter())
		return refuse(call->refusal, "op", "the netns is gone, and its files");
	applied = operation->apply(call);
	sysctl_leave();
	return applied;
}

static bool apply_operation(struct json *nodes, struct json *line, struct refusal *refusal)
{
	struct json *op = json_member(nodes, line, "op");
	struct call call = { .nodes = nodes, .line = line, .refusal = refusal };
	size_t i;

	for (i = 0; i < OPERATIONS; i++) {
		if (!json_text_is(op, operations[i].name))
			continue;
		if (!read_call(&call, &operations[i]))
			return false;
		return operations[i].needs_sysctl ? apply_to_file(&call, &operations[i]) :
						    operations[i].apply(&call);
	}
	return refuse(refusal, "op", "%.*s is no operation",
		      op->length > 60 ? 60 : (int)op->length, op->start);
}

bool operation_apply(struct json *nodes, struct json *line, struct refusal *refusal)
{
	bool applied = apply_operation(nodes, line, refusal);

	current_task->starting = (struct starting){ 0 };
	return applied;
}
