"""What is proved of rows and chains is about the choice that the model makes."""

import random
from dataclasses import replace

import pytest

from ipvs_est.machine.bitmap import find_first_zero_bit
from ipvs_est_checks.proving.counterexamples.reading import read, twin_values
from ipvs_est_checks.proving.counterexamples.row_values import (
    REPLAYS,
    model_row,
    model_wanted,
    turn,
)
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Decision, Options, ask
from ipvs_est_spec.proof.framework.theorem import Assumption
from ipvs_est_spec.proof.rows import choice as row_choice
from ipvs_est_spec.proof.rows import terms as row_terms
from ipvs_est_spec.proof.rows import turns as row_turns
from ipvs_est_spec.proof.rows.goals import RowInputs, inputs_of

_SEED = 20260727
_THEOREMS = (*row_choice.THEOREMS, *row_turns.THEOREMS)
_BY_ID = {theorem.id: theorem for theorem in _THEOREMS}


def _sample(rng: random.Random) -> dict[str, int]:
    nticks = rng.choice((50, 50, rng.randint(1, 64)))
    sparse = rng.getrandbits(64) & rng.getrandbits(64) & rng.getrandbits(64)
    delay = nticks - 1 if rng.random() < 0.5 else rng.randrange(nticks)
    return {
        "nticks": nticks,
        "avail": rng.choice((0, 1 << rng.randrange(64), sparse, rng.getrandbits(64))),
        "est_row": rng.randrange(nticks),
        "add_row": rng.randrange(nticks),
        "delay": delay,
        "few": rng.randrange(2),
    }


def _at(term: z3.BitVecRef, values: dict[str, int]) -> int:
    pairs: list[tuple[z3.ExprRef, z3.ExprRef]] = [
        (z3.BitVec("nticks", row_terms.INDEX), row_terms.index(values["nticks"])),
        (z3.BitVec("avail", row_terms.WORD), z3.BitVecVal(values["avail"], row_terms.WORD)),
        (z3.Bool("few"), z3.BoolVal(bool(values["few"]))),
    ]
    pairs += [
        (z3.BitVec(name, 8), z3.BitVecVal(values[name], 8))
        for name in ("est_row", "add_row", "delay")
    ]
    value = z3.simplify(z3.substitute(term, *pairs))
    assert isinstance(value, z3.BitVecNumRef)
    return value.as_long()


def _inputs() -> RowInputs:
    return inputs_of(None, row_terms.chosen_row)


def test_proved_choice_of_a_row_is_the_models() -> None:
    rng = random.Random(_SEED)
    inputs = _inputs()
    found = 0
    for _ in range(400):
        values = _sample(rng)
        assert _at(inputs.wanted, values) == model_wanted(values), values
        row = model_row(values)
        assert _at(inputs.row, values) == row, values
        found += row < values["nticks"]
    assert 0 < found < 400


def test_proved_choice_of_a_chain_is_the_models() -> None:
    rng = random.Random(_SEED)
    full = z3.BitVec("full", row_terms.WORD)
    found = 0
    for _ in range(400):
        chains = rng.choice((48, 1, rng.randint(1, 64)))
        bits = rng.choice((2**64 - 1, rng.getrandbits(64), 2**64 - 1 ^ 1 << rng.randrange(64)))
        term = row_terms.chosen_chain(full, row_terms.index(chains))
        value = z3.simplify(z3.substitute(term, (full, z3.BitVecVal(bits, row_terms.WORD))))
        assert isinstance(value, z3.BitVecNumRef)
        cid = find_first_zero_bit(bits, chains)
        assert value.as_long() == cid
        found += cid < chains
    assert 0 < found < 400


def test_difference_from_the_model_would_be_seen() -> None:
    rng = random.Random(_SEED)
    choice = _inputs().choice
    other = replace(choice, few=z3.Not(choice.few))
    samples = [_sample(rng) for _ in range(100)]
    assert any(
        _at(row_terms.wanted_row(other), sample) != model_wanted(sample) for sample in samples
    )


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_differs_in_the_model(id_: str) -> None:
    assert REPLAYS[id_](twin_values(_BY_ID[id_]))


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("id_", sorted(_BY_ID.keys() - {"rows.chain"}))
def test_counterexample_without_an_available_row_differs_in_the_model_too(
    id_: str, begun: bool
) -> None:
    goal = _BY_ID[id_].twin.obligation()
    none = z3.BitVec("avail", row_terms.WORD) == 0
    passed = z3.Bool("begun") == z3.BoolVal(begun)
    case = Assumption("case", "No row is available.", z3.And(none, passed))
    narrowed = replace(goal, assumptions=(*goal.assumptions, case))
    answer = ask(narrowed, Options())
    # z3 may answer so, or not, as it pleases: nothing else makes it choose another one.
    assert answer.status is Decision.PROVED or REPLAYS[id_](read(answer.values))


def test_bounds_on_first_delays_are_reached_in_the_model() -> None:
    base = {"nticks": 50, "est_row": 7, "add_row": 8, "delay": 49, "few": 1, "begun": 0}
    everywhere = base | {"avail": 2**50 - 1}
    # add_row is the row after est_row: a new estimator is estimated at once.
    assert turn(everywhere) == 0
    assert turn(everywhere | {"few": 0}) == 49
    assert turn(everywhere | {"add_row": 7}) == 49
    # Rows 6 and 5 of a relinked estimator's turns 49 and 48 have no room: 48 ticks early.
    full = everywhere | {"avail": 2**50 - 1 ^ 1 << 6 ^ 1 << 5, "delay": 48}
    assert turn(full) == 0
    # The row before est_row alone has room: 49 ticks late.
    assert turn(base | {"avail": 1 << 6, "delay": 0}) == 49
