// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of the structures and members that an access or an object is told by. */

#define FIELD(type, name) \
	{ #name, offsetof(type, name), sizeof(((type *)NULL)->name) }

static const struct glue_field kd_fields[] = {
	FIELD(struct ip_vs_est_kt_data, ipvs),
	FIELD(struct ip_vs_est_kt_data, task),
	FIELD(struct ip_vs_est_kt_data, ticks),
	FIELD(struct ip_vs_est_kt_data, avail),
	FIELD(struct ip_vs_est_kt_data, est_timer),
	FIELD(struct ip_vs_est_kt_data, calc_stats),
	FIELD(struct ip_vs_est_kt_data, tick_len),
	FIELD(struct ip_vs_est_kt_data, id),
	FIELD(struct ip_vs_est_kt_data, chain_max),
	FIELD(struct ip_vs_est_kt_data, tick_max),
	FIELD(struct ip_vs_est_kt_data, est_count),
	FIELD(struct ip_vs_est_kt_data, est_max_count),
	FIELD(struct ip_vs_est_kt_data, add_row),
	FIELD(struct ip_vs_est_kt_data, est_row),
#ifdef HAVE_KD_NEEDED
	FIELD(struct ip_vs_est_kt_data, needed),
#endif
	{ NULL, 0, 0 },
};

static const struct glue_field td_fields[] = {
	FIELD(struct ip_vs_est_tick_data, chains),
	FIELD(struct ip_vs_est_tick_data, present),
	FIELD(struct ip_vs_est_tick_data, full),
	FIELD(struct ip_vs_est_tick_data, chain_len),
	{ NULL, 0, 0 },
};

static const struct glue_field stats_fields[] = {
	FIELD(struct ip_vs_stats, kstats),
	FIELD(struct ip_vs_stats, est),
	FIELD(struct ip_vs_stats, cpustats),
	FIELD(struct ip_vs_stats, lock),
	FIELD(struct ip_vs_stats, kstats0),
	{ NULL, 0, 0 },
};

/*
 * Of a stats object's est: a schedule can stop at one of them alone. Its place,
 * ktid and the others, is bits, behind the rates.
 */
static const struct glue_field est_parts[] = {
	{ "est.list", offsetof(struct ip_vs_stats, est.list), sizeof(struct hlist_node) },
	{ "est.place", offsetofend(struct ip_vs_stats, est.outbps), sizeof(u32) },
	{ NULL, 0, 0 },
};

static const struct glue_field netns_fields[] = {
#ifdef CONFIG_SYSCTL
	FIELD(struct netns_ipvs, sysctl_est_cpulist),
	FIELD(struct netns_ipvs, est_cpulist_valid),
	FIELD(struct netns_ipvs, sysctl_est_nice),
	FIELD(struct netns_ipvs, sysctl_run_estimation),
	FIELD(struct netns_ipvs, est_stopped),
#endif
	FIELD(struct netns_ipvs, enable),
	FIELD(struct netns_ipvs, est_kt_arr),
	FIELD(struct netns_ipvs, est_max_threads),
	FIELD(struct netns_ipvs, est_calc_phase),
	FIELD(struct netns_ipvs, est_chain_max),
	FIELD(struct netns_ipvs, est_kt_count),
	FIELD(struct netns_ipvs, est_add_ktid),
	FIELD(struct netns_ipvs, est_genid),
	FIELD(struct netns_ipvs, est_genid_done),
	FIELD(struct netns_ipvs, est_temp_list),
	FIELD(struct netns_ipvs, tot_stats),
	{ NULL, 0, 0 },
};

static const struct glue_type types[] = {
	{ "ip_vs_est_kt_data", sizeof(struct ip_vs_est_kt_data), kd_fields },
	{ "ip_vs_est_tick_data", sizeof(struct ip_vs_est_tick_data), td_fields },
	{ "ip_vs_stats", sizeof(struct ip_vs_stats), stats_fields },
	{ "ip_vs_stats_rcu", sizeof(struct ip_vs_stats_rcu), stats_fields },
	{ "ip_vs_service", sizeof(struct ip_vs_service), NULL },
	{ "ip_vs_dest", sizeof(struct ip_vs_dest), NULL },
	{ NULL, 0, NULL },
};

static const struct glue_type netns_type = {
	"netns_ipvs", sizeof(struct netns_ipvs), netns_fields,
};

const struct glue_type *glue_types(void)
{
	return types;
}

const struct glue_field *glue_est_parts(void)
{
	return est_parts;
}

const struct glue_type *glue_netns_type(void)
{
	return &netns_type;
}
