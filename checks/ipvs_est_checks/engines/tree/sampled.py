"""Engine: random histories on a tree's code, the naive model beside them, under all properties."""

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from ipvs_est import Params
from ipvs_est_checks.engines.tree.asked import (
    TAKEN,
    JudgedTree,
    TreeFailure,
    build_all,
    property_rows,
    told_once,
)
from ipvs_est_checks.harness.building.options import Variant
from ipvs_est_checks.harness.histories.judge import oracles
from ipvs_est_checks.history.subject_failure import RefusedError
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.machines.geometries import CHOICES
from ipvs_est_checks.machines.netns.driver import NAME as NETNS
from ipvs_est_checks.machines.netns.known_cause import JudgedFailure
from ipvs_est_checks.machines.profiles import PROFILES
from ipvs_est_checks.machines.report import FailureRecord, MachineReport, merged
from ipvs_est_checks.machines.run import run_round
from ipvs_est_checks.machines.system import SystemUnderTest
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.workers import Pool, results_of

HOW = "random histories"
_QUICK_MACHINES = 6
"""Each is a build of its own."""


@dataclass(frozen=True, slots=True)
class TreeRound:
    """One round of random histories."""

    judged: JudgedTree
    machines: tuple[Params, ...]
    profile: str
    seed: int
    number: int
    properties: frozenset[str] | None


def engine_sampled(trees: tuple[JudgedTree, ...]) -> Engine:
    """A row for each property; every other round is on the copy with repairs."""

    def engine(request: Request) -> Iterator[Row]:
        started = perf_counter()
        machines = _machines(trees, request)
        rounds = [
            TreeRound(
                trees[number % len(trees)],
                machines,
                request.profile,
                request.seed,
                number,
                request.properties,
            )
            for number in range(2 * PROFILES[request.profile].netns.rounds)
        ]
        failures: list[TreeFailure] = []
        reports: list[MachineReport] = []
        with Pool(min(request.jobs, len(rounds))) as pool:
            for task, report in results_of(pool, sampled_round, rounds, _name):
                request.progress("random histories", len(reports), len(rounds))
                reports.append(report)
                failures += [_failure(task.judged, failure) for failure in report.failures]
        found = told_once(failures, request)
        checks = dict(merged(reports).checks)
        yield from property_rows(request, HOW, checks, found, perf_counter() - started)

    return engine


def sampled_round(task: TreeRound) -> MachineReport:
    """The round; failures that nothing known explains are shortened on the tree's code."""
    with oracles(task.judged.tree) as new_oracle:
        system = SystemUnderTest(new_oracle, operations=TAKEN, geometries=task.machines)
        return run_round(
            task.judged.revision,
            task.profile,
            task.seed,
            NETNS,
            task.number,
            system=system,
            properties=task.properties,
        )


def _machines(trees: tuple[JudgedTree, ...], request: Request) -> tuple[Params, ...]:
    """Those that the tree can be, compiled."""
    taken: list[Params] = []
    refused = ""
    for params in dict.fromkeys(CHOICES):
        if request.profile == "quick" and len(taken) == _QUICK_MACHINES:
            break
        try:
            build_all(trees, (params,), Variant.PLAIN, request)
            with oracles(trees[0].tree) as new_oracle:
                new_oracle(params, trees[0].revision)
        except (BadInputError, RefusedError) as error:
            # Such as 32 bits, where the system cannot compile for them.
            refused = str(error)
            continue
        taken.append(params)
    if not taken:
        raise BadInputError(f"{trees[0].tree.path}: it can be no machine: {refused}")
    return tuple(taken)


def _failure(judged: JudgedTree, record: FailureRecord) -> TreeFailure:
    known = tuple(finding.id for finding in ALL if finding.id in _named(record.reason))
    failure = JudgedFailure(record.property, record.sentence, record.operations, known)
    return TreeFailure(record.params, failure, judged)


def _named(reason: str) -> frozenset[str]:
    return frozenset(word.partition(":")[0] for word in reason.split("; "))


def _name(task: TreeRound) -> str:
    return f"round {task.number}"
