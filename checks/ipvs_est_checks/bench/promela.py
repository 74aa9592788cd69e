"""The transition system of the protocol in Promela, the language of the model checker Spin.

Written step by step from `ipvs_est_spec.proof.protocol.system`, so the atomic steps are the same:
a process for each actor whose only control state is its variable, and a `d_step` for each step.
Spin's states are then those of the system, one for one. Language: Holzmann, "The SPIN Model
Checker", 2004; spinroot.com/spin/Man.
"""

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from ipvs_est_spec.proof.protocol.expression import (
    FLAG,
    TRUE,
    Both,
    Condition,
    Either,
    Holds,
    Is,
    Negated,
)
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS
from ipvs_est_spec.proof.protocol.programs.step import NOBODY, ProtocolStep
from ipvs_est_spec.proof.protocol.system import ProtocolSystem


def promela(
    system: ProtocolSystem, initial: Mapping[str, str], bad: Condition | None = None
) -> str:
    """The system from one of its initial states; with a never claim of the states that are not
    to be reached, if there are some. Raises ValueError for a condition that cannot be written."""
    lines = [*_declarations(system, initial), ""]
    for actor in ACTORS:
        steps = [step for step in system.steps if step.actor == actor]
        if not steps:
            continue
        lines += [f"active proctype p_{_name(actor)}()", "{", "\tdo"]
        lines += [line for step in steps for line in _step(system, step)]
        lines += ["\tod", "}", ""]
    if bad is not None:
        lines += ["never {", "\tdo", f"\t:: d_step {{ {_text(system, bad)} -> assert(false) }}"]
        lines += ["\t:: else", "\tod", "}", ""]
    return "\n".join(lines)


def _declarations(system: ProtocolSystem, initial: Mapping[str, str]) -> Iterator[str]:
    for name, values in system.variables.items():
        kind = "bit" if values == FLAG else "byte"
        number = values.index(initial[name])
        yield f"{kind} {_name(name)} = {number};{_legend(values) if kind == 'byte' else ''}"
    changing = max(
        (sum(not isinstance(value, str) for _, value in step.updates) for step in system.steps),
        default=0,
    )
    for number in range(changing):
        # What a flag becomes, while the variables still have their values before the step.
        yield f"hidden byte then_{number};"


def _legend(values: tuple[str, ...]) -> str:
    return " /* " + ", ".join(f"{number} {value}" for number, value in enumerate(values)) + " */"


def _step(system: ProtocolSystem, step: ProtocolStep) -> Iterator[str]:
    free = (Is(step.acquires, (NOBODY,)),) if step.acquires else ()
    guard = Both((Is(step.actor, (step.source,)), *free, step.guard))
    before: list[str] = []
    after: list[str] = []
    for name, value in step.changes().items():
        if isinstance(value, str):
            after.append(f"{_name(name)} = {system.variables[name].index(value)}")
        else:
            before.append(f"then_{len(before)} = {_text(system, value)}")
            after.append(f"{_name(name)} = then_{len(before) - 1}")
    yield f"\t:: d_step {{ {_text(system, guard)} ->"
    yield f"\t\t{'; '.join((*before, *after))} }} /* {step.source} -> {step.target} */"


def _text(system: ProtocolSystem, condition: Condition) -> str:
    match condition:
        case Is(variable, values):
            known = system.variables[variable]
            numbers = [known.index(value) for value in values if value in known]
            tests = [f"{_name(variable)} == {number}" for number in numbers]
            return f"({' || '.join(tests)})" if tests else "false"
        case Both(terms):
            texts = [_text(system, term) for term in terms if term != TRUE]
            return f"({' && '.join(texts)})" if texts else "true"
        case Either(terms):
            texts = [_text(system, term) for term in terms]
            return f"({' || '.join(texts)})" if texts else "false"
        case Negated(term):
            return f"!{_text(system, term)}"
        case Holds():
            raise ValueError("a predicate of the catalogue has no form in Promela")
        case _:
            assert_never(condition)


def _name(text: str) -> str:
    return re.sub(r"\W", "_", text)
