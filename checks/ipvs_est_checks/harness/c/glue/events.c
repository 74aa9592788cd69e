// SPDX-License-Identifier: GPL-2.0-or-later
/* What the record of events asks of the estimator's structures. */

static struct ip_vs_est_kt_data *context_at(long ktid)
{
	return ktid >= 0 && ktid < netns->est_kt_count ? netns->est_kt_arr[ktid] : NULL;
}

/* The stats that a spinlock belongs to, if it is one of stats. */
const void *glue_stats_of_lock(const void *lock)
{
	return container_of((spinlock_t *)lock, struct ip_vs_stats, lock);
}

const void *glue_first_waiting(void)
{
	struct ip_vs_estimator *est;

	est = hlist_entry_safe(netns->est_temp_list.first, struct ip_vs_estimator, list);
	return est ? container_of(est, struct ip_vs_stats, est) : NULL;
}

int glue_linked(const void *stats)
{
	return !hlist_unhashed(&((const struct ip_vs_stats *)stats)->est.list);
}

void glue_place(const void *stats, struct glue_place *place)
{
	const struct ip_vs_estimator *est = &((const struct ip_vs_stats *)stats)->est;

	place->ktid = est->ktid;
	place->row = est->ktrow;
}

/* Whether there is such a context. */
int glue_context(long ktid, struct glue_context *context)
{
	struct ip_vs_est_kt_data *kd = context_at(ktid);

	if (!kd)
		return 0;
	context->est_row = kd->est_row;
	context->add_row = kd->add_row;
	context->est_count = kd->est_count;
	context->tick_max = kd->tick_max;
	context->avail = kd->avail[0];
	return 1;
}

/* The number of the context that a kthread was given. */
int glue_context_id(const void *kd)
{
	return ((const struct ip_vs_est_kt_data *)kd)->id;
}

void glue_limits(struct glue_limits *limits)
{
	int id;

	limits->slots = netns->est_kt_count;
	limits->add_ktid = netns->est_add_ktid;
	limits->chain_max = netns->est_chain_max;
	limits->max_threads = netns->est_max_threads;
	limits->calc_phase = netns->est_calc_phase;
	limits->contexts = 0;
	for (id = 0; id < netns->est_kt_count; id++)
		limits->contexts += !!netns->est_kt_arr[id];
}

void glue_averages(const void *of, struct glue_averages *averages)
{
	const struct ip_vs_stats *stats = of;
	const struct ip_vs_estimator *est = &stats->est;
	const glue_u64 last[] = { est->last_conns, est->last_inpkts, est->last_outpkts,
				  est->last_inbytes, est->last_outbytes };
	const glue_u64 sums[] = { stats->kstats.conns, stats->kstats.inpkts,
				  stats->kstats.outpkts, stats->kstats.inbytes,
				  stats->kstats.outbytes };
	const glue_u64 rates[] = { est->cps, est->inpps, est->outpps, est->inbps,
				   est->outbps };

	memcpy(averages->last, last, sizeof(last));
	memcpy(averages->sums, sums, sizeof(sums));
	memcpy(averages->rates, rates, sizeof(rates));
}

/* CPUs of a mask as a bitmap, those beyond the 64th left out. */
static glue_u64 bitmap_of(const struct cpumask *mask)
{
	glue_u64 bits = 0;
	unsigned int cpu;

	for_each_cpu(cpu, mask) {
		if (cpu < 64)
			bits |= 1ULL << cpu;
	}
	return bits;
}

/* What the text names; false if it is no list. */
int glue_parse_cpus(const char *text, glue_u64 *bits)
{
	static struct cpumask parsed;

	if (cpulist_parse(text, &parsed))
		return 0;
	*bits = bitmap_of(&parsed);
	return 1;
}

glue_u64 glue_writer_cpus(void)
{
	return bitmap_of(&glue_current->cpus_mask);
}

#ifdef CONFIG_SYSCTL

glue_u64 glue_cpulist(int *freed)
{
	*freed = netns->est_cpulist_valid && rt_is_freed(netns->sysctl_est_cpulist);
	if (*freed || !netns->est_cpulist_valid)
		return 0;
	return bitmap_of(netns->sysctl_est_cpulist);
}

void glue_sysctls(struct glue_sysctls *sysctls)
{
	sysctls->valid = netns->est_cpulist_valid;
	sysctls->nice = netns->sysctl_est_nice;
	sysctls->stopped = netns->est_stopped;
	sysctls->run_estimation = netns->sysctl_run_estimation;
	sysctls->genid = atomic_read(&netns->est_genid);
}

#else

glue_u64 glue_cpulist(int *freed)
{
	*freed = 0;
	return 0;
}

void glue_sysctls(struct glue_sysctls *sysctls)
{
	memset(sysctls, 0, sizeof(*sysctls));
	sysctls->run_estimation = 1;
	sysctls->genid = atomic_read(&netns->est_genid);
}

#endif

/* Numbers of the contexts by slot, -1 for none, as an answer's list. */
const void *glue_context_of_slot(int slot)
{
	return context_at(slot);
}

int glue_kthreads_alive(void)
{
	int id;

	for (id = 0; id < netns->est_kt_count; id++) {
		struct ip_vs_est_kt_data *kd = netns->est_kt_arr[id];

		if (kd && kd->task && rt_task_runs(kd->task))
			return 1;
	}
	return 0;
}
