"""How strongly each property is established: read off the engines' own data."""

from collections.abc import Iterator

from ipvs_est import REVISIONS
from ipvs_est_checks.engines.explorer import PREEMPTIONS
from ipvs_est_checks.known.explored import explored_on
from ipvs_est_checks.machines.run import concerned
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import THEOREMS


def strengths(property_id: str) -> tuple[str, ...]:
    """The strongest first: proved, where it is refuted, explored, sampled; with what says so."""
    return (
        *_proved(property_id),
        *_refuted(property_id),
        *_explored(property_id),
        *_sampled(property_id),
    )


def theorems_about(property_id: str) -> tuple[Theorem, ...]:
    """The theorems that use the property's predicate, those that are refuted included."""
    return tuple(theorem for theorem in THEOREMS if property_id in theorem.properties)


def _proved(property_id: str) -> Iterator[str]:
    proved: dict[str, list[str]] = {}
    for theorem in theorems_about(property_id):
        if not theorem.refuted_by:
            up_to = f" up to {theorem.bound}" if theorem.bound else ""
            where = f" on {theorem.revision}" if theorem.revision else ""
            proved.setdefault(f"proved{up_to}{where}", []).append(theorem.id)
    for how, ids in proved.items():
        yield f"{how} ({', '.join(ids)})"


def _refuted(property_id: str) -> Iterator[str]:
    refuted: dict[str, list[str]] = {}
    for theorem in theorems_about(property_id):
        if theorem.refuted_by:
            where = f" on {theorem.revision}" if theorem.revision else ""
            refuted.setdefault(f"refuted{where}", []).append(theorem.id)
    for how, ids in refuted.items():
        yield f"{how} ({', '.join(_shortened(ids))})"


def _shortened(ids: list[str]) -> list[str]:
    # `protocol.deadlock-a, -b`: of one that goes on as the first does, the letter is enough.
    stem, dash, _ = ids[0].rpartition("-")
    family = f"{stem}{dash}"
    others = ids[1:]
    if dash:
        others = [
            f"-{other.removeprefix(family)}" if other.startswith(family) else other
            for other in others
        ]
    return [ids[0], *others]


def _explored(property_id: str) -> Iterator[str]:
    # With what `ipvs-est check --profile ci` does, which fails if a property never came up. Where
    # a finding breaks the property it is not watched, or its schedules end at the finding; where
    # a theorem refutes it the scenarios are merely too small to show that.
    refuted = {
        name
        for theorem in theorems_about(property_id)
        if theorem.refuted_by
        for name in theorem.revision.split(", ")
    }
    names = [name for name in explored_on(property_id) if name not in refuted]
    if not names:
        return
    where = "" if len(names) == len(REVISIONS) else f" on {', '.join(names)}"
    preemptions = PREEMPTIONS["ci"]
    yield f"explored{where} ({preemptions} preemption{'s' if preemptions > 1 else ''})"


def _sampled(property_id: str) -> Iterator[str]:
    machines = concerned(frozenset({property_id}))
    if machines:
        yield f"sampled ({', '.join(machines)})"
