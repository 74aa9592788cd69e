// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations on services, destinations and the network namespace as a whole, by
 * the functions that netlink, sockopt and the namespace's life call.
 */

/* An id names a service's or destination's address. */
static void describe_service(struct ip_vs_service_user_kern *user, long id)
{
	memset(user, 0, sizeof(*user));
	user->af = AF_INET;
	user->protocol = IPPROTO_TCP;
	user->addr.ip = htonl(0x0a000000 + (id >> 14));
	user->port = htons(1024 + (id & 0x3fff));
	user->netmask = 0xffffffff;
	user->sched_name = "wlc";
}

static void describe_dest(struct ip_vs_dest_user_kern *user, long id)
{
	memset(user, 0, sizeof(*user));
	user->af = AF_INET;
	user->addr.ip = htonl(0x0b000000 + id);
	user->port = htons(80);
	user->weight = 1;
}

long glue_add_service(long id, void **service)
{
	struct ip_vs_service_user_kern user;
	struct ip_vs_service *added = NULL;
	long ret;

	describe_service(&user, id);
	mutex_lock(SERVICE_MUTEX);
	ret = ip_vs_add_service(netns, &user, &added);
	if (!ret)
		rt_bind(&added->stats, id);
	mutex_unlock(SERVICE_MUTEX);
	*service = added;
	return ret;
}

long glue_delete_service(void *service)
{
	long ret;

	mutex_lock(SERVICE_MUTEX);
	ret = ip_vs_del_service(service);
	mutex_unlock(SERVICE_MUTEX);
	return ret;
}

long glue_add_dest(long id, void *service, void **dest)
{
	struct ip_vs_dest_user_kern user;
	struct ip_vs_dest *added = NULL;
	long ret;

	describe_dest(&user, id);
	mutex_lock(SERVICE_MUTEX);
	ret = ip_vs_add_dest(service, &user);
	if (!ret) {
		added = ip_vs_lookup_dest(service, AF_INET, &user.addr, user.port);
		rt_bind(&added->stats, id);
	}
	mutex_unlock(SERVICE_MUTEX);
	*dest = added;
	return ret;
}

long glue_delete_dest(long id, void *service)
{
	struct ip_vs_dest_user_kern user;
	long ret;

	describe_dest(&user, id);
	mutex_lock(SERVICE_MUTEX);
	ret = ip_vs_del_dest(service, &user);
	mutex_unlock(SERVICE_MUTEX);
	return ret;
}

/* The stats of the service with that id, as packets find it; NULL if there is none. */
void *glue_hashed_service(long id)
{
	struct ip_vs_service_user_kern user;
	struct ip_vs_service *service;

	describe_service(&user, id);
	service = __ip_vs_service_find(netns, user.af, user.protocol, &user.addr, user.port);
	return service ? &service->stats : NULL;
}

void *glue_service_stats(void *service)
{
	return &((struct ip_vs_service *)service)->stats;
}

void *glue_dest_stats(void *dest)
{
	return &((struct ip_vs_dest *)dest)->stats;
}

void *glue_total_stats(void)
{
	/* Without sysctls it is allocated and never started: it is no object then. */
	if (!IS_ENABLED(CONFIG_SYSCTL) && netns->tot_stats &&
	    hlist_unhashed(&netns->tot_stats->s.est.list))
		return NULL;
	return netns->tot_stats ? &netns->tot_stats->s : NULL;
}

int glue_dest_in_trash(void *dest)
{
	struct ip_vs_dest *trashed;

	list_for_each_entry(trashed, &netns->dest_trash, t_list) {
		if (trashed == dest)
			return 1;
	}
	return 0;
}

/* The destination that went to the trash after this one; NULL: the oldest. */
void *glue_newer_trashed(void *dest)
{
	struct list_head *link = dest ? &((struct ip_vs_dest *)dest)->t_list :
					&netns->dest_trash;

	/* The newest is at the head. */
	link = link->prev;
	return link == &netns->dest_trash ? NULL :
					    list_entry(link, struct ip_vs_dest, t_list);
}

void glue_hold_dest(void *dest)
{
	ip_vs_dest_hold(dest);
}

void glue_put_dest(void *dest)
{
	ip_vs_dest_put(dest);
}

long glue_init_netns(void)
{
	long ret;

	if (!IS_ENABLED(CONFIG_SYSCTL) && netns->tot_stats)
		return 0;
	netns->tot_stats = NULL;
	ret = ip_vs_control_net_init(netns);
	name_mutexes();
	if (ret)
		/* A failed init leaves it dangling, but the netns is gone then. */
		netns->tot_stats = NULL;
	else
		rt_bind(&netns->tot_stats->s, 0);
	return ret;
}

/* In the order of __ip_vs_dev_cleanup_batch() and __ip_vs_cleanup_batch(). */
void glue_exit_netns(void)
{
	LIST_HEAD(nets);

	WRITE_ONCE(netns->enable, 0);
	smp_wmb();
	list_add(&init_net.exit_list, &nets);
	ip_vs_service_nets_cleanup(&nets);
#ifdef HAVE_CONN_TAB
	if (rcu_access_pointer(netns->conn_tab))
		ip_vs_conn_net_cleanup(netns);
#endif
	if (netns->tot_stats)
		ip_vs_control_net_cleanup(netns);
	/* What follows of its fields is the next netns' start. */
	rt_netns_goes();
	ip_vs_estimator_net_cleanup(netns);
	list_del(&init_net.exit_list);
	netns->est_kt_arr = NULL;
	netns->est_kt_count = 0;
	netns->tot_stats = NULL;
}

/* The next netns starts from scratch. */
void glue_renew_netns(void)
{
	new_netns();
}
