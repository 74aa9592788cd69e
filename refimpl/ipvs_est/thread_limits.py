"""What the configuration says about kthreads (semantics sections 9 and 12)."""

from ipvs_est.machine import Machine


def kthread_cpus(machine: Machine) -> frozenset[int]:
    """CPUs that kthreads may use: the cpulist if one is valid, else the housekeeping CPUs."""
    netns = machine.netns
    return netns.est_cpulist if netns.est_cpulist_valid else machine.params.kthread_cpus


def max_threads(machine: Machine) -> int:
    """`est_max_threads` as the configuration defines it (`ip_vs_est_max_threads`)."""
    return max(1, machine.params.cpu_kthreads * len(kthread_cpus(machine)))


def stopped(machine: Machine) -> bool:
    """`est_stopped` as the configuration defines it."""
    netns = machine.netns
    return not netns.run_estimation or (netns.est_cpulist_valid and not netns.est_cpulist)
