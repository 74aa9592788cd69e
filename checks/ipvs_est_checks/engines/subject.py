"""Engine: a subject instead of the model: recordings, random histories, a revision beside it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from shlex import quote
from time import perf_counter

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.answers.trace import lines_of
from ipvs_est.language.header import find_revision, header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.generate.histories import Wish, make_histories
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.history.subject_failure import (
    ANSWER,
    RECORDED,
    FailureKind,
    RefusedError,
    SubjectError,
    SubjectFailure,
)
from ipvs_est_checks.history.subject_failure import SENTENCES as FAILURES
from ipvs_est_checks.history.watchable import absent_of
from ipvs_est_checks.machines.naive.compare import SENTENCES as NAIVE
from ipvs_est_checks.machines.netns.driver import NAME as NETNS
from ipvs_est_checks.machines.profiles import PROFILES, Profile
from ipvs_est_checks.machines.report import FailureRecord, MachineReport, merged
from ipvs_est_checks.machines.run import SENTENCES as SAMPLED_SENTENCES
from ipvs_est_checks.machines.run import run_round
from ipvs_est_checks.machines.system import SystemUnderTest
from ipvs_est_checks.report.rows import Engine, Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.subjects.compare import Differs, first_difference, shortened
from ipvs_est_checks.subjects.keeper import Keeper, running, stop, system_of
from ipvs_est_checks.subjects.subject import WATCHED
from ipvs_est_checks.subjects.trace import NotTaken, Refused, replay_on
from ipvs_est_spec.catalogue import PROPERTIES, RECORD_PROPERTIES
from ipvs_est_spec.property import Property, RecordProperty, StateProperty, ViolationProperty

SUBJECT = "subject"
"""What stands for a revision in its rows."""
SENTENCES = {
    **FAILURES,
    ANSWER: "The subject answers what the revision answers that it is compared with.",
    RECORDED: "The subject answers what was recorded on kernels of the revision.",
}
"""By id: what is checked of a subject beside the properties."""
_UNREACHED = "no history came to what it is about"
_UNTOLD = f"the subject's snapshots lack what it reads, or {_UNREACHED}"
COMPARED = "compared"
SAMPLED = "sampled"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be done with a subject."""

    keeper: Keeper
    compare: Revision | None
    """It has to answer what this revision answers; None: properties alone count."""


def engines_of(asked: Asked) -> tuple[Engine, ...]:
    """The engines of a subject, in the order in which they run."""
    if asked.compare is None:
        return (_of(asked, _sampled),)
    return (_of(asked, _compared), _of(asked, _recorded), _of(asked, _sampled))


def _of(asked: Asked, rows: Callable[[Asked, Request], Iterator[Row]]) -> Engine:
    def engine(request: Request) -> Iterator[Row]:
        started = perf_counter()
        try:
            yield from rows(asked, request)
        except SubjectError as error:
            # Where no operation of a history is to blame: while the subject is configured, or its
            # state is looked at.
            stop(asked.keeper)
            yield _failed_row(error.failure, perf_counter() - started)
        except RefusedError as error:
            # None of the machines is taken, or one that was taken before.
            failure = SubjectFailure(FailureKind.NO_ANSWER, f"configure is refused: {error}")
            yield _failed_row(failure, perf_counter() - started)

    return engine


def _failed_row(failure: SubjectFailure, seconds: float) -> Row:
    id_ = failure.kind.value
    problem = Problem(id_, SUBJECT, failure.detail, (), None, "")
    return Row(id_, SENTENCES[id_], SUBJECT, Verdict.FAIL, SAMPLED, 1, seconds, problems=(problem,))


