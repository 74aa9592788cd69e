// SPDX-License-Identifier: GPL-2.0-or-later
/* See print.h. */

#include "print.h"
#include "est.h"

#include <inttypes.h>
#include <stdio.h>

static void print_list(const struct estimator *head)
{
	const struct estimator *est;

	printf("[");
	for (est = head->next; est != head; est = est->next)
		printf("%s%" PRIu32, est == head->next ? "" : ",", est->id);
	printf("]");
}

static void print_tick(const struct context *kd, int row)
{
	const struct tick *td = kd->ticks[row];
	const char *comma = "";
	uint64_t cid;

	printf("\"%d\":{\"len\":%d,\"present\":\"%" PRIx64 "\",\"full\":\"%" PRIx64 "\",\"chains\":{",
	       row, kd->tick_len[row], td->present, td->full);
	for (cid = 0; cid < netns.params.tick_chains; cid++) {
		const struct estimator *head = &td->chains[cid];

		if (head->next == head)
			continue;
		printf("%s\"%" PRIu64 "\":", comma, cid);
		print_list(head);
		comma = ",";
	}
	printf("}}");
}

static void print_context(const struct context *kd)
{
	const char *comma = "";
	int row;

	printf("{\"id\":%d,\"running\":%s,\"est_count\":%d,\"est_max_count\":%d,", kd->id,
	       kd->task && kd->task->state != TASK_EXITED ? "true" : "false",
	       kd->est_count, kd->est_max_count);
	printf("\"chain_max\":%d,\"tick_max\":%d,\"add_row\":%d,\"est_row\":%d,",
	       kd->chain_max, kd->tick_max, kd->add_row, kd->est_row);
	printf("\"est_timer\":%" PRIu64 ",\"avail\":\"%" PRIx64 "\",\"ticks\":{",
	       kd->est_timer, kd->avail);
	for (row = 0; row < (int)netns.params.nticks; row++) {
		if (!kd->ticks[row])
			continue;
		printf("%s", comma);
		print_tick(kd, row);
		comma = ",";
	}
	printf("}}");
}

void print_state(void)
{
	int id;

	printf("{\"jiffies\":%" PRIu64 ",\"enable\":%d,\"stopped\":%d,", jiffies,
	       netns.enable, netns.stopped);
	printf("\"kt_count\":%d,\"add_ktid\":%d,\"max_threads\":%" PRIu64 ",", netns.kt_count,
	       netns.add_ktid, netns.max_threads);
	printf("\"chain_max\":%d,\"calc_phase\":%d,", netns.chain_max, netns.calc_phase);
	printf("\"genid\":%" PRIu64 ",\"genid_done\":%" PRIu64 ",\"temp\":", netns.genid,
	       netns.genid_done);
	print_list(&netns.temp);
	printf(",\"kthreads\":[");
	for (id = 0; id < netns.kt_count; id++) {
		if (id)
			printf(",");
		if (netns.slots[id])
			print_context(netns.slots[id]);
		else
			printf("null");
	}
	printf("]}");
}

static void print_lengths(const struct context *kd)
{
	const char *comma = "";
	uint64_t cid;
	int row;

	printf("\"tick_len\":[");
	for (row = 0; row < (int)netns.params.nticks; row++)
		printf("%s%d", row ? "," : "", kd->tick_len[row]);
	printf("],\"chain_len\":[");
	for (row = 0; row < (int)netns.params.nticks; row++) {
		if (!kd->ticks[row])
			continue;
		printf("%s[%d,[", comma, row);
		for (cid = 0; cid < netns.params.tick_chains; cid++)
			printf("%s%d", cid ? "," : "", kd->ticks[row]->chain_len[cid]);
		printf("]]");
		comma = ",";
	}
	printf("]");
}

static void print_contexts(void)
{
	int id;

	printf("\"contexts\":[");
	for (id = 0; id < netns.kt_count; id++) {
		const struct context *kd = netns.slots[id];

		printf("%s", id ? "," : "");
		if (!kd) {
			printf("null");
			continue;
		}
		printf("{\"ktid\":%d,\"needed\":%s,", id, kd->needed ? "true" : "false");
		print_lengths(kd);
		printf("}");
	}
	printf("]");
}

static void print_group(const char *name, const struct group *group)
{
	int i;

	printf(",\"%s\":[", name);
	for (i = 0; i < COUNTERS; i++)
		printf("%s%" PRIu64, i ? "," : "", group->counter[i]);
	printf("]");
}

static void print_objects(void)
{
	const char *comma = "";
	uint32_t id;

	printf("\"objects\":[");
	for (id = 0; id < netns.nr_objects; id++) {
		const struct estimator *est = est_find(id);

		if (!est)
			continue;
		printf("%s{\"id\":%" PRIu32 ",\"ktid\":%d,\"ktrow\":%d,\"ktcid\":%d", comma, id,
		       est->ktid, est->ktrow, est->ktcid);
		print_group("last", &est->last);
		print_group("rates", &est->rates);
		print_group("kstats", &est->kstats);
		print_group("kstats0", &est->kstats0);
		printf("}");
		comma = ",";
	}
	printf("]");
}

static const char *owner(const struct mutex *mutex)
{
	return mutex->locked ? "\"somebody\"" : "null";
}

void print_snapshot(void)
{
	bool running = netns.work && netns.work->state != TASK_EXITED;

	printf("{\"state\":");
	print_state();
	printf(",");
	print_contexts();
	printf(",");
	print_objects();
	printf(",\"sysctls\":{\"run_estimation\":%d,\"nice\":%d}", (int)netns.run_estimation,
	       netns.nice);
	printf(",\"mutexes\":[{\"name\":\"__ip_vs_mutex\",\"owner\":%s,\"waiters\":[]},",
	       owner(&netns.service_mutex));
	printf("{\"name\":\"est_mutex\",\"owner\":%s,\"waiters\":[]}]", owner(&netns.est_mutex));
	printf(",\"work\":{\"pending\":%s,\"running\":%s}}", netns.work_pending ? "true" : "false",
	       running ? "true" : "false");
}
