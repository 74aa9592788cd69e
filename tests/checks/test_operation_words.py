"""Every operation is told in words."""

from typing import get_type_hints

import pytest

from ipvs_est.language.operations import (
    OPERATIONS,
    FailAllocations,
    Operation,
    SetCpulist,
    StartService,
)
from ipvs_est_checks.history.operation_words import in_words


@pytest.mark.parametrize("kind", OPERATIONS, ids=lambda kind: kind.op)
def test_an_operation_is_told_in_one_line_with_its_object(kind: type[Operation]) -> None:
    values: dict[str, object] = {"id": 71, "text": "0", "allowed": None}
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name != "op"}
    words = in_words(kind(**{name: values.get(name, 3) for name in hints}))  # type: ignore[arg-type] # made of its own hints
    assert words.isprintable()
    assert words
    assert ("71" in words) == ("id" in hints)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (StartService(1), "the estimator of service 1 starts; the first service sets enable"),
        (SetCpulist(0), "est_cpulist is written: no CPU"),
        (SetCpulist(1), "est_cpulist is written: CPU 0"),
        (SetCpulist(4), "est_cpulist is written: CPUs 0-3"),
        (FailAllocations(3), "of the allocations from now on number 3 fails"),
        (FailAllocations(3, 2), "of the allocations from now on numbers 3 to 4 fail"),
        (FailAllocations(1, 0), "no allocation fails any more"),
    ],
)
def test_numbers_are_put_into_words(operation: Operation, words: str) -> None:
    assert in_words(operation) == words
