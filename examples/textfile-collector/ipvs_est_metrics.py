#!/usr/bin/env python3
"""Metrics for node_exporter's textfile collector from `ipvs-est inspect --json -`.

    ipvs-est inspect --json - | ipvs_est_metrics.py FILE.prom

The standard library only. The file is there in full or not at all; its time tells how old it is.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

# Any in this file: parsed JSON of the report, whose form docs/reference/inspect.md describes.

VERDICTS = {"PASS": 0, "FAIL": 1, "INCOMPLETE": 3}


def metrics(report: dict[str, Any]) -> Iterator[str]:
    """The lines of the file."""
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
        for each in netns.get("properties", ()):
            if each["verdict"] == "FAIL":
                finding = each["findings"][0]["id"] if each["findings"] else ""
                yield _line("property_failed", netns, 1, property=each["id"], finding=finding)
    yield "# HELP ipvs_est_kthread_load Share of one CPU."
    yield "# TYPE ipvs_est_kthread_load gauge"
    for netns in report["netns"]:
        for kthread in netns.get("kthreads", ()):
            if kthread and kthread["load"] is not None:
                yield _line("kthread_load", netns, kthread["load"], ktid=str(kthread["ktid"]))


def _line(name: str, netns: dict[str, Any], value: float, **labels: str) -> str:
    pairs = {"netns": str(netns["inode"]), **labels}
    text = ",".join(f'{label}="{each}"' for label, each in pairs.items())
    return f"ipvs_est_{name}{{{text}}} {value}"


def main() -> int:
    """Read a report from standard input, write the file."""
    report = json.load(sys.stdin)
    if report.get("report") != "ipvs-est inspect" or report.get("version") != 1:
        print("ipvs_est_metrics: no report of ipvs-est inspect, version 1", file=sys.stderr)
        return 2
    target = sys.argv[1]
    partial = f"{target}.{os.getpid()}"
    with open(partial, "w", encoding="utf-8") as file:
        file.writelines(f"{each}\n" for each in metrics(report))
    os.replace(partial, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
