"""Who may import whom: checks -> spec -> refimpl -> standard library, and z3 in one module only.

Within a package the rooms (its folders, and the modules at its top) import each other in one
direction only. The checks are functions over source text, so that each is also shown to fail on a
bad example.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

# Source root -> the one import package that it holds.
PACKAGE_OF_ROOT = {
    "refimpl": "ipvs_est",
    "spec": "ipvs_est_spec",
    "checks": "ipvs_est_checks",
}

# What the properties may know of the model: plain data, no behaviour.
VOCABULARY = frozenset(
    {
        "ipvs_est.language.errno",
        "ipvs_est.language.events",
        "ipvs_est.language.params",
        "ipvs_est.language.revision",
        "ipvs_est.answers.snapshot",
        "ipvs_est.language.violations",
    }
)

# Package -> what its modules may import besides the standard library; a name covers all below it.
ALLOWED: Mapping[str, frozenset[str]] = {
    "ipvs_est": frozenset({"ipvs_est"}),
    "ipvs_est_spec": VOCABULARY | {"ipvs_est_spec", "z3"},
    "ipvs_est_checks": frozenset(
        {
            "ipvs_est",
            "ipvs_est_spec",
            "ipvs_est_checks",
            "bitwuzla",
            "click",
            "cvc5",
            # Hands work to several machines, for who has the extra.
            "distributed",
            # Reads dumps that are no ELF files, for who has the extra.
            "drgn",
            "hypothesis",
            # Only the plugin, which pytest itself loads.
            "pytest",
            "rich",
        }
    ),
}

# Distribution -> the import package that it brings.
CHECK_EXTRA = {
    "click": "click",
    "hypothesis": "hypothesis",
    "rich": "rich",
    "z3-solver": "z3",
}

SOLVERS_EXTRA = {"bitwuzla": "bitwuzla", "cvc5": "cvc5"}
DASK_EXTRA = {"distributed": "distributed"}
DRGN_EXTRA = {"drgn": "drgn"}

UNRESOLVED = "<unresolved>"


@dataclass(frozen=True, slots=True)
class Source:
    """One module as text."""

    module: str
    """Dotted name; that of a package for its `__init__`."""
    is_package: bool
    text: str


def sources(root: Path) -> Iterator[Source]:
    """All modules below a source root, by path."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        yield Source(module, is_package, path.read_text(encoding="utf-8"))


def packages(root: Path) -> list[str]:
    """Everything importable at the top of a source root."""
    return sorted({source.module.partition(".")[0] for source in sources(root)})


