"""Random histories of a netns, as the state machine makes them, without checking anything."""

from dataclasses import dataclass, replace

from ipvs_est import OperationError, Oracle, Params, Revision, ViolationError
from ipvs_est.answers.results import Deadlocked, result_to_json
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est.language.violations import to_json
from ipvs_est_checks.history.file import header_line, line_of
from ipvs_est_checks.machines.netns.machine import ModelMachine
from ipvs_est_checks.machines.profiles import Amount, explore_round
from ipvs_est_checks.machines.report import Findings
from ipvs_est_checks.machines.system import REFERENCE, SystemUnderTest


@dataclass(frozen=True, slots=True)
class Wish:
    """What histories are wanted."""

    revision: Revision
    """Of the model that decides what makes sense next; its findings end no history."""
    seed: int
    count: int
    rules: int
    """Rules of the state machine in each history; one is one operation or some."""
    theme: str | None = None
    """What they are about at first; None: each something else."""
    params: Params | None = None
    """Their machine; None: each another one."""
    round: int = 0
    """Of the seed: each has other histories."""
    system: SystemUnderTest = REFERENCE
    """For which they are meant: what operations it takes, and which machines it can be."""


@dataclass(frozen=True, slots=True)
class Made:
    """One history."""

    params: Params
    operations: tuple[Operation, ...]


def make_histories(wish: Wish) -> list[Made]:
    """That many histories; equal wishes give equal histories.

    A history that could not go on, such as after a deadlock, ends there.
    """
    made: list[Made] = []

    class Bound(ModelMachine):
        revision = wish.revision
        findings = Findings()
        # Nothing is judged, so nothing fails.
        properties = frozenset()
        # They are tried on the model, whoever they are for.
        system = replace(wish.system, new_oracle=Oracle)
        only_theme = wish.theme
        only_params = wish.params

        def teardown(self) -> None:
            if hasattr(self, "history"):
                made.append(Made(self.history.params, tuple(self.history.seen.operations)))

    explore_round(Bound, Amount(1, wish.count + 1, wish.rules), wish.seed, wish.round)
    # Hypothesis begins with the simplest one, whatever the seed.
    return made[1 : wish.count + 1]


def history_text(name: str, seed: int, made: Made, revision: Revision, *, answers: bool) -> str:
    """The history as a file: a header, then an operation a line, with the revision's answers if
    they are wanted: then it is a trace."""
    lines = [header_line(name, revision.name, made.params, seed)]
    if not answers:
        lines += [line_of(operation_to_json(operation)) for operation in made.operations]
        return "".join(f"{line}\n" for line in lines)
    oracle = Oracle(made.params, revision)
    for operation in made.operations:
        written = operation_to_json(operation)
        try:
            result = oracle.apply(operation)
        except OperationError:
            # The machine had gone on where this oracle cannot.
            break
        except ViolationError as error:
            lines.append(line_of({**written, "result": {"violation": to_json(error.violation)}}))
            break
        lines.append(line_of({**written, "result": result_to_json(result)}))
        if isinstance(result, Deadlocked):
            break
    return "".join(f"{line}\n" for line in lines)
