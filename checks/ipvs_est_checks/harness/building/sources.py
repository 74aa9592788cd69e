"""The project's C files, and which of the tree's are compiled beside them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ipvs_est_checks.harness.building.cache import digest, write_at_once
from ipvs_est_checks.harness.building.options import BuildOptions, Variant
from ipvs_est_checks.harness.building.symbols import SIGNATURES
from ipvs_est_checks.harness.building.tree import CONTROL, ESTIMATOR, Tree, text_of

C = Path(__file__).parents[1] / "c"
ARCH = C / "arch"
GLUE = C / "glue"
RUNTIME = C / "runtime"

_NEIGHBOURS = tuple(f"net/netfilter/ipvs/ip_vs_{name}.c" for name in ("core", "conn", "sched"))
_LIBRARY = tuple(
    f"lib/{name}.c"
    for name in (
        "bitmap",
        "bitmap-str",
        "ctype",
        "find_bit",
        "hexdump",
        "hweight",
        "kstrtox",
        "vsprintf",
    )
)

_LANGUAGE = [
    "-std=gnu11",
    "-O1",
    # Lines and functions alone, which takes less time, in the version of the format in which
    # addr2line finds the file of a line that an included file has.
    "-g1",
    "-gdwarf-4",
    "-fms-extensions",
    "-fshort-wchar",
    "-funsigned-char",
    "-fno-common",
    "-fno-strict-aliasing",
    "-fno-strict-overflow",
    "-fno-delete-null-pointer-checks",
    "-fno-stack-protector",
    "-fno-builtin-printf",
    "-fno-pie",
    "-ffunction-sections",
]
"""The kernel's own, as far as they decide what the code means."""

_VARIANT = {
    Variant.PLAIN: (),
    Variant.SANITISED: (
        "-fsanitize=address",
        "-fsanitize=bounds,integer-divide-by-zero,unreachable",
        "-fno-sanitize-recover=bounds,integer-divide-by-zero,unreachable",
    ),
    Variant.POINTS: (
        "-fsanitize=thread",
        "--param=tsan-distinguish-volatile=1",
        "--param=tsan-instrument-func-entry-exit=0",
    ),
}

_HOOKS = (
    "-finstrument-functions",
    "-finstrument-functions-exclude-file-list=/include/,include/",
)
"""The runtime is told where the estimator's own functions begin and end."""

ESTIMATOR_UNIT = Path(ESTIMATOR).stem
GLUE_UNIT = "glue"
"""How the names of these two objects begin."""

WARNINGS = ("-Wall", "-Wextra", "-Werror")
"""What the project's own files are clean of; a test says so, not each user's compiler."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One file to be compiled."""

    name: str
    source: Path
    arguments: tuple[str, ...]
    folder: Path
    """Of its object: shared by all programs for which it is compiled in the same way."""
    of_kernel: bool
    """Whether it is compiled with the kernel's headers."""


FolderOf = Callable[[BuildOptions], Path]
"""Where what depends on the tree and on these options alone is kept."""


def units(
    tree: Tree, options: BuildOptions, folder_of: FolderOf, runtime_folder: Path
) -> list[Unit]:
    """All files, those first that take longest. Generated headers are in each folder's include."""
    folder = folder_of(options)
    kernel = _kernel(tree, options, folder)
    name, control = _source(tree, CONTROL, folder)
    name = name.replace(Path(CONTROL).stem, GLUE_UNIT)
    arguments = (*_VARIANT[options.variant], *_glue_arguments(tree, control))
    found = [Unit(name, GLUE / "ctl.c", (*kernel, *arguments), folder, True)]
    for name in _NEIGHBOURS:
        found.append(_of_tree(tree, name, neighbour_options(tree, name, options), folder_of))
    arguments = (*kernel, *_VARIANT[options.variant], *_HOOKS)
    name, estimator = _source(tree, ESTIMATOR, folder)
    found.append(Unit(name, estimator, arguments, folder, True))
    for name in _LIBRARY:
        if (tree.path / name).exists():
            found.append(_of_tree(tree, name, library_options(options), folder_of))
    arguments = (*runtime_arguments(options.variant), f"-m{options.word_bits}")
    for source in sorted(RUNTIME.rglob("*.c")):
        found.append(Unit(f"runtime-{source.stem}", source, arguments, runtime_folder, False))
    return found