def imported_names(source: Source) -> Iterator[str]:
    """Every name that a module imports, absolute and as long as it stands there.

    `from a import b` gives `a.b`, since b may be a module. Imports for type checkers and inside
    functions count as well. A name handed to `__import__` or `import_module` counts if it is
    written out; else it is `UNRESOLVED`, which nobody may import.
    """
    for node in ast.walk(ast.parse(source.text)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                origin = _absolute(source, module, level)
                yield from (f"{origin}.{alias.name}" for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module")
                | ast.Attribute(attr="__import__" | "import_module"),
                args=arguments,
            ):
                match arguments:
                    case [ast.Constant(value=str(name)), *_]:
                        yield name
                    case _:
                        yield UNRESOLVED
            case _:
                pass


def _absolute(source: Source, module: str | None, level: int) -> str:
    """The module named by `from {'.' * level}{module} import ...`."""
    if level == 0:
        return module or ""
    here = source.module.split(".")
    up = level - 1 if source.is_package else level
    base = here[: len(here) - up] if up < len(here) else [UNRESOLVED]
    return ".".join([*base, *([module] if module else [])])


def is_within(name: str, modules: Iterable[str]) -> bool:
    """Whether `name` is one of the modules or lies below one."""
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def forbidden_imports(source: Source, allowed: frozenset[str]) -> list[str]:
    """What the module imports although it is neither standard library nor allowed."""
    return [
        f"{source.module} imports {name}"
        for name in imported_names(source)
        if name.partition(".")[0] not in sys.stdlib_module_names and not is_within(name, allowed)
    ]


def importers_of(library: str, modules: Iterable[Source]) -> list[str]:
    """The modules that import a library."""
    return [
        source.module
        for source in modules
        if any(is_within(name, {library}) for name in imported_names(source))
    ]


def room_of(module: str) -> str:
    """The folder, or the module at the top, of a package that a module lies in; '' = neither."""
    return module.split(".")[1] if "." in module else ""


def arrows(scanned: Sequence[Source], package: str) -> dict[str, set[str]]:
    """Which rooms of the package each room imports.

    What only a type checker imports does not count: a task of the model names its kthread context.
    """
    rooms = {room_of(source.module) for source in scanned} - {""}
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for source in scanned:
        room = room_of(source.module)
        if not room:
            continue
        names = [*imported_names(_without_type_checking(source))]
        inside = {room_of(name) for name in names if name.startswith(f"{package}.")}
        found[room] |= inside & rooms - {room}
    return found


def _without_type_checking(source: Source) -> Source:
    tree = ast.parse(source.text)
    for node in ast.walk(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                node.body = [ast.Pass()]
            case _:
                pass
    return replace(source, text=ast.unparse(tree))


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Rooms that import each other in a circle, the first one again at the end; [] = none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(argument) for argument in error.args[1]]
    return []


def packages_without_marker(root: Path) -> list[str]:
    """The packages below a source root that do not say that they are typed."""
    return [name for name in packages(root) if not (root / name / "py.typed").is_file()]


def outside_standard_library(loaded: Iterable[str], package: str) -> list[str]:
    """Which of the loaded modules belong neither to Python nor to the package."""
    own = {"__main__", package}
    tops = {name.partition(".")[0] for name in loaded}
    return sorted(tops - own - sys.stdlib_module_names)


IMPORT_ALL = """\
import sys
root, package = sys.argv[1:]
sys.path.insert(0, root)
import importlib, pkgutil
top = importlib.import_module(package)
for module in pkgutil.walk_packages(top.__path__, package + "."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
print(*sys.modules, sep="\\n")
"""


def modules_loaded_by(root: Path, package: str) -> list[str]:
    """`sys.modules` of a fresh interpreter that imported the package and all its modules.

    The interpreter sees no site-packages, no user site and no environment variable.
    """
    run = subprocess.run(
        [sys.executable, "-S", "-I", "-B", "-c", IMPORT_ALL, str(root), package],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def module(text: str, name: str = "ipvs_est_spec.sub.mod", *, is_package: bool = False) -> Source:
    """A module made up for a test."""
    return Source(name, is_package, text)


# The project's own sources


def test_each_source_root_holds_exactly_its_package() -> None:
    found = {root: packages(CHECKOUT / root) for root in PACKAGE_OF_ROOT}
    assert found == {root: [package] for root, package in PACKAGE_OF_ROOT.items()}
    assert sum(len(names) for names in found.values()) == 3


@pytest.mark.parametrize(("root", "package"), PACKAGE_OF_ROOT.items())
def test_package_imports_only_from_its_layer_and_below(root: str, package: str) -> None:
    scanned = list(sources(CHECKOUT / root))
    assert len(scanned) > 0
    assert [
        complaint for source in scanned for complaint in forbidden_imports(source, ALLOWED[package])
    ] == []


def test_only_the_plugin_imports_pytest() -> None:
    scanned = [source for root in PACKAGE_OF_ROOT for source in sources(CHECKOUT / root)]
    assert importers_of("pytest", scanned) == ["ipvs_est_checks.testing.plugin"]


def test_at_most_one_module_imports_z3() -> None:
    scanned = [source for root in PACKAGE_OF_ROOT for source in sources(CHECKOUT / root)]
    assert len(scanned) > 0
    importers = importers_of("z3", scanned)
    assert len(importers) <= 1, importers


@pytest.mark.parametrize(("root", "package"), PACKAGE_OF_ROOT.items())
def test_rooms_of_a_package_do_not_import_each_other_in_a_circle(root: str, package: str) -> None:
    graph = arrows(list(sources(CHECKOUT / root)), package)
    assert len(graph) > 5
    assert any(graph.values())
    assert circle(graph) == []


@pytest.mark.parametrize("room", ["defects", "known", "machines", "mutants"])
def test_the_explorer_is_told_what_is_known_and_does_not_look(room: str) -> None:
    graph = arrows(list(sources(CHECKOUT / "checks")), "ipvs_est_checks")
    assert room in graph
    assert room not in graph["explore"]


def test_each_package_is_marked_as_typed() -> None:
    assert [
        name for root in PACKAGE_OF_ROOT for name in packages_without_marker(CHECKOUT / root)
    ] == []


def test_oracle_loads_only_the_standard_library() -> None:
    loaded = modules_loaded_by(CHECKOUT / "refimpl", "ipvs_est")
    scanned = {source.module for source in sources(CHECKOUT / "refimpl")}
    assert "ipvs_est" in scanned
    assert scanned - {"ipvs_est.__main__"} <= set(loaded)
    assert outside_standard_library(loaded, "ipvs_est") == []


def test_declared_dependencies_are_those_of_the_layers() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == []
    extras = (
        ("check", CHECK_EXTRA),
        ("solvers", SOLVERS_EXTRA),
        ("dask", DASK_EXTRA),
        ("drgn", DRGN_EXTRA),
    )
    for extra, brought in extras:
        names = {
            re.split(r"[^\w-]", requirement)[0]
            for requirement in project["optional-dependencies"][extra]
        }
        assert names == brought.keys()
    third_party = frozenset().union(*ALLOWED.values()) - VOCABULARY - ALLOWED.keys()
    # Who has no pytest does not load its plugin.
    assert third_party == {"pytest"}.union(*(brought.values() for _, brought in extras))


def test_only_the_second_solver_needs_the_solvers() -> None:
    scanned = [source for root in PACKAGE_OF_ROOT for source in sources(CHECKOUT / root)]
    for solver in SOLVERS_EXTRA.values():
        assert importers_of(solver, scanned) == ["ipvs_est_checks.proving.second_solver"]


def test_only_the_reader_of_other_dumps_needs_drgn() -> None:
    scanned = [source for root in PACKAGE_OF_ROOT for source in sources(CHECKOUT / root)]
    assert importers_of("drgn", scanned) == ["ipvs_est_checks.live.memory.by_drgn"]


# The checks can fail


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import os.path, z3 as solver", ["os.path", "z3"]),
        ("from ipvs_est import params", ["ipvs_est.params"]),
        (
            "from ipvs_est.params import Params, hz",
            ["ipvs_est.params.Params", "ipvs_est.params.hz"],
        ),
        ("from ipvs_est import *", ["ipvs_est.*"]),
        ("from . import a", ["ipvs_est_spec.sub.a"]),
        ("from .a import b", ["ipvs_est_spec.sub.a.b"]),
        ("from ..a import b", ["ipvs_est_spec.a.b"]),
        ("from ...ipvs_est import b", ["<unresolved>.ipvs_est.b"]),
        ("def late():\n    import click", ["click"]),
        ("if TYPE_CHECKING:\n    import click", ["click"]),
        ("try:\n    import click\nexcept ImportError:\n    pass", ["click"]),
        ("__import__('click')", ["click"]),
        ("importlib.import_module('click.core')", ["click.core"]),
        ("import_module(name)", ["<unresolved>"]),
        ("click = 'import click'  # import click", []),
    ],
)
def test_imported_names_are_found_in_every_spelling(text: str, names: list[str]) -> None:
    assert list(imported_names(module(text))) == names


