"""Running the machines, round by round, from a command or a worker process."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis.stateful import RuleBasedStateMachine

from ipvs_est import Revision
from ipvs_est_checks.machines.naive import compare as naive_compare
from ipvs_est_checks.machines.netns import driver as netns_driver
from ipvs_est_checks.machines.netns import machine as netns_machine
from ipvs_est_checks.machines.netns import situations
from ipvs_est_checks.machines.netns.known_cause import JudgedFailure, shorten_unexplained
from ipvs_est_checks.machines.parts import (
    context_machine,
    context_steps,
    counters_machine,
    counters_steps,
    cpulist_machine,
)
from ipvs_est_checks.machines.profiles import PROFILES, Amount, Profile, explore_round
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    MachineReport,
    ReachRow,
    UnexpectedFailureError,
    add_failure,
    merged,
)
from ipvs_est_checks.machines.shorten import shorten
from ipvs_est_checks.machines.system import REFERENCE, SystemUnderTest
from ipvs_est_spec.catalogue import PROPERTIES


@dataclass(frozen=True, slots=True)
class Aim:
    """What a machine's run is for."""

    revision: Revision
    findings: Findings
    """Collects what is found."""
    system: SystemUnderTest
    properties: frozenset[str] | None
    """Ids of those that are looked at; None = all."""


@dataclass(frozen=True, slots=True)
class _Machine:
    """One of the machines."""

    make: Callable[[Aim], type[RuleBasedStateMachine]]
    amount: Callable[[Profile], Amount]
    situations: Mapping[str, str]
    states: Mapping[str, str]
    """What it checks: sentences by id."""


def _netns(aim: Aim) -> type[RuleBasedStateMachine]:
    class BoundNetns(netns_machine.ModelMachine):
        revision = aim.revision
        findings = aim.findings
        system = aim.system
        properties = aim.properties

    return BoundNetns


# The others are cheap, and one comparison tells all that they state: they look at all of it.


def _context(aim: Aim) -> type[RuleBasedStateMachine]:
    class BoundContext(context_machine.ContextMachine):
        revision = aim.revision
        findings = aim.findings

    return BoundContext


def _counters(aim: Aim) -> type[RuleBasedStateMachine]:
    class BoundCounters(counters_machine.CountersMachine):
        revision = aim.revision
        findings = aim.findings

    return BoundCounters


def _cpulist(aim: Aim) -> type[RuleBasedStateMachine]:
    class BoundCpulist(cpulist_machine.CpulistMachine):
        revision = aim.revision
        findings = aim.findings
        system = aim.system

    return BoundCpulist


_CATALOGUE = {prop.id: prop.sentence for prop in PROPERTIES}
_MACHINES: Mapping[str, _Machine] = {
    netns_driver.NAME: _Machine(
        _netns,
        lambda profile: profile.netns,
        situations.SITUATIONS,
        {**_CATALOGUE, **naive_compare.SENTENCES},
    ),
    context_machine.NAME: _Machine(
        _context,
        lambda profile: profile.context,
        context_machine.SITUATIONS,
        context_steps.SENTENCES,
    ),
    counters_machine.NAME: _Machine(
        _counters,
        lambda profile: profile.counters,
        counters_machine.SITUATIONS,
        counters_steps.SENTENCES,
    ),
    cpulist_machine.NAME: _Machine(
        _cpulist,
        lambda profile: profile.cpulist,
        cpulist_machine.SITUATIONS,
        cpulist_machine.SENTENCES,
    ),
}

MACHINES = tuple(_MACHINES)
"""Their names."""

SENTENCES: Mapping[str, str] = {
    id_: sentence
    for machine in reversed([*_MACHINES.values()])
    for id_, sentence in machine.states.items()
}
"""By id: all that the machines check; the catalogue's own words where it has the id."""

SITUATIONS: Mapping[str, tuple[str, str]] = {
    id_: (name, sentence)
    for name, machine in _MACHINES.items()
    for id_, sentence in machine.situations.items()
}
"""By id: the machine whose histories have to reach it, and a sentence."""


