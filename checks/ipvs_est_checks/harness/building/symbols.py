"""Symbols that the kernel's files want: how each is met, and what differs between versions."""

RENAMED = {
    # wanted by some version -> what the runtime supplies, of the same signature
    "__mutex_init": "mutex_init_generic",
    "init_timer_key": "timer_init_key",
    "del_timer_sync": "timer_delete_sync",
    "krealloc_noprof": "krealloc",
    "set_cpus_allowed_ptr": "kthread_affine_preferred",
    "system_long_wq": "workqueue",
    "system_dfl_long_wq": "workqueue",
    "system_wq": "workqueue",
    "system_percpu_wq": "workqueue",
    "system_unbound_wq": "workqueue",
    "_raw_spin_lock_bh": "_raw_spin_lock",
    "_raw_spin_unlock_bh": "_raw_spin_unlock",
    "_cond_resched": "__cond_resched",
}

HOOKED = (
    "ip_vs_enqueue_estimator",
    "ip_vs_est_add_kthread",
    "ip_vs_est_calc_phase",
    "ip_vs_est_set_params",
    "ip_vs_start_estimator",
    "ip_vs_stop_estimator",
)
"""Functions of the estimator that the record of events knows; without one, its events are not."""

WATCHED = {
    "ip_vs_start_estimator": "rt_watch_start",
    "ip_vs_stop_estimator": "rt_watch_stop",
}
"""Calls out of ip_vs_ctl.c that go by way of the runtime, and what is called there."""

FROM_LIBC = frozenset(
    [
        "memchr",
        "memcmp",
        "memcpy",
        "memmove",
        "memset",
        "strcasecmp",
        "strchr",
        "strcmp",
        "strcpy",
        "strcspn",
        "strlen",
        "strncasecmp",
        "strncmp",
        "strncpy",
        "strnlen",
        "strpbrk",
        "strrchr",
        "strspn",
        "strstr",
    ]
)
"""Taken from libc: the same there and in the kernel."""

COMPILER_PREFIXES = ("__asan_", "__ubsan_", "__sanitizer_", "__tsan_", "_GLOBAL_")
"""Symbols of the compiler and its libraries begin so."""

COMPILER = frozenset({"__popcountdi2", "__udivdi3", "__umoddi3", "__divdi3", "__moddi3"})

SIGNATURES = (
    # macro for the glue, text in net/ip_vs.h by which it is known
    ("HAVE_SERVICE_MUTEX", r"struct mutex\s+service_mutex;"),
    ("HAVE_KD_NEEDED", r"\bneeded;"),
    ("HAVE_RELOAD_RESTART", r"ip_vs_est_reload_start\(struct netns_ipvs \*ipvs, bool restart\)"),
    ("HAVE_STOP_TOT_STATS", r"ip_vs_stop_estimator_tot_stats\(struct netns_ipvs \*ipvs\)"),
    ("HAVE_CONN_TAB", r"struct ip_vs_rht __rcu\s+\*conn_tab;"),
)
"""What differs between versions in the functions and structures that the glue uses."""
