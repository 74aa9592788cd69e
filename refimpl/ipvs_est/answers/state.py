"""The estimator state as the recordings show it (docs/reference/recordings.md, `dump`)."""

import re
from dataclasses import dataclass, fields

from ipvs_est.language.fixed import U64_MASK
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import integer, type_name
from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.tasks import TaskState
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.machine import Machine, jiffies


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


def state_from_json(value: object, path: str = "") -> State:
    """The inverse of `state_to_json`; raises InputError naming the field."""
    members = _members(value, path, _STATE_FIELDS)
    kthreads = _list(members["kthreads"], join(path, "kthreads"))
    numbers = {
        name: integer(members[name], join(path, name), 0, U64_MASK) for name in _STATE_INTEGERS
    }
    return State(
        **numbers,
        temp=_ids(members["temp"], join(path, "temp")),
        kthreads=tuple(
            None
            if kthread is None
            else _kthread_from_json(kthread, join(path, f"kthreads[{slot}]"))
            for slot, kthread in enumerate(kthreads)
        ),
    )


def _kthread_from_json(value: object, path: str) -> KthreadState:
    members = _members(value, path, _KTHREAD_FIELDS)
    running = members["running"]
    if not isinstance(running, bool):
        raise InputError(join(path, "running"), "expected true or false")
    ticks = _numbered(members["ticks"], join(path, "ticks"))
    numbers = {
        name: integer(members[name], join(path, name), 0, U64_MASK) for name in _KTHREAD_INTEGERS
    }
    return KthreadState(
        **numbers,
        running=running,
        avail=_bitmap(members["avail"], join(path, "avail")),
        ticks=tuple(
            _tick_from_json(row, value, join(path, f"ticks.{row}")) for row, value in ticks
        ),
    )


def _tick_from_json(row: int, value: object, path: str) -> TickState:
    members = _members(value, path, frozenset({"len", "present", "full", "chains"}))
    chains = _numbered(members["chains"], join(path, "chains"))
    return TickState(
        row=row,
        len=integer(members["len"], join(path, "len"), 0, U64_MASK),
        present=_bitmap(members["present"], join(path, "present")),
        full=_bitmap(members["full"], join(path, "full")),
        chains=tuple((cid, _ids(value, join(path, f"chains.{cid}"))) for cid, value in chains),
    )


def _members(value: object, path: str, names: frozenset[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    for name in sorted(names - value.keys()):
        raise InputError(join(path, name), "missing")
    for name in sorted(value.keys() - names):
        raise InputError(join(path, name), "unknown field")
    return value


def _list(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise InputError(path, f"expected a list, found {type_name(value)}")
    return value


def _ids(value: object, path: str) -> tuple[int, ...]:
    return tuple(
        integer(item, f"{path}[{index}]", 0, U64_MASK)
        for index, item in enumerate(_list(value, path))
    )


def _bitmap(value: object, path: str) -> int:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise InputError(path, "expected a bitmap as a string of hex digits")
    return int(value, 16)


def _numbered(value: object, path: str) -> list[tuple[int, object]]:
    """The members of an object whose keys are row or chain numbers, ascending."""
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    for name in value:
        if not _NUMBER.fullmatch(name):
            raise InputError(join(path, name), "expected the number of a row or chain")
    return sorted((int(name), entry) for name, entry in value.items())


_HEX = re.compile("0|[1-9a-f][0-9a-f]{0,15}")
_NUMBER = re.compile("0|[1-9][0-9]?")
_STATE_FIELDS = frozenset(field.name for field in fields(State))
_STATE_INTEGERS = sorted(_STATE_FIELDS - {"temp", "kthreads"})
_KTHREAD_FIELDS = frozenset(field.name for field in fields(KthreadState))
_KTHREAD_INTEGERS = sorted(_KTHREAD_FIELDS - {"running", "avail", "ticks"})
