"""Which recorded findings explain that a property fails in a history of a netns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ipvs_est import Oracle, Params, Revision
from ipvs_est.language.operations import Operation
from ipvs_est_checks.history.monitor import NewOracle
from ipvs_est_checks.known.by_repair import known_by_repair
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.on_code import as_modelled
from ipvs_est_checks.machines.naive.steps import needs_netns
from ipvs_est_checks.machines.netns.history import (
    NetnsHistory,
    begin,
    do,
    end,
    ended,
    failures_of,
    lost,
)
from ipvs_est_checks.machines.shorten import shortest


@dataclass(frozen=True, slots=True)
class FailingHistory:
    """A history at whose last operation properties fail for the first time."""

    params: Params
    revision: Revision
    operations: tuple[Operation, ...]
    failing: Mapping[str, str]
    """By property: what fails."""
    explains: NewOracle
    """The model: on it a repair is tried."""
    is_model: bool
    """Whether the history was the model's own; a subject may fail where the model does not."""
    tried: dict[Revision, frozenset[str]] = field(default_factory=dict)
    """What fails in it on the model, by revision, as far as that was asked."""


def known_cause(history: FailingHistory, property_id: str, likely: str = "") -> tuple[Finding, ...]:
    """The findings that make the property fail there; () if nothing known does.

    `likely`, the text of an earlier answer, is tried first.
    """
    concerned, tried = frozenset(history.failing), history.tried
    if not history.is_model:
        modelled = as_modelled(
            property_id,
            history.failing[property_id],
            lambda ids: _failing_with(history, history.revision, ids),
        )
        if modelled != property_id:
            property_id, concerned, tried = modelled, frozenset({modelled}), {}

    def holds(revision: Revision) -> bool:
        if revision not in tried:
            tried[revision] = frozenset(_failing_with(history, revision, concerned))
        return property_id not in tried[revision]

    if not history.is_model and holds(history.revision):
        # The model does not fail here, so nothing that is known of it explains this.
        return ()
    return known_by_repair(history.revision, property_id, holds, likely)


def _failing_with(
    history: FailingHistory, revision: Revision, properties: frozenset[str]
) -> dict[str, str]:
    return failures_of(history.params, revision, history.operations, history.explains, properties)


@dataclass(frozen=True, slots=True)
class JudgedFailure:
    """A property that fails in a history, and what explains it."""

    property: str
    detail: str
    operations: tuple[Operation, ...]
    """Up to where it fails first."""
    findings: tuple[str, ...]
    """Ids of the recorded findings that explain it; () if nothing does."""


def judged_history(
    params: Params,
    revision: Revision,
    operations: Iterable[Operation],
    new_oracle: NewOracle,
    properties: frozenset[str] | None = None,
    explains: NewOracle = Oracle,
) -> tuple[list[JudgedFailure], Counter[str]]:
    """What fails in a history of a subject, each with its cause, and how often each was judged.

    `revision`: of the model beside it, by which known causes are told.
    """
    history = begin(params, revision, new_oracle, properties)
    found: list[JudgedFailure] = []
    for operation in operations:
        if needs_netns(operation) and not history.model.initialised:
            return [], Counter()
        found += _judged(history, do(history, operation), explains)
        if ended(history) or lost(history):
            break
    found += _judged(history, end(history), explains)
    return found, history.seen.checks


def _judged(
    history: NetnsHistory, failing: list[str], explains: NewOracle
) -> Iterator[JudgedFailure]:
    operations = tuple(history.seen.operations)
    texts = {name: history.failing[name] for name in failing}
    failed = FailingHistory(
        history.params, history.revision, operations, texts, explains, is_model=False
    )
    for name, text in texts.items():
        known = tuple(finding.id for finding in known_cause(failed, name))
        yield JudgedFailure(name, text, operations, known)


def shorten_unexplained(
    params: Params,
    revision: Revision,
    failure: JudgedFailure,
    attempts: int,
    new_oracle: NewOracle,
    explains: NewOracle = Oracle,
) -> JudgedFailure:
    """A shorter history in which the property fails and nothing known explains it."""
    only = frozenset({failure.property})

    def unexplained(candidate: tuple[Operation, ...]) -> str:
        found, _ = judged_history(params, revision, candidate, new_oracle, only, explains)
        return next(
            (
                judged_failure.detail
                for judged_failure in found
                if judged_failure.property == failure.property and not judged_failure.findings
            ),
            "",
        )

    shorter = shortest(failure.operations, unexplained, attempts)
    if not shorter.sentence:
        return failure
    return replace(failure, operations=shorter.operations, detail=shorter.sentence)
