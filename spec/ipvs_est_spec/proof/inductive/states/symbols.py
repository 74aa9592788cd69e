"""Any state at all, as symbols: what is assumed of it, at which terms, and the steps' inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.inductive.states.domains import GuardedDomains, left_out
from ipvs_est_spec.proof.inductive.states.formula import (
    Every,
    Formula,
    FormulaAlgebra,
    Ground,
    Sort,
    skolem_term,
    truth_term,
)
from ipvs_est_spec.proof.inductive.steps import Inputs
from ipvs_est_spec.state.abstract_state import AbstractState

Z3State = AbstractState[Formula, z3.ArithRef]

T = TypeVar("T")


class FormulaQuantifiers:
    """Makes quantified formulas."""

    def slots(self, body: Callable[[z3.ArithRef], Formula]) -> Formula:
        """For every slot number."""
        return Every(Sort.SLOT, (), body)

    def rows(self, slot: z3.ArithRef, body: Callable[[z3.ArithRef], Formula]) -> Formula:
        """For every row number."""
        return Every(Sort.ROW, (slot,), body)

    def chains(
        self, slot: z3.ArithRef, row: z3.ArithRef, body: Callable[[z3.ArithRef], Formula]
    ) -> Formula:
        """For every chain id."""
        return Every(Sort.CHAIN, (slot, row), body)

    def estimators(self, body: Callable[[z3.ArithRef], Formula]) -> Formula:
        """For every estimator there is."""
        return Every(Sort.ESTIMATOR, (), body)


ALGEBRA = FormulaAlgebra()
QUANTIFIERS = FormulaQuantifiers()


def _once(function: Callable[..., T]) -> Callable[..., T]:
    """Makes each term once: making them takes z3 longer than deciding with them."""
    made: dict[tuple[int, ...], tuple[tuple[z3.ArithRef, ...], T]] = {}

    def known(*of: z3.ArithRef) -> T:
        key = tuple(term.get_id() for term in of)
        if key not in made:
            # Ids are those of terms that are alive.
            made[key] = of, function(*of)
        return made[key][1]

    return known


@cache
def any_state(params: Params) -> Z3State:
    """A state of which nothing is known but that its functions are total: for what does not
    exist they answer 0 or false."""
    a = ALGEBRA
    count = z3.Int("est_kt_count")

    def below(number: z3.ArithRef, limit: z3.ArithRef | int) -> z3.BoolRef:
        return z3.And(number >= 0, number < limit)

    @_once
    def exists(slot: z3.ArithRef) -> z3.BoolRef:
        return z3.And(below(slot, count), truth_term("has_kd", slot))

    @_once
    def has_tick(slot: z3.ArithRef, row: z3.ArithRef) -> z3.BoolRef:
        return z3.And(exists(slot), below(row, params.nticks), truth_term("tick_exists", slot, row))

    def of_kd(name: str) -> Callable[[z3.ArithRef], z3.ArithRef]:
        return lambda s: z3.If(exists(s), skolem_term(name, s), z3.IntVal(0))

    def of_row(name: str) -> Callable[[z3.ArithRef, z3.ArithRef], z3.ArithRef]:
        return lambda s, r: z3.If(
            z3.And(exists(s), below(r, params.nticks)), skolem_term(name, s, r), z3.IntVal(0)
        )

    def of_chain(
        name: str,
    ) -> Callable[[z3.ArithRef, z3.ArithRef, z3.ArithRef], z3.ArithRef]:
        return lambda s, r, c: z3.If(
            z3.And(has_tick(s, r), below(c, params.tick_chains)),
            skolem_term(name, s, r, c),
            z3.IntVal(0),
        )

    def bit_of_chain(
        name: str,
    ) -> Callable[[z3.ArithRef, z3.ArithRef, z3.ArithRef], Formula]:
        return lambda s, r, c: Ground(
            z3.And(has_tick(s, r), below(c, params.tick_chains), truth_term(name, s, r, c))
        )

    def on_chain(e: z3.ArithRef, s: z3.ArithRef, r: z3.ArithRef, c: z3.ArithRef) -> Formula:
        return Ground(
            z3.And(
                skolem_term("times_listed", e) > 0,
                has_tick(s, r),
                below(c, params.tick_chains),
                truth_term("on_chain", e, s, r, c),
            )
        )

    return AbstractState(
        algebra=a,
        params=params,
        domains=GuardedDomains(QUANTIFIERS),
        enable=Ground(z3.Bool("enable")),
        est_stopped=Ground(z3.Bool("est_stopped")),
        est_calc_phase=Ground(z3.Bool("est_calc_phase")),
        run_estimation=Ground(z3.Bool("run_estimation")),
        cpulist_valid=Ground(z3.Bool("cpulist_valid")),
        est_kt_count=count,
        est_add_ktid=z3.Int("est_add_ktid"),
        est_max_threads=z3.Int("est_max_threads"),
        est_chain_max=z3.Int("est_chain_max"),
        temp_length=z3.Int("temp_length"),
        kthread_cpus=z3.Int("kthread_cpus"),
        contexts=z3.Int("contexts"),
        exists=_once(lambda s: Ground(exists(s))),
        est_count=_once(of_kd("est_count")),
        est_max_count=_once(of_kd("est_max_count")),
        chain_max=_once(of_kd("chain_max")),
        tick_max=_once(of_kd("tick_max")),
        est_row=_once(of_kd("est_row")),
        kd_length=_once(of_kd("kd_length")),
        avail=_once(
            lambda s, r: Ground(
                z3.And(exists(s), below(r, params.nticks), truth_term("avail", s, r))
            )
        ),
        tick_exists=_once(lambda s, r: Ground(has_tick(s, r))),
        tick_len=_once(of_row("tick_len")),
        tick_length=_once(
            lambda s, r: z3.If(has_tick(s, r), skolem_term("tick_length", s, r), z3.IntVal(0))
        ),
        present=_once(bit_of_chain("present")),
        full=_once(bit_of_chain("full")),
        chain_len=_once(of_chain("chain_len")),
        true_length=_once(of_chain("true_length")),
        is_object=_once(lambda e: Ground(truth_term("is_object", e))),
        is_total=_once(
            lambda e: Ground(z3.And(truth_term("is_object", e), truth_term("is_total", e)))
        ),
        ktid=_once(lambda e: skolem_term("ktid", e)),
        ktrow=_once(lambda e: skolem_term("ktrow", e)),
        ktcid=_once(lambda e: skolem_term("ktcid", e)),
        times_listed=_once(lambda e: skolem_term("times_listed", e)),
        on_temp_list=_once(
            lambda e: Ground(
                z3.And(skolem_term("times_listed", e) > 0, truth_term("on_temp_list", e))
            )
        ),
        on_chain=_once(on_chain),
        restart_pending=left_out,
        running=left_out,
        task_freed=left_out,
        task_stopping=left_out,
    )


INPUTS: Inputs[Formula, z3.ArithRef] = Inputs(
    est=z3.Int("est"),
    total=Ground(z3.Bool("est is the total")),
    slot=z3.Int("new slot"),
    row=z3.Int("row"),
    cid=z3.Int("cid"),
    add_ktid=z3.Int("new est_add_ktid"),
    kt_count=z3.Int("new est_kt_count"),
    delay=z3.Int("delay"),
    chain_max=z3.Int("new est_chain_max"),
    cpus=z3.Int("new kthread_cpus"),
    flag=Ground(z3.Bool("flag")),
)


@dataclass(frozen=True, slots=True)
class Other:
    """The element at which the conclusion is denied: any one at all."""

    slot: z3.ArithRef
    row: z3.ArithRef
    chain: z3.ArithRef
    est: z3.ArithRef


OTHER = Other(z3.Int("some slot"), z3.Int("some row"), z3.Int("some cid"), z3.Int("some est"))


def place_of(est: z3.ArithRef) -> tuple[z3.ArithRef, z3.ArithRef, z3.ArithRef]:
    """`ktid`, `ktrow` and `ktcid` before the step."""
    return skolem_term("ktid", est), skolem_term("ktrow", est), skolem_term("ktcid", est)
