"""Machines as states of the induction's steps, and the steps that a history takes.

The model's functions are wrapped while a history runs: what they make of the state is compared,
field by field, with what the step of that name says.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from ipvs_est import performer
from ipvs_est.control import estimator_objects, netns_life, sysctl
from ipvs_est.control import services as control
from ipvs_est.estimator import calc_phase, drain, kthread, start_stop
from ipvs_est.estimator.contexts import AddResult, add_kthread_context
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.estimator.thread_limits import kthread_cpus
from ipvs_est.machine.hlist import ListHead, add_head, linked, nodes, unlink_init
from ipvs_est.machine.points import Body, Call
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est.state.stats import Estimator
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.proof.inductive.states.domains import GuardedDomains, left_out
from ipvs_est_spec.proof.inductive.steps import BY_ID, Inputs
from ipvs_est_spec.state.abstract_state import AbstractState

PythonState = AbstractState[bool, int]
_ALGEBRA = PythonAlgebra()


class _Finite:
    """Quantifiers over what there is; the bodies leave out what there is too much."""

    def __init__(self, slots: int, rows: int, chains: int, estimators: frozenset[int]) -> None:
        self._slots, self._rows, self._chains = slots, rows, chains
        self._estimators = sorted(estimators)

    def slots(self, body: Callable[[int], bool]) -> bool:
        return all(body(number) for number in range(self._slots))

    def rows(self, slot: int, body: Callable[[int], bool]) -> bool:
        return all(body(number) for number in range(self._rows))

    def chains(self, slot: int, row: int, body: Callable[[int], bool]) -> bool:
        return all(body(number) for number in range(self._chains))

    def estimators(self, body: Callable[[int], bool]) -> bool:
        return all(body(estimator) for estimator in self._estimators)


@dataclass(slots=True)
class Known:
    """Estimators that were on a list at some time, by the id of their object."""

    estimators: dict[int, Estimator] = field(default_factory=dict)


def projected(machine: Machine, known: Known, objects: frozenset[int]) -> PythonState:
    """The machine of now; `objects`: whose estimators their owners use."""
    netns, params = machine.netns, machine.params
    places: dict[int, list[tuple[int, int, int] | None]] = {}
    for est in nodes(netns.est_temp_list):
        known.estimators.setdefault(est.stats.id, est)
        places.setdefault(est.stats.id, []).append(None)
    kds = {slot: kd for slot, kd in enumerate(netns.est_kt_arr) if kd is not None}
    lengths: dict[tuple[int, int, int], int] = {}
    numbers: dict[tuple[str, int], int] = {}
    bits: set[tuple[object, ...]] = set()
    for slot, kd in kds.items():
        for name in ("est_count", "est_max_count", "chain_max", "tick_max", "est_row"):
            numbers[name, slot] = getattr(kd, name)
        for row, td in enumerate(kd.ticks):
            numbers[f"tick_len {row}", slot] = kd.tick_len[row]
            if kd.avail >> row & 1:
                bits.add(("avail", slot, row))
            if td is None:
                continue
            bits.add(("tick", slot, row))
            for cid, chain in enumerate(td.chains):
                ids = [est.stats.id for est in nodes(chain)]
                lengths[slot, row, cid] = len(ids)
                numbers[f"chain_len {row} {cid}", slot] = td.chain_len[cid]
                bits |= {("present", slot, row, cid)} if td.present >> cid & 1 else set()
                bits |= {("full", slot, row, cid)} if td.full >> cid & 1 else set()
                for est in nodes(chain):
                    known.estimators.setdefault(est.stats.id, est)
                    places.setdefault(est.stats.id, []).append((slot, row, cid))
    fields_of = {
        id_: (est.ktid, est.ktrow, est.ktcid, est.stats.owner)
        for id_, est in known.estimators.items()
    }
    unknown = (0, 0, 0, "dest")
    there = frozenset(objects | places.keys() | known.estimators.keys())
    finite = _Finite(netns.est_kt_count + 2, params.nticks, params.tick_chains, there)
    return AbstractState(
        algebra=_ALGEBRA,
        params=params,
        domains=GuardedDomains(finite),
        enable=netns.enable,
        est_stopped=netns.est_stopped,
        est_calc_phase=netns.est_calc_phase,
        run_estimation=netns.run_estimation != 0,
        cpulist_valid=netns.est_cpulist_valid,
        est_kt_count=netns.est_kt_count,
        est_add_ktid=netns.est_add_ktid,
        est_max_threads=netns.est_max_threads,
        est_chain_max=netns.est_chain_max,
        temp_length=sum(1 for _ in nodes(netns.est_temp_list)),
        kthread_cpus=len(kthread_cpus(machine)),
        contexts=len(kds),
        exists=lambda s: s in kds,
        est_count=lambda s: numbers.get(("est_count", s), 0),
        est_max_count=lambda s: numbers.get(("est_max_count", s), 0),
        chain_max=lambda s: numbers.get(("chain_max", s), 0),
        tick_max=lambda s: numbers.get(("tick_max", s), 0),
        est_row=lambda s: numbers.get(("est_row", s), 0),
        kd_length=lambda s: sum(n for place, n in lengths.items() if place[0] == s),
        avail=lambda s, r: ("avail", s, r) in bits,
        tick_exists=lambda s, r: ("tick", s, r) in bits,
        tick_len=lambda s, r: numbers.get((f"tick_len {r}", s), 0),
        tick_length=lambda s, r: sum(n for place, n in lengths.items() if place[:2] == (s, r)),
        present=lambda s, r, c: ("present", s, r, c) in bits,
        full=lambda s, r, c: ("full", s, r, c) in bits,
        chain_len=lambda s, r, c: numbers.get((f"chain_len {r} {c}", s), 0),
        true_length=lambda s, r, c: lengths.get((s, r, c), 0),
        is_object=lambda e: e in objects,
        is_total=lambda e: e in objects and fields_of.get(e, unknown)[3] == "total",
        ktid=lambda e: fields_of.get(e, unknown)[0],
        ktrow=lambda e: fields_of.get(e, unknown)[1],
        ktcid=lambda e: fields_of.get(e, unknown)[2],
        times_listed=lambda e: len(places.get(e, ())),
        on_temp_list=lambda e: None in places.get(e, ()),
        on_chain=lambda e, s, r, c: (s, r, c) in places.get(e, ()),
        restart_pending=left_out,
        running=left_out,
        task_freed=left_out,
        task_stopping=left_out,
    )


_NETNS = (
    *("enable", "est_stopped", "est_calc_phase", "run_estimation", "cpulist_valid"),
    *("est_kt_count", "est_add_ktid", "est_max_threads", "est_chain_max", "temp_length"),
    *("kthread_cpus", "contexts"),
)
_OF_KD = ("exists", "est_count", "est_max_count", "chain_max", "tick_max", "est_row", "kd_length")
_OF_ROW = ("avail", "tick_exists", "tick_len", "tick_length")
_OF_CHAIN = ("present", "full", "chain_len", "true_length")
_OF_LIST = ("is_object", "is_total", "times_listed", "on_temp_list")
_OF_EST = ("ktid", "ktrow", "ktcid")


def differences(left: PythonState, right: PythonState, known: Known) -> Iterator[str]:
    """The fields in which two states differ; those of unlinked estimators mean nothing."""
    x, y, params = left, right, left.params

    def compared(names: Iterable[str], *where: int) -> Iterator[str]:
        for name in names:
            a, b = getattr(x, name), getattr(y, name)
            a, b = (a(*where), b(*where)) if where else (a, b)
            if a != b:
                yield f"{name}{where}: {a} != {b}"

    yield from compared(_NETNS)
    for slot in range(max(x.est_kt_count, y.est_kt_count) + 1):
        yield from compared(_OF_KD, slot)
        for row in range(params.nticks):
            yield from compared(_OF_ROW, slot, row)
            for cid in range(params.tick_chains):
                yield from compared(_OF_CHAIN, slot, row, cid)
    for est in sorted(known.estimators):
        yield from compared(_OF_LIST, est)
        if y.times_listed(est):
            yield from compared(_OF_EST, est)
        if y.times_listed(est) and not y.on_temp_list(est):
            yield from compared(("on_chain",), est, y.ktid(est), y.ktrow(est), y.ktcid(est))


@dataclass(slots=True)
class Steps:
    """The steps that were seen, and what was wrong with them."""

    seen: Counter[str] = field(default_factory=Counter)
    """By step and case."""
    wrong: list[str] = field(default_factory=list)
    states: list[PythonState] = field(default_factory=list)
    """Between steps, at most so many."""
    known: Known = field(default_factory=Known)


MOST_STATES = 60


def _objects(machine: Machine) -> frozenset[int]:
    return frozenset(machine.objects)


def check_step(
    steps: Steps,
    machine: Machine,
    id_: str,
    est: int,
    before: PythonState,
    after: PythonState,
    **given: int | bool,
) -> None:
    """The state after is what some case of the step makes of the one before."""
    f = after
    inputs: Inputs[bool, int] = Inputs(
        est=est,
        total=f.is_total(est),
        slot=f.est_add_ktid,
        row=f.ktrow(est),
        cid=f.ktcid(est),
        add_ktid=f.est_add_ktid,
        kt_count=f.est_kt_count,
        delay=f.ktrow(est),
        chain_max=f.est_chain_max,
        cpus=f.kthread_cpus,
        flag=False,
    )
    wrong: list[str] = []
    # A flag says what the fields do not show.
    for flag in (False, True):
        chosen = replace(inputs, flag=flag, **given)  # type: ignore[arg-type]  # ints and truths
        for case, change in BY_ID[id_].build(before, machine.revision, chosen).items():
            if not change.premise:
                continue
            found = list(differences(change.after, after, steps.known))
            if not found:
                steps.seen[f"{id_}: {case}"] += 1
                if len(steps.states) < MOST_STATES:
                    steps.states.append(after)
                return
            wrong.append(f"{case}: {found[:4]}")
    steps.wrong.append(f"{machine.revision.name} {id_} {est}: {wrong or 'no premise holds'}")


@contextmanager
def watched(steps: Steps) -> Iterator[None]:
    """While the block runs, each step of any machine is checked."""
    with pytest.MonkeyPatch.context() as patch:
        _watch_lists(patch, steps)
        _watch_calc_phase(patch, steps)
        _watch_netns(patch, steps)
        yield


def _watch_lists(patch: pytest.MonkeyPatch, steps: Steps) -> None:
    start, stop = start_stop.start_estimator, start_stop.stop_estimator
    begun: dict[str, tuple[Machine, PythonState, int]] = {}
    machines: list[Machine] = []

    def started(machine: Machine, est: Estimator) -> Call:
        id_ = est.stats.id
        before = projected(machine, steps.known, _objects(machine) - {id_})
        error = yield from start(machine, est)
        steps.known.estimators[id_] = est
        objects = _objects(machine) - {id_}
        after = projected(machine, steps.known, objects if error else objects | {id_})
        check_step(steps, machine, "start", id_, before, after)
        return error

    def stopped(machine: Machine, est: Estimator, *, locked: bool = True) -> Body:
        id_, hashed = est.stats.id, linked(est)
        before = projected(machine, steps.known, _objects(machine) | {id_})
        yield from stop(machine, est, locked=locked)
        if hashed:
            after = projected(machine, steps.known, _objects(machine) - {id_})
            check_step(steps, machine, "stop", id_, before, after)

    def taken(est: Estimator) -> None:
        machine = machines[-1]
        state = projected(machine, steps.known, _objects(machine))
        begun["drain"] = (machine, state, est.stats.id)
        unlink_init(est)

    def drained(machine: Machine, kd: KthreadContext, est: Estimator) -> int:
        error = enqueue(machine, kd, est)
        if not error:
            _, before, id_ = begun.pop("drain")
            after = projected(machine, steps.known, _objects(machine))
            check_step(steps, machine, "drain", id_, before, after, slot=kd.id)
        return error

    def put_back(head: ListHead[Estimator], est: Estimator) -> None:
        add_head(head, est)
        machine, before, id_ = begun.pop("drain")
        after = projected(machine, steps.known, _objects(machine))
        if list(differences(before, after, steps.known)):
            check_step(steps, machine, "drain", id_, before, after)

    def added(machine: Machine) -> AddResult:
        # The estimator that no list has meanwhile counts as waiting.
        _, before, id_ = begun["drain"]
        found = yield from add_kthread_context(machine)
        if isinstance(found, KthreadContext):
            f = projected(machine, steps.known, _objects(machine))
            waiting = before
            after = replace(
                f,
                temp_length=waiting.temp_length,
                times_listed=waiting.times_listed,
                on_temp_list=waiting.on_temp_list,
            )
            check_step(steps, machine, "add-context", id_, before, after)
        return found

    def draining(machine: Machine, task: Task) -> Body:
        machines.append(machine)
        yield from whole(machine, task)
        machines.pop()

    whole = drain.drain_temp_list
    for module in (control, estimator_objects):
        patch.setattr(module, "start_estimator", started)
    for module in (control, estimator_objects, netns_life):
        patch.setattr(module, "stop_estimator", stopped)
    patch.setattr(drain, "unlink_init", taken)
    patch.setattr(drain, "enqueue", drained)
    patch.setattr(drain, "add_head", put_back)
    patch.setattr(drain, "add_kthread_context", added)
    patch.setattr(kthread, "drain_temp_list", draining)


def _watch_calc_phase(patch: pytest.MonkeyPatch, steps: Steps) -> None:
    relink, finish, phase = calc_phase._relink, calc_phase._finish, calc_phase.calc_phase
    runs = kthread.estimation_kthread
    begun: dict[str, PythonState] = {}

    def relinked(machine: Machine, kd: KthreadContext, est: Estimator, delay: int) -> Body:
        before = projected(machine, steps.known, _objects(machine))
        yield from relink(machine, kd, est, delay)
        after = projected(machine, steps.known, _objects(machine))
        check_step(steps, machine, "relink", est.stats.id, before, after)

    def finished(machine: Machine, chain_max: int, genid: int) -> Body:
        before = projected(machine, steps.known, _objects(machine))
        yield from finish(machine, chain_max, genid)
        after = projected(machine, steps.known, _objects(machine))
        check_step(steps, machine, "finish", 0, before, after)

    def phased(machine: Machine, task: Task) -> Body:
        after = projected(machine, steps.known, _objects(machine))
        check_step(steps, machine, "run", 0, begun.pop("run"), after)
        yield from phase(machine, task)

    def ran(machine: Machine, kd: KthreadContext, task: Task) -> Body:
        if kd.id == 0:
            begun["run"] = projected(machine, steps.known, _objects(machine))
        yield from runs(machine, kd, task)

    patch.setattr(calc_phase, "_relink", relinked)
    patch.setattr(calc_phase, "_finish", finished)
    patch.setattr(kthread, "calc_phase", phased)
    patch.setattr(performer, "estimation_kthread", ran)


def _watch_netns(patch: pytest.MonkeyPatch, steps: Steps) -> None:
    enable, cpulist = estimator_objects.enable_estimation, sysctl.set_cpulist
    run_estimation, disable = sysctl.set_run_estimation, netns_life.disable
    release, cleanup = netns_life._release_estimators, netns_life.cleanup_estimators
    releasing: list[tuple[PythonState, frozenset[int]]] = []

    def compared(machine: Machine, id_: str, before: PythonState) -> None:
        after = projected(machine, steps.known, _objects(machine))
        if list(differences(before, after, steps.known)):
            check_step(steps, machine, id_, 0, before, after)

    def enabled(machine: Machine) -> Body:
        before = projected(machine, steps.known, _objects(machine))
        yield from enable(machine)
        compared(machine, "enable", before)

    def written(machine: Machine, cpus: frozenset[int]) -> Call:
        before = projected(machine, steps.known, _objects(machine))
        answer = yield from cpulist(machine, cpus)
        compared(machine, "cpulist", before)
        return answer

    def switched(machine: Machine, value: int, offset: int = 0) -> Call:
        before = projected(machine, steps.known, _objects(machine))
        answer = yield from run_estimation(machine, value, offset)
        compared(machine, "run-estimation", before)
        return answer

    def disabled(machine: Machine) -> None:
        before = projected(machine, steps.known, _objects(machine))
        disable(machine)
        compared(machine, "disable", before)

    def released(machine: Machine) -> Body:
        objects = _objects(machine) - {0}
        releasing.append((projected(machine, steps.known, objects), objects))
        yield from release(machine)

    def cleaned(machine: Machine) -> Call:
        # After the whole exit of a netns there is no state.
        answer = yield from cleanup(machine)
        before, objects = releasing.pop()
        after = projected(machine, steps.known, objects)
        check_step(steps, machine, "release", 0, before, after)
        return answer

    patch.setattr(estimator_objects, "enable_estimation", enabled)
    patch.setattr(control, "enable_estimation", enabled)
    patch.setattr(sysctl, "set_cpulist", written)
    patch.setattr(sysctl, "set_run_estimation", switched)
    patch.setattr(netns_life, "disable", disabled)
    patch.setattr(netns_life, "_release_estimators", released)
    patch.setattr(netns_life, "cleanup_estimators", cleaned)
