// SPDX-License-Identifier: GPL-2.0-or-later
/* The estimator's state as the recordings show it. */

static void out_bits(const unsigned long *bitmap, int size)
{
	unsigned long bits = 0;
	int bit;

	for (bit = 0; bit < size && bit < BITS_PER_LONG; bit++) {
		if (test_bit(bit, bitmap))
			bits |= 1UL << bit;
	}
	out_raw("\"");
	out_hex(bits);
	out_raw("\"");
}

static void out_ids(const struct hlist_head *head)
{
	const char *separator = "[";
	struct ip_vs_estimator *est;

	hlist_for_each_entry(est, head, list) {
		out_raw(separator);
		out_signed(rt_id_of(container_of(est, struct ip_vs_stats, est)));
		separator = ",";
	}
	out_raw(*separator == '[' ? "[]" : "]");
}

static void out_key(const char *separator, int key)
{
	out_raw(separator);
	out_raw("\"");
	out_signed(key);
	out_raw("\":");
}

static void out_tick(const struct ip_vs_est_tick_data *td, int len)
{
	const char *separator = "";
	int cid;

	place_member("{\"len\":", len);
	out_raw(",\"present\":");
	out_bits(td->present, IPVS_EST_TICK_CHAINS);
	out_raw(",\"full\":");
	out_bits(td->full, IPVS_EST_TICK_CHAINS);
	out_raw(",\"chains\":{");
	for (cid = 0; cid < IPVS_EST_TICK_CHAINS; cid++) {
		if (hlist_empty(&td->chains[cid]))
			continue;
		out_key(separator, cid);
		out_ids(&td->chains[cid]);
		separator = ",";
	}
	out_raw("}}");
}

static void out_kthread(const struct ip_vs_est_kt_data *kd)
{
	const char *separator = "";
	int row;

	place_member("{\"id\":", kd->id);
	out_raw(",\"running\":");
	out_raw(kd->task && rt_task_runs(kd->task) ? "true" : "false");
	place_member(",\"est_count\":", kd->est_count);
	place_member(",\"est_max_count\":", kd->est_max_count);
	place_member(",\"chain_max\":", kd->chain_max);
	place_member(",\"tick_max\":", kd->tick_max);
	place_member(",\"add_row\":", kd->add_row);
	place_member(",\"est_row\":", kd->est_row);
	member(",\"est_timer\":", kd->est_timer);
	out_raw(",\"avail\":");
	out_bits(kd->avail, IPVS_EST_NTICKS);
	out_raw(",\"ticks\":{");
	for (row = 0; row < IPVS_EST_NTICKS; row++) {
		struct ip_vs_est_tick_data *td;

		td = rcu_dereference_protected(kd->ticks[row], 1);
		if (!td)
			continue;
		out_key(separator, row);
		out_tick(td, kd->tick_len[row]);
		separator = ",";
	}
	out_raw("}}");
}

void glue_dump(void)
{
	int id;

	member("{\"jiffies\":", jiffies);
	place_member(",\"enable\":", netns->enable);
	place_member(",\"stopped\":", ip_vs_est_stopped(netns));
	place_member(",\"kt_count\":", netns->est_kt_count);
	place_member(",\"add_ktid\":", netns->est_add_ktid);
	member(",\"max_threads\":", netns->est_max_threads);
	place_member(",\"chain_max\":", netns->est_chain_max);
	place_member(",\"calc_phase\":", netns->est_calc_phase);
	place_member(",\"genid\":", atomic_read(&netns->est_genid));
	place_member(",\"genid_done\":", atomic_read(&netns->est_genid_done));
	out_raw(",\"temp\":");
	out_ids(&netns->est_temp_list);
	out_raw(",\"kthreads\":[");
	for (id = 0; id < netns->est_kt_count; id++) {
		const struct ip_vs_est_kt_data *kd = netns->est_kt_arr[id];

		if (id)
			out_raw(",");
		if (kd)
			out_kthread(kd);
		else
			out_raw("null");
	}
	out_raw("]}");
}