def _recorded(asked: Asked, request: Request) -> Iterator[Row]:
    """One row: the recordings of the revision's kernels that the subject can be asked."""
    compare = asked.compare
    assert compare is not None
    started = perf_counter()
    passed, left = 0, 0
    problems: list[Problem] = []
    remarks: list[str] = []
    found = [(recording, lines_of(recording.name, recording.data)) for recording in recordings()]
    for done, (recording, lines) in enumerate(found):
        request.progress(f"recording {recording.name}", done, len(found))
        header = header_from_json(parse_object(lines[0]))
        if find_revision(header.kernel, "kernel") != compare:
            continue
        outcome = replay_on(running(asked.keeper), recording.name, lines)
        if isinstance(outcome, Passed):
            passed += 1
        elif isinstance(outcome, NotTaken | Refused):
            left += 1
        elif isinstance(outcome, Failed):
            parting = outcome.difference
            at = f"{parting.path}: " if parting.path else ""
            answers = f"recorded {parting.recorded}, answered {parting.computed}"
            problems.append(_recording(f"{recording.name}:{outcome.line}: {at}{answers}"))
        else:
            problems.append(
                _recording(f"{recording.name}:{outcome.line}: {outcome.failure.detail}")
            )
            if outcome.failure.kind is FailureKind.SILENCE:
                # Each recording would have to be waited for.
                remarks.append(f"{len(found) - done - 1} recordings are not asked any more")
                break
    if left:
        remarks.append(
            f"{left} recordings have operations or machines that the subject does not take"
        )
    verdict = Verdict.PASS if passed else Verdict.NOT_JUDGED
    yield Row(
        RECORDED,
        SENTENCES[RECORDED],
        SUBJECT,
        Verdict.FAIL if problems else verdict,
        "recorded",
        passed + len(problems),
        perf_counter() - started,
        problems=tuple(problems),
        remark="; ".join(remarks),
    )


def _recording(detail: str) -> Problem:
    return Problem(RECORDED, SUBJECT, detail, (), None, "")


def _compared(asked: Asked, request: Request) -> Iterator[Row]:
    """A row for the answers and one for each way to fail, from random histories."""
    compare = asked.compare
    assert compare is not None
    started = perf_counter()
    profile = PROFILES[request.profile]
    amount = profile.netns
    system = system_of(asked.keeper, compare)
    answers = 0
    found: dict[str, Differs] = {}
    for number in range(amount.rounds):
        wish = Wish(
            compare, request.seed, amount.examples, amount.steps, round=number, system=system
        )
        for index, made in enumerate(make_histories(wish)):
            done = number * amount.examples + index
            request.progress(f"beside {compare.name}", done, amount.rounds * amount.examples)
            more, differs = first_difference(asked.keeper, compare, made)
            answers += more
            # One of each kind is enough: what follows would mostly be the same again.
            if differs is not None and differs.kind not in found:
                request.progress("a shorter history", done, amount.rounds * amount.examples)
                found[differs.kind] = shortened(asked.keeper, compare, differs, profile.attempts)
            if FailureKind.SILENCE.value in found:
                # Each history would have to be waited for.
                break
        if found:
            break
    for id_ in (ANSWER, *FAILURES):
        yield _compared_row(id_, found.get(id_), answers, asked, perf_counter() - started)
        started = perf_counter()


def _compared_row(
    id_: str, differs: Differs | None, answers: int, asked: Asked, seconds: float
) -> Row:
    verdict = Verdict.PASS if answers else Verdict.INCOMPLETE
    problems: tuple[Problem, ...] = ()
    if differs is not None:
        assert asked.compare is not None
        verdict = Verdict.FAIL
        detail = differs.what
        problems = (
            _problem(
                id_,
                detail,
                differs.params,
                differs.operations,
                asked.compare,
                f"with --save FILE, then ipvs-est replay FILE --subject {quote(asked.keeper.name)}",
            ),
        )
    return Row(id_, SENTENCES[id_], SUBJECT, verdict, COMPARED, answers, seconds, problems=problems)


def _problem(
    id_: str,
    detail: str,
    params: Params,
    operations: tuple[Operation, ...],
    revision: Revision,
    again: str,
) -> Problem:
    return Problem(
        property=id_,
        revision=SUBJECT,
        detail=detail,
        operations=tuple(json.dumps(operation_to_json(operation)) for operation in operations),
        failure=None,
        command=again,
        header=header_line(id_, revision.name, params),
        words=tuple(in_words(operation) for operation in operations),
        geometry=geometry_text(params),
    )


def _sampled(asked: Asked, request: Request) -> Iterator[Row]:
    """A row for each property: judged in random histories, if the subject gives what it reads."""
    handshake = running(asked.keeper).handshake
    if "snapshot" not in handshake.gives:
        # Without states no history can be watched.
        for prop in PROPERTIES:
            if request.properties is None or prop.id in request.properties:
                yield _not_judged(prop.id, "the subject gives no snapshot")
        return
    revision = asked.compare or MAINLINE
    system = system_of(asked.keeper, revision, _read(request.properties))
    profile = PROFILES[request.profile]
    rounds: list[MachineReport] = []
    for number in range(profile.netns.rounds):
        request.progress("random histories", number, profile.netns.rounds)
        rounds.append(_round(revision, profile, request, number, system))
        if rounds[-1].unexpected:
            break
    whole = _tells_all(system, revision)
    yield from _sampled_rows(
        merged(rounds), handshake.gives, asked, revision, request, tells_all=whole
    )


