"""From a tree to a program."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from ipvs_est_checks.harness.building import cache
from ipvs_est_checks.harness.building.compiler import (
    CompileError,
    Compiler,
    check_word_bits,
    find_compiler,
    run,
    tool,
)
from ipvs_est_checks.harness.building.headers import (
    generated_headers,
    generic_headers,
    write_headers,
)
from ipvs_est_checks.harness.building.options import BuildOptions
from ipvs_est_checks.harness.building.sources import (
    ARCH,
    ESTIMATOR_UNIT,
    GLUE,
    GLUE_UNIT,
    C,
    Unit,
    link_arguments,
    units,
)
from ipvs_est_checks.harness.building.symbols import (
    COMPILER,
    COMPILER_PREFIXES,
    FROM_LIBC,
    HOOKED,
    RENAMED,
    WATCHED,
)
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.terminal.bad_input import BadInputError

_PROGRAM = "harness"
OnUnit = Callable[[int, int], None]
"""Told how many files of how many are compiled."""


def build(tree: Tree, options: BuildOptions, on_unit: OnUnit | None = None) -> Path:
    """The program of this tree and these options, compiled unless that was done before.

    Raises BadInputError, in one line, if there is no compiler, or if it refuses a file.
    """
    compiler = find_compiler()
    places = _Places(tree, compiler, generic_headers(tree))
    folder = places.program(options)
    program, record = folder / _PROGRAM, folder / "record.json"
    recipe = _recipe()
    cache.mark_used(_made(places.folder(options)))
    if program.exists() and cache.is_current(record, recipe):
        return program
    cache.prune(cache.cache_root(), time.time())
    folder.mkdir(parents=True, exist_ok=True)
    if options.word_bits == 32:
        with TemporaryDirectory() as scratch:
            check_word_bits(compiler, 32, Path(scratch))
    wanted = units(tree, options, places.with_headers, places.runtime(options))
    _compile_all(compiler, tree, wanted, on_unit)
    _link(compiler, options, wanted, folder)
    files: set[str] = set()
    for unit in wanted:
        files.update(cache.recorded_files(_record(unit)))
    cache.write_record(record, recipe, files)
    return program


@dataclass(frozen=True, slots=True)
class _Places:
    """Folders of the cache, each named by what its content follows from."""

    tree: Tree
    compiler: Compiler
    generic: list[str]
    """Names of the tree's headers in asm-generic."""

    def folder(self, options: BuildOptions) -> Path:
        """Of what is compiled with the tree's headers and these options."""
        tree = self.tree
        parts = [str(tree.path), str(tree.version), tree.header, repr(astuple(options))]
        return self._named([*parts, *self.generic])

    def program(self, options: BuildOptions) -> Path:
        """Of the program and its record."""
        folder = self.folder(options)
        texts = [part for pair in self.tree.edited for part in pair]
        return folder / f"edited-{cache.digest(texts)[:16]}" if texts else folder

    def runtime(self, options: BuildOptions) -> Path:
        """Of the runtime, which no tree's headers go into."""
        folder = self._named(["runtime", options.variant.value, str(options.word_bits)])
        folder.mkdir(parents=True, exist_ok=True)
        cache.mark_used(folder)
        return folder

    def with_headers(self, options: BuildOptions) -> Path:
        """The folder, with the generated headers in it."""
        folder = self.folder(options)
        cache.mark_used(_made(folder))
        include = folder / "include"
        if not include.exists():
            own = frozenset(path.name for path in (ARCH / "asm").iterdir())
            files = generated_headers(self.tree, options, self.generic, own)
            folder.mkdir(parents=True, exist_ok=True)
            scratch = Path(mkdtemp(dir=folder))
            write_headers(files, scratch)
            try:
                scratch.rename(include)
            except OSError:
                # Somebody else was faster.
                shutil.rmtree(scratch)
        return folder

    def _named(self, parts: list[str]) -> Path:
        # The path too: another checkout's objects are not ours.
        name = cache.digest(
            [str(C), _recipe_of_headers(), self.compiler.command, self.compiler.identity, *parts]
        )
        return cache.cache_root() / name


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _recipe() -> str:
    """How a program is made of its files: this package."""
    code = sorted(Path(__file__).parent.glob("*.py"))
    sources = sorted(str(path.relative_to(C)) for path in C.rglob("*.[ch]"))
    return cache.digest([*(path.read_bytes() for path in code), *sources])


def _recipe_of_headers() -> str:
    """How headers are generated: the modules that do it."""
    names = ("headers.py", "kconfig.py", "timeconst.py")
    own = sorted(path.name for path in (ARCH / "asm").iterdir())
    return cache.digest([*((Path(__file__).parent / name).read_bytes() for name in names), *own])


def _object(unit: Unit) -> Path:
    return unit.folder / f"{unit.name}.o"


def _record(unit: Unit) -> Path:
    return unit.folder / f"{unit.name}.json"


def _compile_all(
    compiler: Compiler, tree: Tree, wanted: list[Unit], on_unit: OnUnit | None
) -> None:
    todo = [
        unit for unit in wanted if not cache.is_current(_record(unit), cache.digest(unit.arguments))
    ]
    done = 0
    with ThreadPoolExecutor(_processes()) as pool:
        running = [pool.submit(_compile, compiler, unit) for unit in todo]
        try:
            for unit, future in zip(todo, running, strict=True):
                _finish(tree, unit, future.result)
                done += 1
                if on_unit is not None:
                    on_unit(done, len(todo))
        finally:
            for future in running:
                future.cancel()