def test_relative_import_in_a_package_counts_from_the_package() -> None:
    here = module("from .a import b", "ipvs_est_spec", is_package=True)
    assert list(imported_names(here)) == ["ipvs_est_spec.a.b"]


@pytest.mark.parametrize(
    ("package", "text"),
    [
        ("ipvs_est", "import click"),
        ("ipvs_est", "from z3 import Int"),
        ("ipvs_est", "import ipvs_est_spec"),
        ("ipvs_est", "from ipvs_est_checks.command import main"),
        ("ipvs_est", "importlib.import_module(plugin)"),
        ("ipvs_est_spec", "import hypothesis"),
        ("ipvs_est_spec", "import ipvs_est"),
        ("ipvs_est_spec", "from ipvs_est.estimator import enqueue"),
        ("ipvs_est_spec", "from ipvs_est.state.machine import Machine"),
        ("ipvs_est_spec", "import ipvs_est.language.params_of_machine"),
        ("ipvs_est_spec", "from ipvs_est_checks import command"),
        ("ipvs_est_checks", "import numpy"),
        ("ipvs_est_checks", "import z3"),
    ],
)
def test_import_against_the_layers_is_reported(package: str, text: str) -> None:
    assert len(forbidden_imports(module(text, f"{package}.mod"), ALLOWED[package])) == 1


