// SPDX-License-Identifier: GPL-2.0-or-later
/* What a snapshot has beside the recorded state, as far as the kernel knows it. */

static void out_group(const char *name, u64 conns, u64 inpkts, u64 outpkts,
		      u64 inbytes, u64 outbytes)
{
	out_raw(name);
	member("[", conns);
	member(",", inpkts);
	member(",", outpkts);
	member(",", inbytes);
	member(",", outbytes);
	out_raw("]");
}

/* CPUs that have counted anything. */
static void out_cpustats(const struct ip_vs_stats *stats)
{
	const char *separator = "";
	int cpu;

	out_raw(",\"cpustats\":[");
	for_each_possible_cpu(cpu) {
		struct ip_vs_cpu_stats *of_cpu = per_cpu_ptr(stats->cpustats, cpu);
		u64 conns = u64_stats_read(&of_cpu->cnt.conns);
		u64 inpkts = u64_stats_read(&of_cpu->cnt.inpkts);
		u64 outpkts = u64_stats_read(&of_cpu->cnt.outpkts);
		u64 inbytes = u64_stats_read(&of_cpu->cnt.inbytes);
		u64 outbytes = u64_stats_read(&of_cpu->cnt.outbytes);

		if (!(conns | inpkts | outpkts | inbytes | outbytes))
			continue;
		out_raw(separator);
		place_member("{\"cpu\":", cpu);
		out_group(",\"counters\":", conns, inpkts, outpkts, inbytes, outbytes);
		out_raw("}");
		separator = ",";
	}
	out_raw("]");
}

static void out_kstats(const char *name, const struct ip_vs_kstats *kstats)
{
	out_group(name, kstats->conns, kstats->inpkts, kstats->outpkts,
		  kstats->inbytes, kstats->outbytes);
}

static int is_linked(const struct hlist_node *node)
{
	return node->pprev && node->pprev != (void *)LIST_POISON2;
}

void glue_out_object(void *object, long id, const char *owner)
{
	struct ip_vs_stats *stats = object;
	struct ip_vs_estimator *est = &stats->est;

	place_member("{\"id\":", id);
	out_raw(",\"owner\":\"");
	out_raw(owner);
	out_raw("\",\"life\":\"live\",\"linked\":");
	out_raw(is_linked(&est->list) ? "true" : "false");
	/* -2, the mark of a total that netns exit has stopped, stands for no place. */
	place_member(",\"ktid\":", est->ktid < -1 ? -1 : est->ktid);
	place_member(",\"ktrow\":", (u8)est->ktrow);
	place_member(",\"ktcid\":", (u8)est->ktcid);
	out_group(",\"last\":", est->last_conns, est->last_inpkts, est->last_outpkts,
		  est->last_inbytes, est->last_outbytes);
	out_group(",\"rates\":", est->cps, est->inpps, est->outpps, est->inbps,
		  est->outbps);
	out_kstats(",\"kstats\":", &stats->kstats);
	out_kstats(",\"kstats0\":", &stats->kstats0);
	out_cpustats(stats);
	out_raw("}");
}

static void out_chain_lengths(const struct ip_vs_est_kt_data *kd)
{
	const char *separator = "";
	int row;
	int cid;

	out_raw(",\"chain_len\":[");
	for (row = 0; row < IPVS_EST_NTICKS; row++) {
		struct ip_vs_est_tick_data *td;

		td = rcu_dereference_protected(kd->ticks[row], 1);
		if (!td)
			continue;
		out_raw(separator);
		place_member("[", row);
		for (cid = 0; cid < IPVS_EST_TICK_CHAINS; cid++)
			place_member(cid ? "," : ",[", td->chain_len[cid]);
		out_raw("]]");
		separator = ",";
	}
	out_raw("]");
}

static void out_context(const struct ip_vs_est_kt_data *kd)
{
	int row;

	place_member("{\"ktid\":", kd->id);
#ifdef HAVE_KD_NEEDED
	out_raw(kd->needed ? ",\"needed\":true" : ",\"needed\":false");
#else
	out_raw(",\"needed\":false");
#endif
	out_raw(kd->calc_stats ? ",\"calc_stats\":true" : ",\"calc_stats\":false");
	for (row = 0; row < IPVS_EST_NTICKS; row++)
		place_member(row ? "," : ",\"tick_len\":[", kd->tick_len[row]);
	out_raw("]");
	out_chain_lengths(kd);
	out_raw(",\"task\":");
	if (kd->task)
		rt_out_task(kd->task, kd->id);
	else
		out_raw("null");
	out_raw("}");
}

void glue_out_contexts(void)
{
	int id;

	out_raw("[");
	for (id = 0; id < netns->est_kt_count; id++) {
		if (id)
			out_raw(",");
		if (netns->est_kt_arr[id])
			out_context(netns->est_kt_arr[id]);
		else
			out_raw("null");
	}
	out_raw("]");
}

void glue_out_service(void *object, long id)
{
	struct ip_vs_service *service = object;
	struct ip_vs_scheduler *bound = rcu_dereference_protected(service->scheduler, 1);

	place_member("{\"id\":", id);
	out_raw(",\"scheduler\":");
	out_raw(bound ? "\"wlc\"" : "null");
	out_raw(",\"dests\":");
	rt_out_dests(id);
	place_member(",\"references\":", atomic_read(&service->refcnt));
	out_raw("}");
}

/* References of connections; one is held by the configuration or the trash. */
void glue_out_dest(void *object, long id, long service, glue_u64 now, int in_trash)
{
	struct ip_vs_dest *dest = object;

	place_member("{\"id\":", id);
	place_member(",\"service\":", service);
	place_member(",\"references\":", refcount_read(&dest->refcnt) - 1);
	out_raw(",\"idle_start\":");
	if (in_trash && dest->idle_start)
		out_moment(now - (jiffies - dest->idle_start));
	else
		out_raw("null");
	out_raw(in_trash ? ",\"in_trash\":true,\"stats\":" : ",\"in_trash\":false,\"stats\":");
	if (in_trash)
		glue_out_object(&dest->stats, id, "dest");
	else
		out_raw("null");
	out_raw("}");
}

static void out_cpus(const struct cpumask *mask)
{
	const char *separator = "[";
	int cpu;

	for_each_cpu(cpu, mask) {
		place_member(separator, cpu);
		separator = ",";
	}
	out_raw(*separator == '[' ? "[]" : "]");
}

void glue_out_affinity(void *task)
{
	out_cpus(&((struct task_struct *)task)->cpus_mask);
}

void glue_out_sysctls(void)
{
#ifdef CONFIG_SYSCTL
	place_member("{\"run_estimation\":", netns->sysctl_run_estimation);
	place_member(",\"nice\":", netns->sysctl_est_nice);
	out_raw(",\"cpulist\":");
	if (netns->est_cpulist_valid)
		out_cpus(netns->sysctl_est_cpulist);
	else
		out_raw("null");
	out_raw("}");
#else
	out_raw("{\"run_estimation\":1,\"nice\":0,\"cpulist\":null}");
#endif
}

void *glue_trash_timer(void)
{
	return &netns->dest_trash_timer;
}
