"""A counterexample of a step as a whole state: few slots, rows, chains and estimators, all known.

The formulas are those of the theorems. There they are instantiated at representatives, so that a
model of them is part of a state at best; here at all elements of a small geometry, whose lists
and sums are the true ones. So what z3 finds is a state that the model can load.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.inductive.changes import Change
from ipvs_est_spec.proof.inductive.goals import INVARIANTS
from ipvs_est_spec.proof.inductive.states.formula import (
    Formula,
    Ground,
    Sort,
    assumed,
    denied,
    skolem_term,
)
from ipvs_est_spec.proof.inductive.states.geometries import FULL, PREEMPT
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, Z3State, any_state
from ipvs_est_spec.proof.inductive.steps import Inputs

Place = tuple[int, int, int]
"""Slot, row, chain id."""
Build = Callable[[Z3State], Change[Formula, z3.ArithRef]]
"""What the step makes of any state."""

_MOST = 9
"""No number of a small state is larger."""
_CPUS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """How much there may be."""

    slots: int
    rows: int
    chains: int
    estimators: int
    preempt_rcu: bool = False
    """One chain, which takes `_FACTOR` times as many."""


_FACTOR = 2
SIZES: Mapping[str, tuple[Size, ...]] = {
    FULL: (
        Size(2, 2, 1, 3),
        Size(3, 2, 1, 4),
        Size(2, 2, 2, 5),
        Size(3, 2, 1, 6),
        Size(3, 2, 2, 9),
    ),
    PREEMPT: (
        Size(2, 2, 1, 3, True),
        Size(2, 2, 1, 5, True),
        Size(3, 2, 1, 6, True),
        Size(3, 2, 1, 9, True),
    ),
}
"""For each geometry of the kernel small ones of its kind, tried in this order."""


@dataclass(frozen=True, slots=True)
class ConcreteEstimator:
    """An estimator that is on a list or belongs to an object, or the one that is started."""

    id: int
    waits: bool
    """On the temp list."""
    place: Place | None
    """The chain that it is on."""
    is_object: bool
    is_total: bool
    ktid: int
    ktrow: int
    ktcid: int


@dataclass(frozen=True, slots=True)
class ConcreteTick:
    """One row's chains."""

    row: int
    present: int
    full: int
    chain_len: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConcreteContext:
    """One kthread context."""

    slot: int
    est_count: int
    est_max_count: int
    chain_max: int
    tick_max: int
    avail: int
    tick_len: tuple[int, ...]
    ticks: tuple[ConcreteTick, ...]


@dataclass(frozen=True, slots=True)
class Concrete:
    """A state before a step, and what the step is given."""

    params: Params
    enable: bool
    est_stopped: bool
    est_calc_phase: bool
    run_estimation: bool
    cpulist_valid: bool
    est_kt_count: int
    est_add_ktid: int
    est_max_threads: int
    est_chain_max: int
    kthread_cpus: int
    contexts: tuple[ConcreteContext, ...]
    estimators: tuple[ConcreteEstimator, ...]
    inputs: Inputs[bool, int]


def smallest(
    invariant: str, step: str, build: Build, sizes: Sequence[Size] = SIZES[FULL]
) -> Concrete | None:
    """A state of the first of the sizes that has one which has all invariants and loses this one
    by the step; None if none has."""
    for size in sizes:
        found = counterexample(invariant, step, build, size)
        if found is not None:
            return found
    return None


def counterexample(invariant: str, step: str, build: Build, size: Size) -> Concrete | None:
    """One of that size. Raises ValueError if z3 does not know."""
    small = _small(size)
    state = small.state
    change = build(state)
    everything = _Everything(size, small.estimators)
    solver = z3.Solver()
    solver.add(*small.invariants)
    solver.add(everything.assume("premise", change.premise))
    solver.add(everything.deny(INVARIANTS[invariant].predicate(change.after)))
    solver.add(*small.whole, *_as_the_model_does(state, step, size))
    solver.add(everything.assume("after", _total(change.after, size)))
    solver.add(
        *(
            z3.And(estimator >= 0, estimator < size.estimators)
            for estimator in everything.estimators
        )
    )
    answer = solver.check()
    if answer == z3.unknown:
        raise ValueError(f"{invariant}, {step}: {solver.reason_unknown()}")
    return _read(solver.model(), state, size) if answer == z3.sat else None


@dataclass(frozen=True, slots=True)
class _Small:
    """Any state of a size in which all invariants hold."""

    state: Z3State
    invariants: tuple[z3.BoolRef, ...]
    whole: tuple[z3.BoolRef, ...]
    estimators: tuple[z3.ArithRef, ...]
    """That of the step, and those that the invariants say there are."""


@cache
def _small(size: Size) -> _Small:
    """The same before every step."""
    params = Params(
        hz=100,
        nticks=size.rows,
        chain_factor=_FACTOR if size.preempt_rcu else size.chains,
        preempt_rcu=size.preempt_rcu,
        load_divisor=2,
        possible_cpus=_CPUS,
    )
    state = any_state(params)
    everything = _Everything(size, (INPUTS.est,))
    invariants = [
        everything.assume(invariant.id, invariant.predicate(state))
        for invariant in INVARIANTS.values()
    ]
    whole = tuple(_whole(state, size))
    return _Small(state, tuple(invariants), whole, tuple(everything.estimators))


