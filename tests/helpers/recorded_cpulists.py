"""The recorded answers of the kernel to cpulist texts."""

import json
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "data" / "cpulist.jsonl"


@dataclass(frozen=True, slots=True)
class Case:
    possible_cpus: int
    text: str
    answer: frozenset[int] | str
    """The CPUs, or the name of the error."""


def recorded_cases() -> list[Case]:
    cases = []
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        answer = record["errno"] if "errno" in record else frozenset(record["cpus"])
        cases.append(Case(record["possible_cpus"], record["list"], answer))
    return cases
