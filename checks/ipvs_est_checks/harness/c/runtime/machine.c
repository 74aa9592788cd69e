// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine of a history: its parameters, read and told, and its start. */
#include <string.h>

#include "runtime.h"

#define MAX_COST_NS	1000000000000000ULL

struct parameter {
	const char *name;
	uint64_t low;
	uint64_t high;
};

static const struct parameter bounds[] = {
	{ "possible_cpus", 1, 8192 },
	{ "initial_jiffies", 0, UINT64_MAX },
	{ "est_cost_ns", 0, MAX_COST_NS },
};

static bool read_number(const struct json *node, uint64_t low, uint64_t high,
			uint64_t *value, const char *name, struct refusal *refusal)
{
	bool negative;

	if (!json_integer(node, &negative, value))
		return refuse(refusal, name, "expected an integer, found %s",
			      json_kind_name(node));
	if ((negative && *value) || *value < low || *value > high)
		return refuse(refusal, name, "not in %llu..%llu",
			      (unsigned long long)low, (unsigned long long)high);
	return true;
}

/* What the program was built with cannot be changed. */
static bool check_built(const struct json *node, const char *name, uint64_t built,
			struct refusal *refusal)
{
	uint64_t wanted;

	if (node->kind == JSON_TRUE || node->kind == JSON_FALSE)
		wanted = node->kind == JSON_TRUE;
	else if (!read_number(node, 0, UINT64_MAX, &wanted, name, refusal))
		return false;
	if (wanted != built)
		return refuse(refusal, name, "this program was built with %llu",
			      (unsigned long long)built);
	return true;
}

static bool check_housekeeping(struct json *nodes, const struct json *list, int cpus,
			       struct refusal *refusal)
{
	int count = 0;
	int child;

	for (child = list->first; child; child = nodes[child].next)
		count++;
	if (list->kind != JSON_ARRAY || count != cpus)
		return refuse(refusal, "params.housekeeping_cpus",
			      "this program has all possible CPUs for housekeeping");
	return true;
}

static bool read_parameter(const struct json *node, const struct glue_build *build,
			   struct machine *machine, struct refusal *refusal)
{
	static const char * const built_names[] = {
		"hz", "nticks", "tick_jiffies", "load_divisor", "chain_factor",
		"tick_chains", "preempt_rcu", "word_bits", "sysctl",
		"steps_per_break",
	};
	const uint64_t built[] = {
		build->hz, build->nticks, build->tick_jiffies, build->load_divisor,
		build->chain_factor, build->tick_chains, build->preempt_rcu,
		build->word_bits, build->sysctl, 0,
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof(built) / sizeof(*built); i++) {
		if (json_key_is(node, built_names[i]))
			return check_built(node, built_names[i], built[i], refusal);
	}
	for (i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		if (!json_key_is(node, bounds[i].name))
			continue;
		if (!read_number(node, bounds[i].low, bounds[i].high, &value,
				 bounds[i].name, refusal))
			return false;
		if (i == 0 && value > (uint64_t)build->max_cpus)
			return refuse(refusal, bounds[i].name,
				      "this program was built for at most %d",
				      build->max_cpus);
		if (i == 0)
			machine->possible_cpus = value;
		else if (i == 1)
			machine->initial_jiffies = value;
		else
			machine->est_cost_ns = value;
		return true;
	}
	if (json_key_is(node, "housekeeping_cpus"))
		return true;
	return refuse(refusal, "params", "unknown field %.*s", (int)node->key_length,
		      node->key);
}

static bool read_params(struct json *nodes, const struct json *params,
			const struct glue_build *build, struct machine *machine,
			struct refusal *refusal)
{
	const struct json *list;
	int child;

	if (params->kind != JSON_OBJECT)
		return refuse(refusal, "params", "expected an object, found %s",
			      json_kind_name(params));
	for (child = params->first; child; child = nodes[child].next) {
		if (!read_parameter(&nodes[child], build, machine, refusal))
			return false;
	}
	list = json_member(nodes, params, "housekeeping_cpus");
	if (list && !check_housekeeping(nodes, list, machine->possible_cpus, refusal))
		return false;
	if (build->word_bits == 32 && machine->initial_jiffies > UINT32_MAX)
		return refuse(refusal, "initial_jiffies", "does not fit 32 bits");
	return true;
}

