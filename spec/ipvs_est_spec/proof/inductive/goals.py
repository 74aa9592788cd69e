"""Goals of the induction: an invariant holds after a step, given others before it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from typing import assert_never

from ipvs_est.language.params import Params
from ipvs_est.language.revision import REPAIRED, Revision
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.catalogue import STATE_PROPERTIES
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal
from ipvs_est_spec.proof.inductive.auxiliary import AUXILIARY, Auxiliary
from ipvs_est_spec.proof.inductive.changes import Change
from ipvs_est_spec.proof.inductive.states.facts import FACTS, Fact
from ipvs_est_spec.proof.inductive.states.formula import Formula, Sort, assumed, denied, skolem_term
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, OTHER, Z3State, any_state, place_of
from ipvs_est_spec.proof.inductive.steps import BY_ID
from ipvs_est_spec.property import Predicate, StateProperty

GROUPS = ("place", "counts", "bitmaps", "limits", "array")

INVARIANTS: dict[str, StateProperty | Auxiliary] = {
    **{prop.id: prop for prop in STATE_PROPERTIES if prop.group in GROUPS},
    **{auxiliary.id: auxiliary for auxiliary in AUXILIARY},
}
"""The catalogue's own, by id, and those that the induction needs besides."""


@dataclass(frozen=True, slots=True)
class Terms:
    """At which terms universal assumptions are used.

    Slots: the step's own, that at which the conclusion is denied, 0, the last one, the one that
    est_add_ktid names. Rows and chains: the step's own and the other ones in the step's own slot
    and row, where they may be neighbours, and the other ones in their own.
    """

    slots: tuple[z3.ArithRef, ...]
    rows: Mapping[int, tuple[z3.ArithRef, ...]]
    """By z3's id of the slot."""
    chains: Mapping[tuple[int, int], tuple[z3.ArithRef, ...]]
    """By those of slot and row."""
    estimators: tuple[z3.ArithRef, ...]
    every_kd: tuple[z3.ArithRef, ...] = ()
    """More rows, of any slot."""
    every_tick: tuple[z3.ArithRef, ...] = ()
    """More chains, of any slot and row."""


class OwnPlace(Enum):
    """Which chain a step has to do with."""

    NONE = "none"
    OF_THE_ESTIMATOR = "where its estimator is"
    FOUND = "what the search for a row and a chain finds"


_OWN_PLACES = {
    "stop": OwnPlace.OF_THE_ESTIMATOR,
    "relink": OwnPlace.OF_THE_ESTIMATOR,
    "drain": OwnPlace.FOUND,
    "add-context": OwnPlace.FOUND,
}


def own_place(step: str) -> OwnPlace:
    """Of a step; steps of which it is the same use universal assumptions at the same terms."""
    return _OWN_PLACES.get(step, OwnPlace.NONE)


def terms_of(place: OwnPlace) -> Terms:
    """Those of the steps with such a place."""
    count, add = z3.Int("est_kt_count"), z3.Int("est_add_ktid")
    listed = place_of(OTHER.est)
    others = ((OTHER.slot, OTHER.row, OTHER.chain), listed)
    slots = [z3.IntVal(0), count - 1, add, OTHER.slot, listed[0]]
    rows: dict[int, tuple[z3.ArithRef, ...]] = {slot.get_id(): (row,) for slot, row, _ in others}
    chains: dict[tuple[int, int], tuple[z3.ArithRef, ...]] = {
        (slot.get_id(), row.get_id()): (chain,) for slot, row, chain in others
    }
    own: tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef] | None = None
    if place is OwnPlace.OF_THE_ESTIMATOR:
        own = place_of(INPUTS.est)
        slots += [own[0], INPUTS.add_ktid, INPUTS.kt_count - 1]
    if place is OwnPlace.FOUND:
        own = (add, INPUTS.row, INPUTS.cid)
        slots += [INPUTS.slot, INPUTS.add_ktid]
        # A new tick has a chain besides the one that is used.
        here = (OTHER.slot.get_id(), OTHER.row.get_id())
        chains[here] = (*chains[here], z3.IntVal(0), z3.IntVal(1))
    if own is not None:
        slot, row, chain = own
        rows[slot.get_id()] = (row, *(other[1] for other in others))
        chains[slot.get_id(), row.get_id()] = (chain, *(other[2] for other in others))
        for other in others:
            chains[slot.get_id(), other[1].get_id()] = (other[2],)
        here = (OTHER.slot.get_id(), OTHER.row.get_id())
        chains[here] = (*chains[here], chain)
    return Terms(tuple(slots), rows, chains, (INPUTS.est, OTHER.est))


