"""Running the machines, from a command or a worker process."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from hypothesis.stateful import RuleBasedStateMachine

from ipvs_est import Oracle, Revision
from ipvs_est_checks.machines import (
    context_machine,
    counters_machine,
    cpulist_machine,
    netns_driver,
    netns_machine,
    situations,
)
from ipvs_est_checks.machines.profiles import PROFILES, Amount, Profile, explore
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    MachineReport,
    ReachRow,
    UnexpectedFailureError,
    add_failure,
)
from ipvs_est_checks.machines.shorten import shorten
from ipvs_est_checks.machines.system import System
from ipvs_est_checks.monitor import NewOracle


@dataclass(frozen=True, slots=True)
class _Machine:
    """One of the machines."""

    make: Callable[[Revision, Findings, System], type[RuleBasedStateMachine]]
    amount: Callable[[Profile], Amount]
    situations: Mapping[str, str]


def _netns(
    watched: Revision, collected: Findings, under_test: System
) -> type[RuleBasedStateMachine]:
    class Bound(netns_machine.NetnsMachine):
        revision = watched
        findings = collected
        system = under_test

    return Bound


def _context(
    watched: Revision, collected: Findings, under_test: System
) -> type[RuleBasedStateMachine]:
    del under_test

    class Bound(context_machine.ContextMachine):
        revision = watched
        findings = collected

    return Bound


def _counters(
    watched: Revision, collected: Findings, under_test: System
) -> type[RuleBasedStateMachine]:
    del under_test

    class Bound(counters_machine.CountersMachine):
        revision = watched
        findings = collected

    return Bound


def _cpulist(
    watched: Revision, collected: Findings, under_test: System
) -> type[RuleBasedStateMachine]:
    class Bound(cpulist_machine.CpulistMachine):
        revision = watched
        findings = collected
        system = under_test

    return Bound


_MACHINES: Mapping[str, _Machine] = {
    netns_driver.NAME: _Machine(_netns, lambda each: each.netns, situations.SITUATIONS),
    context_machine.NAME: _Machine(_context, lambda each: each.context, context_machine.SITUATIONS),
    counters_machine.NAME: _Machine(
        _counters, lambda each: each.counters, counters_machine.SITUATIONS
    ),
    cpulist_machine.NAME: _Machine(_cpulist, lambda each: each.cpulist, cpulist_machine.SITUATIONS),
}

MACHINES = tuple(_MACHINES)
"""Their names."""


def run_machines(
    revision: Revision,
    profile: Profile | str,
    seed: int,
    *,
    machines: Sequence[str] = MACHINES,
    new_oracle: NewOracle = Oracle,
) -> MachineReport:
    """Run the machines one after the other; equal arguments give equal reports.

    `profile` is one of PROFILES by name, or made for the occasion. A failure that is expected on
    the revision is collected, any other ends the machine that met it; its history is
    shortened. `new_oracle` makes the system under test, for mutants.
    """
    started = time.perf_counter()
    findings = Findings()
    if isinstance(profile, str):
        profile = PROFILES[profile]
    for name in machines:
        machine = _MACHINES[name]
        bound = machine.make(revision, findings, System(new_oracle))
        try:
            explore(bound, machine.amount(profile), seed, partial(_complete, findings, name))
        except UnexpectedFailureError as error:
            add_failure(findings, error.record)
            for key, record in findings.failures.items():
                if record.machine == name and not record.reason:
                    findings.failures[key] = _shortened(record, revision, profile, new_oracle)
    return MachineReport(
        revision=revision.name,
        profile=profile.name,
        seed=seed,
        machines=tuple(machines),
        checks=tuple(sorted(findings.checks.items())),
        failures=tuple(findings.failures[each] for each in sorted(findings.failures)),
        reach=tuple(chain.from_iterable(_reach(findings, name) for name in machines)),
        examples=sum(findings.examples.values()),
        steps=findings.steps,
        seconds=time.perf_counter() - started,
    )


def _complete(findings: Findings, name: str) -> bool:
    return all(findings.reached[name, each] for each in _MACHINES[name].situations)


def _shortened(
    record: FailureRecord, revision: Revision, profile: Profile, new_oracle: NewOracle
) -> FailureRecord:
    if record.machine != netns_driver.NAME:
        return record
    found = shorten(
        record.params, revision, record.operations, record.property, profile.attempts, new_oracle
    )
    if not found.sentence:
        # Only seen in the machine itself: the whole history is what there is.
        return record
    return replace(record, operations=found.operations, sentence=found.sentence)


def _reach(findings: Findings, name: str) -> list[ReachRow]:
    return [
        ReachRow(name, each, sentence, findings.reached[name, each], findings.examples[name])
        for each, sentence in _MACHINES[name].situations.items()
    ]
