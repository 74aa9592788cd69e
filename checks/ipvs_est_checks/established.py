"""How strongly each property is established: read off the engines' own data."""

from collections.abc import Iterator

from ipvs_est_checks.machines.run import concerned
from ipvs_est_spec.proof.registry import THEOREMS
from ipvs_est_spec.proof.theorem import Theorem


def strengths(property_id: str) -> tuple[str, ...]:
    """The strongest first: proved, where it is refuted, sampled; with what says so."""
    return (*_proved(property_id), *_refuted(property_id), *_sampled(property_id))


def theorems_about(property_id: str) -> tuple[Theorem, ...]:
    """The theorems that use the property's predicate, those that are refuted included."""
    return tuple(each for each in THEOREMS if property_id in each.properties)


def _proved(property_id: str) -> Iterator[str]:
    proved: dict[str, list[str]] = {}
    for each in theorems_about(property_id):
        if not each.refuted_by:
            up_to = f" up to {each.bound}" if each.bound else ""
            where = f" on {each.revision}" if each.revision else ""
            proved.setdefault(f"proved{up_to}{where}", []).append(each.id)
    for how, ids in proved.items():
        yield f"{how} ({', '.join(ids)})"


def _refuted(property_id: str) -> Iterator[str]:
    for each in theorems_about(property_id):
        if each.refuted_by:
            where = f" on {each.revision}" if each.revision else ""
            yield f"refuted{where} ({each.id})"


def _sampled(property_id: str) -> Iterator[str]:
    machines = concerned(frozenset({property_id}))
    if machines:
        yield f"sampled ({', '.join(machines)})"
