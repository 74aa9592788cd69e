"""Counterexamples of the twins of rows and chains, tried in the model's choice."""

from collections.abc import Callable, Mapping

from ipvs_est.estimator.enqueue import choose_row, wanted_row
from ipvs_est.machine.bitmap import find_first_zero_bit
from ipvs_est.state.kthread_context import KthreadContext

Values = dict[str, int]


# Twins whose change is in the conclusion: the chosen row is the model's, what is said of it fails.
_CLAIMS: Mapping[str, Callable[[Values], bool]] = {
    "rows.first-delay": lambda v: _first_delay(v) < v["nticks"],
    "rows.relinked-wraps": lambda v: (v["other"] - v["est_row"]) % v["nticks"] <= turn(v),
    "rows.relinked-interval": lambda v: v["nticks"] - v["delay"] + turn(v) <= v["nticks"],
}


def turn(values: Values) -> int:
    """How many ticks after est_row the chosen row comes."""
    return (model_row(values) - values["est_row"]) % values["nticks"]


def _first_delay(values: Values) -> int:
    delay = turn(values)
    return values["nticks"] if values["begun"] and delay == 0 else delay


def model_wanted(values: Values) -> int:
    """The row that the model wants."""
    kd = KthreadContext(
        est_row=values["est_row"],
        add_row=values["add_row"],
        tick_max=1,
        est_count=0 if values["few"] else 2,
    )
    return wanted_row(kd, values["nticks"], values["delay"])


def model_row(values: Values) -> int:
    """The row that the model chooses."""
    return choose_row(values["avail"], values["nticks"], model_wanted(values), values["delay"])


def _other_row(values: Values) -> bool:
    """The model chooses otherwise, from the same wanted row."""
    return model_wanted(values) == values["wanted"] and model_row(values) != values["row"]


def _other_base(values: Values) -> bool:
    return model_row(values) != values["row"]


def _claim_fails(claim: Callable[[Values], bool]) -> Callable[[Values], bool]:
    return lambda values: (
        model_wanted(values) == values["wanted"]
        and model_row(values) == values["row"]
        and not claim(values)
    )


def _other_chain(values: Values) -> bool:
    return find_first_zero_bit(values["full"], values["chains"]) != values["cid"]


REPLAYS: Mapping[str, Callable[[Values], bool]] = {
    **dict.fromkeys(
        (
            "rows.in-range",
            "rows.new",
            "rows.new-property",
            "rows.new-nearest",
            "rows.relinked",
            "rows.relinked-property",
            "rows.relinked-next-turn",
            "rows.only-row",
            "rows.relinked-room",
            "rows.relinked-shift",
        ),
        _other_row,
    ),
    **dict.fromkeys(("rows.new-last-turn", "rows.new-room", "rows.new-add-row"), _other_base),
    **{id_: _claim_fails(claim) for id_, claim in _CLAIMS.items()},
    "rows.chain": _other_chain,
}
"""By theorem: whether a counterexample of its twin shows in the model."""
