"""The recorded traces pin the behaviour: each fault planted into the model is caught.

A fault is planted into a copy of the package and the traces are replayed against it until one
fails. What no trace sees is caught by a test of `rules/`. This file, run as a script, is
the process in which the copies run: a fault may loop for ever or eat up the memory.
"""

import gc
import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from compileall import compile_dir
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from shutil import copytree, ignore_patterns
from types import FrameType

import pytest

from faults.direct_tests import direct_tests, load_test
from faults.planted_faults import FAULTS, Fault, edits
from ipvs_est import Revision
from ipvs_est_checks.text_edits import PACKAGE, EditError, edited, plant

TESTS = Path(__file__).resolve().parents[1]
SOURCES = TESTS.parent / "refimpl" / PACKAGE
IMPORTED = (SOURCES.parent, TESTS.parent / "checks", TESTS / "helpers")
"""Where this file, run as a script, finds what it imports."""
HAND = "by_hand"
"""What direct tests share; it imports the model, so each copy needs its own."""
# Small ones first: most faults are seen at once.
TRACES = sorted(
    (TESTS / "data" / "traces").glob("*.jsonl"), key=lambda path: (path.stat().st_size, path.name)
)

FAULTS_PER_MODULE = 2
"""Planted together; see `test_no_trace_catches_what_is_recorded_as_uncaught`."""
CPU_SECONDS = 0.5
"""For one trace or test; most take a hundredth of that."""
CPU_SECONDS_PER_BYTE = 4e-6
"""In addition, for a trace; they take a tenth of that."""
MEMORY_BYTES = 2 << 30

# The process in which a copy of the package runs


class TooLongError(BaseException):
    """The bound of CPU time; not to be taken for an error of the package."""


@dataclass(frozen=True, slots=True)
class Question:
    """Replay these traces, until one fails; then run that test, if one is named."""

    root: str
    """Directory of the package."""
    traces: tuple[str, ...] = ()
    test: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What caught the fault, if anything did."""

    caught_by: str
    """A trace or test; '' = nothing."""
    how: str
    """`difference`, `too long`, or the name of an exception and its text."""


NOTHING = Answer("", "")


def serve() -> None:
    """Answer the questions on standard input, a line of JSON each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGVTALRM, _too_long)
    for line in sys.stdin:
        question = Question(**json.loads(line))
        sys.path.insert(0, question.root)
        _forget_modules()
        try:
            answer = _answer(question)
        finally:
            sys.path.remove(question.root)
        print(json.dumps(asdict(answer)), flush=True)
        gc.collect()


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def _forget_modules() -> None:
    """The next import of the package is that of another copy."""
    for name in [*sys.modules]:
        if name in (PACKAGE, HAND) or name.startswith(f"{PACKAGE}."):
            del sys.modules[name]
    importlib.invalidate_caches()


def _answer(question: Question) -> Answer:
    package = importlib.import_module(PACKAGE)
    assert Path(str(package.__file__)).is_relative_to(question.root)
    for trace in question.traces:
        size = Path(trace).stat().st_size
        how = _bounded(_replay, trace, CPU_SECONDS + CPU_SECONDS_PER_BYTE * size)
        if how:
            return Answer(Path(trace).name, how)
    if question.test:
        how = _bounded(_run_test, question.test, CPU_SECONDS)
        if how:
            return Answer(question.test, how)
    return NOTHING


def _bounded(check: Callable[[str], str], argument: str, cpu_seconds: float) -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_seconds)
    try:
        return check(argument)
    except TooLongError:
        return "too long"
    except (Exception, pytest.fail.Exception) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _replay(trace: str) -> str:
    # Imported here and now: from the copy that is on the path.
    from ipvs_est.replay import Passed, replay

    return "" if isinstance(replay(Path(trace)), Passed) else "difference"


def _run_test(name: str) -> str:
    load_test(name, direct_tests()[name])()
    return ""


# The process that asks