@pytest.mark.parametrize(
    ("package", "text"),
    [
        (
            "ipvs_est",
            "import json\nfrom ipvs_est import Params\nfrom . import bitmap",
        ),
        (
            "ipvs_est_spec",
            "import z3\nfrom ipvs_est.language import params",
        ),
        (
            "ipvs_est_checks",
            "import click, rich.table, hypothesis.stateful, ipvs_est.oracle",
        ),
    ],
)
def test_import_along_the_layers_is_accepted(package: str, text: str) -> None:
    assert forbidden_imports(module(text, f"{package}.mod"), ALLOWED[package]) == []


def test_every_importer_of_z3_is_named() -> None:
    modules = [
        module("import z3", "a"),
        module("import z3lib", "b"),
        module("from z3.z3util import get_vars", "c"),
    ]
    assert importers_of("z3", modules) == ["a", "c"]


def test_circle_of_rooms_is_seen_also_over_a_third_and_in_functions() -> None:
    scanned = [
        module("from p.b import x", "p.a.one"),
        module("from p.a import one\nimport p.c.deep", "p.b"),
        module("", "p.c.deep"),
        module("from p import a", "p", is_package=True),
    ]
    assert arrows(scanned, "p") == {"a": {"b"}, "b": {"a", "c"}, "c": set()}
    assert sorted(set(circle(arrows(scanned, "p")))) == ["a", "b"]
    apart = {"a": {"b"}, "b": {"c"}, "c": set[str]()}
    assert circle(apart) == []
    assert sorted(set(circle(apart | {"c": {"a"}}))) == ["a", "b", "c"]
    late = [module("def f():\n    from p.b import x", "p.a"), module("import p.a", "p.b")]
    assert sorted(set(circle(arrows(late, "p")))) == ["a", "b"]
    typed = [module("if TYPE_CHECKING:\n    import p.b", "p.a"), module("import p.a", "p.b")]
    assert circle(arrows(typed, "p")) == []


def test_second_package_and_missing_marker_are_seen(tmp_path: Path) -> None:
    for name in ("typed", "untyped"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "typed" / "py.typed").touch()
    assert packages(tmp_path) == ["typed", "untyped"]
    assert packages_without_marker(tmp_path) == ["untyped"]


def test_foreign_module_is_seen_in_a_fresh_interpreter(tmp_path: Path) -> None:
    (tmp_path / "oracle" / "sub").mkdir(parents=True)
    (tmp_path / "oracle" / "__init__.py").touch()
    (tmp_path / "oracle" / "__main__.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "oracle" / "sub" / "__init__.py").write_text("import json, foreign\n")
    (tmp_path / "foreign.py").touch()
    loaded = modules_loaded_by(tmp_path, "oracle")
    assert {"oracle.sub", "json", "foreign"} <= set(loaded)
    assert outside_standard_library(loaded, "oracle") == ["foreign"]


def test_site_packages_are_out_of_reach_of_the_fresh_interpreter(tmp_path: Path) -> None:
    (tmp_path / "oracle").mkdir()
    (tmp_path / "oracle" / "__init__.py").write_text("import pytest\n")
    with pytest.raises(AssertionError, match="No module named 'pytest'"):
        modules_loaded_by(tmp_path, "oracle")
