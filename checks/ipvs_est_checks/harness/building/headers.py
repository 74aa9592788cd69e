"""The headers that a kernel build would generate, or has in its architecture."""

import re
from pathlib import Path

from ipvs_est_checks.harness.building.kconfig import autoconf, bounds
from ipvs_est_checks.harness.building.options import BuildOptions
from ipvs_est_checks.harness.building.timeconst import timeconst
from ipvs_est_checks.harness.building.tree import HEADER, Tree, version_text
from ipvs_est_checks.terminal.bad_input import BadInputError

_GENERIC = ("include/asm-generic", "include/uapi/asm-generic")
_EMPTY = (
    "asm/stacktrace.h",
    "asm/ucontext.h",
    "asm/vdso.h",
    "asm/vmalloc.h",
    "asm/vtime.h",
    "generated/asm-offsets.h",
    "generated/compile.h",
    "generated/cpufeaturemasks.h",
)
"""Headers of an architecture, or generated, of which nothing is used."""


def generic_headers(tree: Tree) -> list[str]:
    """Names below asm-generic, sorted."""
    names = set()
    for folder in _GENERIC:
        root = tree.path / folder
        names |= {str(path.relative_to(root)) for path in root.rglob("*.h")}
    return sorted(names)


def generated_headers(
    tree: Tree, options: BuildOptions, generic: list[str], own: frozenset[str]
) -> dict[str, str]:
    """Text by path below an include directory; `own` are the names in the project's asm."""
    major, minor, patch = tree.version
    code = (major << 16) + (minor << 8) + min(patch, 255)
    files = {f"asm/{name}": f"#include <asm-generic/{name}>\n" for name in generic}
    # What the project has itself must not be found here before it.
    files = {path: text for path, text in files.items() if path.removeprefix("asm/") not in own}
    files |= dict.fromkeys(_EMPTY, "")
    files |= {
        "asm/syscall.h": "#include <asm/ptrace.h>\n",
        "generated/autoconf.h": autoconf(options),
        "generated/bounds.h": bounds(options),
        "generated/rq-offsets.h": "#define RQ_nr_pinned 0\n",
        "generated/timeconst.h": timeconst(options.hz),
        "generated/utsrelease.h": f'#define UTS_RELEASE "{version_text(tree)}"\n',
        "linux/version.h": (
            f"#define LINUX_VERSION_CODE {code}\n"
            "#define KERNEL_VERSION(a,b,c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n"
            f"#define LINUX_VERSION_MAJOR {major}\n"
            f"#define LINUX_VERSION_PATCHLEVEL {minor}\n"
            f"#define LINUX_VERSION_SUBLEVEL {patch}\n"
        ),
        "net/ip_vs.h": _with_geometry(tree, options),
    }
    return files


def _with_geometry(tree: Tree, options: BuildOptions) -> str:
    """The tree's net/ip_vs.h with the wanted geometry, and its places unchanged."""
    text = tree.header
    for name, value in (
        ("IPVS_EST_NTICKS", options.nticks),
        ("IPVS_EST_CHAIN_FACTOR", options.chain_factor),
        ("IPVS_EST_LOAD_DIVISOR", options.load_divisor),
    ):
        if value is not None:
            text = _with_value(tree.path, text, name, value)
    return f'#line 1 "{tree.path / HEADER}"\n{text}'


def _with_value(tree: Path, text: str, name: str, value: int) -> str:
    pattern = re.compile(rf"^#define[ \t]+{name}\b(?:[^\n]*\\\n)*[^\n]*$", re.M)
    found = pattern.findall(text)
    if len(found) != 1:
        raise BadInputError(
            f"{tree}: {HEADER} has {len(found)} definitions of {name}, not one:"
            " this geometry cannot be set"
        )
    # As many lines as before, so that places in the file stay what they are.
    new = f"#define {name} {value}" + "\n" * found[0].count("\n")
    return pattern.sub(lambda _: new, text, count=1)


def write_headers(files: dict[str, str], root: Path) -> None:
    """Write them below `root`."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="surrogateescape")