class _Everything:
    """Instantiates formulas at all elements."""

    def __init__(self, size: Size, estimators: Sequence[z3.ArithRef]) -> None:
        numbers = {
            # A step may add a slot.
            Sort.SLOT: size.slots + 1,
            Sort.ROW: size.rows,
            Sort.CHAIN: size.chains,
            Sort.ESTIMATOR: size.estimators,
        }
        self._all = {sort: _range(number) for sort, number in numbers.items()}
        self.estimators = list(estimators)
        """Those that formulas say there are."""

    def representatives(self, sort: Sort, inside: tuple[z3.ArithRef, ...]) -> Iterable[z3.ArithRef]:
        return self._all[sort]

    def assume(self, label: str, formula: Formula) -> z3.BoolRef:
        return assumed(formula, self.representatives, self._witness(label))

    def deny(self, formula: Formula) -> z3.BoolRef:
        return denied(formula, self.representatives, self._witness("denied"))

    def _witness(
        self, label: str
    ) -> Callable[
        [Sort, tuple[z3.ArithRef, ...], tuple[z3.ArithRef, ...], str],
        z3.ArithRef,
    ]:
        def witness(
            sort: Sort,
            inside: tuple[z3.ArithRef, ...],
            around: tuple[z3.ArithRef, ...],
            place: str,
        ) -> z3.ArithRef:
            term = skolem_term(f"{sort.value} for {label}{place}", *around)
            if sort is Sort.ESTIMATOR:
                self.estimators.append(term)
            return term

        return witness


def _range(number: int) -> list[z3.ArithRef]:
    return [z3.IntVal(one_number) for one_number in range(number)]


def _truth(formula: Formula) -> z3.BoolRef:
    assert isinstance(formula, Ground)
    return formula.term


def _one_if(term: z3.BoolRef) -> z3.ArithRef:
    return z3.If(term, z3.IntVal(1), z3.IntVal(0))


def _places(size: Size) -> Iterator[tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef]]:
    for slot in _range(size.slots):
        for row in _range(size.rows):
            for cid in _range(size.chains):
                yield slot, row, cid


def _whole(state: Z3State, size: Size) -> Iterator[z3.BoolRef]:
    """Lists are what estimators are on, lengths and sums are the true ones, nothing is large."""
    slots, rows = _range(size.slots), _range(size.rows)
    chains, estimators = _range(size.chains), _range(size.estimators)
    for number in (state.est_kt_count, state.est_add_ktid):
        yield z3.And(number >= 0, number <= size.slots)
    for number in (state.est_max_threads, state.est_chain_max):
        yield z3.And(number >= 0, number <= _MOST)
    yield z3.And(state.kthread_cpus >= 0, state.kthread_cpus <= _CPUS)
    # Without a cpulist those of the machine.
    yield z3.Or(_truth(state.cpulist_valid), state.kthread_cpus == _CPUS)
    waiting = [_one_if(_truth(state.on_temp_list(est))) for est in estimators]
    yield state.temp_length == z3.Sum(*waiting)
    for est, waits in zip(estimators, waiting, strict=True):
        here = [_one_if(_truth(state.on_chain(est, *place))) for place in _places(size)]
        yield state.times_listed(est) == z3.Sum(waits, *here)
        yield z3.And(state.ktid(est) >= -1, state.ktid(est) <= size.slots)
        for number in (state.ktrow(est), state.ktcid(est)):
            yield z3.And(number >= 0, number <= _MOST)
    for place in _places(size):
        listed = [_one_if(_truth(state.on_chain(est, *place))) for est in estimators]
        yield state.true_length(*place) == z3.Sum(*listed)
        yield z3.And(state.chain_len(*place) >= 0, state.chain_len(*place) <= _MOST)
    for slot in slots:
        for row in rows:
            yield state.tick_length(slot, row) == z3.Sum(
                *(state.true_length(slot, row, cid) for cid in chains)
            )
            yield z3.And(state.tick_len(slot, row) >= 0, state.tick_len(slot, row) <= _MOST)
        yield state.kd_length(slot) == z3.Sum(*(state.tick_length(slot, row) for row in rows))
        for number in (state.est_count(slot), state.chain_max(slot)):
            yield z3.And(number >= 0, number <= _MOST)
    yield state.contexts == z3.Sum(*(_one_if(_truth(state.exists(slot))) for slot in slots))
    # A netns has one total.
    yield z3.Sum(*(_one_if(_truth(state.is_total(est))) for est in estimators)) <= 1


