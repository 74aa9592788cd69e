"""What there is to know of one id: what it says, where it is defined, what breaks, proves or
kills it, how to run it."""

from collections.abc import Callable, Collection, Iterator

from ipvs_est_checks.defects.table import ROWS
from ipvs_est_checks.documents import sections
from ipvs_est_checks.engines.established import strengths
from ipvs_est_checks.explore.engine.functions import operation_text
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.known import registry
from ipvs_est_checks.machines.run import SENTENCES, SITUATIONS
from ipvs_est_checks.mutants.from_reviews import REVIEWED
from ipvs_est_checks.mutants.mutant import Engine
from ipvs_est_checks.mutants.registry import BY_ID as MUTANTS
from ipvs_est_checks.text_edits import patch
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.registry import BY_ID as THEOREMS
from ipvs_est_spec.property import Property, RecordProperty, StateProperty, ViolationProperty

_CATALOGUE = {prop.id: prop for prop in PROPERTIES}
_DEFECTS = {row.id: row for row in ROWS}


def about(id_: str) -> Iterator[str]:
    """All that is known by that id, as lines; none if nothing is."""
    found = False
    for known, lines in _KINDS:
        if id_ in known():
            if found:
                yield ""
            yield from lines(id_)
            found = True


def known_ids() -> list[str]:
    """Every id of which there is something to tell, sorted."""
    return sorted({id_ for known, _ in _KINDS for id_ in known()})


def _property_lines(id_: str) -> Iterator[str]:
    found = _CATALOGUE[id_]
    yield f"property {id_}: {found.sentence}"
    yield f"  holds: {_scope(found)}"
    yield f"  defined: {_place(found)}; source: {found.source}"
    for finding in registry.ALL:
        if id_ in finding.properties:
            yield f"  broken by {finding.id} on {', '.join(finding.revisions)}: {finding.title}"
    yield f"  established: {'; '.join(strengths(id_))}"
    killers = [mutant.id for mutant in MUTANTS.values() if id_ in mutant.properties]
    if killers:
        yield f"  mutants that have to break it: {', '.join(killers)}"
    yield f"  run: ipvs-est check --property {id_}"


def _scope(found: Property) -> str:
    match found:
        case StateProperty():
            return found.scope.value
        case RecordProperty():
            return "for every occurrence in a history"
        case ViolationProperty():
            return "at every step"


def _place(found: Property) -> str:
    if isinstance(found, ViolationProperty):
        kinds = ", ".join(kind.kind for kind in found.kinds)
        return f"the model itself reports {kinds} (ipvs_est.language.violations)"
    predicate = found.predicate
    name = getattr(predicate, "__qualname__", type(predicate).__qualname__)
    return f"{getattr(predicate, '__module__', type(predicate).__module__)}:{name}"


def _machine_property_lines(id_: str) -> Iterator[str]:
    yield f"property {id_}: {SENTENCES[id_]}"
    yield "  of random histories alone: what a second, naive implementation answers as well"
    yield "  defined: ipvs_est_checks.machines"
    yield f"  run: ipvs-est check --property {id_}"


def _theorem_lines(id_: str) -> Iterator[str]:
    found = THEOREMS[id_]
    yield f"theorem {id_}: {found.sentence}"
    yield f"  for: {found.scope}{f'; up to {found.bound}' if found.bound else ''}"
    yield f"  on: {found.revision or 'all revisions'}"
    yield f"  defined: {found.obligations.__module__}; source: {found.source}"
    if found.properties:
        yield f"  about: {', '.join(found.properties)}"
    if found.refuted_by:
        yield f"  refuted, as recorded, by: {', '.join(found.refuted_by)}"
    yield f"  must not hold when changed so: {found.twin.sentence}"
    yield f"  run: ipvs-est prove {id_}"


