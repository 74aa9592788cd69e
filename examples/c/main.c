// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A port of the kthread estimator as a subject of the checks: it reads
 * operations and answers each, one JSON object a line (docs: SCHEMA.md).
 *
 *	./port [MISTAKE]
 */

#include "est.h"
#include "json.h"
#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const counter_names[COUNTERS] = {
	"conns", "inpkts", "outpkts", "inbytes", "outbytes",
};

static const char *const rate_names[COUNTERS] = {
	"cps", "inpps", "outpps", "inbps", "outbps",
};

static const char *const mistakes[] = {
	[MISTAKE_NONE] = "none",
	[MISTAKE_COUNT] = "count",
	[MISTAKE_CRASH] = "crash",
	[MISTAKE_SILENCE] = "silence",
	[MISTAKE_ERRNO] = "errno",
	[MISTAKE_LOST] = "lost",
	[MISTAKE_RATE] = "rate",
};

static enum mistake mistake;
static bool configured;

static void answer_error(const char *type, const char *field, const char *message)
{
	printf("{\"error\":{\"type\":\"%s\",\"field\":\"%s\",\"message\":\"%s\"}}\n",
	       type, field, message);
}

static void answer_ret(int ret)
{
	printf("{\"result\":{\"ret\":%d}}\n", ret);
}

/* The integer member of @line; answers the error and is false if it is none. */
static bool integer(const char *line, const char *name, uint64_t *number)
{
	if (json_integer(json_member(line, name), number))
		return true;
	answer_error("bad-input", name, "missing, or no integer");
	return false;
}

static void answer_read(const struct estimator *est)
{
	struct group counters;
	struct group rates;
	int i;

	est_read(est, &counters, &rates);
	printf("{\"result\":{");
	for (i = 0; i < COUNTERS; i++)
		printf("\"%s\":%" PRIu64 ",", counter_names[i], counters.counter[i]);
	for (i = 0; i < COUNTERS; i++)
		printf("\"%s\":%" PRIu64 ",", rate_names[i], rates.counter[i]);
	printf("\"ktid\":%d,\"ktrow\":%d,\"ktcid\":%d}}\n", est->ktid, est->ktrow, est->ktcid);
}

/* The object that the line names; answers the error if there is none. */
static struct estimator *object(const char *line)
{
	struct estimator *est;
	uint64_t id;

	if (!integer(line, "id", &id))
		return NULL;
	est = id <= UINT32_MAX ? est_find((uint32_t)id) : NULL;
	if (!est)
		answer_error("bad-input", "id", "there is no such object");
	return est;
}

static void do_init(const char *line)
{
	(void)line;
	if (est_find(0))
		answer_error("bad-input", "op", "the total's estimator exists already");
	else
		answer_ret(est_init());
}

static void add(const char *line, bool service)
{
	uint64_t id;

	if (!integer(line, "id", &id))
		return;
	if (!id || id > INT32_MAX || est_find((uint32_t)id)) {
		answer_error("bad-input", "id", "no id of a new object");
		return;
	}
	if (mistake == MISTAKE_CRASH && id == 3)
		abort();
	answer_ret(est_add((uint32_t)id, service));
}

static void do_svc(const char *line)
{
	add(line, true);
}

static void do_dest(const char *line)
{
	add(line, false);
}

static void do_del(const char *line)
{
	struct estimator *est = object(line);

	if (!est)
		return;
	if (!est->id) {
		answer_error("bad-input", "id", "the total ends with its netns only");
		return;
	}
	est_delete(est);
	answer_ret(0);
}

static void do_cpulist(const char *line)
{
	uint64_t weight;

	if (!integer(line, "weight", &weight))
		return;
	est_set_cpulist(weight);
	answer_ret(0);
}

static void do_cost(const char *line)
{
	if (!integer(line, "ns", &netns.params.est_cost))
		return;
	answer_ret(0);
}

/* A write at an offset takes no number; nobody else writes, so it changes nothing. */
static bool at_offset(const char *line)
{
	uint64_t offset;

	return json_integer(json_member(line, "offset"), &offset) && offset;
}

static void do_nice(const char *line)
{
	uint64_t value;

	if (integer(line, "value", &value))
		answer_ret(at_offset(line) ? 0 : est_set_nice((int64_t)value));
}

static void do_run_estimation(const char *line)
{
	uint64_t value = netns.run_estimation;

	if (!integer(line, "value", &value))
		return;
	/* At an offset the value that is there is written again. */
	est_set_run(at_offset(line) ? netns.run_estimation : value);
	answer_ret(0);
}

static void do_traffic(const char *line)
{
	struct estimator *est = object(line);
	struct group steps;
	uint64_t cpu;
	int i;

	if (!est || !integer(line, "cpu", &cpu))
		return;
	if (cpu >= netns.params.possible_cpus) {
		answer_error("bad-input", "cpu", "there is no such CPU");
		return;
	}
	for (i = 0; i < COUNTERS; i++) {
		if (!integer(line, counter_names[i], &steps.counter[i]))
			return;
	}
	est_count(est, cpu, &steps);
	answer_ret(0);
}

static void do_zero(const char *line)
{
	struct estimator *est = object(line);

	if (!est)
		return;
	est_zero(est);
	answer_ret(0);
}

