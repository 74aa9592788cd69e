"""The history of a failure as a trace file."""

import json
from collections.abc import Iterator, Sequence

from ipvs_est import Oracle, ViolationError
from ipvs_est.answers.results import result_to_json
from ipvs_est.language.header import Header, header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.violations import to_json
from ipvs_est_checks.report.rows import Problem


def saved(problem: Problem) -> str:
    """The problem's history as a trace: what `ipvs-est replay` and `ipvs-est oracle` read.

    Each operation has the result that was recorded, or else what the model answers now: the
    trace shows later whether that has changed. Raises ValueError if it has no history.
    """
    if not problem.header:
        raise ValueError("no history")
    if all('"result"' in operation for operation in problem.operations):
        return "\n".join([problem.header, *problem.operations]) + "\n"
    header = header_from_json(parse_object(problem.header))
    return "\n".join([problem.header, *_answered(header, problem.operations)]) + "\n"


def _answered(header: Header, operations: Sequence[str]) -> Iterator[str]:
    oracle = Oracle(header.params, header.revision)
    for text in operations:
        value = parse_object(text)
        try:
            result: object = result_to_json(oracle.apply(operation_from_json(value)))
        except ViolationError as error:
            result = {"violation": to_json(error.violation)}
        yield json.dumps({**value, "result": result}, separators=(",", ":"))
        if oracle.ended:
            return
