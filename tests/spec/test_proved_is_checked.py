"""What is proved is what is checked: one sign of one predicate of the catalogue is changed in a
copy of the sources, and both the proofs and the state machines fail."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipvs_est_checks.text_edits import Edit, plant
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.registry import THEOREMS

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sign:
    """A change of one sign of a predicate."""

    property: str
    module: str
    """Of ipvs_est_spec.properties."""
    old: str
    """Occurs once."""
    new: str
    theorem: str
    """About the property, and holds without the change."""
    machine: str
    """Checks the property."""


SIGNS = (
    Sign(
        "delay.new-row",
        "delay",
        "if upwards else a.less(wanted, number)",
        "if upwards else a.at_most(wanted, number)",
        "rows.new-property",
        "netns",
    ),
    Sign(
        "delay.relinked-row",
        "delay",
        "return a.less(number, wanted) if upwards",
        "return a.at_most(number, wanted) if upwards",
        "rows.relinked-property",
        "netns",
    ),
    Sign(
        "load.chain",
        "load",
        "a.less(a.number(0), chain_max),",
        "a.less(chain_max, a.number(0)),",
        "calc.chain",
        "netns",
    ),
    Sign(
        "rates.average",
        "rates",
        "a.minus(wanted, a.modulo(wanted, 4))",
        "a.plus(wanted, a.modulo(wanted, 4))",
        "averaging.step",
        "netns",
    ),
    Sign(
        "rates.range",
        "rates",
        "rising = a.at_most(before, rate)",
        "rising = a.at_most(rate, before)",
        "averaging.range",
        "netns",
    ),
    Sign(
        "bitmaps.full",
        "bitmaps",
        "a.at_most(state.chain_max(slot), state.true_length(slot, row, cid))",
        "a.less(state.chain_max(slot), state.true_length(slot, row, cid))",
        "induction.bitmaps.full",
        "netns",
    ),
    Sign(
        "limits.chain",
        "limits",
        "a.at_most(state.true_length(slot, row, cid), state.chain_max(slot))",
        "a.less(state.true_length(slot, row, cid), state.chain_max(slot))",
        "induction.limits.chain",
        "netns",
    ),
    Sign(
        "array.add-ktid",
        "array",
        "at_most(state.est_add_ktid, state.est_kt_count)",
        "less(state.est_add_ktid, state.est_kt_count)",
        "induction.array.add-ktid",
        "netns",
    ),
    Sign(
        "counts.tick",
        "counts",
        "a.less(a.number(0), state.tick_len(slot, row))",
        "a.at_most(a.number(0), state.tick_len(slot, row))",
        "induction.counts.tick",
        "netns",
    ),
    Sign(
        "place.fields",
        "place",
        "a.equal(state.ktid(est), a.number(-1))",
        "a.equal(state.ktid(est), a.number(1))",
        "induction.place.fields",
        "netns",
    ),
)

# Runs on the changed copy: what z3 says of the theorem, and the properties that a round of the
# state machine sees fail without a finding that explains it.
DRIVER = """
import json, sys
from dataclasses import replace
import ipvs_est_spec
from ipvs_est import REPAIRED
from ipvs_est_checks.machines.profiles import Amount, QUICK
from ipvs_est_checks.machines.run import run_round
from ipvs_est_spec.proof.registry import BY_ID
from ipvs_est_spec.proof.framework.solve import Decision, Options, ask

theorem, machine, checked = sys.argv[1:]
status = Decision.PROVED
for each in BY_ID[theorem].obligations():
    status = ask(each, Options()).status
    if status is not Decision.PROVED:
        break
amount = Amount(1, 10, 20)
profile = replace(QUICK, netns=amount, counters=amount, attempts=0)
report = run_round(REPAIRED, profile, 1, machine, 0, properties=frozenset({checked}))
print(json.dumps([
    ipvs_est_spec.__file__,
    status.value,
    dict(report.checks).get(checked, 0),
    sorted({each.property for each in report.failures if not each.reason}),
]))
"""


def judged(sign: Sign, spec: Path) -> tuple[str, int, list[str]]:
    """Verdict of the proof, checks of the property, and what fails, by the sources in `spec`."""
    roots = [spec, CHECKOUT / "refimpl", CHECKOUT / "checks"]
    command = [sys.executable, "-c", DRIVER, sign.theorem, sign.machine, sign.property]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where, status, checks, failing = json.loads(done.stdout)
    assert Path(where).is_relative_to(spec)
    return status, checks, failing


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.property)
def test_one_changed_sign_makes_the_proof_and_the_state_machine_fail(
    sign: Sign, tmp_path: Path
) -> None:
    spec = tmp_path / "spec"
    shutil.copytree(CHECKOUT / "spec", spec, ignore=shutil.ignore_patterns("__pycache__"))
    edit = Edit(f"properties/{sign.module}.py", sign.old, sign.new)
    plant([edit], spec / "ipvs_est_spec")
    status, _, failing = judged(sign, spec)
    assert status == "refuted"
    assert failing == [sign.property]


def test_without_a_change_neither_fails() -> None:
    status, checks, failing = judged(SIGNS[-1], CHECKOUT / "spec")
    assert (status, failing) == ("proved", [])
    assert checks > 0


def test_changed_signs_are_of_properties_with_theorems() -> None:
    about = {theorem.id: theorem.properties for theorem in THEOREMS}
    assert [sign for sign in SIGNS if sign.property not in about[sign.theorem]] == []
    assert {sign.property for sign in SIGNS} <= {prop.id for prop in PROPERTIES}
