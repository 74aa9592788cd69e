"""The sequential driver checked against itself: how time is cut up must not matter."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvs_est import OperationError, Oracle, Params, Revision, Snapshot, ViolationError
from ipvs_est.language.operations import Advance, Operation, Settle
from ipvs_est_checks.testing.random_histories import Step, history, params, revisions, steps

# Fixed seeds: a run on another day finds the same.
repeatable = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

Outcome = tuple[list[str], Snapshot]


def outcome(params: Params, revision: Revision, operations: Sequence[Operation]) -> Outcome:
    """What each operation but those that let time pass answers, and the state at the end."""
    oracle = Oracle(params, revision)
    answers: list[str] = []
    for operation in operations:
        try:
            answer = str(oracle.apply(operation))
        except (OperationError, ViolationError) as error:
            answer = str(error)
        if not isinstance(operation, Advance | Settle) or oracle.ended:
            answers.append(answer)
        if oracle.ended:
            break
    return answers, oracle.snapshot()


@repeatable
@given(params=params(), revision=revisions(), chosen=steps())
def test_jiffy_by_jiffy_gives_what_one_advance_gives(
    params: Params, revision: Revision, chosen: list[Step]
) -> None:
    operations = history(params, chosen)
    cut: list[Operation] = []
    for operation in operations:
        if isinstance(operation, Advance):
            cut += [Advance(1)] * operation.n or [Advance(0)]
        else:
            cut.append(operation)
    assert outcome(params, revision, cut) == outcome(params, revision, operations)


@repeatable
@given(
    params=params(),
    revision=revisions(),
    chosen=steps(),
    places=st.lists(st.booleans(), min_size=400, max_size=400),
)
def test_settling_around_an_advance_changes_nothing(
    params: Params, revision: Revision, chosen: list[Step], places: list[bool]
) -> None:
    operations = history(params, chosen)
    settled: list[Operation] = []
    for operation, here in zip(operations, [*places, *[True] * len(operations)], strict=False):
        if isinstance(operation, Advance | Settle) and here:
            settled += [Settle(), operation, Settle(), Advance(0)]
        else:
            settled.append(operation)
    assert outcome(params, revision, settled) == outcome(params, revision, operations)


@repeatable
@given(params=params(), revision=revisions(), chosen=steps())
def test_equal_histories_give_equal_snapshots(
    params: Params, revision: Revision, chosen: list[Step]
) -> None:
    operations = history(params, chosen, failures=True)
    assert outcome(params, revision, operations) == outcome(params, revision, operations)


def test_the_random_histories_reach_what_they_are_meant_to() -> None:
    threads: list[int] = []
    computed: list[bool] = []

    @settings(repeatable, max_examples=160)
    @given(params=params(), revision=revisions(), chosen=steps())
    def watch(params: Params, revision: Revision, chosen: list[Step]) -> None:
        oracle = Oracle(params, revision)
        most = 0
        for operation in history(params, chosen):
            try:
                oracle.apply(operation)
            except ViolationError:
                break
            most = max(most, oracle.state().kt_count)
        threads.append(most)
        computed.append(oracle.state().chain_max > 0)

    watch()
    # Bounds, not counts: another release of Hypothesis may draw other histories.
    assert len(threads) >= 100
    assert sum(thread >= 2 for thread in threads) >= 15
    assert sum(thread >= 3 for thread in threads) >= 8
    assert sum(computed) >= 50
