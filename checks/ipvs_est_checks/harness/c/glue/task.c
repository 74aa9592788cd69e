// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's side of the runtime's tasks: each has a struct task_struct. */

void *glue_current_task(void)
{
	return glue_current;
}

void glue_set_current(void *task)
{
	glue_current = task;
}

unsigned long glue_task_size(void)
{
	return sizeof(struct task_struct);
}

/* The task starts with the one reference that it holds on itself. */
void glue_task_init(void *task, int kthread)
{
	struct task_struct *new = task;

	memset(new, 0, sizeof(*new));
	new->__state = TASK_RUNNING;
	new->flags = kthread ? PF_KTHREAD : 0;
	refcount_set(&new->usage, 1);
	cpumask_copy(&new->cpus_mask, cpu_possible_mask);
}

void glue_task_set_running(void *task)
{
	((struct task_struct *)task)->__state = TASK_RUNNING;
}

int glue_task_references(void *task)
{
	return refcount_read(&((struct task_struct *)task)->usage);
}

/* Drop a reference; the number of those left. */
int glue_task_put(void *task)
{
	int left = glue_task_references(task) - 1;

	refcount_set(&((struct task_struct *)task)->usage, left);
	return left;
}

/* Whether it is where the kernel may not switch tasks, such as under RCU. */
int glue_task_atomic(void *task)
{
#ifdef CONFIG_PREEMPT_RCU
	if (((struct task_struct *)task)->rcu_read_lock_nesting)
		return 1;
#endif
	return task_thread_info((struct task_struct *)task)->preempt_count != 0;
}

void glue_task_allow_cpus(void *task, const int *cpus, int count)
{
	struct cpumask *mask = &((struct task_struct *)task)->cpus_mask;
	int i;

	if (!cpus) {
		cpumask_copy(mask, cpu_possible_mask);
		return;
	}
	cpumask_clear(mask);
	for (i = 0; i < count; i++)
		cpumask_set_cpu(cpus[i], mask);
}

int glue_cpumask_cpus(const void *mask, int *cpus, int size)
{
	int count = 0;
	int cpu;

	for_each_cpu(cpu, (const struct cpumask *)mask) {
		if (count == size)
			break;
		cpus[count++] = cpu;
	}
	return count;
}

int glue_is_reload_work(void *work)
{
	return work == &netns->est_reload_work;
}

void *glue_reload_work(void)
{
	return &netns->est_reload_work;
}

void glue_run_work(void *work)
{
	struct delayed_work *due = work;

	due->work.func(&due->work);
}

int glue_wants_zeroed(unsigned int gfp)
{
	return !!(gfp & (__force unsigned int)__GFP_ZERO);
}