def _total(state: Z3State, size: Size) -> Formula:
    """What does not exist answers 0 or false: a step that forgets a field is no step that leaves
    something in what it frees."""
    a = state.algebra
    zero = a.number(0)
    parts: list[Formula] = []
    for slot in _range(size.slots):
        no_kd = [
            a.equal(number(slot), zero)
            for number in (state.est_count, state.chain_max, state.tick_max)
        ]
        for row in _range(size.rows):
            no_tick: list[Formula] = []
            for cid in _range(size.chains):
                no_tick += [a.negate(bit(slot, row, cid)) for bit in (state.present, state.full)]
                no_tick.append(a.equal(state.chain_len(slot, row, cid), zero))
            parts.append(a.either(state.tick_exists(slot, row), a.both(*no_tick)))
            no_kd.append(a.negate(state.tick_exists(slot, row)))
            no_kd += [a.negate(state.avail(slot, row)), a.equal(state.tick_len(slot, row), zero)]
        parts.append(a.either(state.exists(slot), a.both(*no_kd)))
    return a.both(*parts)


def _as_the_model_does(state: Z3State, step: str, size: Size) -> Iterator[z3.BoolRef]:
    """Narrower than the step: what the model does with what the step leaves open."""
    f, i = state, INPUTS
    for est in _range(size.estimators):
        waits = _truth(f.on_temp_list(est))
        yield z3.Implies(waits, f.ktrow(est) < size.rows)
    for number in (i.slot, i.row, i.cid, i.add_ktid, i.kt_count, i.delay, i.cpus):
        yield z3.And(number >= 0, number <= _MOST)
    yield z3.And(i.chain_max >= 1, i.chain_max <= _MOST)
    if step in ("cpulist", "release"):
        yield i.cpus <= _CPUS
    if step == "drain":
        # The lowest chain that is not full; a new kd's first row is its row 0.
        named = f.est_add_ktid
        usable = _truth(f.exists(named))
        for cid in _range(size.chains):
            lower = z3.And(usable, cid < i.cid)
            yield z3.Implies(lower, _truth(f.full(named, i.row, cid)))
        yield z3.Or(usable, z3.And(i.cid == 0, i.row == f.ktrow(i.est)))


def _read(model: z3.ModelRef, state: Z3State, size: Size) -> Concrete:

    def number(term: z3.ArithRef) -> int:
        value = model.evaluate(term, model_completion=True)
        assert isinstance(value, z3.IntNumRef)
        return value.as_long()

    def truth(formula: Formula) -> bool:
        return z3.is_true(model.evaluate(_truth(formula), model_completion=True))

    def bits(formulas: Iterable[Formula]) -> int:
        return sum(1 << index for index, formula in enumerate(formulas) if truth(formula))

    def context(slot: z3.ArithRef) -> ConcreteContext:
        rows, chains = _range(size.rows), _range(size.chains)
        return ConcreteContext(
            number(slot),
            number(state.est_count(slot)),
            number(state.est_max_count(slot)),
            number(state.chain_max(slot)),
            number(state.tick_max(slot)),
            bits(state.avail(slot, row) for row in rows),
            tuple(number(state.tick_len(slot, row)) for row in rows),
            tuple(
                ConcreteTick(
                    number(row),
                    bits(state.present(slot, row, cid) for cid in chains),
                    bits(state.full(slot, row, cid) for cid in chains),
                    tuple(number(state.chain_len(slot, row, cid)) for cid in chains),
                )
                for row in rows
                if truth(state.tick_exists(slot, row))
            ),
        )

    def estimator(est: z3.ArithRef) -> ConcreteEstimator:
        here = [place for place in _places(size) if truth(state.on_chain(est, *place))]
        assert len(here) <= 1
        place = tuple(number(term) for term in here[0]) if here else None
        assert place is None or len(place) == 3
        return ConcreteEstimator(
            number(est),
            truth(state.on_temp_list(est)),
            place,
            truth(state.is_object(est)),
            truth(state.is_total(est)),
            number(state.ktid(est)),
            number(state.ktrow(est)),
            number(state.ktcid(est)),
        )

    given = INPUTS
    inputs: Inputs[bool, int] = Inputs(
        est=number(given.est),
        total=truth(given.total),
        slot=number(given.slot),
        row=number(given.row),
        cid=number(given.cid),
        add_ktid=number(given.add_ktid),
        kt_count=number(given.kt_count),
        delay=number(given.delay),
        chain_max=number(given.chain_max),
        cpus=number(given.cpus),
        flag=truth(given.flag),
    )
    found = [estimator(est) for est in _range(size.estimators)]
    used = [
        concrete_estimator
        for concrete_estimator in found
        if concrete_estimator.is_object
        or concrete_estimator.waits
        or concrete_estimator.place
        or concrete_estimator.id == inputs.est
    ]
    return Concrete(
        state.params,
        truth(state.enable),
        truth(state.est_stopped),
        truth(state.est_calc_phase),
        truth(state.run_estimation),
        truth(state.cpulist_valid),
        number(state.est_kt_count),
        number(state.est_add_ktid),
        number(state.est_max_threads),
        number(state.est_chain_max),
        number(state.kthread_cpus),
        tuple(context(slot) for slot in _range(size.slots) if truth(state.exists(slot))),
        tuple(used),
        inputs,
    )
