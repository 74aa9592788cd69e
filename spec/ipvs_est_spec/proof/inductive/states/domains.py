"""What the quantifiers range over in the proofs: all numbers; the bodies say which there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, Protocol, TypeVar

from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


class Quantifiers(Protocol[B, N]):
    """How an algebra says that something holds for all."""

    def slots(self, body: Callable[[N], B], /) -> B:
        """For every slot number."""
        ...

    def rows(self, slot: N, body: Callable[[N], B], /) -> B:
        """For every row number."""
        ...

    def chains(self, slot: N, row: N, body: Callable[[N], B], /) -> B:
        """For every chain id."""
        ...

    def estimators(self, body: Callable[[N], B], /) -> B:
        """For every estimator there is."""
        ...


@dataclass(frozen=True, slots=True)
class GuardedDomains(Generic[B, N]):
    """`Domains` over quantifiers that range over more than there is in a state."""

    quantifiers: Quantifiers[B, N]

    def slots(self, state: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        """The numbers below est_kt_count."""
        a, count = state.algebra, state.est_kt_count
        return self.quantifiers.slots(
            lambda slot: a.implies(_below(a, slot, count), body(slot)),
        )

    def rows(self, state: AbstractState[B, N], slot: N, body: Callable[[N], B], /) -> B:
        """The numbers below nticks."""
        a = state.algebra
        count = a.number(state.params.nticks)
        return self.quantifiers.rows(slot, lambda row: a.implies(_below(a, row, count), body(row)))

    def chains(self, state: AbstractState[B, N], slot: N, row: N, body: Callable[[N], B], /) -> B:
        """The numbers below tick_chains."""
        a = state.algebra
        count = a.number(state.params.tick_chains)
        return self.quantifiers.chains(
            slot, row, lambda cid: a.implies(_below(a, cid, count), body(cid))
        )

    def estimators(self, state: AbstractState[B, N], body: Callable[[N], B], /) -> B:
        """Those that belong to an object or are on a list."""
        a = state.algebra
        return self.quantifiers.estimators(
            lambda est: a.implies(
                a.either(state.is_object(est), a.less(a.number(0), state.times_listed(est))),
                body(est),
            )
        )

    def counters(self, state: AbstractState[B, N], body: Callable[[N, N], B], /) -> B:
        """None is modelled in the proofs."""
        del state, body
        left_out()


def left_out(*_: object) -> NoReturn:
    """In place of what a state of the proofs has no knowledge of: genids, tasks, counters."""
    raise ValueError("a state of these proofs has no genids, tasks or counters")


def _below(a: Algebra[B, N], number: N, count: N) -> B:
    return a.both(a.at_most(a.number(0), number), a.less(number, count))
