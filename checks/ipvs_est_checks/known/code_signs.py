"""Which recorded finding a failing schedule of real code shows: by the place and what it waits for.

A finding that the nearest revision has explains only a failure with its own sign; one that it has
not explains nothing.
"""

import re
from collections.abc import Mapping

from ipvs_est import Revision
from ipvs_est_checks.known.registry import ALL

_KD0 = r"ipvs-e:0"
SIGNS: Mapping[str, str] = {
    "F04": r"use-after-free: ip_vs_est_kt_data\.est_row in ",
    "F10": r"invalid-pointer: .* in ip_vs_enqueue_estimator\b",
    "F16": r"task-started-while-disabled: ipvs-e:\d+ in wake_up_process$",
    "F17": (
        rf"deadlock: (?=.*waits for the exit of {_KD0}\b)"
        rf"(?=.*\b{_KD0}: waits for (__ip_vs_mutex|service_mutex|est_mutex)\b)"
    ),
    "F19": r"(invalid-pointer|use-after-free): .* in ip_vs_est_drain_temp_list\b",
    "F23": rf"deadlock: {_KD0}: waits for the exit of {_KD0}$",
    "F27": r"leak-at-exit: ip_vs_est_tick_data$",
}
"""By finding: how the line begins that tells why the schedule failed."""


def known_on_code(revision: Revision, cause: str) -> tuple[str, ...]:
    """Ids of the findings of the revision that fail so."""
    return tuple(
        finding.id
        for finding in ALL
        if revision.name in finding.revisions
        and finding.id in SIGNS
        and re.match(SIGNS[finding.id], cause)
    )
