"""The record of events that a tree's program gives by hooks alone, beside the model's own."""

import pytest

from ipvs_est import MAINLINE, STABLE, Oracle, Revision
from ipvs_est.language.events import Event, LimitsMeasured, Stopped
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.judge import oracles
from kernels.kernel_trees import need_tree

# Hooks do not come to what the limits test has measured; who runs is told of each side's tasks.
NOT_COMPARED = {"limits-measured", "resumed", "paused", "lock-taken", "lock-released"}
NAMES = (
    "one-by-one",
    "limits-come-anew",
    "tasks-stop-and-start",
    "memory-runs-out",
    "counts-and-rates",
    "destinations-come-back",
    "netns-goes-while-full",
    "threads-are-limited",
)


def by_kind(events: list[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        if event.kind not in NOT_COMPARED:
            found.setdefault(event.kind, []).append(event)
    # A netns that goes stops its services in the order of their table.
    if Stopped.kind in found:
        found[Stopped.kind].sort(key=lambda event: (event.jiffies, getattr(event, "id", 0)))
    return found


@pytest.mark.parametrize(
    ("series", "revision"), [((7, 3), MAINLINE), ((6, 12), STABLE)], ids=["7.3", "6.12"]
)
def test_the_code_does_what_the_model_does_event_by_event(
    series: tuple[int, int], revision: Revision
) -> None:
    tree = need_tree(series)
    compared = 0
    with oracles(tree) as new_oracle:
        for name in NAMES:
            code, model = new_oracle(MACHINE, revision), Oracle(MACHINE, revision)
            model.machine.events = []
            for operation in HISTORIES[name]:
                code.apply(operation)
                model.apply(operation)
            answer = by_kind(list(code.machine.events or ()))
            expected = by_kind(model.machine.events)
            assert answer == expected, name
            compared += sum(map(len, answer.values()))
    assert compared > 3000


def test_what_the_limits_test_measured_is_not_told() -> None:
    with oracles(need_tree()) as new_oracle:
        code = new_oracle(MACHINE, MAINLINE)
        for operation in HISTORIES["threads-are-full"]:
            code.apply(operation)
    assert not any(isinstance(event, LimitsMeasured) for event in code.machine.events or ())
