"""What a finding means for the rates that a user reads, and what mends it on a running kernel."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ipvs_est.language.revision import MERGED
from ipvs_est_checks.known.registry import BY_ID


class Mend(Enum):
    """What to do about a state that a finding explains."""

    CPULIST = (
        "write est_cpulist, the value that it has will do (`sysctl net.ipv4.vs.est_cpulist` tells"
        " it). Limits are computed anew then, and every estimator gets a new place"
    )
    ADD = "add a service or a destination, it may be deleted again"
    ANEW = (
        "load the rules anew, when the services may be gone for a moment: `ipvsadm-save -n > FILE;"
        " ipvsadm -C; ipvsadm-restore < FILE`. Counters begin at 0 then"
    )
    NONE = "no write mends it"


@dataclass(frozen=True, slots=True)
class Advice:
    """For an operator who has no idea of kthreads."""

    consequence: str
    """What `ipvsadm -L --rate` and /proc/net/ip_vs_stats show."""
    mend: Mend
    about_waiting: bool = False
    """It concerns those that wait for a place, and no others."""


_UNEVEN = (
    "rates stay right. Kthread 0 spreads its work over the 2 seconds other than it was measured"
    " for: it may take its CPU for longer at once, or take fewer estimators than it could"
)
_WAITS = (
    "forwarding is not touched. What waits shows rates of 0 in all columns of `ipvsadm -L --rate`"
    " and numbers that stand still in `ipvsadm -L --stats`, whatever its traffic: nobody adds its"
    " counters up. No packet is lost to them: once it is estimated `--stats` has them all, and its"
    " rates are too high for some 20 seconds"
)

ADVICE: Mapping[str, Advice] = {
    "F02": Advice(_UNEVEN, Mend.ANEW),
    "F03": Advice(_UNEVEN, Mend.ANEW),
    "F05": Advice(f"{_WAITS}. All others are right", Mend.CPULIST, about_waiting=True),
    "F11": Advice(
        "rates stay right. A new service or destination may have to wait with a rate of 0 although"
        " a kthread has room",
        Mend.CPULIST,
        about_waiting=True,
    ),
    "F12": Advice(
        "the rates are right, those of the total in /proc/net/ip_vs_stats, too. The next time that"
        " limits are computed may find kthread 0 full",
        Mend.CPULIST,
    ),
    "F14": Advice(
        "estimators are filled in without limits: one kthread does all the work at once, and a row"
        " may be written past the last one",
        Mend.NONE,
    ),
    "F15": Advice(
        "rates are too low, all of them, as long as somebody keeps writing est_nice, est_cpulist or"
        " run_estimation: each write makes the time between two estimations shorter, and the rate"
        " is computed as if it were 2 seconds",
        Mend.NONE,
    ),
    "F20": Advice(_UNEVEN, Mend.ANEW),
    "F21": Advice(
        "rates stay right. A kthread that has nothing to do keeps old limits: what it gets next is"
        " not spread as it should be",
        Mend.ANEW,
    ),
    "F22": Advice(
        "every rate stands still at the value that it had, the total's, too: no kthread runs",
        Mend.ADD,
    ),
    "F25": Advice(
        "the rates of the estimators of the kthread that does not run stand still at the values"
        " that they had",
        Mend.CPULIST,
    ),
    "F26": Advice("rates are right, more kthreads than wanted take CPU", Mend.CPULIST),
}
"""By finding: those of which a state or a live log can be seen to have them."""


def what_to_do(finding: str) -> str:
    """The mend, and which kernels have a repair."""
    having = BY_ID[finding].revisions
    last = max(index for index, revision in enumerate(MERGED) if revision.name in having)
    later = [kernel for revision in MERGED[last + 1 :] for kernel in revision.kernels]
    kernels = f"repaired in {later[0]}" if later else "no kernel has a repair yet"
    if finding == "F15":
        return f"stop what keeps writing; {kernels}"
    advice = ADVICE.get(finding)
    return f"{advice.mend.value}; {kernels}" if advice is not None else kernels
