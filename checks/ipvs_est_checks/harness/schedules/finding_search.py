"""Findings that need a schedule, searched for on a tree's code."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ipvs_est_checks.explore.scenarios.scenario import Scenario, load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.known.finding import Finding, Schedule
from ipvs_est_checks.subjects.finding_search import CAUSES, MOST_SCHEDULES
from ipvs_est_checks.subjects.judged_schedules import JUDGED, PropertyJudge
from ipvs_est_checks.subjects.schedules import (
    FailingRuns,
    Fields,
    Searched,
    prepare,
    schedule_text,
    search,
)

_CAUSES = {**CAUSES, "tasks.enabled": "task-started-while-disabled"}
"""By property that no state shows: how the cause of a run that breaks it begins."""


@dataclass(frozen=True, slots=True)
class _OnCode:
    """Where a finding is looked for on code, if not as on the model.

    Code has a point at each access to a shared field, some hundred where the model has ten: there
    the fields that the race is about are named, and time is left out that it does not need.
    """

    fields: Fields = True
    scenario: str = ""
    """'': the finding's own."""
    preemptions: int | None = None
    jiffies: int | None = None
    parts: tuple[str, ...] = ()
    """Names of operations: the control processes do these alone, one search for each."""
    remark: str = ""
    """What has to be said where it shows."""


_LISTS = ("est_temp_list", "est.list", "est.place")
_ON_CODE = {
    "F17": _OnCode(fields=False),
    "F18": _OnCode(
        fields=("est_max_threads", "est_cpulist_valid", "sysctl_est_cpulist"), jiffies=0
    ),
    "F19": _OnCode(fields=_LISTS, scenario="exit-in-later-drain", preemptions=2),
    "F20": _OnCode(fields=False, jiffies=10, remark="in a geometry that no kernel has"),
    "F27": _OnCode(fields=_LISTS, scenario="exit-in-later-drain", preemptions=2),
    "F28": _OnCode(fields=False, jiffies=0, parts=("nice", "run_estimation")),
}
"""By finding."""


@dataclass(frozen=True, slots=True)
class SeenOnCode:
    """What came of the search for a finding."""

    shows: bool | None
    """None: not all of its schedules were tried."""
    observation: str


def search_on_code(tree: Tree, finding: Finding, schedule: Schedule) -> SeenOnCode:
    """Search the finding's scenario for the way in which its property fails.

    Raises BadInputError if the program cannot be built or does not take the scenario.
    """
    how = _ON_CODE.get(finding.id, _OnCode())
    scenario = load(how.scenario or schedule.scenario)
    if how.jiffies is not None:
        scenario = replace(scenario, jiffies=how.jiffies)
    if scenario.params.steps_per_break:
        return SeenOnCode(None, "the code breaks its walks after 64 steps only")
    bound = schedule.preemptions if how.preemptions is None else how.preemptions
    seen = [
        _searched(tree, finding, part, how, bound, name)
        for part, name in _parts(scenario, how.parts)
    ]
    shown = [seen_on_code for seen_on_code in seen if seen_on_code.shows]
    text = "; ".join(seen_on_code.observation for seen_on_code in shown or seen)
    if how.remark:
        text = f"{text} ({how.remark})"
    if shown:
        # One that shows in a part only is told as such: a patch may have mended the other.
        missing = [seen_on_code.observation for seen_on_code in seen if not seen_on_code.shows]
        return SeenOnCode(True, "; but ".join([text, *missing]))
    return SeenOnCode(
        None if any(seen_on_code.shows is None for seen_on_code in seen) else False, text
    )


def _parts(scenario: Scenario, names: tuple[str, ...]) -> Iterator[tuple[Scenario, str]]:
    if not names:
        yield scenario, ""
    for name in names:
        actors = tuple(
            replace(actor, operations=tuple(op for op in actor.operations if op.op == name))
            for actor in scenario.actors
        )
        yield replace(scenario, actors=actors), name


def _searched(
    tree: Tree, finding: Finding, scenario: Scenario, how: _OnCode, preemptions: int, part: str
) -> SeenOnCode:
    name = finding.properties[0]
    begins = _CAUSES.get(name, f"{name} ")
    judge = None if name in _CAUSES else PropertyJudge(scenario.params, frozenset({name}) & JUDGED)
    with running(build(tree, options_for(scenario.params, Variant.POINTS))) as program:
        ask = asking(program)
        prepare(ask, scenario, judge=judge)
        found = search(
            ask,
            scenario,
            preemptions=preemptions,
            fields=how.fields,
            most=MOST_SCHEDULES,
            ends=_begins(begins),
            judge=judge,
        )
    bound = f"{scenario.name} with at most {preemptions} preemptions"
    of_part = f"{part}: " if part else ""
    for failure in found.failures:
        if failure.cause.startswith(begins):
            return SeenOnCode(
                True, f"{of_part}{failure.cause} ({_observation(tree, failure, bound, how)})"
            )
    return _not_seen(found, bound, of_part)


def _begins(text: str) -> Callable[[str], bool]:
    return lambda cause: cause.startswith(text)


def _observation(tree: Tree, failure: FailingRuns, bound: str, how: _OnCode) -> str:
    number = f"schedule {failure.number} of {bound}"
    if how.parts or tree.edited:
        # No command has a scenario's part, or a tree's edits.
        return number
    fields = how.fields
    kind = "fields" if fields is True else "locks" if fields is False else ",".join(fields)
    again = f"ipvs-est explore --tree {shlex.quote(str(tree.path))} {bound.split()[0]}"
    if failure.property:
        again += f" --property {failure.property}"
    return f"{number}; again: {again} --replay {kind}:{schedule_text(failure.run)}"


def _not_seen(found: Searched, bound: str, of_part: str) -> SeenOnCode:
    if found.exhausted:
        return SeenOnCode(False, f"{of_part}in none of {found.schedules} schedules of {bound}")
    return SeenOnCode(
        None, f"{of_part}not all schedules of {bound} were tried, {found.schedules} were"
    )