def _finish(tree: Tree, unit: Unit, result: Callable[[], None]) -> None:
    try:
        result()
    except CompileError as error:
        first = error.first.replace(f"{tree.path}/", "")
        if first.startswith(str(GLUE)):
            raise BadInputError(
                f"{tree.path}: a function or structure that the harness does not know:"
                f" {first.removeprefix(f'{GLUE}/')}"
            ) from None
        raise BadInputError(f"{tree.path}: does not compile: {first}") from None


def _compile(compiler: Compiler, unit: Unit) -> None:
    output = _object(unit)
    scratch = output.with_name(f"{output.name}.{os.getpid()}")
    rule = scratch.with_name(f"{scratch.name}.d")
    run(
        compiler,
        [*unit.arguments, "-c", "-MD", "-MF", str(rule), "-o", str(scratch), str(unit.source)],
    )
    files = cache.read_dependencies(rule.read_text(encoding="utf-8", errors="surrogateescape"))
    rule.unlink()
    scratch.replace(output)
    cache.write_record(_record(unit), cache.digest(unit.arguments), files)


def _processes() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _link(compiler: Compiler, options: BuildOptions, wanted: list[Unit], folder: Path) -> None:
    """Join the kernel's files, meet what they want, and link them with the runtime."""
    with TemporaryDirectory(dir=folder) as name:
        scratch = Path(name)
        kernel = _join_kernel(compiler, options, wanted, scratch)
        runtime = [_object(unit) for unit in wanted if not unit.of_kernel]
        traps = _traps(compiler, options, kernel, runtime, scratch)
        program = scratch / _PROGRAM
        objects = [str(kernel), *map(str, runtime), str(traps)]
        names = [f"-Wl,--defsym={old}={new}" for old, new in RENAMED.items()]
        try:
            run(compiler, [*link_arguments(options), *names, "-o", str(program), *objects])
        except CompileError as error:
            raise BadInputError(f"the program cannot be linked: {error.first}") from None
        program.replace(folder / _PROGRAM)


def _join_kernel(
    compiler: Compiler, options: BuildOptions, wanted: list[Unit], scratch: Path
) -> Path:
    """One object of all that is the kernel's, of which only the glue can be seen.

    So the kernel's vsprintf is not taken for libc's.
    """
    joined, kernel = scratch / "joined.o", scratch / "kernel.o"
    objects = [str(_watched(compiler, unit, scratch)) for unit in wanted if unit.of_kernel]
    run(compiler, ["-r", "-nostdlib", f"-m{options.word_bits}", "-o", str(joined), *objects])
    visible = scratch / "visible"
    names = ["glue_*", "nr_cpu_ids", "__per_cpu_offset", *sorted(set(RENAMED.values())), *HOOKED]
    visible.write_text("".join(f"{name}\n" for name in names))
    _tool(
        [
            tool(compiler, "objcopy"),
            "--wildcard",
            f"--keep-global-symbols={visible}",
            str(joined),
            str(kernel),
        ]
    )
    return kernel


def _watched(compiler: Compiler, unit: Unit, scratch: Path) -> Path:
    """The object, with what the record of events needs: functions of the estimator by name, and
    the calls of them that others make by way of the runtime."""
    if unit.name.startswith(GLUE_UNIT):
        how = [f"--redefine-sym={old}={new}" for old, new in WATCHED.items()]
    elif unit.name.startswith(ESTIMATOR_UNIT):
        how = [f"--globalize-symbol={name}" for name in HOOKED]
    else:
        return _object(unit)
    output = scratch / f"{unit.name}.o"
    _tool([tool(compiler, "objcopy"), *how, str(_object(unit)), str(output)])
    return output


def _traps(
    compiler: Compiler, options: BuildOptions, kernel: Path, runtime: list[Path], scratch: Path
) -> Path:
    """An object in which each symbol that nobody supplies says its name when it is reached."""
    nm = tool(compiler, "nm")
    supplied = FROM_LIBC | COMPILER | RENAMED.keys()
    supplied |= _symbols(nm, runtime, "--defined-only", "--extern-only")
    missing = sorted(
        symbol
        for symbol in _symbols(nm, [kernel], "--undefined-only") - supplied
        if not symbol.startswith(COMPILER_PREFIXES)
    )
    source, output = scratch / "traps.c", scratch / "traps.o"
    lines = ["void rt_missing_symbol(const char *name) __attribute__((noreturn));\n"]
    lines += [f'void {name}(void) {{ rt_missing_symbol("{name}"); }}\n' for name in missing]
    source.write_text("".join(lines))
    run(
        compiler,
        [
            "-w",
            "-fno-builtin",
            "-fno-pie",
            f"-m{options.word_bits}",
            "-c",
            "-o",
            str(output),
            str(source),
        ],
    )
    return output


def _symbols(nm: str, paths: list[Path], *which: str) -> set[str]:
    listed = _tool([nm, "--format=posix", *which, *map(str, paths)])
    # Of several files each one's name comes first, and a colon.
    rows = [line.split() for line in listed.splitlines() if not line.endswith(":")]
    return {row[0] for row in rows if row}


def _tool(command: list[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        name = Path(command[0]).name
        raise BadInputError(f"{name} fails: {ran.stderr.strip().partition(chr(10))[0]}")
    return ran.stdout


def forget_all() -> None:
    """Empty the cache."""
    shutil.rmtree(cache.cache_root(), ignore_errors=True)
