"""The whole netns at the operation level.

Every number that is drawn is small, and every larger value is one of a table: Hypothesis mixes
numbers that it finds in the loaded modules into wider ranges, and equal seeds would give
different runs in different programs.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from ipvs_est import Params
from ipvs_est.language.operations import (
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    ExitNetns,
    Export,
    FailAllocations,
    InitNetns,
    PutDest,
    Read,
    ReadCpulist,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    StartTotal,
    Traffic,
    WriteCpulist,
)
from ipvs_est_checks.machines.geometries import CHOICES
from ipvs_est_checks.machines.naive.model import TOTAL, counting, live
from ipvs_est_checks.machines.netns import history as nh
from ipvs_est_checks.machines.netns.themes import BAD_TEXTS, THEMES, NetnsThemes

NUMBER = st.integers(0, 60)
"""Chooses an operand: modulo the number of those that there are."""
TEXTS = ("0", "0-1", "", "\n", "0-N\0,x", "all", "all:1/2", "N", " 0 ,N\n")
STEPS = (0, 1, 7, 2**31, 2**32 - 1, 2**40, 2**55, 2**63, 2**64 - 1)
"""Counted at once: some wrap a counter, or a rate."""


class ModelMachine(NetnsThemes):
    """Rules apply operations; after each, the model is compared and all properties are checked."""

    # Setting up, and time.

    @initialize(
        params=st.sampled_from(CHOICES),
        fail=st.integers(0, 9),
        theme=st.sampled_from(THEMES),
        pick=NUMBER,
    )
    def boot(self, params: Params, fail: int, theme: str, pick: int) -> None:
        """A machine whose first netns init may find no memory, and what the history is about."""
        self._begin(params)
        params = self._params
        theme = type(self).only_theme or theme
        if 1 <= fail <= 4:
            self._all(FailAllocations(fail), InitNetns())
        if not self.history.model.initialised:
            self._do(InitNetns())
        if theme == "no memory for cpulist":
            # Only the first write allocates.
            if params.sysctl:
                self._all(FailAllocations(1), WriteCpulist("0"), FailAllocations(1), SetCpulist(1))
            return
        # Estimation runs in most histories from the start.
        if fail % 3:
            self._add_service()
            self._do(Advance(params.hz // 4))
        self._theme(theme, pick)

    @precondition(lambda self: nh.ended(self.history))
    @rule(params=st.sampled_from(CHOICES))
    def reboot(self, params: Params) -> None:
        """What has no continuation is followed by a new machine."""
        self._count()
        self._begin(params)
        self._do(InitNetns())

    @precondition(lambda self: not nh.ended(self.history) and not self.history.model.initialised)
    @rule(fail=st.integers(0, 6))
    def initialise(self, fail: int) -> None:
        """The next netns."""
        if 1 <= fail <= 4:
            self._all(FailAllocations(fail), InitNetns())
        if not self.history.model.initialised:
            self._all(FailAllocations(1, 0), InitNetns())

    @precondition(lambda self: not nh.ended(self.history))
    @rule(jiffies=st.integers(0, 20), ticks=st.integers(0, 4))
    def time(self, jiffies: int, ticks: int) -> None:
        """Some ticks and jiffies pass; without any, whoever is runnable runs."""
        passed = jiffies + ticks * self._tick
        self._do(Advance(passed) if passed else Settle())

    @precondition(NetnsThemes._usable)
    @rule(jiffies=st.integers(0, 3), count=st.integers(1, 3))
    def revolutions(self, jiffies: int, count: int) -> None:
        """A revolution passes, or more."""
        self._do(Advance(jiffies + count * self._revolution))

    # Objects.

    @precondition(NetnsThemes._usable)
    @rule(count=st.integers(1, 3), service=st.booleans())
    def bare(self, count: int, service: bool) -> None:
        """Bare objects start."""
        kind = StartService if service else StartDest
        for _ in range(self._room(count)):
            self._do(kind(self._new_id()))

    @precondition(NetnsThemes._usable)
    @rule(count=st.integers(4, 24), drained=st.booleans())
    def burst(self, count: int, drained: bool) -> None:
        """Many start at once."""
        for _ in range(self._room(count)):
            self._do(StartDest(self._new_id()))
        if drained:
            self._drained()

    @precondition(NetnsThemes._usable)
    @rule(spare=st.integers(0, 3), slots=st.sampled_from((1, 2, 3, 99)))
    def fill(self, spare: int, slots: int) -> None:
        """Some kthreads, or all that are allowed, get full."""
        self._fill(slots, spare)

    @precondition(lambda self: self._usable() and bool(self.history.model.bare))
    @rule(count=st.integers(1, 5), pick=NUMBER)
    def delete(self, count: int, pick: int) -> None:
        """Bare objects go."""
        for _ in range(count):
            ids = sorted(self.history.model.bare)
            if ids:
                self._do(Delete(ids[pick % len(ids)]))

    @precondition(NetnsThemes._usable)
    @rule(pick=NUMBER, spare=st.integers(1, 3), refill=st.sampled_from((0, 0, 2, 4)))
    def hole(self, pick: int, spare: int, refill: int) -> None:
        """All estimators of a kthread go, then others come: a hole, and its reuse."""
        self._hole(pick, spare, refill)

    @precondition(NetnsThemes._usable)
    @rule(dests=st.integers(0, 4))
    def add_service(self, dests: int) -> None:
        """A service with destinations."""
        self._service_with_dests(dests)

    @precondition(NetnsThemes._usable)
    @rule(
        pick=NUMBER,
        held=st.booleans(),
        then=st.sampled_from(("back", "anew", "elsewhere", "wait", "wait", "leave", "nothing")),
        seconds=st.sampled_from((0, 1, 59, 60, 61, 119, 121, 180)),
    )
    def trash(self, pick: int, held: bool, then: str, seconds: int) -> None:
        """A destination goes to the trash, perhaps with a connection on it, and on from there."""
        self._trash(pick, held, then, seconds)

    @precondition(lambda self: self._usable() and bool(self.history.model.services))
    @rule(pick=NUMBER)
    def delete_service(self, pick: int) -> None:
        """A service goes, with its destinations."""
        ids = sorted(self.history.model.services)
        self._do(DeleteService(ids[pick % len(ids)]))

    # Counters.

    @precondition(lambda self: self._usable() and bool(counting(self.history.model)))
    @rule(
        pick=NUMBER,
        cpu=NUMBER,
        steps=st.tuples(*[st.sampled_from(STEPS)] * 5),
        wait=st.integers(0, 2),
        export=st.booleans(),
    )
    def traffic(self, pick: int, cpu: int, steps: tuple[int, ...], wait: int, export: bool) -> None:
        """Packets are counted, estimated and read."""
        ids = sorted(counting(self.history.model))
        object_id = ids[pick % len(ids)]
        conns, inpkts, outpkts, inbytes, outbytes = steps
        cpu %= self._params.possible_cpus
        self._do(Traffic(object_id, cpu, conns, inpkts, outpkts, inbytes, outbytes))
        self._do(Advance(wait * self._revolution // 2))
        if object_id in live(self.history.model):
            self._do(Export(object_id) if export else Read(object_id))

    @precondition(lambda self: self._usable() and self.history.model.total is not None)
    @rule(
        pick=NUMBER,
        cpu=NUMBER,
        steps=st.tuples(*[st.sampled_from(STEPS)] * 5),
        wait=st.integers(0, 2),
    )
    def packets(self, pick: int, cpu: int, steps: tuple[int, ...], wait: int) -> None:
        """Packets of a destination, perhaps one in the trash, and what users read of them."""
        self._packets(pick, cpu % self._params.possible_cpus, steps, wait)

    @precondition(lambda self: self._usable() and bool(live(self.history.model)))
    @rule(pick=NUMBER, count=st.sampled_from((0, 1, 7, 1000)), wait=st.integers(0, 2))
    def zero(self, pick: int, count: int, wait: int) -> None:
        """One counts, is zeroed and read, before and after its next estimation."""
        self._zero(pick, count, wait)

    # Sysctls.

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(text=st.sampled_from(TEXTS), restricted=st.booleans(), pick=NUMBER)
    def write_cpulist(self, text: str, restricted: bool, pick: int) -> None:
        """By a process on all CPUs, or on one."""
        allowed = frozenset({pick % self._params.possible_cpus}) if restricted else None
        self._all(WriteCpulist(text, allowed, pick % 3 // 2), ReadCpulist())

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(
        texts=st.lists(st.sampled_from(BAD_TEXTS), min_size=2, max_size=4),
        nice=st.sampled_from((-21, 20, -2000)),
    )
    def refused(self, texts: list[str], nice: int) -> None:
        """Values that the sysctls do not take."""
        self._all(*map(WriteCpulist, texts), ReadCpulist(), SetNice(nice), SetNice(nice, 1))

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(nice=st.integers(-20, 19), run=st.integers(0, 3), set_nice=st.booleans())
    def sysctl(self, nice: int, run: int, set_nice: bool) -> None:
        """est_nice or run_estimation, in one of five cases by a write without a number."""
        offset = nice % 5 // 4
        self._do(SetNice(nice, offset) if set_nice else SetRunEstimation(run, offset))

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(wait=st.integers(0, 2), weight=NUMBER)
    def cpulist_away_and_back(self, wait: int, weight: int) -> None:
        """No CPUs for kthreads for a while."""
        self._all(WriteCpulist("\n"), Advance(wait * self._tick))
        self._do(SetCpulist(1 + weight % self._params.possible_cpus))
        self._drained()

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(shifts=st.lists(st.integers(-2, 2), min_size=1, max_size=3), slots=st.integers(0, 3))
    def recalculate(self, shifts: list[int], slots: int) -> None:
        """New limits at another cost, perhaps with several kthreads."""
        if slots:
            self._fill(slots, 1)
        for shift in shifts:
            self._recalculate(shift)
            self._drained()

    @precondition(lambda self: self._usable() and self._params.sysctl)
    @rule(
        shift=st.integers(-2, 2),
        pauses=st.integers(0, 2),
        slots=st.integers(0, 2),
        by=st.sampled_from(("nice", "disable", "disable", "exit", "add", "cpulist")),
    )
    def interrupt(self, shift: int, pauses: int, slots: int, by: str) -> None:
        """Something happens while the calc phase measures."""
        self._interrupt(shift, pauses, slots, by)

    # No memory.

    @precondition(NetnsThemes._usable)
    @rule(
        nth=st.sampled_from((1, 1, 2, 2, 3, 4)),
        count=st.integers(1, 3),
        kind=st.sampled_from(
            ("svc", "dest", "service", "dest of", "tick", "context", "task", "left")
        ),
    )
    def no_memory(self, nth: int, count: int, kind: str) -> None:
        """Allocations fail while something is added, while kthread 0 drains, or for tasks."""
        if kind in ("tick", "context"):
            self._no_memory_in_drain(kind)
        elif kind == "task" and self._params.sysctl:
            self._no_memory_for_tasks()
        elif kind == "left" and self._params.sysctl:
            self._leave_context()
        else:
            self._do(FailAllocations(nth, count))
            self._add(kind)

    # The end of the netns, and operations that make no sense.

    @precondition(NetnsThemes._usable)
    @rule(how=st.sampled_from(("exit", "exit", "disable", "cleanup")), wait=st.integers(0, 3))
    def leave(self, how: str, wait: int) -> None:
        """The netns ends, at once or in the recorded steps."""
        if how != "exit":
            # Nothing is added any more: nobody can reach a netns that is going.
            self._all(Disable(), Advance(wait))
        if how == "cleanup":
            for number in sorted(live(self.history.model)):
                self._delete(number)
            if not live(self.history.model).keys() - {TOTAL} and not self.history.model.trash:
                self._do(Cleanup())
                if self._params.sysctl:
                    self._all(StartTotal(), Advance(wait))
                return
        self._do(ExitNetns())

    @precondition(NetnsThemes._usable)
    @rule(pick=NUMBER)
    def senseless(self, pick: int) -> None:
        """Operations on what is not there, or is there already."""
        taken = sorted(live(self.history.model))
        self._all(Delete(9999), DeleteService(0), DeleteDest(9999), PutDest(9999), Read(9999))
        if taken:
            object_id = taken[pick % len(taken)]
            self._all(StartDest(object_id), AddService(object_id))
        if self._params.sysctl:
            self._all(SetRunEstimation(2), StartTotal())