def _finding_lines(id_: str) -> Iterator[str]:
    found = registry.BY_ID[id_]
    yield f"finding {id_}: {found.title}"
    yield f"  breaks {', '.join(found.properties)} on {', '.join(found.revisions)}"
    if found.schedule is not None:
        bound = f"with up to {found.schedule.preemptions} preemptions"
        yield f"  shown by schedules of scenario {found.schedule.scenario} {bound}"
    else:
        yield f"  shown by the history ipvs_est_checks/known/histories/{id_}.jsonl"
    defect = f"; known defect {found.defect}" if found.defect else ""
    yield f"  repaired by the field {found.repair} of Revision{defect}"
    yield f"  run: ipvs-est findings {id_}"


def _defect_lines(id_: str) -> Iterator[str]:
    found = _DEFECTS[id_]
    yield f"known defect, {found.kind.value}, {id_}: {found.title}"
    yield f"  on: {', '.join(found.revisions)}"
    yield f"  defined: ipvs_est_checks.defects.table; scenarios: {', '.join(found.scenarios)}"
    broken = dict.fromkeys(sign.property or "livelock" for sign in found.signs)
    if broken:
        yield f"  shows as: {', '.join(broken)}"
    for finding in registry.ALL:
        if finding.defect and id_.startswith(finding.defect):
            yield f"  finding {finding.id}: {finding.title}"
    if found.note:
        yield f"  {found.note}"
    yield f"  run: ipvs-est defects -v {id_}"


def _mutant_lines(id_: str) -> Iterator[str]:
    found = MUTANTS[id_]
    module = "from_reviews" if found in REVIEWED else "by_property"
    yield f"mutant {id_}: {found.sentence}"
    yield f"  on: {found.base.name}; defined: ipvs_est_checks.mutants.{module}"
    if found.engine is Engine.BUFFERS:
        yield f"  equivalent: {found.reason}"
    else:
        where = f" in schedules of scenario {found.scenario}" if found.scenario else ""
        yield f"  has to break {' or '.join(found.properties)}{where}"
    yield from (f"  {line}" for line in patch(found.edits))
    yield f"  run: ipvs-est mutants {id_}"


def _scenario_lines(id_: str) -> Iterator[str]:
    found = load(id_)
    yield f"scenario {id_}: {found.about}"
    yield f"  before: {'; '.join(map(operation_text, found.setup)) or 'nothing'}"
    for actor in found.actors:
        yield f"  {actor.name}: {'; '.join(map(operation_text, actor.operations))}"
    yield f"  defined: ipvs_est_checks/explore/scenarios/library/{id_}.json"
    shown = [
        finding.id
        for finding in registry.ALL
        if finding.schedule is not None and finding.schedule.scenario == id_
    ]
    shown += [row.id for row in ROWS if id_ in row.scenarios]
    if shown:
        yield f"  shows: {', '.join(shown)}"
    yield f"  run: ipvs-est explore {id_}"


def _situation_lines(id_: str) -> Iterator[str]:
    machine, sentence = SITUATIONS[id_]
    yield f"situation {id_}: {sentence}"
    yield f"  that random histories of the {machine} machine have to reach"
    yield "  run: ipvs-est check -v, which tells how many histories reached it"


def _section_lines(id_: str) -> Iterator[str]:
    found = sections()[id_]
    yield f"{id_} in the documents, docs/{found.page}:"
    yield ""
    yield from found.text.splitlines()


_KINDS: tuple[tuple[Callable[[], Collection[str]], Callable[[str], Iterator[str]]], ...] = (
    (lambda: _CATALOGUE, _property_lines),
    (lambda: SENTENCES.keys() - _CATALOGUE.keys(), _machine_property_lines),
    (lambda: registry.BY_ID, _finding_lines),
    (lambda: THEOREMS, _theorem_lines),
    (lambda: _DEFECTS, _defect_lines),
    (lambda: MUTANTS, _mutant_lines),
    (library, _scenario_lines),
    (lambda: SITUATIONS, _situation_lines),
    (sections, _section_lines),
)
"""The ids of each kind of thing, and how one is told."""
