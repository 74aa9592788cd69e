"""One kthread context and its bitmaps, small enough to fill and to empty often."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ipvs_est import MAINLINE, Params, Revision, ViolationError
from ipvs_est_checks.known.by_repair import cause_text
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.machines.naive import context as naive_context
from ipvs_est_checks.machines.parts import context_steps as steps
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    UnexpectedFailureError,
    add_failure,
    add_history,
)

NAME = "context"

SITUATIONS = {
    "row.new-wraps": "a new estimator finds no row at or before the one that it wants",
    "row.relinked-wraps": "a relinked estimator finds no row at or after the one that it wants",
    "row.add-row": "a new estimator's row counts from add_row, which is not est_row",
    "kthread.full": "the kthread is full",
    "kthread.empty-again": "the last estimator goes",
    "limits.larger": "limits grow with an estimator kept",
    "limits.smaller": "limits shrink with an estimator kept",
    "no-memory.tick": "no memory for a tick",
}
"""By id: a sentence."""

_GEOMETRIES = tuple(
    Params(hz=100, nticks=nticks, chain_factor=chain_factor, preempt_rcu=preempt_rcu)
    for nticks in (1, 3, 6)
    for chain_factor in (2, 3)
    for preempt_rcu in (False, True)
)


class ContextMachine(RuleBasedStateMachine):
    """Rules act on both; `_compare` looks at every bit after each."""

    revision: ClassVar[Revision] = MAINLINE
    findings: ClassVar[Findings] = Findings()

    def __init__(self) -> None:
        super().__init__()
        self.context: steps.Context
        self.next_id = 1
        self.log: list[str] = []
        self.reached: set[str] = set()

    @initialize(params=st.sampled_from(_GEOMETRIES), chain_max=st.integers(1, 3))
    def begin(self, params: Params, chain_max: int) -> None:
        """An empty context."""
        self._fresh(params, chain_max)

    def _fresh(self, params: Params, chain_max: int) -> None:
        self.context = steps.fresh(params, type(self).revision, chain_max)
        self.log = [f"an empty kd with est_chain_max {chain_max}"]

    def teardown(self) -> None:
        """The history ends."""
        add_history(type(self).findings, NAME, self.reached, len(self.log))

    def _space(self) -> bool:
        return bool(naive_context.rows_with_space(self.context.naive))

    @precondition(_space)
    @rule(count=st.integers(1, 9), delay=st.integers(0, 5), new=st.booleans(), fail=st.booleans())
    def add(self, count: int, delay: int, new: bool, fail: bool) -> None:
        """Some are enqueued, all of them new or all with that delay."""
        rows = len(self.context.naive.chains)
        for index in range(count):
            if self._space():
                no_memory = fail and index == 0
                self._add(rows - 1 if new else delay % rows, no_memory=no_memory)

    @precondition(lambda self: bool(self.context.objects))
    @rule(count=st.integers(1, 6), pick=st.integers(0, 60))
    def stop(self, count: int, pick: int) -> None:
        """Some are stopped, or all of a row."""
        for _ in range(count):
            known = sorted(self.context.objects)
            if not known:
                return
            est = known[pick % len(known)]
            self.log.append(f"stop {est}")
            steps.stop(self.context, est)
            if len(known) == 1:
                self.reached.add("kthread.empty-again")
                if not self.context.machine.netns.est_kt_arr:
                    # Before mainline the kd goes with its last estimator.
                    self._fresh(self.context.machine.params, self.context.naive.chain_max)
                    return
            self._compare([])

    @rule(rows=st.integers(1, 4))
    def walk(self, rows: int) -> None:
        """Rows are estimated."""
        self.log.append(f"est_row moves on by {rows}")
        steps.next_row(self.context, rows)
        self._compare([])

    @precondition(lambda self: bool(self.context.objects))
    @rule(chain_max=st.integers(1, 4), back=st.integers(0, 30))
    def recalculate(self, chain_max: int, back: int) -> None:
        """New limits, then those that were relinked come back while there is room."""
        before = self.context.naive.chain_max
        self.log.append(f"recalculation with est_chain_max {chain_max}")
        waiting = steps.recalculate(self.context, chain_max)
        if self.context.naive.chain_max > before:
            self.reached.add("limits.larger")
        if self.context.naive.chain_max < before:
            self.reached.add("limits.smaller")
        if not self._compare([]):
            return
        for _, delay in waiting[:back]:
            if self._space() and not self._add(delay, no_memory=False):
                return

    def _add(self, delay: int, *, no_memory: bool) -> bool:
        context = self.context
        naive, rows = context.naive, len(context.naive.chains)
        new = delay == rows - 1
        sparse = len(naive_context.members(naive)) < 2 * naive_context.tick_max(naive)
        base = naive.add_row if new and sparse else naive.est_row
        wanted = (base + delay) % rows
        free = naive_context.rows_with_space(naive)
        if new and min(free) > wanted:
            self.reached.add("row.new-wraps")
        if not new and max(free) < wanted:
            self.reached.add("row.relinked-wraps")
        if base != naive.est_row:
            self.reached.add("row.add-row")
        est = self.next_id
        self.next_id += 1
        self.log.append(
            f"enqueue {est}, delay {delay}{', with no memory for a tick' if no_memory else ''}"
        )
        known = len(context.objects)
        try:
            found = list(steps.add(context, est, delay, no_memory=no_memory))
        except ViolationError as error:
            found = [("context.row", str(error))]
        if no_memory and len(context.objects) == known:
            self.reached.add("no-memory.tick")
        if not self._space():
            self.reached.add("kthread.full")
        return self._compare(found)

    def _compare(self, found: list[steps.Difference]) -> bool:
        """False: the two have parted in an expected way, and a new history was begun."""
        context = self.context
        for sentence in steps.SENTENCES:
            type(self).findings.checks[sentence] += 1
        parted = False
        for name, text in [*found, *steps.differences(context)]:
            revision = context.machine.revision
            record = FailureRecord(
                machine=NAME,
                property=name,
                sentence=f"{steps.SENTENCES[name]} Found: {text}.",
                revision=revision.name,
                params=context.machine.params,
                operations=(),
                steps=tuple(self.log),
                reason=_stale_flags(revision, name),
            )
            if not record.reason:
                raise UnexpectedFailureError(record)
            add_failure(type(self).findings, record)
            parted = True
        if parted:
            self._fresh(context.machine.params, 1 + len(self.log) % 3)
        return not parted


def _stale_flags(revision: Revision, property_id: str) -> str:
    """The recorded findings about what new limits leave behind that break the property, of whose
    machinery alone this machine consists; '' where they are repaired."""
    found = tuple(
        finding
        for finding in ALL
        if revision.name in finding.revisions
        and property_id in finding.properties
        and not getattr(revision, finding.repair)
    )
    return cause_text(found)
