#!/usr/bin/env python3
"""Metrics for node_exporter's textfile collector from `ipvs-est inspect --json -`.

    ipvs-est inspect --json - | ipvs_est_metrics.py FILE.prom

The standard library only. The file is there in full or not at all; its time tells how old it is.
Where there is no report, since the kernel could not be read, ipvs_est_up is 0 and nothing else is
in the file: what was once true is not told any more. Exit code 2 then.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

# Any in this file: parsed JSON of the report, whose form docs/reference/inspect.md describes.

VERDICTS = {"PASS": 0, "FAIL": 1, "INCOMPLETE": 3}


def metrics(report: dict[str, Any]) -> Iterator[str]:
    """The lines of the file; without a kernel one alone."""
    up = report.get("kernel") is not None
    yield "# HELP ipvs_est_up 1 if the kernel could be read."
    yield "# TYPE ipvs_est_up gauge"
    yield f"ipvs_est_up {int(up)}"
    if not up:
        return
    yield "# HELP ipvs_est_verdict 0 pass, 1 fail, 3 could not be told."
    yield "# TYPE ipvs_est_verdict gauge"
    for netns in report["netns"]:
        yield _line("verdict", netns, VERDICTS[netns["verdict"]])
    for name in ("services", "dests", "estimators", "waiting"):
        yield f"# TYPE ipvs_est_{name} gauge"
        for netns in report["netns"]:
            if name in netns:
                yield _line(name, netns, netns[name])
    yield "# HELP ipvs_est_property_failed 1 for each property that fails."
    yield "# TYPE ipvs_est_property_failed gauge"
    for netns in report["netns"]:
        for entry in netns.get("properties", ()):
            if entry["verdict"] == "FAIL":
                finding = entry["findings"][0]["id"] if entry["findings"] else ""
                yield _line("property_failed", netns, 1, property=entry["id"], finding=finding)
    yield "# HELP ipvs_est_kthread_load Share of one CPU."
    yield "# TYPE ipvs_est_kthread_load gauge"
    for netns in report["netns"]:
        for kthread in netns.get("kthreads", ()):
            if kthread and kthread["load"] is not None:
                yield _line("kthread_load", netns, kthread["load"], ktid=str(kthread["ktid"]))


def _line(name: str, netns: dict[str, Any], value: float, **labels: str) -> str:
    pairs = {"netns": str(netns["inode"]), **labels}
    text = ",".join(f'{label}="{pair}"' for label, pair in pairs.items())
    return f"ipvs_est_{name}{{{text}}} {value}"


def main() -> int:
    """Read a report from standard input, write the file."""
    if len(sys.argv) != 2:
        print("usage: ipvs-est inspect --json - | ipvs_est_metrics.py FILE.prom", file=sys.stderr)
        return 2
    text = sys.stdin.read()
    try:
        report = json.loads(text) if text.strip() else {}
    except ValueError:
        report = None
    if report and not _is_ours(report):
        report = None
    if report is None:
        print("ipvs_est_metrics: no report of ipvs-est inspect, version 1", file=sys.stderr)
        return 2
    _write(sys.argv[1], "".join(f"{metric}\n" for metric in metrics(report)))
    if not report:
        print("ipvs_est_metrics: there is no report, ipvs_est_up is 0", file=sys.stderr)
        return 2
    return 0


def _is_ours(report: Any) -> bool:
    ours = isinstance(report, dict) and report.get("report") == "ipvs-est inspect"
    return ours and report.get("version") == 1


def _write(target: str, text: str) -> None:
    """The collector may read it at any moment: it is renamed into its place."""
    partial = f"{target}.{os.getpid()}"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, target)
    except OSError as error:
        print(f"ipvs_est_metrics: {target}: {error.strerror}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    sys.exit(main())
