"""A state drawn: rows, chains and bits of each kthread, and what is new in it."""

from html import escape

from ipvs_est.answers.state import KthreadState, State, TickState

_MOST_IDS = 12
"""Of a chain; how many more there are is told."""


def drawn(state: State, before: State | None, chains: int) -> str:
    """The state as HTML; what differs from the one before is marked. `chains` a row has."""
    heads = [
        _value("jiffies", state.jiffies, before and before.jiffies),
        _value("enable", state.enable, before and before.enable),
        _value("est_stopped", state.stopped, before and before.stopped),
        _value("chain_max", state.chain_max, before and before.chain_max),
        _value("calc_phase", state.calc_phase, before and before.calc_phase),
        _value("temp list", _ids(state.temp), _ids(before.temp) if before else None),
    ]
    parts = [f"<p>{', '.join(heads)}</p>"]
    for slot, kd in enumerate(state.kthreads):
        old = before.kthreads[slot] if before and slot < len(before.kthreads) else None
        parts.append(f"<p>kd {slot}: a hole</p>" if kd is None else _kthread(kd, old, chains))
    return "".join(parts)


def _kthread(kd: KthreadState, old: KthreadState | None, chains: int) -> str:
    names = ("running", "est_count", "est_max_count", "chain_max", "est_row", "add_row")
    text = ", ".join(
        _value(name, _plain(kd, name), None if old is None else _plain(old, name)) for name in names
    )
    known = {} if old is None else {tick.row: tick for tick in old.ticks}
    rows = "".join(_row(kd, tick, known.get(tick.row), chains) for tick in kd.ticks)
    head = "<tr><th>row</th><th>avail</th><th>present</th><th>full</th><th>chains</th></tr>"
    table = f'<div class="scroll"><table>{head}{rows}</table></div>' if rows else ""
    return f"<p>kd {kd.id}: {text}</p>{table}"


def _plain(kd: KthreadState, name: str) -> object:
    value = getattr(kd, name)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _row(kd: KthreadState, tick: TickState, old: TickState | None, chains: int) -> str:
    cells = "; ".join(f"{cid}: {_ids(ids)}" for cid, ids in tick.chains)
    new = ' class="new"' if tick != old else ""
    return (
        f"<tr{new}><td>{tick.row}</td><td>{kd.avail >> tick.row & 1}</td>"
        f'<td class="bits">{_bits(tick.present, chains)}</td>'
        f'<td class="bits">{_bits(tick.full, chains)}</td><td>{escape(cells)}</td></tr>'
    )


def _bits(bitmap: int, count: int) -> str:
    """Bit 0 first."""
    return "".join("1" if bitmap >> bit & 1 else "·" for bit in range(count))


def _ids(ids: tuple[int, ...]) -> str:
    more = f" +{len(ids) - _MOST_IDS}" if len(ids) > _MOST_IDS else ""
    return f"[{', '.join(map(str, ids[:_MOST_IDS]))}{more}]"


def _value(name: str, value: object, old: object) -> str:
    text = f"{name} {escape(str(value))}"
    return text if old is None or old == value else f'<span class="new">{text}</span>'