def _tells_all(system: SystemUnderTest, revision: Revision) -> bool:
    """Whether its snapshots are complete; one that fails here has failed in histories as well."""
    params = next(iter(system.geometries or ()), Params())
    try:
        begun = system.new_oracle(params, revision)
        begun.snapshot()
    except (SubjectError, RefusedError):
        return True
    return not absent_of(begun)


def _read(properties: frozenset[str] | None) -> tuple[str, ...]:
    """The chapters that have to be watched for these properties; None = all.

    What happens is the most by far, and most properties do not read it.
    """
    if properties is None or not properties.isdisjoint(_READ_EVENTS):
        return WATCHED
    return ("snapshot",)


def _round(
    revision: Revision, profile: Profile, request: Request, number: int, system: SystemUnderTest
) -> MachineReport:
    return run_round(
        revision,
        profile,
        request.seed,
        NETNS,
        number,
        system=system,
        properties=request.properties,
    )


def _sampled_rows(
    report: MachineReport,
    gives: dict[str, int],
    asked: Asked,
    revision: Revision,
    request: Request,
    *,
    tells_all: bool,
) -> Iterator[Row]:
    checks = dict(report.checks)
    failures = {failure.property: failure for failure in report.failures}
    listed = dict.fromkeys(prop.id for prop in PROPERTIES)
    listed.update(dict.fromkeys(sorted(checks.keys() | failures.keys())))
    for id_ in listed:
        if request.properties is not None and id_ not in request.properties:
            continue
        failure = failures.get(id_)
        absent = missing(id_, gives)
        if failure is None and absent:
            yield _not_judged(id_, absent)
        else:
            why = _UNREACHED if tells_all else _UNTOLD
            yield _sampled_row(id_, failure, checks.get(id_, 0), asked, revision, why, request)


def _sampled_row(
    id_: str,
    failure: FailureRecord | None,
    count: int,
    asked: Asked,
    revision: Revision,
    uncounted: str,
    request: Request,
) -> Row:
    sentence = SAMPLED_SENTENCES.get(id_) or SENTENCES[id_]
    if failure is None:
        if not count:
            return _not_judged(id_, uncounted)
        return Row(id_, sentence, SUBJECT, Verdict.PASS, SAMPLED, count, 0.0)
    if failure.reason:
        # The model fails there too, and not with the repair of that finding.
        known = tuple(word.partition(":")[0] for word in failure.reason.split("; "))
        return Row(id_, sentence, SUBJECT, Verdict.FINDING, SAMPLED, count, 0.0, findings=known)
    # What was answered may be right: only a check looks at the states.
    compare = f" --compare {asked.compare.name}" if asked.compare is not None else ""
    again = (
        f"ipvs-est check --subject {quote(asked.keeper.name)}{compare} --seed {request.seed}"
        f" --property {id_}"
    )
    problem = _problem(id_, failure.sentence, failure.params, failure.operations, revision, again)
    return Row(id_, sentence, SUBJECT, Verdict.FAIL, SAMPLED, count, 0.0, problems=(problem,))


def _not_judged(id_: str, why: str) -> Row:
    sentence = SAMPLED_SENTENCES.get(id_) or SENTENCES[id_]
    return Row(id_, sentence, SUBJECT, Verdict.NOT_JUDGED, SAMPLED, 0, 0.0, remark=why)


_BY_ID = {prop.id: prop for prop in PROPERTIES}
_NEEDED: dict[type[Property], str] = {
    StateProperty: "snapshot",
    RecordProperty: "events",
    ViolationProperty: "violations",
}
"""The chapter of the contract that tells what a kind of property reads."""


_READ_EVENTS = {prop.id for prop in RECORD_PROPERTIES} | NAIVE.keys()
"""Of the catalogue and of the naive model, which follows the estimations."""


def missing(id_: str, gives: dict[str, int]) -> str:
    """Why the property cannot be judged by what the subject gives; '' if it can."""
    found = _BY_ID.get(id_)
    if found is None:
        return ""
    needed = _NEEDED[type(found)]
    return "" if needed in gives else f"the subject gives no {needed}"
