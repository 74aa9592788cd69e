// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine and its network namespace, as they are before the first operation.
 * Without the operation `init` the namespace is set up by hand, and has no total.
 */

void glue_describe(struct glue_build *build)
{
	build->version = UTS_RELEASE;
	build->hz = HZ;
	build->nticks = IPVS_EST_NTICKS;
	build->tick_jiffies = IPVS_EST_TICK;
	build->tick_chains = IPVS_EST_TICK_CHAINS;
	build->chain_factor = IPVS_EST_CHAIN_FACTOR;
	build->load_divisor = IPVS_EST_LOAD_DIVISOR;
	build->preempt_rcu = IS_ENABLED(CONFIG_PREEMPT_RCU);
	build->sysctl = IS_ENABLED(CONFIG_SYSCTL);
	build->word_bits = BITS_PER_LONG;
	build->max_cpus = NR_CPUS;
}

/* What ip_vs_control_net_init() sets up for everything but the total. */
static void init_by_hand(void)
{
	ip_vs_estimator_net_init(netns);
	INIT_DELAYED_WORK(&netns->est_reload_work, est_reload_work_handler);
	INIT_LIST_HEAD(&netns->dest_trash);
	spin_lock_init(&netns->dest_trash_lock);
	timer_setup(&netns->dest_trash_timer, ip_vs_dest_trash_expire, 0);
#ifdef HAVE_SERVICE_MUTEX
	mutex_init(&netns->service_mutex);
	init_rwsem(&netns->svc_resize_sem);
	init_rwsem(&netns->svc_replace_sem);
	INIT_DELAYED_WORK(&netns->svc_resize_work, svc_resize_work_handler);
	netns->sysctl_svc_lfactor = ip_vs_svc_default_load_factor(netns);
#endif
#ifdef CONFIG_SYSCTL
	netns->sysctl_run_estimation = 1;
#endif
}

static void name_mutexes(void)
{
	rt_name_mutex(SERVICE_MUTEX, "__ip_vs_mutex");
	rt_name_mutex(&netns->est_mutex, "est_mutex");
}

static void new_netns(void)
{
	memset(netns, 0, sizeof(*netns));
	netns->net = &init_net;
	init_net.ipvs = netns;
	init_net.user_ns = &init_user_ns;
	name_mutexes();
	init_by_hand();
}

static int bind_nothing(struct ip_vs_service *service)
{
	service->sched_data = service;
	return 0;
}

static void unbind_nothing(struct ip_vs_service *service)
{
	if (!service->sched_data)
		rt_violation("invalid-pointer", "scheduler's data of a service",
			     "ip_vs_unbind_scheduler");
	service->sched_data = NULL;
}

/* Schedules nothing, but knows whether it is bound. */
static struct ip_vs_scheduler scheduler = {
	.name = "wlc",
	.n_list = LIST_HEAD_INIT(scheduler.n_list),
	.init_service = bind_nothing,
	.done_service = unbind_nothing,
};

void glue_boot(int possible_cpus)
{
	int cpu;

	nr_cpu_ids = possible_cpus;
	for (cpu = 0; cpu < possible_cpus; cpu++) {
		cpumask_set_cpu(cpu, &__cpu_possible_mask);
		cpumask_set_cpu(cpu, &__cpu_online_mask);
	}
	glue_task_init(&caller, 0);
	glue_current = &caller;
	netns = kzalloc(sizeof(*netns), GFP_KERNEL);
	new_netns();
	register_ip_vs_scheduler(&scheduler);
}

void *glue_netns(void)
{
	return netns;
}

int glue_enabled(void)
{
	return netns->enable;
}
