"""cpulist text, the writer's CPUs and what is read back, against a naive interpreter."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.answers.results import Result, Returned, Text
from ipvs_est.language.operations import ExitNetns, InitNetns, Operation, ReadCpulist, WriteCpulist
from ipvs_est_checks.history.watchable import Watchable
from ipvs_est_checks.machines.naive.cpulist import Bad, in_ranges, interpret
from ipvs_est_checks.machines.naive.steps import ERRNO
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    UnexpectedFailureError,
    add_history,
)
from ipvs_est_checks.machines.system import REFERENCE, SystemUnderTest

NAME = "cpulist"

SITUATIONS = {
    "text.EINVAL": "a malformed text",
    "text.ERANGE": "an impossible CPU",
    "text.EOVERFLOW": "a number above 32 bits",
    "text.empty": "a text that means no CPU",
    "text.group": "a text with :used/group that means some CPUs, not all",
    "text.unseparated": "a region right after a :used/group",
    "text.newline": "a text with more after its newline",
    "writer.restricts": "the writer's CPUs leave some CPUs out",
    "writer.excludes": "the writer's CPUs leave none of those written",
    "read.ranges": "two ranges are read back",
    "exit.forgets": "the next netns uses the housekeeping CPUs again",
}
"""By id: a sentence."""

SENTENCES = {
    "cpulist.write": "A text is taken or refused as section 16 says.",
    "cpulist.read": "Reading prints, in ranges, the CPUs written that the writer may use.",
}
"""By id: what is stated."""

_MACHINES = (1, 2, 3, 8, 33, 70)
_LARGE = (2**31, 2**32 - 1, 2**32 - 2, 2**32, 2**32 + 1, 10**25)
_JUNK = ("", "x", "-", ":", "/", " ", ",", "\n", "\0", "\xa0", "\u2003", "n", "N", "all", "1", "+")


@st.composite
def numbers(draw: st.DrawFn, cpus: int) -> str:
    """Mostly a CPU; sometimes the end, one too many, padded or huge."""
    kind = draw(st.integers(0, 14))
    if kind == 0:
        return "N"
    if kind == 1:
        return str(draw(st.sampled_from(_LARGE)))
    if kind == 2:
        return str(cpus)
    if kind == 3:
        return f"00{draw(st.integers(0, cpus - 1))}"
    return str(draw(st.integers(0, cpus - 1)))


@st.composite
def regions(draw: st.DrawFn, cpus: int) -> str:
    """One region; a range has its ends in order, mostly."""
    kind = draw(
        st.sampled_from(("number", "range", "range", "group", "group", "all", "any", "two"))
    )
    if kind == "number":
        return draw(numbers(cpus))
    if kind == "any":
        return f"{draw(numbers(cpus))}-{draw(numbers(cpus))}"
    if kind == "all":
        text = draw(st.sampled_from(("all", "ALL", "aLl")))
    else:
        first = draw(st.integers(0, cpus - 1))
        last = draw(st.integers(0, cpus - 1 - first))
        text = f"{first}-{first + last}"
    if kind == "range":
        return text
    group = draw(st.integers(1, 6)) if draw(st.integers(0, 5)) else draw(st.sampled_from(_LARGE))
    used = draw(numbers(cpus)) if not draw(st.integers(0, 5)) else str(draw(st.integers(0, 4)))
    following = draw(st.sampled_from(("N", "all:1/3", "all"))) if kind == "two" else ""
    return f"{text}:{used}/{group}{following}"


@st.composite
def texts(draw: st.DrawFn, cpus: int) -> str:
    """Regions and separators; in some of them a character more, less or other."""
    pieces: list[str] = []
    for region in draw(st.lists(regions(cpus), max_size=4)):
        pieces += [region, draw(st.sampled_from((",", ",", " ", "\t,", ",,", "", "\n")))]
    text = "".join(pieces)
    if not draw(st.integers(0, 3)):
        at = draw(st.integers(0, min(len(text), 60)))
        text = text[:at] + draw(st.sampled_from(_JUNK)) + text[at + draw(st.integers(0, 1)) :]
    return text


_TEXTS = {cpus: texts(cpus) for cpus in _MACHINES}


class CpulistMachine(RuleBasedStateMachine):
    """Writes, reads, and the netns' end."""

    revision: ClassVar[Revision] = MAINLINE
    findings: ClassVar[Findings] = Findings()
    system: ClassVar[SystemUnderTest] = REFERENCE

    def __init__(self) -> None:
        super().__init__()
        self.oracle: Watchable
        self.params: Params
        self.wanted: frozenset[int] | None = None
        """None: never written."""
        self.operations: list[Operation] = []
        self.reached: set[str] = set()

    @initialize(cpus=st.sampled_from(_MACHINES), housekeeping=st.booleans())
    def begin(self, cpus: int, housekeeping: bool) -> None:
        """A machine with some CPUs kept for housekeeping, or all."""
        kept = frozenset({0, cpus - 1}) if housekeeping else None
        self.params = Params(possible_cpus=cpus, housekeeping_cpus=kept)
        self.oracle = type(self).system.new_oracle(self.params, type(self).revision)
        self._do(InitNetns())

    def teardown(self) -> None:
        """The history ends."""
        add_history(type(self).findings, NAME, self.reached, len(self.operations))

    @rule(data=st.data(), allowed=st.sampled_from(("all", "all", "even", "first", "none")))
    def write(self, data: st.DataObject, allowed: str) -> None:
        """By a process with those CPUs."""
        cpus = self.params.possible_cpus
        text = data.draw(_TEXTS[cpus])
        own = {
            "all": None,
            "even": frozenset(range(0, cpus, 2)),
            "first": frozenset({0}),
            "none": frozenset[int](),
        }[allowed]
        meant = interpret(text, cpus)
        result = self._do(WriteCpulist(text, own))
        ret = ERRNO[meant.errno] if isinstance(meant, Bad) else 0
        if result != Returned(ret):
            self._fail("cpulist.write", f"{text!r} answered {result}, not {ret}")
        self._note(text, meant)
        # A write of no bytes changes nothing.
        if text and not isinstance(meant, Bad):
            self.wanted = meant if own is None else meant & own
            if meant and not self.wanted:
                self.reached.add("writer.excludes")
            elif self.wanted != meant:
                self.reached.add("writer.restricts")
        self._read()

    @rule()
    def again(self) -> None:
        """The netns ends and another begins."""
        self._do(ExitNetns())
        self._do(InitNetns())
        if self.wanted is not None:
            self.reached.add("exit.forgets")
        self.wanted = None
        self._read()

    def _read(self) -> None:
        wanted = self.params.kthread_cpus if self.wanted is None else self.wanted
        expected = in_ranges(wanted)
        if expected.count("-") > 1:
            self.reached.add("read.ranges")
        result = self._do(ReadCpulist())
        if result != Text(expected):
            self._fail("cpulist.read", f"{result}, not {expected!r}")

    def _note(self, text: str, meant: frozenset[int] | Bad) -> None:
        if isinstance(meant, Bad):
            self.reached.add(f"text.{meant.errno}")
            return
        if not meant:
            self.reached.add("text.empty")
        if ":" in text and 0 < len(meant) < self.params.possible_cpus:
            self.reached.add("text.group")
        line, _, rest = text.partition("\n")
        if rest:
            self.reached.add("text.newline")
        for after in line.split("/")[1:]:
            if after.lstrip("0123456789")[:1] in ("a", "A", "N"):
                self.reached.add("text.unseparated")

    def _do(self, operation: Operation) -> Result:
        for sentence in SENTENCES:
            type(self).findings.checks[sentence] += 1
        self.operations.append(operation)
        return self.oracle.apply(operation)

    def _fail(self, name: str, text: str) -> None:
        raise UnexpectedFailureError(
            FailureRecord(
                machine=NAME,
                property=name,
                sentence=f"{SENTENCES[name]} Found: {text}.",
                revision=type(self).revision.name,
                params=self.params,
                operations=tuple(self.operations),
                steps=(),
                reason="",
            )
        )
