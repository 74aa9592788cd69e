"""Strategies of Hypothesis for what the checks read."""

from collections.abc import Iterable
from dataclasses import fields

from hypothesis import strategies as st

from ipvs_est import Params
from ipvs_est.language.operations import BOUNDS, OPERATIONS, Operation
from ipvs_est.language.params import MAX_POSSIBLE_CPUS
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.scenarios.strategy import scenarios as _scenarios
from ipvs_est_checks.machines.parts.cpulist_machine import texts
from ipvs_est_checks.testing.random_histories import history, steps


def operations(
    kinds: Iterable[type[Operation]] = OPERATIONS,
) -> st.SearchStrategy[Operation]:
    """Well-formed operations of these kinds, over the whole range of their fields; most make no
    sense on a given machine."""
    return st.one_of([_operations_of(kind) for kind in kinds])


def histories(
    params: Params, *, min_size: int = 5, max_size: int = 40, failures: bool = False
) -> st.SearchStrategy[tuple[Operation, ...]]:
    """Histories of a machine from netns init on, which are mostly valid.

    `min_size` and `max_size` count steps, of which one is one operation or some. With `failures`
    allocations may fail, so that an object need not exist that is used later.
    """
    return steps(min_size, max_size).map(
        lambda chosen: tuple(history(params, chosen, failures=failures))
    )


def cpulists(possible_cpus: int) -> st.SearchStrategy[str]:
    """Texts for `est_cpulist`, good ones and bad ones."""
    return texts(possible_cpus)


def scenarios() -> st.SearchStrategy[Scenario]:
    """Small scenarios that are taken by all revisions."""
    return _scenarios()


def _operations_of(kind: type[Operation]) -> st.SearchStrategy[Operation]:
    chosen = {field.name: _value(field.name) for field in fields(kind)}
    return st.builds(kind, **chosen)


def _value(name: str) -> st.SearchStrategy[object]:
    if name == "text":
        # Without surrogates: JSON makes one character of two of them.
        return st.text(max_size=40)
    if name == "allowed":
        return st.none() | st.frozensets(st.integers(0, MAX_POSSIBLE_CPUS - 1), max_size=8)
    return st.integers(*BOUNDS[name])
