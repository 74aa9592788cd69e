"""A history with the results that a tree's code gives: a trace."""

import json
from collections.abc import Sequence
from typing import Any

from ipvs_est.language.header import params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import options_for
from ipvs_est_checks.harness.building.tree import Tree, version_text
from ipvs_est_checks.harness.front import params_of
from ipvs_est_checks.harness.process import answers
from ipvs_est_checks.terminal.bad_input import BadInputError

# Any in this file: parsed JSON of our own program, and objects of a trace.


def recorded(tree: Tree, name: str, lines: Sequence[str]) -> list[dict[str, Any]]:
    """The trace's lines: header and operations as they are, with the tree's results.

    The last is that before what ends the history. Raises BadInputError that names the line.
    """
    objects = [_parsed(name, number, line) for number, line in enumerate(lines, 1)]
    header, operations = objects[0], objects[1:]
    try:
        params = params_of(header)
    except InputError as error:
        raise BadInputError(f"{name}:1: {error}") from None
    header = {**header, "kernel": version_text(tree)}
    # What the program itself knows of a trace is its machine.
    configure = {"configure": {"params": params_to_json(params)}}
    program = build(tree, options_for(params))
    asked = [_operation(name, number, operation) for number, operation in enumerate(operations, 2)]
    text = "".join(f"{json.dumps(entry)}\n" for entry in [configure, *asked])
    configured, *seen = [json.loads(answer) for answer in answers(program, text.encode())]
    if "error" in configured:
        raise BadInputError(f"{name}:1: {configured['error']['message']}")
    made = [header]
    for number, (operation, answer) in enumerate(zip(asked, seen, strict=True), 2):
        if "error" in answer and answer["error"]["type"] == "bad-input":
            refused = answer["error"]
            raise BadInputError(f"{name}:{number}: {refused['field']}: {refused['message']}")
        if "result" not in answer:
            break
        made.append({**operation, "result": answer["result"]})
    return made


def _parsed(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        return parse_object(line)
    except InputError as error:
        raise BadInputError(f"{name}:{number}: {error}") from None


def _operation(name: str, number: int, value: dict[str, Any]) -> dict[str, Any]:
    try:
        bare = {key: entry for key, entry in value.items() if key != "result"}
        return dict(operation_to_json(operation_from_json(bare)))
    except InputError as error:
        raise BadInputError(f"{name}:{number}: {error}") from None
