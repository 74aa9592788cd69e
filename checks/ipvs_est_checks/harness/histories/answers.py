"""What code and model answer to one history: each operation's result, and a dump after it."""

import json
from typing import Any

from ipvs_est import Oracle, Revision
from ipvs_est.answers.results import result_to_json
from ipvs_est.language.header import params_to_json
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Dump, Operation, OperationError
from ipvs_est.language.params import Params
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import answers
from ipvs_est_checks.terminal.bad_input import BadInputError

# Any in this file: parsed JSON of our own program, and results as JSON.


def answers_of_tree(
    tree: Tree, params: Params, operations: tuple[Operation, ...], variant: Variant = Variant.PLAIN
) -> list[dict[str, Any]]:
    """Answers to each operation and to a dump after it."""
    program = build(tree, options_for(params, variant))
    lines: list[dict[str, Any]] = [{"configure": {"params": params_to_json(params)}}]
    for operation in operations:
        lines += [operation_to_json(operation), {"op": "dump"}]
    seen = [json.loads(answer) for answer in answers(program, _text(lines))]
    if "error" in seen[0]:
        error = seen[0]["error"]
        raise BadInputError(f"{error['field']}: {error['message']}")
    return seen[1:]


def _text(lines: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def answers_of_model(
    params: Params, operations: tuple[Operation, ...], revision: Revision
) -> list[dict[str, Any]]:
    """Results of each operation and of a dump after it, until nothing defined follows."""
    oracle = Oracle(params, revision)
    found: list[dict[str, Any]] = []
    for one_operation in operations:
        for operation in (one_operation, Dump()):
            try:
                found.append(result_to_json(oracle.apply(operation)))
            except (ViolationError, OperationError):
                return found
    return found