static void do_read(const char *line)
{
	const struct estimator *est = object(line);

	if (!est)
		return;
	if (mistake == MISTAKE_SILENCE)
		pause();
	answer_read(est);
}

static void do_settle(const char *line)
{
	(void)line;
	sched_settle();
	answer_ret(0);
}

static void do_advance(const char *line)
{
	uint64_t n;

	if (!integer(line, "n", &n))
		return;
	sched_advance(n);
	answer_ret(0);
}

static void do_dump(const char *line)
{
	(void)line;
	printf("{\"result\":");
	print_state();
	printf("}\n");
}

static void do_snapshot(const char *line)
{
	(void)line;
	printf("{\"result\":");
	print_snapshot();
	printf("}\n");
}

static const struct operation {
	const char *name;
	void (*function)(const char *line);
} operations[] = {
	{ "tot", do_init },
	{ "init", do_init },
	{ "svc", do_svc },
	{ "dest", do_dest },
	{ "del", do_del },
	{ "cpulist", do_cpulist },
	{ "cost", do_cost },
	{ "nice", do_nice },
	{ "run_estimation", do_run_estimation },
	{ "traffic", do_traffic },
	{ "zero", do_zero },
	{ "read", do_read },
	{ "settle", do_settle },
	{ "advance", do_advance },
	{ "dump", do_dump },
	{ "snapshot", do_snapshot },
};

#define NR_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static void apply(const char *line)
{
	char name[32];
	size_t i;

	if (!configured) {
		answer_error("bad-input", "", "there is no machine yet");
		return;
	}
	if (sched_blocked) {
		answer_error("cannot-answer", "", "the history has ended: deadlock");
		return;
	}
	if (!json_string(json_member(line, "op"), name, sizeof(name)))
		name[0] = '\0';
	for (i = 0; i < NR_OPERATIONS; i++) {
		if (!strcmp(name, operations[i].name)) {
			operations[i].function(line);
			return;
		}
	}
	answer_error("bad-input", "op", "no operation that is known here");
}

/* A parameter, or its default; answers the error and is false if it is out of range. */
static bool param(const char *from, const char *name, uint64_t low, uint64_t high,
		  uint64_t *number)
{
	if (!json_member(from, name))
		return true;
	if (json_integer(json_member(from, name), number) && *number >= low && *number <= high)
		return true;
	answer_error("bad-input", name, "out of range");
	return false;
}

static void configure(const char *wanted)
{
	struct params params = {
		.hz = 250, .nticks = 50, .load_divisor = 8, .chain_factor = 48,
		.possible_cpus = 1, .est_cost = 1000, .initial_jiffies = 1000,
	};
	const char *from = json_member(wanted, "params");
	uint64_t word_bits = 64;
	const char *sysctl;

	configured = false;
	if (!from)
		from = "{}";
	if (!param(from, "hz", 1, 100000, &params.hz) ||
	    !param(from, "nticks", 1, MAX_TICKS, &params.nticks) ||
	    !param(from, "load_divisor", 2, 64, &params.load_divisor) ||
	    !param(from, "chain_factor", 1, MAX_CHAINS, &params.chain_factor) ||
	    !param(from, "possible_cpus", 1, 8192, &params.possible_cpus) ||
	    !param(from, "est_cost_ns", 0, 1000000000000000, &params.est_cost) ||
	    !param(from, "initial_jiffies", 0, UINT64_MAX, &params.initial_jiffies) ||
	    !param(from, "word_bits", 64, 64, &word_bits))
		return;
	sysctl = json_member(from, "sysctl");
	if (sysctl && !json_is_true(sysctl)) {
		answer_error("bad-input", "sysctl", "this port always has sysctls");
		return;
	}
	if (2 * params.hz < params.nticks) {
		answer_error("bad-input", "nticks", "a tick is less than a jiffy");
		return;
	}
	params.preempt_rcu = json_is_true(json_member(from, "preempt_rcu"));
	params.tick_chains = params.preempt_rcu ? 1 : params.chain_factor;
	params.housekeeping = params.possible_cpus;
	if (json_member(from, "housekeeping_cpus")) {
		params.housekeeping = 0;
		while (json_item(json_member(from, "housekeeping_cpus"), (int)params.housekeeping))
			params.housekeeping++;
	}
	est_reset(&params, mistake);
	configured = true;
	printf("{\"configured\":{\"revision\":\"mainline\"}}\n");
}

static void handshake(void)
{
	size_t i;

	printf("{\"oracle\":\"estimator port in C\",\"protocol\":1,\"formats\":[1],\"operations\":[");
	for (i = 0; i < NR_OPERATIONS; i++)
		printf("%s\"%s\"", i ? "," : "", operations[i].name);
	printf("],\"gives\":{\"snapshot\":2}}\n");
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (!strcmp(argv[1], mistakes[i]))
			mistake = (enum mistake)i;
	}
	if (argc > 1 && mistake == MISTAKE_NONE && strcmp(argv[1], "none")) {
		fprintf(stderr, "port: no mistake of mine: %s\n", argv[1]);
		return 2;
	}
	handshake();
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		if (!json_is_object(line))
			answer_error("bad-input", "", "no JSON object");
		else if (json_member(line, "configure"))
			configure(json_member(line, "configure"));
		else
			apply(line);
		fflush(stdout);
	}
	free(line);
	return 0;
}
