"""The machine of a history, in the kernel's names and compared with the kernel's geometry."""

from ipvs_est import Params


def geometry_text(params: Params) -> str:
    """Such as `HZ 250, IPVS_EST_NTICKS 1 (in the kernel 50), ...`, on one line."""
    # HZ does not matter to what is compared, and below 25 no tick of the kernel has a length.
    kernel = Params(preempt_rcu=params.preempt_rcu)

    def compared(name: str, here: int, there: int) -> str:
        return f"{name} {here}" + (f" (in the kernel {there})" if here != there else "")

    cpus = params.possible_cpus
    parts = [
        f"HZ {params.hz}",
        compared("IPVS_EST_NTICKS", params.nticks, kernel.nticks),
        compared("IPVS_EST_TICK_CHAINS", params.tick_chains, kernel.tick_chains),
        f"{cpus} possible CPU{'s' if cpus > 1 else ''}",
        f"{params.est_cost_ns} ns to estimate one estimator",
    ]
    if params.preempt_rcu:
        parts.append("preemptible RCU")
    if not params.sysctl:
        parts.append("built without sysctls, so there is no total")
    return ", ".join(parts)
