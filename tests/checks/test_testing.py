"""The public API for the tests of another project."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings

from ipvs_est import MAINLINE, REPAIRED, STABLE, Oracle, Params, Snapshot
from ipvs_est.answers.results import ReadObject, Result, Returned
from ipvs_est.answers.state import State
from ipvs_est.language.cpulist import CpulistError, parse_cpulist
from ipvs_est.language.operations import (
    AddService,
    Advance,
    InitNetns,
    Operation,
    Read,
    SetNice,
    StartService,
    StartTotal,
    Traffic,
)
from ipvs_est.oracle import Oracle as Model
from ipvs_est_checks import testing
from ipvs_est_checks.testing import (
    HistoryError,
    NetnsMachine,
    check_history,
    cpulists,
    explore,
    histories,
    run_schedule,
)
from ipvs_est_checks.testing.machine import NetnsMachine as DefinedThere

SMALL = Params(hz=100, nticks=5, chain_factor=3, possible_cpus=2, est_cost_ns=23750)
USUAL: Sequence[Operation] = (
    InitNetns(),
    AddService(4),
    Traffic(4, 1, 5, 6, 7, 8, 9),
    Advance(50),
    Advance(400),
    SetNice(-40),
)


class Port:
    """The model as an object that is only asked what has to be answered."""

    def __init__(self, params: Params) -> None:
        self.model = Model(params, MAINLINE)

    def apply(self, operation: Operation) -> Result:
        return self.model.apply(operation)

    def state(self) -> State:
        return self.model.state()


class Doubled(Port):
    def apply(self, operation: Operation) -> Result:
        result = super().apply(operation)
        if isinstance(result, ReadObject):
            rates = result.reading.rates
            doubled = replace(result.reading, rates=rates._replace(outbps=2 * rates.outbps))
            return replace(result, reading=doubled)
        return result


class Watched(Port):
    """Tells its states too."""

    def snapshot(self) -> Snapshot:
        return self.model.snapshot()


class Lost(Watched):
    """In what it tells an estimator is missing, wherever it was."""

    def snapshot(self) -> Snapshot:
        shown = super().snapshot()
        return replace(shown, state=replace(shown.state, temp=()))


class Crashing(Port):
    def apply(self, operation: Operation) -> Result:
        if isinstance(operation, SetNice):
            raise ZeroDivisionError("a tick of no length")
        return super().apply(operation)


class Speechless(Port):
    def apply(self, operation: Operation) -> Result:
        super().apply(operation)
        return None  # type: ignore[return-value]  # that is the mistake


def test_every_name_is_there() -> None:
    assert sorted(testing.__all__) == list(testing.__all__)
    assert all(hasattr(testing, name) for name in testing.__all__)
    assert NetnsMachine is DefinedThere


def test_a_subject_that_answers_as_the_revision_does() -> None:
    judged = check_history(Port, USUAL, params=SMALL)
    # An answer and a state each, and what has counted is read when time has passed.
    assert judged.answers == 2 * len(USUAL) + 2
    assert judged.not_judged["limits.chain"] == "the subject gives no snapshot"


def test_properties_are_judged_on_states() -> None:
    judged = check_history(Watched, USUAL, params=SMALL)
    assert judged.checks["limits.chain"] == len(USUAL) + 1
    assert "limits.chain" not in judged.not_judged
    assert judged.not_judged["rates.average"] == "nothing came to it"


def repaired(params: Params) -> Oracle:
    return Oracle(params, REPAIRED)


def test_the_oracle_gives_everything() -> None:
    judged = check_history(
        lambda params: Oracle(params, REPAIRED), USUAL, params=SMALL, compare=None
    )
    assert judged.answers == 0
    assert judged.checks["rates.average"] > 0


def test_a_wrong_answer_is_told_with_the_shortest_history() -> None:
    with pytest.raises(HistoryError) as caught:
        check_history(Doubled, USUAL, params=SMALL)
    error = caught.value
    assert error.problem.id == "subject.answer"
    assert error.problem.detail.startswith("outbps: ")
    assert [operation.op for operation in error.operations] == ["svc", "traffic", "advance", "read"]
    assert (
        str(error).splitlines()[0] == "subject.answer: The subject answers what mainline answers."
    )
    assert str(error).splitlines()[-1] == '{"op":"read","id":1}'


def test_a_broken_property_is_told_also_if_answers_do_not_count() -> None:
    with pytest.raises(HistoryError) as caught:
        check_history(Lost, USUAL, params=SMALL, compare=None)
    assert caught.value.problem.id.startswith(("place.", "counts.", "model."))


@pytest.mark.parametrize(
    ("subject", "id_", "detail"),
    [
        (Crashing, "subject.crash", "ZeroDivisionError: a tick of no length"),
        (Speechless, "subject.no-answer", "NoneType is no result of tot"),
        ("false", "subject.crash", "exit code 1"),
    ],
)
def test_a_subject_that_does_not_answer(subject: testing.AnySubject, id_: str, detail: str) -> None:
    with pytest.raises(HistoryError) as caught:
        check_history(subject, USUAL, params=SMALL)
    assert (caught.value.problem.id, caught.value.problem.detail) == (id_, detail)


def test_another_revision_is_another_subject() -> None:
    with pytest.raises(HistoryError):
        check_history(lambda params: Oracle(params, STABLE), USUAL, params=SMALL)


def test_a_machine_without_a_subject_is_refused_where_it_is_defined() -> None:
    with pytest.raises(TypeError, match="Nothing: `subject` is not set"):
        type("Nothing", (NetnsMachine,), {})
    with pytest.raises(TypeError, match="Named: `compare` is no Revision"):
        type("Named", (NetnsMachine,), {"subject": Port, "compare": "mainline"})


def test_a_machine_finds_a_mistake() -> None:
    class Machine(NetnsMachine):
        subject = Doubled

    case = Machine.TestCase
    case.settings = settings(
        max_examples=40,
        stateful_step_count=8,
        deadline=None,
        database=None,
        derandomize=True,
        # Shrinking is Hypothesis' own, and takes a minute.
        phases=(Phase.generate,),
        report_multiple_bugs=False,
    )
    with pytest.raises(HistoryError) as caught:
        case("runTest").debug()
    assert caught.value.problem.detail.startswith("outbps: ")


class PortMachine(NetnsMachine):
    subject = Port


TestPort = PortMachine.TestCase
TestPort.settings = settings(
    max_examples=8, stateful_step_count=6, deadline=None, database=None, derandomize=True
)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(histories(SMALL, max_size=10))
def test_histories_begin_with_init_and_are_taken(made: tuple[Operation, ...]) -> None:
    assert made[0] == InitNetns()
    check_history(Port, made, params=SMALL)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(cpulists(3))
def test_cpulists_are_good_and_bad(text: str) -> None:
    with suppress(CpulistError):
        assert parse_cpulist(text, 3) <= {0, 1, 2}


def test_a_search_names_schedules_that_can_be_run_again() -> None:
    found = explore("exit-and-sysctl", MAINLINE, preemptions=1)
    assert not found.exhausted
    (failure,) = found.failures
    assert str(failure).startswith("broken-property: property=tasks.enabled")
    again = run_schedule(failure.token)
    assert again.violation == failure.violation
    assert again.lines


def test_a_search_that_comes_to_its_end() -> None:
    found = explore("last-estimator-goes", MAINLINE, preemptions=1)
    assert (found.exhausted, found.failures) == (True, ())


def test_starting_the_total_is_an_operation_of_its_own() -> None:
    check_history(Port, (StartTotal(), StartService(1), Read(1)), params=SMALL)
    assert isinstance(Port(SMALL).apply(StartTotal()), Returned)
