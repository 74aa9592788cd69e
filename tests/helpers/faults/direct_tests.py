"""The tests of single rules by their names, for faults that no recorded trace catches."""

import re
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

RULES = Path(__file__).parents[2] / "model" / "rules"

_TEST = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def direct_tests() -> dict[str, Path]:
    """Each test of `tests/model/rules` with its file."""
    return {
        name: file
        for file in sorted(RULES.glob("test_*.py"))
        for name in _TEST.findall(file.read_text(encoding="utf-8"))
    }


def load_test(name: str, file: Path) -> Callable[[], None]:
    """The test, imported anew, so that it uses the copy of the model that is imported now."""
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    test: Callable[[], None] = getattr(module, name)
    return test