static bool read_watch(struct json *nodes, const struct json *watch,
		       struct machine *machine, struct refusal *refusal)
{
	int child;

	if (watch->kind != JSON_ARRAY)
		return refuse(refusal, "configure.watch", "expected a list, found %s",
			      json_kind_name(watch));
	for (child = watch->first; child; child = nodes[child].next) {
		if (json_text_is(&nodes[child], "snapshot"))
			machine->watch_snapshot = true;
		else if (json_text_is(&nodes[child], "events"))
			machine->watch_events = true;
		else
			return refuse(refusal, "configure.watch",
				      "this program gives snapshots and events");
	}
	return true;
}

/* A configuration or the header of a trace. */
bool machine_read(struct json *nodes, struct json *line, const struct glue_build *build,
		  struct machine *machine, struct refusal *refusal)
{
	const struct json *configure = json_member(nodes, line, "configure");
	const struct json *where = configure ? configure : line;
	const struct json *params;
	const struct json *on_violation;
	const struct json *watch;

	*machine = (struct machine){ 1, 1000, 1000, false, false, false };
	if (where->kind != JSON_OBJECT)
		return refuse(refusal, "configure", "expected an object, found %s",
			      json_kind_name(where));
	params = json_member(nodes, where, "params");
	if (params && !read_params(nodes, params, build, machine, refusal))
		return false;
	watch = json_member(nodes, where, "watch");
	if (watch && !read_watch(nodes, watch, machine, refusal))
		return false;
	on_violation = json_member(nodes, where, "on_violation");
	if (!on_violation)
		return true;
	machine->raise_violations = json_text_is(on_violation, "raise");
	if (!machine->raise_violations && !json_text_is(on_violation, "record"))
		return refuse(refusal, "configure.on_violation",
			      "expected record or raise");
	return true;
}

static void out_member(const char *name, uint64_t value)
{
	out_raw(name);
	out_unsigned(value);
}

/* As in the header of a trace. */
void machine_out_params(const struct machine *machine, const struct glue_build *build)
{
	out_member("{\"hz\":", build->hz);
	out_member(",\"nticks\":", build->nticks);
	out_member(",\"tick_jiffies\":", build->tick_jiffies);
	out_member(",\"load_divisor\":", build->load_divisor);
	out_member(",\"chain_factor\":", build->chain_factor);
	out_member(",\"tick_chains\":", build->tick_chains);
	out_raw(build->preempt_rcu ? ",\"preempt_rcu\":true" : ",\"preempt_rcu\":false");
	out_member(",\"possible_cpus\":", machine->possible_cpus);
	out_member(",\"est_cost_ns\":", machine->est_cost_ns);
	out_member(",\"initial_jiffies\":", machine->initial_jiffies);
	if (build->word_bits != 64)
		out_member(",\"word_bits\":", build->word_bits);
	if (!build->sysctl)
		out_raw(",\"sysctl\":false");
	out_raw("}");
}

/* The value of `configured`. */
void machine_out(const struct machine *machine, const struct glue_build *build)
{
	out_raw("{\"revision\":\"linux-");
	out_raw(build->version);
	out_raw("\",\"params\":");
	machine_out_params(machine, build);
	out_raw(",\"on_violation\":");
	out_raw(machine->raise_violations ? "\"raise\"" : "\"record\"");
	if (machine->watch_snapshot && machine->watch_events)
		out_raw(",\"watch\":[\"snapshot\",\"events\"]");
	else if (machine->watch_snapshot)
		out_raw(",\"watch\":[\"snapshot\"]");
	else if (machine->watch_events)
		out_raw(",\"watch\":[\"events\"]");
	out_raw("}");
}

void machine_boot(const struct machine *machine)
{
	schedule_boot(machine->initial_jiffies);
	est_cost_ns = machine->est_cost_ns;
	watch_events = machine->watch_events;
	memory_boot(machine->possible_cpus);
	task_boot();
	glue_boot(machine->possible_cpus);
	points_boot();
	memory_mark_boot();
}
