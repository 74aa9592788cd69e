"""What a case comes to: situations, shapes of states, and who meets whom."""

from collections.abc import Iterator

from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.tasks import TaskState
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est_checks.machines.netns.situations import SITUATIONS

# Which allocation failed is known to the naive model alone, which does not run here.
LOOKED_AT = tuple(
    situation
    for situation in SITUATIONS
    if not situation.startswith("no-memory.")
    or situation in ("no-memory.task", "no-memory.drain-tick")
)
"""Situations that a history is looked at for."""
_KTHREADS = 4
_MANY = 2


def shape(machine: Machine) -> str:
    """The state without its numbers: what is on, what waits, and each kthread's fill."""
    netns = machine.netns
    work = netns.reload_work
    flags = "".join(
        letter if is_set else "-"
        for letter, is_set in (
            ("e", netns.enable),
            ("s", netns.est_stopped),
            ("c", netns.est_calc_phase),
            ("g", netns.est_genid != netns.est_genid_done),
            ("r", netns.run_estimation),
            ("v", netns.est_cpulist_valid),
            ("p", work.pending),
            ("w", work.running is not None),
            ("l", netns.est_chain_max),
        )
    )
    waiting = min(_MANY, sum(1 for _ in nodes(netns.est_temp_list)))
    kthreads = "".join(_kthreads(machine))
    return f"shape:{flags}:{waiting}:{kthreads}"


def _kthreads(machine: Machine) -> Iterator[str]:
    for kd in machine.netns.est_kt_arr[:_KTHREADS]:
        yield "." if kd is None else _kthread(kd)


def _kthread(kd: KthreadContext) -> str:
    task = kd.task
    runs = task is not None and task.state is not TaskState.EXITED
    fill = 0 if not kd.est_count else 2 if kd.est_count >= kd.est_max_count else 1
    return ("ABC" if runs else "abc")[fill]
