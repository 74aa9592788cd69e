"""A tree that cannot be used is refused in one line that says why."""

from pathlib import Path

import pytest

from ipvs_est_checks.harness.building.headers import generated_headers
from ipvs_est_checks.harness.building.options import BuildOptions
from ipvs_est_checks.harness.building.tree import Tree, read_tree, version_text
from ipvs_est_checks.terminal.bad_input import BadInputError

MAKEFILE = "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n"
HEADER = """\
#define IPVS_EST_NTICKS\t\t50
#define IPVS_EST_LOAD_DIVISOR\t8
#define IPVS_EST_CHAIN_FACTOR\t\\
\tALIGN_DOWN(2 * 1000 * 10 / 8 / IPVS_EST_NTICKS, 8)
int after;
"""


def made_tree(path: Path, **files: str) -> Path:
    texts = {
        "Makefile": MAKEFILE,
        "include/net/ip_vs.h": HEADER,
        "net/netfilter/ipvs/ip_vs_ctl.c": "",
        "net/netfilter/ipvs/ip_vs_est.c": "",
        **files,
    }
    for name, text in texts.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadInputError) as caught:
        read_tree(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    return caught.value.message.removeprefix(f"{path}: ")


def test_a_tree_is_known_by_its_version(tmp_path: Path) -> None:
    tree = read_tree(made_tree(tmp_path))
    assert tree.version == (7, 3, 4)
    assert version_text(tree) == "7.3.4"


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == "no such directory"


def test_a_folder_without_a_makefile_is_no_kernel_tree(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "not a kernel tree: no Makefile"


def test_the_makefile_of_something_else_is_told(tmp_path: Path) -> None:
    made_tree(tmp_path, Makefile="VERSION = 1.0\nall:\n")
    assert refusal(tmp_path) == "not a kernel tree: its Makefile sets no VERSION"


def test_a_tree_without_the_estimator_is_not_whole(tmp_path: Path) -> None:
    made_tree(tmp_path)
    (tmp_path / "net/netfilter/ipvs/ip_vs_est.c").unlink()
    assert refusal(tmp_path) == "not a whole kernel tree: no net/netfilter/ipvs/ip_vs_est.c"


def test_a_kernel_before_the_kthread_estimator_is_refused_with_its_version(tmp_path: Path) -> None:
    makefile = "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 192\n"
    made_tree(tmp_path, Makefile=makefile, **{"include/net/ip_vs.h": "struct ip_vs_estimator;\n"})
    assert refusal(tmp_path) == (
        "Linux 6.1.192 has no kthread estimator, which came with 6.2:"
        " include/net/ip_vs.h has no IPVS_EST_NTICKS"
    )


def geometry(tree: Tree, options: BuildOptions) -> str:
    return generated_headers(tree, options, [], frozenset())["net/ip_vs.h"]


def test_the_geometry_is_replaced_and_nothing_moves_to_another_line(tmp_path: Path) -> None:
    tree = read_tree(made_tree(tmp_path))
    text = geometry(tree, BuildOptions(nticks=5, chain_factor=3, load_divisor=4))
    lines = text.splitlines()
    assert lines[0] == f'#line 1 "{tmp_path}/include/net/ip_vs.h"'
    assert "#define IPVS_EST_NTICKS 5" in lines
    assert "#define IPVS_EST_CHAIN_FACTOR 3" in lines
    assert "#define IPVS_EST_LOAD_DIVISOR 4" in lines
    assert lines.index("int after;") - 1 == HEADER.splitlines().index("int after;")


def test_without_a_geometry_the_tree_has_its_own(tmp_path: Path) -> None:
    tree = read_tree(made_tree(tmp_path))
    assert geometry(tree, BuildOptions()).partition("\n")[2] == HEADER


def test_a_define_that_is_not_there_is_named(tmp_path: Path) -> None:
    header = HEADER.replace("IPVS_EST_LOAD_DIVISOR", "IPVS_EST_DIVISOR")
    tree = read_tree(made_tree(tmp_path, **{"include/net/ip_vs.h": header}))
    with pytest.raises(BadInputError) as caught:
        geometry(tree, BuildOptions(load_divisor=4))
    assert caught.value.message == (
        f"{tmp_path}: include/net/ip_vs.h has 0 definitions of IPVS_EST_LOAD_DIVISOR, not one:"
        " this geometry cannot be set"
    )