def concerned(properties: frozenset[str] | None) -> tuple[str, ...]:
    """The machines that check one of these properties; None = all."""
    return tuple(
        name
        for name, machine in _MACHINES.items()
        if properties is None or not properties.isdisjoint(machine.states)
    )


def amount_of(profile: Profile | str, machine: str) -> Amount:
    """How much the profile has that machine do."""
    return _MACHINES[machine].amount(PROFILES[profile] if isinstance(profile, str) else profile)


def run_round(
    revision: Revision,
    profile: Profile | str,
    seed: int,
    machine: str,
    number: int,
    *,
    system: SystemUnderTest = REFERENCE,
    properties: frozenset[str] | None = None,
) -> MachineReport:
    """Run one round of one machine; equal arguments give equal reports.

    `profile` is one of PROFILES by name, or made for the occasion. A failure that is expected on
    the revision is collected, any other ends the round that met it; its history is
    shortened. `system` is what is tested: the model, a mutant of it, a subject.
    """
    started = time.perf_counter()
    findings = Findings()
    if isinstance(profile, str):
        profile = PROFILES[profile]
    chosen = _MACHINES[machine]
    bound = chosen.make(Aim(revision, findings, system, properties))
    try:
        # What has no operations cannot be shortened afterwards.
        shrink = machine != netns_driver.NAME
        explore_round(bound, chosen.amount(profile), seed, number, shrink=shrink)
    except UnexpectedFailureError as error:
        add_failure(findings, error.record)
        for key, record in findings.failures.items():
            if not record.reason:
                findings.failures[key] = _shortened(record, revision, profile, system)
    return MachineReport(
        revision=revision.name,
        profile=profile.name,
        seed=seed,
        machines=(machine,),
        checks=tuple(sorted(findings.checks.items())),
        failures=tuple(
            replace(findings.failures[failure], round=number)
            for failure in sorted(findings.failures)
        ),
        reach=tuple(_reach(findings, machine)),
        examples=sum(findings.examples.values()),
        steps=findings.steps,
        seconds=time.perf_counter() - started,
    )


def run_machines(
    revision: Revision,
    profile: Profile | str,
    seed: int,
    *,
    machines: Sequence[str] = MACHINES,
    system: SystemUnderTest = REFERENCE,
    properties: frozenset[str] | None = None,
) -> MachineReport:
    """Run the machines one after the other, each until its rounds are done and all situations
    were reached, or a failure was met that nothing explains."""
    reports: list[MachineReport] = []
    for machine in machines:
        found: list[MachineReport] = []
        while wants_more(found, amount_of(profile, machine)):
            number = len(found)
            found.append(
                run_round(
                    revision,
                    profile,
                    seed,
                    machine,
                    number,
                    system=system,
                    properties=properties,
                )
            )
        reports += found
    return merged(reports)


def wants_more(rounds: Sequence[MachineReport], amount: Amount) -> bool:
    """Whether one more round of a machine is to follow these."""
    if (
        any(one_round.unexpected for one_round in rounds)
        or len(rounds) >= amount.rounds + amount.more
    ):
        return False
    return len(rounds) < amount.rounds or bool(merged(rounds).missed)


def _shortened(
    record: FailureRecord, revision: Revision, profile: Profile, system: SystemUnderTest
) -> FailureRecord:
    if record.machine != netns_driver.NAME:
        return record
    if system.explains is not system.new_oracle:
        # A subject: its history must not shrink to what a recorded finding explains.
        failure = JudgedFailure(record.property, record.sentence, record.operations, ())
        shorter = shorten_unexplained(
            record.params, revision, failure, profile.attempts, system.new_oracle, system.explains
        )
        return replace(record, operations=shorter.operations, sentence=shorter.detail)
    found = shorten(
        record.params,
        revision,
        record.operations,
        record.property,
        profile.attempts,
        system.new_oracle,
    )
    if not found.sentence:
        # Only seen in the machine itself: the whole history is what there is.
        return record
    return replace(record, operations=found.operations, sentence=found.sentence)


def _reach(findings: Findings, name: str) -> list[ReachRow]:
    return [
        ReachRow(name, item, sentence, findings.reached[name, item], findings.examples[name])
        for item, sentence in _MACHINES[name].situations.items()
    ]