class Runner:
    """A process that answers questions, one after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-B", __file__],
            # For its own imports; each copy goes before it.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, IMPORTED))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, question: Question) -> Answer:
        """Raises an error if the process did not survive the question."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps(asdict(question)), file=process.stdin, flush=True)
        return Answer(**json.loads(process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    started = Runner()
    yield started
    started.close()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with its compiled modules, of which copies are made."""
    copy = tmp_path_factory.mktemp("compiled") / PACKAGE
    copytree(SOURCES, copy, ignore=ignore_patterns("__pycache__"))
    assert compile_dir(copy, quiet=1)
    return copy


def planted(compiled: Path, directory: Path, *faults: Fault) -> str:
    """The directory, now with a copy of the package that has these faults."""
    copytree(compiled, directory / PACKAGE)
    for fault in faults:
        plant(edits(fault), directory / PACKAGE)
    return str(directory)


def traces_of(fault: Fault) -> list[Path]:
    """All traces, first the one that is known to catch it."""
    return sorted(TRACES, key=lambda path: path.name != fault.trace)


def question(root: str, traces: Sequence[Path] = (), test: str = "") -> Question:
    return Question(root, tuple(str(path) for path in traces), test)


# Errors of whoever wrote the fault: they would make any fault seem to be caught.
BLUNDERS = ("NameError", "UnboundLocalError", "SyntaxError", "ImportError", "ModuleNotFoundError")
MAYBE_BLUNDERS = ("AttributeError", "TypeError")


def is_blunder(how: str) -> bool:
    """Not the model's behaviour but a slip in the fault's text made the run fail."""
    name = how.partition(":")[0]
    # What is missing in the model is None.
    return name in BLUNDERS or (name in MAYBE_BLUNDERS and "NoneType" not in how)


@dataclass(slots=True)
class Group:
    """Faults that are planted together, and the modules that they make."""

    faults: list[Fault]
    texts: dict[str, str]

    def takes(self, fault: Fault) -> bool:
        """Add the fault, unless its module has its share or an earlier one is in its way."""
        if sum(one_fault.module == fault.module for one_fault in self.faults) == FAULTS_PER_MODULE:
            return False
        texts = dict(self.texts)
        try:
            for edit in edits(fault):
                text = texts.get(edit.place)
                if text is None:
                    text = (SOURCES / edit.place).read_text(encoding="utf-8")
                texts[edit.place] = edited(text, edit)
        except EditError:
            return False
        self.texts = texts
        self.faults.append(fault)
        return True


def groups_of(faults: Sequence[Fault]) -> list[list[Fault]]:
    """All the faults, each in the first group that takes it."""
    groups: list[Group] = []
    for fault in faults:
        if not any(group.takes(fault) for group in groups):
            fresh = Group([], {})
            if not fresh.takes(fault):
                fresh.faults.append(fault)  # out of date: planting it will say so
            groups.append(fresh)
    return [group.faults for group in groups]


CATCHABLE = [fault for fault in FAULTS if fault.trace or fault.test]
UNCAUGHT = [fault for fault in FAULTS if fault.uncaught]
EQUIVALENT = [fault for fault in UNCAUGHT if not fault.test]


def name_of(fault: Fault) -> str:
    return f"{fault.section.split()[0]}-{fault.id}"


@pytest.mark.parametrize("fault", CATCHABLE, ids=name_of)
def test_fault_is_caught(fault: Fault, compiled: Path, runner: Runner, tmp_path: Path) -> None:
    root = planted(compiled, tmp_path, fault)
    if fault.trace:
        answer = runner.ask(question(root, traces_of(fault)))
    else:
        answer = runner.ask(question(root, test=fault.test))
    assert answer.caught_by, "not caught"
    assert not is_blunder(answer.how), answer


# A trace that catches one of several faults catches them together, unless another undoes what
# that one does; so at most two of a group are in one module. One by one this would take minutes.
@pytest.mark.parametrize("group", groups_of(UNCAUGHT), ids=lambda group: name_of(group[0]))
def test_no_trace_catches_what_is_recorded_as_uncaught(
    group: list[Fault], compiled: Path, runner: Runner, tmp_path: Path
) -> None:
    assert caught(group, compiled, runner, tmp_path) == {}


def caught(
    group: Sequence[Fault], compiled: Path, runner: Runner, directory: Path
) -> dict[str, Answer]:
    """Those of the faults that traces catch; halves the group until each stands alone."""
    try:
        together = runner.ask(question(planted(compiled, directory / "all", *group), TRACES))
    except EditError:
        # Each fits by itself, but two may leave nothing of a statement that they share.
        if len(group) == 1:
            raise
        together = None
    if together == NOTHING:
        return {}
    if together is not None and len(group) == 1:
        return {group[0].id: together}
    middle = len(group) // 2
    first = caught(group[:middle], compiled, runner, directory / "first")
    return first | caught(group[middle:], compiled, runner, directory / "last")


def test_without_a_fault_no_trace_fails(compiled: Path, runner: Runner) -> None:
    assert len(TRACES) > 0
    assert runner.ask(question(str(compiled.parent), TRACES)) == NOTHING


def test_without_a_fault_a_test_that_catches_many_passes(compiled: Path, runner: Runner) -> None:
    ((test, _),) = Counter(fault.test for fault in UNCAUGHT if fault.test).most_common(1)
    assert runner.ask(question(str(compiled.parent), test=test)) == NOTHING


# The table


def test_number_of_faults() -> None:
    assert len(FAULTS) == 468
    assert len(UNCAUGHT) == 162
    # Of these a test of `rules/` catches all but the ones that change nothing.
    assert len(EQUIVALENT) == 11


def test_number_of_faults_by_section() -> None:
    sections = [
        re.sub(r"^(\d+)(\.\d|[a-e])", r"\1", fault.section)
        for fault in FAULTS
        if fault.module != "language/revision.py"
    ]
    assert Counter(sections) == {
        "5": 76,
        "6": 43,
        "7": 52,
        "8": 54,
        "9": 54,
        "10": 17,
        "11 limits test": 52,
        "11 phase": 79,
    }


def test_each_fault_has_a_trace_or_a_reason_why_there_is_none() -> None:
    names = {path.name for path in TRACES}
    tests = direct_tests().keys()
    for fault in FAULTS:
        assert bool(fault.trace) != bool(fault.uncaught), fault.id
        assert fault.trace in names | {""}, fault.id
        assert fault.test in tests | {""}, fault.id
        assert not (fault.trace and fault.test), fault.id


def test_only_equivalent_faults_are_caught_by_nothing() -> None:
    for fault in UNCAUGHT:
        assert fault.uncaught.startswith("Equivalent: ") is (not fault.test), fault.id


def test_faults_are_different() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    assert len({(fault.module, fault.old, fault.new) for fault in FAULTS}) == len(FAULTS)
    assert [fault.id for fault in FAULTS if fault.old == fault.new] == []


def test_each_difference_between_recorded_kernels_is_flipped_both_ways() -> None:
    # A field with a default is a repair, which no recorded kernel has.
    differences = {field.name for field in fields(Revision) if field.default is MISSING}
    repairs = {field.name for field in fields(Revision)} - differences
    expected = {
        f"    {name}={value},"
        for name in differences - {"name", "kernels"}
        for value in (True, False)
    }
    flips = {fault.old for fault in FAULTS if fault.module == "language/revision.py"}
    assert flips >= expected
    assert len(expected) == 34
    assert {text.partition(":")[0] for text in flips - expected} <= repairs


# The runs can fail


A_FAULT = next(fault for fault in FAULTS if fault.module == "estimator/drain.py")


def test_text_that_is_not_there_is_an_error(compiled: Path, tmp_path: Path) -> None:
    with pytest.raises(EditError, match=r"drain\.py: the text occurs 0 times, not once: no such"):
        planted(compiled, tmp_path, replace(A_FAULT, old="no such text"))
    with pytest.raises(EditError, match="times, not once: est"):
        planted(compiled, tmp_path / "twice", replace(A_FAULT, old="est"))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("while True: pass", "too long"),
        ("[0] * 10**12", "MemoryError: "),
        ("assert False, 'on purpose'", "AssertionError: on purpose"),
        ("unknown", "NameError: name 'unknown' is not defined"),
        ("netns.unknown", "AttributeError: 'Netns' object has no attribute 'unknown'"),
    ],
)
def test_run_that_breaks_off_is_told_from_one_that_differs(
    text: str, how: str, compiled: Path, runner: Runner, tmp_path: Path
) -> None:
    batch = "        for _ in range(DRAIN_BATCH):\n"
    fault = replace(A_FAULT, old=batch, new=f"        {text}\n{batch}")
    answer = runner.ask(question(planted(compiled, tmp_path, fault), TRACES))
    assert answer.how == how
    assert is_blunder(how) is ("unknown" in text)


def test_fault_that_ceases_to_be_uncaught_is_noticed_and_named(
    compiled: Path, runner: Runner, tmp_path: Path
) -> None:
    seen = next(fault for fault in FAULTS if fault.trace and fault.module == "estimator/enqueue.py")
    group = max(groups_of([*UNCAUGHT, seen]), key=lambda group: (seen in group, len(group)))
    assert seen in group
    assert len(group) > 5
    assert caught(group, compiled, runner, tmp_path).keys() == {seen.id}


if __name__ == "__main__":
    serve()
