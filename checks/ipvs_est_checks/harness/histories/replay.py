"""Does a tree's code answer what was recorded?"""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ipvs_est.answers.trace import TraceError, read_lines
from ipvs_est.language.difference import Difference, first_difference
from ipvs_est.language.header import Header, header_from_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.revision import KERNELS, MAINLINE, Revision
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import Outcome, Unusable
from ipvs_est_checks.harness.building.build import OnUnit, build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import answers

_EQUAL = b',"equal":true'


def outcomes_on_tree(
    files: Sequence[Path | Unusable],
    tree: Tree,
    variant: Variant = Variant.PLAIN,
    on_unit: OnUnit | None = None,
) -> Generator[Outcome]:
    """The outcome of each file, in their order. Raises BadInputError if the tree is refused."""
    for file in files:
        yield file if isinstance(file, Unusable) else outcome_on_tree(file, tree, variant, on_unit)


def outcome_on_tree(
    path: Path, tree: Tree, variant: Variant = Variant.PLAIN, on_unit: OnUnit | None = None
) -> Outcome:
    """Replay a trace file on the tree's code, up to its first difference."""
    try:
        return outcome_of_lines(path, read_lines(path), tree, variant, on_unit)
    except TraceError as error:
        return Unusable(error)


def outcome_of_lines(
    path: Path,
    lines: list[str],
    tree: Tree,
    variant: Variant = Variant.PLAIN,
    on_unit: OnUnit | None = None,
) -> Failed | Passed:
    """Replay the lines of a trace, which are called by that path. Raises TraceError."""
    try:
        value = parse_object(lines[0])
        header = header_from_json(value, _revision_of(value.get("kernel")))
    except InputError as error:
        raise TraceError(str(path), 1, error) from None
    program = build(tree, options_for(header.params, variant), on_unit)
    seen = answers(program, "".join(f"{line}\n" for line in lines).encode())
    return _outcome(path, header, lines, seen)


def _revision_of(kernel: object) -> Revision | None:
    """For a kernel that is no revision's: the trace is compared with the tree, not with one."""
    return KERNELS.get(kernel, MAINLINE) if isinstance(kernel, str) else None


def _outcome(path: Path, header: Header, lines: list[str], seen: list[bytes]) -> Failed | Passed:
    for number, answer in enumerate(seen, start=1):
        if _EQUAL in answer or (number == 1 and answer.startswith(b'{"configured"')):
            continue
        parsed: dict[str, Any] = json.loads(answer)
        if "error" in parsed:
            error = parsed["error"]
            raise TraceError(str(path), number, InputError(error["field"], error["message"]))
        value = parse_object(lines[number - 1])
        if "result" not in value:
            raise TraceError(str(path), number, InputError("result", "missing"))
        difference = _difference(value["result"], parsed)
        if difference is None:
            continue
        operation = operation_from_json(value, extra=1)
        return Failed(str(path), header, number - 1, number, operation, difference, ())
    return Passed(str(path), header, len(lines) - 1, ())


def _difference(recorded: object, answer: dict[str, Any]) -> Difference | None:
    if "violation" in answer:
        return Difference("", recorded, f"no result: {violation_text(answer['violation'])}")
    return first_difference(recorded, answer["result"])


def violation_text(violation: dict[str, Any]) -> str:
    """One line for a violation that a program told."""
    text = f"{violation['kind']}: {violation.get('thing', '')}"
    where = violation.get("where")
    return f"{text} in {where}" if where else text
