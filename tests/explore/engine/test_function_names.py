"""Timelines name functions as the kernel does, also where docstrings are gone."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import ipvs_est
from ipvs_est_checks.explore.engine.functions import KERNEL_NAMES

PARTS = ("refimpl", "spec", "checks")
ROOT = Path(__file__).resolve().parents[3]


def test_the_table_of_names_says_what_the_docstrings_say() -> None:
    named: dict[str, str] = {}
    for package in pkgutil.walk_packages(ipvs_est.__path__, "ipvs_est."):
        if package.name.endswith("__main__"):
            continue
        module = importlib.import_module(package.name)
        for name, value in vars(module).items():
            if inspect.isgeneratorfunction(value) and value.__module__ == module.__name__:
                kernel = re.search(r"\(`(\w+)`", value.__doc__ or "")
                if kernel is not None:
                    assert name not in named
                    named[name] = kernel[1]
    assert named == KERNEL_NAMES


def _explored(*options: str) -> str:
    command = [sys.executable, *options, "-m", "ipvs_est_checks.command", "explore"]
    arguments = ["last-estimator-goes", "--revision", "stable", "--property", "none"]
    path = ":".join(str(ROOT / part) for part in PARTS)
    result = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": path},
        check=False,
    )
    assert (result.returncode, result.stderr) == (1, "")
    # All but the seconds that it took.
    return re.sub(r"\d+\.\d s\b", "", result.stdout)


def test_a_timeline_is_the_same_without_docstrings_and_assertions() -> None:
    text = _explored()
    assert "[ip_vs_est_calc_limits]" in text
    assert "in ip_vs_est_kthread_stop, waits for the exit of" in text
    assert _explored("-OO") == text
