// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on the estimator's sysctls, through the handlers of their files. */

#ifdef CONFIG_SYSCTL

typedef int handler_fn(const struct ctl_table *table, int write, void *buffer,
		       size_t *length, loff_t *position);

static long write_integer(handler_fn *handler, int *data, int value,
			  long offset)
{
	struct ctl_table table = {
		.data = data,
		.extra2 = netns,
		.maxlen = sizeof(*data),
	};
	size_t length = sizeof(*data);
	loff_t position = offset;

	written_value = value;
	return handler(&table, 1, "", &length, &position);
}

long glue_write_nice(int value, long offset)
{
	return write_integer(ipvs_proc_est_nice, &netns->sysctl_est_nice, value,
			     offset);
}

long glue_write_run_estimation(int value, long offset)
{
	return write_integer(ipvs_proc_run_estimation,
			     &netns->sysctl_run_estimation, value, offset);
}

/* A write of a list of that many CPUs, which may be more than are possible. */
long glue_set_cpulist(int weight)
{
	int cpu;

	mutex_lock(&netns->est_mutex);
	if (!netns->est_cpulist_valid) {
		if (!zalloc_cpumask_var(&netns->sysctl_est_cpulist, GFP_KERNEL)) {
			mutex_unlock(&netns->est_mutex);
			return -ENOMEM;
		}
		netns->est_cpulist_valid = 1;
	}
	cpumask_clear(netns->sysctl_est_cpulist);
	for (cpu = 0; cpu < weight; cpu++)
		cpumask_set_cpu(cpu, netns->sysctl_est_cpulist);
	netns->est_max_threads = ip_vs_est_max_threads(netns);
	netns->est_calc_phase = 1;
	request_restart(netns);
	mutex_unlock(&netns->est_mutex);
	return 0;
}

static long access_cpulist(int write, char *text, size_t *length, long offset)
{
	struct ctl_table table = {
		.data = &netns->sysctl_est_cpulist,
		.extra2 = netns,
	};
	loff_t position = offset;

	return ipvs_proc_est_cpulist(&table, write, text, length, &position);
}

long glue_write_cpulist(char *text, unsigned long size, long offset)
{
	size_t length = size;
	long ret = access_cpulist(1, text, &length, offset);

	return ret < 0 ? ret : 0;
}

/* The number of characters read, or a negated error number. */
long glue_read_cpulist(char *text, unsigned long size)
{
	size_t length = size - 1;
	long ret = access_cpulist(0, text, &length, 0);

	return ret < 0 ? ret : (long)length;
}

#else

long glue_write_nice(int value, long offset)
{
	return -ENOSYS;
}

long glue_write_run_estimation(int value, long offset)
{
	return -ENOSYS;
}

long glue_set_cpulist(int weight)
{
	return -ENOSYS;
}

long glue_write_cpulist(char *text, unsigned long size, long offset)
{
	return -ENOSYS;
}

long glue_read_cpulist(char *text, unsigned long size)
{
	return -ENOSYS;
}

#endif
