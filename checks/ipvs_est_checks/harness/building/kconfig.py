"""generated/autoconf.h: the kernel configuration that the harness compiles for."""

from ipvs_est_checks.harness.building.options import BuildOptions, Variant, max_cpus

_SET = [
    "BUG",
    "GENERIC_BUG",
    "GENERIC_CSUM",
    "GENERIC_HWEIGHT",
    "SMP",
    "CPUMASK_OFFSTACK",
    "UNINLINE_SPIN_UNLOCK",
    "THREAD_INFO_IN_TASK",
    "HZ_PERIODIC",
    "TICK_ONESHOT",
    "POSIX_TIMERS",
    "EPOLL",
    "MULTIUSER",
    "PRINTK",
    "STACK_GROWSDOWN",
    "FLATMEM",
    "SLUB",
    "PAGE_SIZE_4KB",
    "NEED_PER_CPU_KM",
    "TREE_RCU",
    "TREE_SRCU",
    "NET",
    "INET",
    "NET_NS",
    "NETFILTER",
    "PROC_FS",
    "IP_VS",
    "IP_VS_PROTO_TCP",
    "IP_VS_PROTO_UDP",
    "CC_IS_GCC",
    "KALLSYMS_BASE_RELATIVE",
]
_NOT_PREEMPTIBLE = ("PREEMPT_NONE",)
_PREEMPTIBLE = ("PREEMPT", "PREEMPT_BUILD", "PREEMPTION", "PREEMPT_COUNT", "PREEMPT_RCU")
_WIDE = ("64BIT", "PHYS_ADDR_T_64BIT", "ARCH_DMA_ADDR_T_64BIT")

_VALUES = {
    "NODES_SHIFT": 0,
    "RCU_FANOUT": 64,
    "RCU_FANOUT_LEAF": 16,
    "PGTABLE_LEVELS": 2,
    "PAGE_SHIFT": 12,
    "ARCH_FORCE_MAX_ORDER": 10,
    "SPLIT_PTLOCK_CPUS": 999999,
    "DEFAULT_MMAP_MIN_ADDR": 4096,
    "LSM_MMAP_MIN_ADDR": 0,
    "ARCH_MMAP_RND_BITS_MAX": 8,
    "MAX_SKB_FRAGS": 17,
    "FUNCTION_ALIGNMENT": 4,
    "FRAME_WARN": 0,
    "LOG_BUF_SHIFT": 17,
    "BASE_SMALL": 0,
    "PANIC_TIMEOUT": 0,
    "IP_VS_TAB_BITS": 4,
    "IP_VS_SH_TAB_BITS": 4,
    "IP_VS_MH_TAB_INDEX": 4,
    "CLANG_VERSION": 0,
    "GCC_VERSION": 120200,
    "PAHOLE_VERSION": 0,
}


def autoconf(options: BuildOptions) -> str:
    """The header; what is not in it is not set."""
    names = [*_SET, *(_PREEMPTIBLE if options.preempt_rcu else _NOT_PREEMPTIBLE)]
    if options.word_bits == 64:
        names += _WIDE
    if options.sysctl:
        names.append("SYSCTL")
    if options.variant is Variant.POINTS:
        # So that it is seen which tasks are in a read-side section of RCU.
        names.append("PREEMPT_COUNT")
    values = {**dict.fromkeys(names, 1), **_VALUES}
    values |= {"HZ": options.hz, f"HZ_{options.hz}": 1, "NR_CPUS": max_cpus(options)}
    lines = [f"#define CONFIG_{name} {value}\n" for name, value in values.items()]
    lines.append('#define CONFIG_DEFAULT_HOSTNAME "(none)"\n')
    lines.append('#define CONFIG_CC_VERSION_TEXT "cc"\n')
    return "".join(lines)


def bounds(options: BuildOptions) -> str:
    """generated/bounds.h, which the kernel computes from its own headers."""
    values = {
        "NR_PAGEFLAGS": 24,
        "MAX_NR_ZONES": 4,
        "NR_CPUS_BITS": (max_cpus(options) - 1).bit_length(),
        "SPINLOCK_SIZE": 4,
        "LRU_GEN_WIDTH": 0,
        "__LRU_REFS_WIDTH": 0,
    }
    return "".join(f"#define {name} {value}\n" for name, value in values.items())
