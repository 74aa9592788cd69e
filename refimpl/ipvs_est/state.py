"""The estimator state as the recordings show it (conformance README, `dump`)."""

from dataclasses import dataclass

from ipvs_est.hlist import nodes
from ipvs_est.kthread_context import KthreadContext, Tick
from ipvs_est.machine import Machine, jiffies
from ipvs_est.tasks import TaskState


@dataclass(frozen=True, slots=True)
class TickState:
    """One allocated tick."""

    row: int
    len: int
    """`tick_len`."""
    present: int
    full: int
    chains: tuple[tuple[int, tuple[int, ...]], ...]
    """Chain id and ids from head to tail, for each chain that is not empty, ascending."""


@dataclass(frozen=True, slots=True)
class KthreadState:
    """One kthread context."""

    id: int
    running: bool
    """A task is attached and has not exited."""
    est_count: int
    est_max_count: int
    chain_max: int
    tick_max: int
    add_row: int
    est_row: int
    est_timer: int
    """Jiffies, wrapping at the word size."""
    avail: int
    ticks: tuple[TickState, ...]
    """Ascending rows."""


@dataclass(frozen=True, slots=True)
class State:
    """The estimator state of a netns."""

    jiffies: int
    """Wrapping at the word size."""
    enable: int
    stopped: int
    kt_count: int
    add_ktid: int
    max_threads: int
    chain_max: int
    calc_phase: int
    genid: int
    genid_done: int
    temp: tuple[int, ...]
    """Ids on est_temp_list from head to tail."""
    kthreads: tuple[KthreadState | None, ...]
    """By slot; None = an empty one."""


def take_state(machine: Machine) -> State:
    """The state of now."""
    netns = machine.netns
    return State(
        jiffies=jiffies(machine),
        enable=int(netns.enable),
        stopped=int(netns.est_stopped),
        kt_count=netns.est_kt_count,
        add_ktid=netns.est_add_ktid,
        max_threads=netns.est_max_threads,
        chain_max=netns.est_chain_max,
        calc_phase=int(netns.est_calc_phase),
        genid=netns.est_genid,
        genid_done=netns.est_genid_done,
        temp=tuple([est.stats.id for est in nodes(netns.est_temp_list)]),
        kthreads=tuple([None if kd is None else _kthread(kd) for kd in netns.est_kt_arr]),
    )


def _kthread(kd: KthreadContext) -> KthreadState:
    task = kd.task
    return KthreadState(
        id=kd.id,
        running=task is not None and task.state is not TaskState.EXITED,
        est_count=kd.est_count,
        est_max_count=kd.est_max_count,
        chain_max=kd.chain_max,
        tick_max=kd.tick_max,
        add_row=kd.add_row,
        est_row=kd.est_row,
        est_timer=kd.est_timer,
        avail=kd.avail,
        ticks=tuple([_tick(kd, td) for td in kd.ticks if td is not None]),
    )


def _tick(kd: KthreadContext, td: Tick) -> TickState:
    return TickState(
        row=td.row,
        len=kd.tick_len[td.row],
        present=td.present,
        full=td.full,
        chains=tuple(
            [
                (cid, tuple([est.stats.id for est in nodes(chain)]))
                for cid, chain in enumerate(td.chains)
                if chain.next is not None
            ]
        ),
    )


def state_to_json(state: State) -> dict[str, object]:
    """The recorded form: bitmaps in hex, ticks by row, chains by id."""
    return {
        "jiffies": state.jiffies,
        "enable": state.enable,
        "stopped": state.stopped,
        "kt_count": state.kt_count,
        "add_ktid": state.add_ktid,
        "max_threads": state.max_threads,
        "chain_max": state.chain_max,
        "calc_phase": state.calc_phase,
        "genid": state.genid,
        "genid_done": state.genid_done,
        "temp": list(state.temp),
        "kthreads": [None if kd is None else _kthread_to_json(kd) for kd in state.kthreads],
    }


def _kthread_to_json(kd: KthreadState) -> dict[str, object]:
    return {
        "id": kd.id,
        "running": kd.running,
        "est_count": kd.est_count,
        "est_max_count": kd.est_max_count,
        "chain_max": kd.chain_max,
        "tick_max": kd.tick_max,
        "add_row": kd.add_row,
        "est_row": kd.est_row,
        "est_timer": kd.est_timer,
        "avail": f"{kd.avail:x}",
        "ticks": {
            str(tick.row): {
                "len": tick.len,
                "present": f"{tick.present:x}",
                "full": f"{tick.full:x}",
                "chains": {str(cid): list(ids) for cid, ids in tick.chains},
            }
            for tick in kd.ticks
        },
    }
