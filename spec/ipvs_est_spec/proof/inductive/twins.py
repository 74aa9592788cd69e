"""For each invariant a step that is wrong, and does not preserve it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipvs_est.language.revision import MAINLINE, REPAIRED, V7, Revision
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.inductive.changes import LAST, OTHERS, Change, limits_renewed
from ipvs_est_spec.proof.inductive.states.formula import Formula
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, Z3State
from ipvs_est_spec.proof.inductive.steps import BY_ID
from ipvs_est_spec.state.abstract_state import AbstractState

NAMED = "into the kd that est_add_ktid names"


@dataclass(frozen=True, slots=True)
class WrongStep:
    """A step that forgets to write some fields, or is taken when it must not be."""

    sentence: str
    step: str
    case: str
    forgets: Sequence[str] = ()
    """Fields that stay as they were."""
    revision: Revision = REPAIRED
    early: bool = False
    """New limits are applied while estimators are still in chains."""


WRONG_STEPS: dict[str, WrongStep] = {
    "place.one-list": WrongStep(
        "A stopped estimator stays on the temp list.",
        "stop",
        "on the temp list",
        ("times_listed", "on_temp_list", "temp_length"),
    ),
    "place.fields": WrongStep("Enqueueing does not store ktcid.", "drain", NAMED, ("ktcid",)),
    "place.total": WrongStep("Enqueueing does not store ktid.", "drain", NAMED, ("ktid",)),
    "counts.chain-len": WrongStep(
        "Stopping does not count chain_len down.", "stop", OTHERS, ("chain_len",)
    ),
    "counts.tick-len": WrongStep(
        "Enqueueing does not count tick_len up.", "drain", NAMED, ("tick_len",)
    ),
    "counts.est-count": WrongStep(
        "Stopping does not count est_count down.", "stop", OTHERS, ("est_count",)
    ),
    "counts.tick": WrongStep("A tick without estimators stays.", "stop", OTHERS, ("tick_exists",)),
    "bitmaps.present": WrongStep("Stopping does not clear present.", "stop", OTHERS, ("present",)),
    "bitmaps.full": WrongStep("Stopping does not clear full.", "stop", OTHERS, ("full",)),
    "bitmaps.avail": WrongStep("Stopping does not set avail.", "stop", OTHERS, ("avail",)),
    "limits.chain": WrongStep(
        "New limits are applied while estimators are in chains.", "finish", "", early=True
    ),
    "limits.tick": WrongStep(
        "New limits are applied while estimators are in chains.", "finish", "", early=True
    ),
    "limits.kthread": WrongStep(
        "New limits are applied while estimators are in chains.", "finish", "", early=True
    ),
    "limits.computed": WrongStep("tick_max stays as it was.", "finish", "", ("tick_max",)),
    "limits.max-threads": WrongStep(
        "A new cpulist leaves est_max_threads (D33).", "cpulist", "", ("est_max_threads",)
    ),
    "limits.stopped": WrongStep(
        "run_estimation leaves est_stopped.", "run-estimation", "", ("est_stopped",)
    ),
    "limits.known": WrongStep(
        "Kthread 0 goes on after an aborted calc phase (D01).", "drain", NAMED, revision=V7
    ),
    "limits.threads": WrongStep(
        "The thread limit is not tested while enable is 0 (F13).",
        "drain",
        "into a new kd",
        revision=MAINLINE,
    ),
    "array.trailing-hole": WrongStep(
        "The array is not trimmed (D24).", "stop", LAST, ("est_kt_count",)
    ),
    "array.add-ktid": WrongStep(
        "est_add_ktid stays when its slot goes (D23).", "stop", LAST, ("est_add_ktid",)
    ),
    "array.add-ktid-usable": WrongStep(
        "est_add_ktid stays on a kd that is now full.", "drain", NAMED, ("est_add_ktid",)
    ),
    "array.kd0": WrongStep(
        "Kd 0 goes with its last estimator while others wait (D36).",
        "relink",
        LAST,
        revision=V7,
    ),
    "aux.room": WrongStep(
        "est_add_ktid stays on a kd that is now full.", "drain", NAMED, ("est_add_ktid",)
    ),
    "aux.one-slot": WrongStep("est_add_ktid stays.", "release", "", ("est_add_ktid",)),
    "aux.empty-array": WrongStep("est_add_ktid stays.", "release", "", ("est_add_ktid",)),
    "aux.lowest": WrongStep(
        "est_add_ktid stays when a lower kd gets room.", "stop", OTHERS, ("est_add_ktid",)
    ),
    "aux.full": WrongStep("Stopping does not clear full.", "stop", OTHERS, ("full",)),
    "aux.total": WrongStep(
        "Others are enqueued before the total (F12).", "drain", NAMED, revision=MAINLINE
    ),
    "aux.threads": WrongStep(
        "A new cpulist leaves est_max_threads (D33).", "cpulist", "", ("est_max_threads",)
    ),
}


def wrong_change(state: Z3State, wrong: WrongStep) -> Change[Formula, z3.ArithRef]:
    """What the wrong step makes of a state."""
    if wrong.early:
        return limits_renewed(state, wrong.revision, INPUTS.chain_max)
    change = BY_ID[wrong.step].build(state, wrong.revision, INPUTS)[wrong.case]
    return Change(
        change.premise,
        _forgetting(change.after, state, frozenset(wrong.forgets)),
    )


def _forgetting(
    after: AbstractState[Formula, z3.ArithRef],
    before: AbstractState[Formula, z3.ArithRef],
    names: frozenset[str],
) -> AbstractState[Formula, z3.ArithRef]:
    kept: dict[str, object] = {name: getattr(before, name) for name in names}
    return replace(after, **kept)  # type: ignore[arg-type]  # each has the type of its namesake
