"""Sequences of operations that lead a netns to situations which single ones seldom reach."""

from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    DeleteService,
    Disable,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    Operation,
    Packet,
    PutDest,
    Read,
    ReadPercpu,
    ReadStatus,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est_checks.machines.naive.model import live
from ipvs_est_checks.machines.netns.driver import NetnsDriver
from ipvs_est_checks.machines.netns.situations import has_empty_context

COSTS = (300_000_000, 900, 7916, 11875, 23750, 47500)
"""Nanoseconds: too slow to be measured, then chain_max of 26, 3, 2, 1 and 1."""
BAD_TEXTS = ("1-0", "x", "0-\0", "9999", "0-9999", "4294967296", "0:1/2", "all:1/0", "all:2/1")
THEMES = (
    "none",
    "hole",
    "limit",
    "limits",
    "disable",
    "no memory",
    "no memory for cpulist",
    "tick",
    "context",
    "task",
    "left",
    "trash back",
    "trash anew",
    "trash wait",
    "trash leave",
    "refused",
    "counters",
    "packets",
)
"""What a history is about at first: without this, a short run might miss what takes several
steps to come to."""


class NetnsThemes(NetnsDriver):
    """Each is also a rule of the machine."""

    def _theme(self, theme: str, pick: int) -> None:
        params = self._params
        if theme == "hole":
            self._hole(pick, 1 + pick % 3, 2 * (pick % 2))
        elif theme == "counters" and self._start_anything():
            self._zero(pick, 1 + pick, 1)
        elif theme == "packets":
            self._packets(pick, 0, (1, 1, 1, 1, 1), 1)
            self._trash(pick, True, "nothing", 0)
            self._packets(pick, 0, (1, 1, 1, 1, 1), 1)
        elif theme == "limit":
            self._fill(99, 1 + pick % 3)
        elif theme == "no memory":
            self._no_memory_for_objects()
        elif theme in ("tick", "context"):
            self._no_memory_in_drain(theme)
        elif theme.startswith("trash "):
            self._trash(pick, pick % 2 == 0, theme.removeprefix("trash "), pick)
        elif not params.sysctl:
            self._fill(2, pick % 3)
        elif theme == "limits":
            self._fill(2, 1 + pick % 2)
            for shift in (1 + pick % 2, -1, 2, -2)[: 2 + pick % 3]:
                self._recalculate(shift)
                self._drained()
        elif theme == "disable":
            self._interrupt(pick % 3, pick % 3, pick // 3 % 2, "disable")
        elif theme == "refused":
            self._all(*map(WriteCpulist, BAD_TEXTS), SetNice(20), SetNice(-21))
        elif theme == "task":
            self._no_memory_for_tasks()
        elif theme == "left":
            self._leave_context()

    def _start_anything(self) -> bool:
        """Whether estimation runs and something is estimated."""
        self._add_service()
        self._drained()
        return bool(live(self.history.model))

    def _fill(self, slots: int, spare: int) -> None:
        """As many start as that many kthreads hold."""
        if not self.history.model.enable:
            self._add_service()
        self._drained()
        state = self.history.seen.before.state
        kd = next((kthread for kthread in state.kthreads if kthread is not None), None)
        if kd is None or not state.chain_max:
            return
        wanted = min(slots, state.max_threads) * kd.est_max_count + spare
        for _ in range(self._room(wanted - len(live(self.history.model)))):
            self._do(StartDest(self._new_id()))
        self._drained()

    def _hole(self, pick: int, spare: int, refill: int) -> None:
        self._fill(2, spare)
        kthreads = self.history.seen.before.state.kthreads
        if len(kthreads) < 2:
            return
        # A slot below the last, if there is one: without the last the array only shrinks.
        slot = 1 + pick % max(1, len(kthreads) - 2)
        kd = kthreads[slot]
        ids = (
            [number for td in kd.ticks for _, chain in td.chains for number in chain] if kd else []
        )
        for identity in ids:
            self._delete(identity)
        if refill:
            for _ in range(self._room(len(ids) + refill)):
                self._do(StartDest(self._new_id()))
            self._drained()

    def _service_with_dests(self, dests: int) -> None:
        if self._room(1):
            self._add_service()
        services = sorted(self.history.model.services)
        for _ in range(self._room(dests) if services else 0):
            self._do(AddDest(self._new_id(), services[-1]))

    def _trash(self, pick: int, held: bool, then: str, seconds: int) -> None:
        model = self.history.model
        ids = sorted(model.dests)
        if not ids and not model.trash:
            self._service_with_dests(2)
            ids = sorted(model.dests)
        if ids:
            dest = ids[pick % len(ids)]
            if held:
                self._do(GetDest(dest))
            self._do(DeleteDest(dest))
            back = then in ("back", "elsewhere", "anew")
            self._do(Advance((seconds % 60 if back else seconds) * self._params.hz))
        if then == "leave":
            users = sorted(dest.id for dest in (*model.dests.values(), *model.trash) if dest.held)
            if users:
                self._do(PutDest(users[pick % len(users)]))
        if then in ("leave", "wait"):
            self._do(Advance(61 * self._params.hz))
            self._do(Advance(121 * self._params.hz))
        elif then != "nothing":
            if then == "elsewhere":
                self._add_service()
            deleted = sorted(
                naive_dest.id for naive_dest in model.trash if naive_dest.id not in model.dests
            )
            services = sorted(model.services)
            if then == "anew" and model.trash:
                self._made_anew(model.trash[pick % len(model.trash)].service.id, pick)
            elif deleted and services:
                service = services[-1 if then == "elsewhere" else pick % len(services)]
                self._do(AddDest(deleted[pick % len(deleted)], service))

    def _made_anew(self, service: int, pick: int) -> None:
        """The service is deleted and added again, and so are its destinations."""
        model = self.history.model
        if service in model.services:
            self._do(DeleteService(service))
        if service not in live(model):
            self._do(AddService(service))
        ids = [naive_dest.id for naive_dest in model.trash if naive_dest.service.id == service]
        for identity in ids[: 1 + pick % 3]:
            if identity not in live(model):
                self._do(AddDest(identity, service))

    def _packets(self, pick: int, cpu: int, steps: tuple[int, ...], wait: int) -> None:
        model = self.history.model
        if not model.dests and not model.trash:
            self._service_with_dests(2)
        ids = sorted({dest.id for dest in (*model.dests.values(), *model.trash)})
        if ids:
            conns, inpkts, outpkts, inbytes, outbytes = steps
            dest = ids[pick % len(ids)]
            self._do(Packet(dest, cpu, conns, inpkts, outpkts, inbytes, outbytes))
        self._do(Advance(wait * self._revolution // 2))
        if model.total is not None:
            self._do(ReadPercpu())
        if model.revision.has_status_file:
            self._do(ReadStatus())

    def _zero(self, pick: int, count: int, wait: int) -> None:
        ids = sorted(live(self.history.model))
        object_id = ids[pick % len(ids)]
        if count:
            cpu = pick % self._params.possible_cpus
            self._do(Traffic(object_id, cpu, *[count] * 5))
            self._do(Advance(self._revolution + self._params.hz // 5))
        self._all(Zero(object_id), Read(object_id), Advance(wait * self._revolution))
        self._all(Read(object_id), Export(object_id))

    def _recalculate(self, shift: int) -> None:
        """Dearer or cheaper than it was, so that the limits shrink or grow."""
        cost = self.history.seen.before.est_cost_ns
        known = min(range(len(COSTS)), key=lambda place: abs(COSTS[place] - cost))
        self._all(SetRunEstimation(1), SetCost(COSTS[(known + shift) % len(COSTS)]))
        self._do(WriteCpulist("all"))

    def _interrupt(self, shift: int, pauses: int, slots: int, by: str) -> None:
        self._fill(slots, 1)
        self._recalculate(shift)
        self._do(Advance(pauses * (self._params.hz // 50)))
        if by == "nice":
            self._do(self._other_nice())
        elif by == "disable":
            self._all(Disable(), Advance(self._params.hz // 5), ExitNetns())
        elif by == "exit":
            self._do(ExitNetns())
        elif by == "add":
            self._do(StartDest(self._new_id()))
        else:
            self._do(WriteCpulist("0"))
        self._do(Advance(self._params.hz // 5))

    def _add(self, kind: str) -> None:
        services = sorted(self.history.model.services)
        if kind == "svc":
            self._do(StartService(self._new_id()))
        elif kind == "dest":
            self._do(StartDest(self._new_id()))
        elif kind == "service" or not services:
            self._add_service()
        else:
            self._do(AddDest(self._new_id(), services[0]))

    def _no_memory_for_objects(self) -> None:
        self._add_service()
        for nth in (1, 2):
            for kind in ("svc", "dest", "service", "dest of"):
                self._do(FailAllocations(nth))
                self._add(kind)
        self._do(FailAllocations(1, 0))

    def _no_memory_in_drain(self, kind: str) -> None:
        # A kthread that is exactly full has the next estimator ask for another.
        self._fill(int(kind == "context"), 0)
        for number in sorted(self.history.model.bare) if kind == "tick" else ():
            self._delete(number)
        for _ in range(self._room(3)):
            self._do(StartDest(self._new_id()))
        # So many failures that some are left when the history looks.
        self._all(FailAllocations(1, 9), Advance(self._tick), FailAllocations(1, 0))

    def _leave_context(self) -> None:
        """A context gets no tick, and a recalculation comes before it has one."""
        # Before mainline est_max_threads is computed when a second object starts.
        if self._start_anything() and self._room(1):
            self._do(StartDest(self._new_id()))
        self._fill(1, 0)
        if self._room(1):
            self._do(StartDest(self._new_id()))
        # Which allocation the tick's is depends on the revision and on the array.
        for nth in range(1, 6):
            self._all(FailAllocations(nth), Advance(self._tick), FailAllocations(1, 0))
            if has_empty_context(self.history.seen.before):
                break
        self._all(SetRunEstimation(1), WriteCpulist("all"))
        self._drained()
        self._drained()

    def _no_memory_for_tasks(self) -> None:
        """The reload work tries again a tenth of a second later."""
        self._all(SetRunEstimation(1), SetCpulist(1), Advance(self._params.hz))
        self._all(FailAllocations(1, 2), self._other_nice(), Settle())
        self._do(Advance(self._params.hz // 5))

    def _other_nice(self) -> Operation:
        return SetNice((self.history.model.nice + 21) % 40 - 20)
