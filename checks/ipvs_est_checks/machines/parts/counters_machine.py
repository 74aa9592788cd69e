"""Counters and rates against exact arithmetic, 32-bit writers interrupted at any word."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est_checks.machines.naive.rates import sums_of
from ipvs_est_checks.machines.parts import counters_steps as steps
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    UnexpectedFailureError,
    add_history,
)

NAME = "counters"

SITUATIONS = {
    "reader.waits": "a 32-bit reader meets a writer in its section",
    "reader.overtaken": "a 32-bit reader is passed by a whole write",
    "counter.wraps": "a counter passes 2^64",
    "counter.carries": "a 32-bit counter's low word overflows",
    "rates.converge": "a constant load is estimated ten times or more",
    "rates.unrealistic": "a rate leaves its range",
    "zero.with-rates": "zeroing while rates are above 0",
    "words.64-bit": "a 64-bit machine",
}
"""By id: a sentence."""

CPUS = 2
# Tables instead of wide ranges, for the reason given in `netns.machine`.
SIZES = (0, 1, 5, 1000, 2**20, 2**31, 2**32 - 1, 2**32, 2**41, 2**63, 2**64 - 1)
# Counted twenty times in a row, none of these leaves the realistic range.
LOADS = (0, 1, 3, 1000, 65535, 10**6, 2**31, 2**40)


class CountersMachine(RuleBasedStateMachine):
    """Rules act on both; `_compare` looks at every number after each."""

    revision: ClassVar[Revision] = MAINLINE
    findings: ClassVar[Findings] = Findings()

    def __init__(self) -> None:
        super().__init__()
        self.counters: steps.CheckedCounters
        self.log: list[str] = []
        self.reached: set[str] = set()

    @initialize(split=st.sampled_from((True, True, False)))
    def begin(self, split: bool) -> None:
        """Nothing is counted yet."""
        self.counters = steps.CheckedCounters(split)
        if not split:
            self.reached.add("words.64-bit")

    def teardown(self) -> None:
        """The history ends."""
        add_history(type(self).findings, NAME, self.reached, len(self.log))

    @rule(
        cpu=st.integers(0, CPUS - 1),
        sizes=st.tuples(*[st.sampled_from(SIZES)] * 5),
        words=st.integers(0, 13),
    )
    def write(self, cpu: int, sizes: steps.Steps, words: int) -> None:
        """Packets; the 32-bit writer is interrupted after some words."""
        counters = self.counters
        if cpu in counters.writers:
            self._write_on(cpu, words)
            return
        before = sums_of(counters.naive)
        if any(old + new >= 2**64 for old, new in zip(before, sizes, strict=True)):
            self.reached.add("counter.wraps")
        if counters.split and any(
            0 < new < 2**32 <= new + old % 2**32 for old, new in zip(before, sizes, strict=True)
        ):
            self.reached.add("counter.carries")
        self.log.append(f"write {sizes} on CPU {cpu}")
        steps.write(counters, cpu, sizes)
        if cpu in counters.writers:
            self._write_on(cpu, words)
        self._compare([])

    def _write_on(self, cpu: int, words: int) -> None:
        self.log.append(f"{words} words by the writer on CPU {cpu}")
        if steps.go_on_writing(self.counters, cpu, words) and self.counters.reader is not None:
            self.reached.add("reader.overtaken")
        self._compare([])

    @precondition(lambda self: bool(self.counters.writers))
    @rule(words=st.integers(1, 13))
    def write_on(self, words: int) -> None:
        """An interrupted writer goes on."""
        self._write_on(sorted(self.counters.writers)[0], words)

    @rule(words=st.integers(1, 30))
    def read(self, words: int) -> None:
        """The kthread reads, for some words; with the sums it estimates."""
        counters = self.counters
        self.log.append(f"{words} words by the reader")
        if not counters.split:
            sums, found = steps.read_at_once(counters)
            steps.apply_sums(counters, sums)
            self._estimated()
            self._compare(found)
            return
        if counters.reader is None:
            steps.begin_reading(counters)
        if counters.writers:
            self.reached.add("reader.waits")
        finished, found = steps.go_on_reading(counters, words)
        if finished is not None:
            steps.apply_sums(counters, finished)
            self._estimated()
        self._compare(found)

    def _estimated(self) -> None:
        if self.counters.exact is None:
            self.reached.add("rates.unrealistic")

    @precondition(lambda self: not self.counters.writers and self.counters.reader is None)
    @rule(sizes=st.tuples(*[st.sampled_from(LOADS)] * 5), times=st.integers(1, 20))
    def constant_load(self, sizes: steps.Steps, times: int) -> None:
        """The same packets before each of some estimations."""
        for _ in range(times):
            self.write(cpu=0, sizes=sizes, words=13)
            self.read(words=30)
        if times >= 10:
            self.reached.add("rates.converge")

    @rule()
    def zero(self) -> None:
        """Counters and rates are zeroed for readers."""
        self.log.append("zero")
        if any(self.counters.system.est.rates):
            self.reached.add("zero.with-rates")
        steps.zero_all(self.counters)
        self._compare([])

    def _compare(self, found: list[steps.Difference]) -> None:
        for sentence in steps.SENTENCES:
            type(self).findings.checks[sentence] += 1
        for name, text in [*found, *steps.differences(self.counters)]:
            raise UnexpectedFailureError(
                FailureRecord(
                    machine=NAME,
                    property=name,
                    sentence=f"{steps.SENTENCES[name]} Found: {text}.",
                    revision=type(self).revision.name,
                    params=Params(word_bits=32 if self.counters.split else 64, possible_cpus=CPUS),
                    operations=(),
                    steps=tuple(self.log),
                    reason="",
                )
            )
