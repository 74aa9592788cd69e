// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands in for functions of the kernel that fill or read structures of its
 * layout: wait queues, timers, memory information, integers of sysctl files.
 */

void init_wait_entry(struct wait_queue_entry *entry, int flags)
{
	memset(entry, 0, sizeof(*entry));
	INIT_LIST_HEAD(&entry->entry);
}

/* Nobody is ever woken by a wait queue: who waits sleeps for its timeout. */
long prepare_to_wait_event(struct wait_queue_head *head,
			   struct wait_queue_entry *entry, int state)
{
	return 0;
}

void finish_wait(struct wait_queue_head *head, struct wait_queue_entry *entry)
{
}

void timer_init_key(struct timer_list *timer,
		    void (*function)(struct timer_list *), unsigned int flags,
		    const char *name, struct lock_class_key *key)
{
	memset(timer, 0, sizeof(*timer));
	timer->function = function;
	timer->flags = flags;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	timer->expires = expires;
	rt_timer_set(timer, expires);
	return 0;
}

int timer_delete_sync(struct timer_list *timer)
{
	return rt_timer_clear(timer);
}

int timer_delete(struct timer_list *timer)
{
	return rt_timer_clear(timer);
}

void glue_run_timer(void *timer)
{
	struct timer_list *due = timer;

	due->function(due);
}

/* As much memory as any table wants. */
void si_meminfo(struct sysinfo *info)
{
	memset(info, 0, sizeof(*info));
	info->totalram = 1 << 20;
	info->freeram = 1 << 20;
	info->mem_unit = PAGE_SIZE;
}

/* A task in such a section has a count that is not 0, see glue_task_atomic(). */
void __local_bh_enable_ip(unsigned long ip, unsigned int count)
{
	__preempt_count_sub(count);
}

#ifdef CONFIG_PREEMPT_RCU
void __rcu_read_lock(void)
{
	current->rcu_read_lock_nesting++;
}

void __rcu_read_unlock(void)
{
	current->rcu_read_lock_nesting--;
}
#endif

/* The value that the caller of a sysctl's handler writes. */
static int written_value;

int proc_dointvec(const struct ctl_table *table, int write, void *buffer,
		  size_t *length, loff_t *position)
{
	/* At an offset there is no number, and nothing is stored. */
	if (write && !*position)
		*(int *)table->data = written_value;
	return 0;
}

#ifdef CONFIG_CPUMASK_OFFSTACK
/*
 * The mask that a write to est_cpulist parses into is not numbered among the
 * allocations that can be made to fail; the one that lasts is, and is known by
 * the mutex that is held for it.
 */
bool alloc_cpumask_var_node(cpumask_var_t *mask, gfp_t flags, int node)
{
	if (rt_holds_mutex() && rt_allocation_fails())
		return false;
	*mask = rt_allocate_uncounted(cpumask_size(), 1);
	return true;
}

void free_cpumask_var(cpumask_var_t mask)
{
	kfree(mask);
}
#endif