def library_options(options: BuildOptions) -> BuildOptions:
    """All that the files of lib depend on."""
    return BuildOptions(word_bits=options.word_bits)


def neighbour_options(tree: Tree, name: str, options: BuildOptions) -> BuildOptions:
    """All that a file beside the estimator depends on: not the geometry, as a rule."""
    plain = replace(options, variant=Variant.PLAIN)
    text = text_of(tree, name)
    if re.search("IPVS_EST_|ip_vs_est_", text):
        return plain
    return replace(plain, nticks=None, chain_factor=None, load_divisor=None)


def _of_tree(tree: Tree, name: str, options: BuildOptions, folder_of: FolderOf) -> Unit:
    folder = folder_of(options)
    arguments = _kernel(tree, options, folder)
    unit, source = _source(tree, name, folder)
    return Unit(unit, source, arguments, folder, True)


def _source(tree: Tree, name: str, folder: Path) -> tuple[str, Path]:
    """What is compiled for a file of the tree, and the object's name: of a text that was edited,
    a copy that says where it is from."""
    stem = Path(name).stem
    text = dict(tree.edited).get(name)
    if text is None:
        return stem, tree.path / name
    data = f'#line 1 "{tree.path / name}"\n{text}'.encode("utf-8", "surrogateescape")
    unit = f"{stem}-{digest([data])[:16]}"
    copy = folder / f"{unit}.c"
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_at_once(copy, data)
    return unit, copy


def _kernel(tree: Tree, options: BuildOptions, folder: Path) -> tuple[str, ...]:
    return (*kernel_arguments(tree, folder / "include"), f"-m{options.word_bits}")


def kernel_arguments(tree: Tree, include: Path) -> tuple[str, ...]:
    """For a file that is compiled with the tree's headers, and none of the system's."""
    root = tree.path / "include"
    arguments = ["-nostdinc"]
    for folder in (ARCH, include, root, root / "uapi"):
        arguments += ["-I", str(folder)]
    for name in ("compiler-version.h", "kconfig.h", "compiler_types.h"):
        arguments += ["-include", str(root / "linux" / name)]
    arguments += ["-D__KERNEL__", '-DKBUILD_MODFILE="ip_vs"', '-DKBUILD_BASENAME="ip_vs"']
    arguments += ['-DKBUILD_MODNAME="ip_vs"', "-D__KBUILD_MODNAME=kmod_ip_vs", "-w"]
    return (*arguments, *_LANGUAGE)


def runtime_arguments(variant: Variant) -> tuple[str, ...]:
    """For a file of the runtime, compiled with libc's headers."""
    arguments = ["-std=gnu11", "-O2", "-g1", "-fno-pie", "-D_GNU_SOURCE", "-I", str(RUNTIME)]
    if variant is Variant.SANITISED:
        arguments += ["-fsanitize=address"]
    if variant is Variant.POINTS:
        arguments += ["-DWITH_POINTS"]
    return tuple(arguments)


def link_arguments(options: BuildOptions) -> tuple[str, ...]:
    """For the program."""
    arguments = ["-no-pie", f"-m{options.word_bits}"]
    if options.variant is Variant.SANITISED:
        arguments += ["-fsanitize=address,undefined"]
    return tuple(arguments)


def _glue_arguments(tree: Tree, control: Path) -> tuple[str, ...]:
    found = [f'-DCONTROL_FILE="{control}"']
    found += [f"-D{macro}" for macro, pattern in SIGNATURES if re.search(pattern, tree.header)]
    return tuple(found)