class Instances:
    """Grounds formulas, and remembers the rows and chains that they say there are."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.found: dict[tuple[int, ...], dict[int, z3.ArithRef]] = {}

    def apart(self) -> "Instances":
        """The same now; what either finds from here on is its own."""
        copy = Instances(self.terms)
        copy.found = {where: dict(found) for where, found in self.found.items()}
        return copy

    def representatives(self, sort: Sort, inside: tuple[z3.ArithRef, ...]) -> Iterable[z3.ArithRef]:
        """Terms of the sort."""
        where = tuple(term.get_id() for term in inside)
        found = self.found.get(where, {}).values()
        match sort:
            case Sort.SLOT:
                return self.terms.slots
            case Sort.ESTIMATOR:
                return (*self.terms.estimators, *found)
            case Sort.ROW:
                return (*self.terms.rows.get(where[0], ()), *self.terms.every_kd, *found)
            case Sort.CHAIN:
                own = self.terms.chains.get((where[0], where[1]), ())
                return (*own, *self.terms.every_tick, *found)
            case _:
                assert_never(sort)

    def _new(
        self,
        label: str,
        sort: Sort,
        inside: tuple[z3.ArithRef, ...],
        around: tuple[z3.ArithRef, ...],
        place: str,
    ) -> z3.ArithRef:
        term = skolem_term(f"{sort.value} for {label}{place}", *around)
        if sort in (Sort.ROW, Sort.CHAIN) or (sort is Sort.ESTIMATOR and not around):
            where = tuple(term.get_id() for term in inside)
            self.found.setdefault(where, {})[term.get_id()] = term
        return term

    def assume(self, label: str, formula: Formula) -> z3.BoolRef:
        """What follows from a formula that holds."""

        def witness(
            sort: Sort,
            inside: tuple[z3.ArithRef, ...],
            around: tuple[z3.ArithRef, ...],
            place: str,
        ) -> z3.ArithRef:
            return self._new(label, sort, inside, around, place)

        return assumed(formula, self.representatives, witness)

    def deny(self, label: str, formula: Formula) -> z3.BoolRef:
        """What follows from a formula that does not hold: it fails at the other element."""
        others = {
            Sort.SLOT: OTHER.slot,
            Sort.ROW: OTHER.row,
            Sort.CHAIN: OTHER.chain,
            Sort.ESTIMATOR: OTHER.est,
        }
        used: dict[Sort, str] = {}

        def witness(
            sort: Sort,
            inside: tuple[z3.ArithRef, ...],
            around: tuple[z3.ArithRef, ...],
            place: str,
        ) -> z3.ArithRef:
            # One name for two elements would be wrong.
            own = all(any(term.eq(other) for other in others.values()) for term in around)
            if own and used.setdefault(sort, place) == place:
                return others[sort]
            return self._new(label, sort, inside, around, place)

        return denied(formula, self.representatives, witness)


WITNESSES = (
    "chains-bounded",
    "chains-long",
    "ticks-bounded",
    "ticks-long",
    "lists",
    "bitmaps.avail",
)
"""Facts and invariants that say that there is a row, a chain or an estimator."""


class Before:
    """What can be assumed before a step, as ground terms that are made when they are asked for."""

    def __init__(
        self,
        state: Z3State,
        terms: Terms,
        formulas: Mapping[str, Callable[[], Formula]],
        witnesses: Sequence[str] = WITNESSES,
    ) -> None:
        """`formulas`: facts and invariants, said of the state."""
        self.state = state
        self.instances = Instances(terms)
        self._formulas = formulas
        self._known: dict[str, z3.BoolRef] = {}
        # All others are instantiated at what these say there is.
        for witness in witnesses:
            self.instances.assume(witness, formulas[witness]())

    def holds(self, id_: str) -> z3.BoolRef:
        """A fact or an invariant."""
        if id_ not in self._known:
            # Apart, so that it does not depend on what was asked before.
            self._known[id_] = self.instances.apart().assume(id_, self._formulas[id_]())
        return self._known[id_]


def formulas_of(state: Z3State, facts: Iterable[Fact]) -> dict[str, Callable[[], Formula]]:
    """By id: the facts, and the invariants of states."""
    predicates: dict[str, Predicate] = {
        **{fact.id: fact.predicate for fact in facts},
        **{invariant.id: invariant.predicate for invariant in INVARIANTS.values()},
    }
    return {id_: partial(predicate, state) for id_, predicate in predicates.items()}


def before(params: Params, step: str) -> Before:
    """Any state before a step."""
    return _before(params, own_place(step))


@cache
def _before(params: Params, place: OwnPlace) -> Before:
    state = any_state(params)
    return Before(state, terms_of(place), formulas_of(state, FACTS))


def preserved(
    invariant: str,
    step: str,
    change: Change[Formula, z3.ArithRef],
    params: Params,
    needs: Sequence[str],
    facts: Sequence[str],
    name: str,
) -> Goal:
    """The invariant holds after that change, if the needed ones hold before it."""
    known = before(params, step)
    premise = _premise(params, step, change)
    return Goal(
        name,
        tuple(Assumption(name, INVARIANTS[name].sentence, known.holds(name)) for name in needs),
        held_after(invariant, step, change, params),
        (*(known.holds(fact) for fact in facts), premise),
        shown(known.state),
    )


@cache
def _premise(params: Params, step: str, change: Change[Formula, z3.ArithRef]) -> z3.BoolRef:
    return before(params, step).instances.apart().assume(f"premise of {step}", change.premise)


def change_of(
    step: str, case: str, revision: Revision, params: Params
) -> Change[Formula, z3.ArithRef]:
    """What a case of a step makes of any state."""
    return changes_of(step, revision, params)[case]


@cache
def changes_of(
    step: str, revision: Revision, params: Params
) -> Mapping[str, Change[Formula, z3.ArithRef]]:
    """What each case of a step makes of any state."""
    return BY_ID[step].build(before(params, step).state, revision, INPUTS)


def held_after(
    invariant: str, step: str, change: Change[Formula, z3.ArithRef], params: Params
) -> z3.BoolRef:
    """The conclusion of a goal: the invariant holds after the change."""
    return _held(invariant, before(params, step), change.after)


@cache
def held_before(invariant: str, step: str, params: Params) -> z3.BoolRef:
    """The conclusion of a goal, of the state before the step."""
    known = before(params, step)
    return _held(invariant, known, known.state)


def _held(invariant: str, known: Before, state: Z3State) -> z3.BoolRef:
    predicate = INVARIANTS[invariant].predicate
    return z3.Not(known.instances.apart().deny(invariant, predicate(state)))


def initially(invariant: str, params: Params) -> Goal:
    """The invariant holds before netns init."""
    return preserved(
        invariant,
        "initial",
        change_of("initial", "", REPAIRED, params),
        params,
        (),
        (),
        "initially",
    )


def shown(state: Z3State) -> tuple[tuple[str, z3.ExprRef], ...]:
    """Of a counterexample."""
    est, other = INPUTS.est, OTHER
    slot, row, cid = place_of(est)
    zero = z3.IntVal(0)
    return (
        ("est_kt_count", state.est_kt_count),
        ("contexts", state.contexts),
        ("est_add_ktid", state.est_add_ktid),
        ("est_max_threads", state.est_max_threads),
        ("est_chain_max", state.est_chain_max),
        ("temp_length", state.temp_length),
        ("kd 0 est_count", state.est_count(zero)),
        ("kd 0 chain_max", state.chain_max(zero)),
        ("ktid", slot),
        ("ktrow", row),
        ("ktcid", cid),
        ("its kd's est_count", state.est_count(slot)),
        ("row", INPUTS.row),
        ("cid", INPUTS.cid),
        ("new est_add_ktid", INPUTS.add_ktid),
        ("new est_chain_max", INPUTS.chain_max),
        ("some slot", other.slot),
        ("some row", other.row),
        ("some cid", other.chain),
        ("true_length there", state.true_length(other.slot, other.row, other.chain)),
        ("chain_max there", state.chain_max(other.slot)),
    )
