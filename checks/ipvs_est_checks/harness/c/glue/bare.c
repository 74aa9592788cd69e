// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations on bare stats objects, which have no service or destination around
 * them: what the functions that own one do for its estimator.
 */

#ifdef HAVE_RELOAD_RESTART
#define request_restart(netns)	ip_vs_est_reload_start((netns), true)
#else
#define request_restart(netns)	ip_vs_est_reload_start(netns)
#endif

/* As ip_vs_control_net_init() does, without its service mutex. */
long glue_start_total(void)
{
	struct ip_vs_stats_rcu *total = kzalloc(sizeof(*total), GFP_KERNEL);
	long ret;

	if (!total)
		return -ENOMEM;
	netns->tot_stats = total;
	if (ip_vs_stats_init_alloc(&total->s) < 0) {
		kfree(total);
		netns->tot_stats = NULL;
		return -ENOMEM;
	}
	rt_bind(&total->s, 0);
	ret = ip_vs_start_estimator(netns, &total->s);
	if (ret < 0) {
		netns->tot_stats = NULL;
		ip_vs_stats_release(&total->s);
		kfree(total);
	}
	return ret;
}

/* The first service of ip_vs_add_service(). */
static void enable(void)
{
#ifdef HAVE_SERVICE_MUTEX
	mutex_lock(&netns->est_mutex);
	WRITE_ONCE(netns->enable, 1);
	netns->est_max_threads = ip_vs_est_max_threads(netns);
	request_restart(netns);
	mutex_unlock(&netns->est_mutex);
#else
	WRITE_ONCE(netns->enable, 1);
	request_restart(netns);
#endif
}

long glue_start_object(long id, int is_service, void **started)
{
	struct ip_vs_stats *stats;
	long ret = -ENOMEM;

	mutex_lock(SERVICE_MUTEX);
	stats = ip_vs_stats_alloc();
	if (!stats)
		goto unlock;
	rt_bind(stats, id);
	ret = ip_vs_start_estimator(netns, stats);
	if (ret >= 0 && is_service && !READ_ONCE(netns->enable))
		enable();
unlock:
	mutex_unlock(SERVICE_MUTEX);
	*started = stats;
	if (ret < 0 && stats)
		ip_vs_stats_free(stats);
	return ret;
}

void glue_stop_object(void *stats)
{
	mutex_lock(SERVICE_MUTEX);
	ip_vs_stop_estimator(netns, stats);
	mutex_unlock(SERVICE_MUTEX);
	ip_vs_stats_free(stats);
}

/*
 * Packets and who reads find an object under RCU. The files of the total have
 * readers that their removal waits for, which comes to the same.
 */
void glue_enter_rcu(void)
{
	rcu_read_lock();
}

void glue_leave_rcu(void)
{
	rcu_read_unlock();
}

void glue_count(void *stats, int cpu, const glue_u64 *steps)
{
	struct ip_vs_cpu_stats *counters;

	counters = per_cpu_ptr(((struct ip_vs_stats *)stats)->cpustats, cpu);
	u64_stats_update_begin(&counters->syncp);
	u64_stats_add(&counters->cnt.conns, steps[0]);
	u64_stats_add(&counters->cnt.inpkts, steps[1]);
	u64_stats_add(&counters->cnt.outpkts, steps[2]);
	u64_stats_add(&counters->cnt.inbytes, steps[3]);
	u64_stats_add(&counters->cnt.outbytes, steps[4]);
	u64_stats_update_end(&counters->syncp);
}

void glue_lock_services(void)
{
	mutex_lock(SERVICE_MUTEX);
}

void glue_unlock_services(void)
{
	mutex_unlock(SERVICE_MUTEX);
}

/* The service mutex is held. */
void glue_zero(void *stats)
{
	ip_vs_zero_stats(stats);
}

static void member(const char *name, glue_u64 value)
{
	out_raw(name);
	out_unsigned(value);
}

static void place_member(const char *name, long value)
{
	out_raw(name);
	out_signed(value);
}

void glue_read(void *stats)
{
	struct ip_vs_estimator *est = &((struct ip_vs_stats *)stats)->est;
	struct ip_vs_kstats kstats;

	ip_vs_copy_stats(&kstats, stats);
	member("{\"conns\":", kstats.conns);
	member(",\"inpkts\":", kstats.inpkts);
	member(",\"outpkts\":", kstats.outpkts);
	member(",\"inbytes\":", kstats.inbytes);
	member(",\"outbytes\":", kstats.outbytes);
	member(",\"cps\":", kstats.cps);
	member(",\"inpps\":", kstats.inpps);
	member(",\"outpps\":", kstats.outpps);
	member(",\"inbps\":", kstats.inbps);
	member(",\"outbps\":", kstats.outbps);
	place_member(",\"ktid\":", est->ktid);
	place_member(",\"ktrow\":", est->ktrow);
	place_member(",\"ktcid\":", est->ktcid);
	out_raw("}");
}

void glue_export(void *stats)
{
	struct ip_vs_stats_user user;
	struct ip_vs_kstats kstats;

	ip_vs_copy_stats(&kstats, stats);
	ip_vs_export_stats_user(&user, &kstats);
	member("{\"conns\":", user.conns);
	member(",\"inpkts\":", user.inpkts);
	member(",\"outpkts\":", user.outpkts);
	member(",\"inbytes\":", user.inbytes);
	member(",\"outbytes\":", user.outbytes);
	member(",\"cps\":", user.cps);
	member(",\"inpps\":", user.inpps);
	member(",\"outpps\":", user.outpps);
	member(",\"inbps\":", user.inbps);
	member(",\"outbps\":", user.outbps);
	out_raw("}");
}

void glue_disable(void)
{
	WRITE_ONCE(netns->enable, 0);
}

/* The end of the estimators in netns exit; its fields are then as new. */
void glue_cleanup(void)
{
	struct ip_vs_stats_rcu *total = netns->tot_stats;

	if (total) {
#ifdef HAVE_STOP_TOT_STATS
		mutex_lock(SERVICE_MUTEX);
		ip_vs_stop_estimator_tot_stats(netns);
		mutex_unlock(SERVICE_MUTEX);
#else
		ip_vs_stop_estimator(netns, &total->s);
#endif
	}
	cancel_delayed_work_sync(&netns->est_reload_work);
	if (total) {
		netns->tot_stats = NULL;
		call_rcu(&total->rcu_head, ip_vs_stats_rcu_free);
	}
	ip_vs_estimator_net_cleanup(netns);
	netns->est_kt_arr = NULL;
	netns->est_kt_count = 0;
	netns->est_add_ktid = 0;
	netns->est_max_threads = 0;
	netns->est_chain_max = 0;
	netns->est_calc_phase = 0;
	atomic_set(&netns->est_genid, 0);
	atomic_set(&netns->est_genid_done, 0);
}
