"""What the numbers of a case are, for people; the functions that make cases say it at length."""

from collections.abc import Mapping

from ipvs_est_spec.property import Case

_ROW = ("row chosen", "row wanted", "avail")
_AGO = ("jiffies between two estimations", "at least")
_LOCKED = ("mutex held?", "every kthread and reload work gone?")
_LOAD = ("chain_max", "ns an estimation", "chain factor", "load divisor", "HZ", "ns in a tick x HZ")
_START = ("enable", "ktid", "relinking?", "netns exit begun?")
_AVERAGED = ("average before", "last sum", "sum", "average after", "scale")

WORDS: Mapping[str, tuple[str, ...]] = {
    "delay.new-row": _ROW,
    "delay.relinked-row": _ROW,
    "delay.remaining": ("delay wanted", "row", "est_row", "rows"),
    "delay.first": ("jiffies until the first estimation", "at most"),
    "delay.period": ("jiffies between two estimations", "in a revolution"),
    "delay.closest": _AGO,
    "delay.longest": (
        "jiffies between two estimations",
        "of them without a task or in the calc phase",
        "restarts",
        "jiffies in a revolution",
        "jiffies in a tick",
    ),
    "limits.published": ("contexts", "est_max_threads"),
    "limits.cpulist": ("CPU named?", "the writer's?", "set?"),
    "limits.requested": ("est_calc_phase?",),
    "limits.sysctl-kept": ("number written last", "value"),
    "place.start": ("answer", "on a list?"),
    "progress.not-lost": ("requests when the calc phase began", "requests by now"),
    "tasks.enabled": _START,
    "tasks.relinking": _START,
    "load.chain": _LOAD[:2],
    "load.tick": _LOAD,
    "load.cpus": ("est_max_threads", "CPUs", *_LOAD),
    "rates.average": _AVERAGED,
    "rates.range": _AVERAGED,
    "rates.converges": ("average at first", "average now", "rate", "3^n", "4^n"),
    "rates.error": ("average x 4^n", "exact average x 4^n", "4^n"),
    "rates.nothing-lost": ("sum of the last estimation", "sum that the next starts from"),
    "readers.group": ("sums read, then those that writers left",),
    "readers.counter": ("sum read, then those that the counter had",),
    "readers.moved": ("ktid", "tasks of it alive"),
    "locks.order": ("est_mutex held?",),
    "locks.kthreads": ("ktid",),
    "locks.lists": _LOCKED,
    "locks.est-fields": _LOCKED,
    "locks.service-fields": _LOCKED,
    "locks.deletion": ("sleeps?", "waits for one that was asked to stop?"),
    "memory.dest": ("answer", "in its service?", "in the trash?"),
}
"""By property: the names of its cases' numbers; the last one is of all that follow, too. Those that
end in ? are truth values."""


def named_numbers(property_id: str, case: Case) -> str:
    """The numbers with their names, such as `contexts 5, est_max_threads 4`."""
    words = WORDS.get(property_id, ())
    if not words:
        return ", ".join(map(str, case))
    *single, last = words
    parts = [_one(word, number) for word, number in zip(single, case, strict=False)]
    rest = case[len(single) :]
    parts.append(_one(last, rest[0]) if len(rest) == 1 else " ".join([last, *map(str, rest)]))
    return ", ".join(parts)


def _one(word: str, number: int) -> str:
    if word.endswith("?"):
        return f"{word} {'yes' if number else 'no'}"
    return f"{word} {number}"
