"""What a patch changes, and the commit that broke it, on a repository made of a tree's files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environment
from ipvs_est import MAINLINE
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import ExitNetns
from ipvs_est_checks.cli.commands.check_tree import BAD, CANNOT_BE_JUDGED, GOOD, bisect
from ipvs_est_checks.harness.building.tree import ESTIMATOR, Tree
from ipvs_est_checks.harness.edits.code_edit import apply_edit, edited
from ipvs_est_checks.harness.edits.mutants import MUTANTS
from ipvs_est_checks.harness.histories.against import broken_by, change_of
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.nearest import nearest
from ipvs_est_checks.history.file import header_line
from kernels.kernel_trees import need_tree

FEW = {name: HISTORIES[name] for name in ("one-by-one", "limits-come-anew")}
(ONE_LATE,) = (mutant for mutant in MUTANTS if mutant.id == "full-one-late")


def made_tree(tree: Tree, folder: Path) -> Path:
    """A tree whose IPVS files can be changed; all else is a link."""
    for name in ("include", "lib", "mm", "kernel", "arch"):
        if (tree.path / name).exists():
            (folder / name).symlink_to(tree.path / name)
    shutil.copy(tree.path / "Makefile", folder)
    shutil.copytree(tree.path / "net/netfilter/ipvs", folder / "net/netfilter/ipvs")
    return folder


def saved_history(path: Path) -> Path:
    lines = [header_line("saved", "mainline", MACHINE)]
    lines += [json.dumps(operation_to_json(history)) for history in HISTORIES["one-by-one"]]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_tree_is_nearest_to_the_revision_of_its_kernel() -> None:
    seven = nearest(need_tree((7, 3)), MACHINE, FEW)
    assert (seven.revision.name, seven.partings) == ("mainline", ())
    six = nearest(need_tree((6, 12)), MACHINE, FEW)
    assert (six.revision.name, six.partings) == ("stable", ())


def test_what_a_patch_breaks_is_told_apart_from_what_the_base_breaks() -> None:
    base = need_tree((7, 3))
    change = change_of(edited(base, ONE_LATE.id, ONE_LATE.edits), base, MAINLINE, FEW)
    (limits,) = (
        broken_on_tree for broken_on_tree in change.new if broken_on_tree.property == "limits.chain"
    )
    assert len(limits.operations) < 8
    # F02 is there before and after.
    assert "bitmaps.full" in change.both
    assert [parting.history for parting in change.partings] == list(FEW)
    unchanged = change_of(base, base, MAINLINE, FEW)
    assert (unchanged.new, unchanged.mended, unchanged.partings) == ((), (), ())


def test_git_bisect_finds_the_commit_that_broke_a_property(tmp_path: Path) -> None:
    tree = need_tree((7, 3))
    if shutil.which("git") is None:
        pytest.skip("no git: nothing was bisected")
    history = saved_history(tmp_path / "saved.jsonl")
    repository = tmp_path / "linux"
    repository.mkdir()
    source = made_tree(tree, repository) / ESTIMATOR

    def git(*arguments: str) -> str:
        roles, parts = ("AUTHOR", "COMMITTER"), ("NAME", "EMAIL")
        who = {f"GIT_{role}_{part}": "a@b" for role in roles for part in parts}
        ran = subprocess.run(
            ["git", *arguments],
            cwd=repository,
            env={**os.environ, **environment(), **who, "GIT_CONFIG_GLOBAL": os.devnull},
            capture_output=True,
            text=True,
            check=True,
        )
        return ran.stdout

    git("init", "-q")
    text = source.read_text()
    broken = apply_edit(text, ONE_LATE.edits[0])
    for subject, content in (
        ("good", text),
        ("a comment", f"{text}/* */\n"),
        ("one late", broken),
        ("another comment", f"{broken}/* */\n"),
    ):
        source.write_text(content)
        git("add", "-A")
        git("commit", "-q", "-m", subject)
    git("bisect", "start", "HEAD", "HEAD~3")
    command = [sys.executable, "-m", "ipvs_est_checks.command", "check", "--tree", ".", "--bisect"]
    command += ["--property", "limits.chain", "--history", str(history)]
    said = git("bisect", "run", *command)
    assert "bad: limits.chain in saved.jsonl" in said
    assert git("log", "-1", "--format=%s", "refs/bisect/bad").strip() == "one late"
    wanted = frozenset({"limits.chain"})
    source.write_text(broken)
    assert bisect(repository, None, 0, wanted, history) == BAD
    source.write_text(text)
    assert bisect(repository, None, 0, wanted, history) == GOOD
    source.write_text(f"{text}int no code;\n")
    assert bisect(repository, None, 0, wanted, history) == CANNOT_BE_JUDGED


def test_bare_objects_go_with_their_netns() -> None:
    tree = need_tree()
    histories = {"netns-goes": (*HISTORIES["one-by-one"][:9], ExitNetns())}
    wanted = frozenset({"memory.leak"})
    assert broken_by(tree, MACHINE, MAINLINE, histories, wanted) == {}
