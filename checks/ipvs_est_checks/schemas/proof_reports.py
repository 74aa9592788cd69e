"""The schemas of the reports of `prove` and `simulate`, and of the list of theorems."""

from ipvs_est_checks.comparison.simulate import REPORT_VERSION as SIMULATE_VERSION
from ipvs_est_checks.comparison.simulate import Bin, ChainGoal, CpuLoad, Kthread, Limits
from ipvs_est_checks.proving.counterexamples.registry import ReplayKind
from ipvs_est_checks.proving.report import REPORT_VERSION as PROVE_VERSION
from ipvs_est_checks.schemas.of_types import (
    Schema,
    by_name,
    closed,
    integer,
    list_of,
    members_of,
    nullable,
    report,
)
from ipvs_est_spec.proof.framework.solve import Decision, ProofVerdict

_TEXT: Schema = {"type": "string"}
_TEXTS = list_of(_TEXT)
_MAYBE_TEXT = nullable(_TEXT)
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "number", "minimum": 0}
_COUNT = integer(0, 2**53)
_EXIT_CODE = integer(0, 255)
_ANSWER: dict[str, Schema] = {
    "status": {"enum": [decision.value for decision in Decision]},
    "counterexample": by_name(_TEXT),
    "reason": _TEXT,
}
_STATED: dict[str, Schema] = {
    "id": _TEXT,
    "group": _TEXT,
    "sentence": _TEXT,
    "scope": _TEXT,
    "bound": _MAYBE_TEXT,
    "source": _TEXT,
    "revision": _MAYBE_TEXT,
    "properties": _TEXTS,
    "refuted_by": _TEXTS,
    "second_solver": _FLAG,
}
"""What a theorem is."""


def definitions() -> dict[str, Schema]:
    """By name."""
    theorem = closed(
        {**_STATED, "replayed": {"enum": [replay_kind.value for replay_kind in ReplayKind]}}
    )
    return {
        "prove-report": report("ipvs-est prove", PROVE_VERSION, _prove()),
        "simulate-report": report("ipvs-est simulate", SIMULATE_VERSION, _simulate()),
        "theorem-list": list_of(theorem),
    }


def _prove() -> dict[str, Schema]:
    obligation = closed(
        {
            "name": _TEXT,
            **_ANSWER,
            "premises": {"enum": ["satisfiable", "contradictory", "unknown"]},
            # By the assumption that is left out.
            "without": by_name({"enum": [decision.value for decision in Decision]}),
            "seconds": _NUMBER,
        }
    )
    theorem = closed(
        {
            **_STATED,
            "verdict": {"enum": [proof_verdict.value for proof_verdict in ProofVerdict]},
            "complaints": _TEXTS,
            "assumptions": by_name(_TEXT),
            "obligations": list_of(obligation),
            "twin": closed({"sentence": _TEXT, **_ANSWER}),
            "replayed": _TEXTS,
            "queries": _COUNT,
            "seconds": _NUMBER,
        }
    )
    return {
        "solver": _TEXT,
        "seed": _COUNT,
        "rlimit": _COUNT,
        "assumptions_dropped": _FLAG,
        "complete": _FLAG,
        "seconds": _NUMBER,
        "exit_code": _EXIT_CODE,
        "theorems": list_of(theorem),
    }


def _simulate() -> dict[str, Schema]:
    counts = list_of(_COUNT)
    load: dict[str, Schema] = {
        **dict.fromkeys(("estimators", "cpus", "cost_ps", "est_cost_ps"), _COUNT),
        "cache_factor": _NUMBER,
        **dict.fromkeys(("arrival_seconds", "hz"), _COUNT),
        "preempt_rcu": _FLAG,
        "revision": _TEXT,
        "kthread_cpus": counts,
    }
    design = closed(
        {
            **dict.fromkeys(("estimations", "waiting", "longest_ns", "min_tick_ns"), _COUNT),
            "mean_tick_ns": _NUMBER,
            "max_tick_ns": _COUNT,
            "ticks_ns": counts,
            "cpus": list_of(members_of(CpuLoad, {})),
        }
    )
    return {
        "scenario": closed(load),
        "tick_ns": _COUNT,
        "revolution_ns": _COUNT,
        "limits": _and(Limits, {"room": _COUNT}),
        "timer": design,
        "kthreads": design,
        "kthread_list": list_of(_and(Kthread, {"work_ns": _COUNT})),
        "goals": list_of(_and(ChainGoal, {"met": _FLAG, "met_uncached": _FLAG})),
        "histogram": list_of(members_of(Bin, {})),
        "steady": _FLAG,
    }


def _and(wanted: type, more: dict[str, Schema]) -> Schema:
    """A dataclass with members that are computed from its own."""
    own = members_of(wanted, {})["properties"]
    assert isinstance(own, dict)
    return closed({**own, **more})
