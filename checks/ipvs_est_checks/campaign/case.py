"""A case: a history or a scenario as the text of a file that other commands take as well."""

from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import PurePath

from ipvs_est import Params
from ipvs_est.language.header import header_from_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est.language.revision import MAINLINE
from ipvs_est_checks.explore.scenarios.scenario import (
    Scenario,
    scenario_from_text,
    scenario_text,
)
from ipvs_est_checks.history.file import header_line, line_of


class Kind(Enum):
    """What a case is."""

    HISTORY = "history"
    """Operations one after the other: input of the oracle."""
    SCENARIO = "scenario"
    """Tasks that race: input of `explore`."""


_ENDINGS = {Kind.HISTORY: ".jsonl", Kind.SCENARIO: ".json"}
# The scenario's own name is that of its file.
_ABOUT = "Made by a campaign."


@dataclass(frozen=True, slots=True)
class CampaignCase:
    """Equal cases have equal text."""

    kind: Kind
    text: str

    @property
    def name(self) -> str:
        """Of its file: the kind and a digest of the text."""
        digest = blake2b(self.text.encode(), digest_size=16).hexdigest()
        return f"{self.kind.value}-{digest}{_ENDINGS[self.kind]}"


def case_of_file(name: str, text: str) -> CampaignCase:
    """The case in a file of that name; raises InputError if it is not what its name says."""
    kind = next((kind for kind in Kind if PurePath(name).name.startswith(f"{kind.value}-")), None)
    if kind is None:
        raise InputError("", "is no history-... or scenario-...")
    case = CampaignCase(kind, text)
    if case.name != PurePath(name).name:
        raise InputError("", "its content is not what its name says: changed or cut off")
    # What cannot be read would otherwise be found in a worker.
    if kind is Kind.HISTORY:
        history_of(case)
    else:
        scenario_of(case)
    return case


def history_case(params: Params, operations: tuple[Operation, ...]) -> CampaignCase:
    """A history, as `ipvs-est generate histories` writes it."""
    # A history is for any revision; the header has to name one.
    lines = [header_line("campaign", MAINLINE.name, params)]
    lines += [line_of(operation_to_json(operation)) for operation in operations]
    return CampaignCase(Kind.HISTORY, "".join(f"{line}\n" for line in lines))


def scenario_case(scenario: Scenario) -> CampaignCase:
    """A scenario, as `ipvs-est generate scenarios` writes it."""
    made = Scenario(
        "campaign", _ABOUT, scenario.params, scenario.setup, scenario.actors, scenario.jiffies
    )
    return CampaignCase(Kind.SCENARIO, f"{scenario_text(made)}\n")


def history_of(case: CampaignCase) -> tuple[Params, tuple[Operation, ...]]:
    """What the text of a history says; raises InputError."""
    first, *rest = case.text.splitlines()
    params = header_from_json(parse_object(first)).params
    return params, tuple(operation_from_json(parse_object(name)) for name in rest)


def scenario_of(case: CampaignCase) -> Scenario:
    """What the text of a scenario says; raises InputError."""
    return scenario_from_text("campaign", case.text)
