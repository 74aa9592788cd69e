"""One run of a scenario: threads at their scheduling points, RCU callbacks, time.

A step performs the point at which a thread stands and runs it to its next one. Whoever calls
`step` is the scheduler. A thread stops where another could make a difference: before it takes
a mutex, sleeps, joins, gives way, asks a task to stop, starts a task, queues or cancels the
work, or accesses a field without a common lock.

It does not stop where that makes no difference, by Lipton's movers. Unlocking, and the end of a
read-side section, are done at once after the access before: until the thread's next point they
only let others go on (left movers). Taking a mutex and the access that follows are one step, and
so are the begin of a read-side section and the access that follows: nothing that others do
meanwhile tells when they happened (right movers). An access to a field that every task of the
revision accesses under est_mutex (`guarded_fields`) is no point for who holds it.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipvs_est import Oracle, Revision
from ipvs_est.language.revision import BEFORE_MAINLINE
from ipvs_est.language.violations import (
    BrokenProperty,
    Deadlock,
    LeakAtExit,
    Violation,
    ViolationError,
)
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import (
    Barrier,
    Body,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    Point,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Unlock,
    WordAccess,
)
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.performer import (
    end_task,
    function_of,
    in_the_way,
    perform,
    run_timers,
    start_due_work,
    wait_text,
)
from ipvs_est.state.machine import Machine
from ipvs_est.state.task_record import paused, resumed
from ipvs_est_checks.broken_properties import QUIET, SETTLED, quiet_jiffies
from ipvs_est_checks.explore.engine.bodies import USER_SPACE, NetnsUse, actor_body
from ipvs_est_checks.explore.engine.memory.buffer import (
    Buffer,
    Entry,
    MemoryView,
    before,
    begin,
    can_flush,
    capture,
    drain,
    flush,
    flush_all,
    lay_over,
    leave,
)
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.memory.places import NETNS_FIELDS
from ipvs_est_checks.explore.engine.watch import (
    LEAK,
    Watch,
    broken_record,
    broken_state,
    watches_record,
)
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario

TIME = -1
"""The choice that lets time pass until the next sleep or delay ends."""
RCU = -2
"""The choice that ends a grace period and runs its oldest callback."""
_FIRST_FLUSH = -3
"""This and all choices below let a store reach the other tasks; see `flush_of`."""
_ENTRIES = 64
"""More than a buffer has while its task does not run."""
_AT_ONCE = (Unlock, RcuReadLock, RcuReadUnlock, Barrier)
"""What is done with the access before it; see above."""
_SLOTS = 1_000
"""More than there are slots of kthreads."""


@dataclass(slots=True, eq=False)
class Thread:
    """A task with its generator and the point at which it stands."""

    index: int
    """The choice to let it go on; see `_index`."""
    task: Task
    body: Body
    point: Point | None = None
    """What it does next; None = run from where it is."""
    reading: int = 0
    """Number of its RCU read-side section; 0 = in none."""
    opens_section: bool = False
    """Its read-side section begins with the point at which it stands."""
    wake_at: int = 0
    buffer: Buffer = field(default_factory=list)
    """What it has stored and the others do not see yet."""


@dataclass(slots=True, eq=False)
class World:
    """All threads and what they share."""

    machine: Machine
    end: int
    """Time does not pass this jiffy."""
    threads: list[Thread] = field(default_factory=list)
    """In order of creation, exited ones included."""
    by_index: dict[int, Thread] = field(default_factory=dict)
    """The last one with each index."""
    actors: int = 0
    """How many there are; their indexes are the first ones."""
    callbacks: list[tuple[Callable[[], None], frozenset[tuple[int, int]]]] = field(
        default_factory=list
    )
    """RCU callbacks, oldest first, with the read-side sections that were open before."""
    sections: int = 0
    """Read-side sections so far."""
    guarded: frozenset[str] = frozenset()
    """See `guarded_fields`."""
    steps: int = 0
    watch: Watch | None = None
    """Looks at every state on the way."""
    looks: bool = False
    """This step was not taken before from the same state."""
    order: MemoryOrder = MemoryOrder.SC
    stored_late: tuple[str, ...] = ()
    """Fields of the netns whose stores wait."""
    setup: int = 0
    """With a record: its length after the setup."""
    running: Thread | None = None
    """With a record: whose run it is in, not yet paused; only in steps taken before."""
    marks: list[int] = field(default_factory=list)
    """With a record: its length after each step."""
    fields: bool | frozenset[str] = True
    """Whether accesses to shared fields and counters are points: all, none, or those to fields of
    these names."""
    use: NetnsUse | None = None
    """What control processes share beside the machine."""
    passed: list[FieldAccess] | None = None
    """Accesses of this step at which its thread did not stop, if somebody wants to know them."""
    prompt: bool = True
    """Time has never passed while a thread could go on."""
    quiet_since: int | None = None
    """Since when nothing happens but by itself, in time: jiffies since boot, not wrapped."""


def guarded_fields(revision: Revision) -> frozenset[str]:
    """Fields of the netns that no task of this revision accesses without est_mutex.

    What a mutant does without it is still a point, but what the others do under it is none. The
    first look of a write without a number is one, too: who stores holds est_mutex until then.
    """
    guarded: set[str] = set()
    if revision.est_mutex_at_enable and revision.thread_limit_under_est_mutex:
        guarded |= {"est_max_threads", "est_stopped", "run_estimation", "est_kt_count"}
        if revision.frees_cpulist_under_est_mutex:
            guarded |= {"est_cpulist", "est_cpulist_valid"}
    return frozenset(guarded)


def service_mutex_name(revision: Revision) -> str:
    """Before mainline one mutex serves all netns; on mainline each has its own."""
    return "__ip_vs_mutex" if revision in BEFORE_MAINLINE else "service_mutex"


def start(
    scenario: Scenario,
    revision: Revision,
    watch: Watch | None = None,
    order: MemoryOrder = MemoryOrder.SC,
) -> World:
    """The scenario's world after its setup; what is watched is looked at from there on."""
    oracle = Oracle(scenario.params, revision, raise_violations=True)
    if watch is not None and watches_record(watch):
        oracle.machine.events = []
    for operation in scenario.setup:
        oracle.apply(operation)
    return world_of(oracle, scenario.actors, scenario.jiffies, watch, order)


def world_of(
    oracle: Oracle,
    actors: Sequence[Actor],
    jiffies: int,
    watch: Watch | None = None,
    order: MemoryOrder = MemoryOrder.SC,
) -> World:
    """What the oracle has come to, with the actors beside its tasks; it is handed over."""
    machine, driver = oracle.machine, oracle.hand_over()
    revision = machine.revision
    machine.interleaved = True
    machine.service_mutex.name = service_mutex_name(revision)
    end = machine.now + jiffies
    world = World(machine, end, guarded=guarded_fields(revision), actors=len(actors))
    use = world.use = NetnsUse()
    world.watch = watch
    world.order = order
    world.stored_late = tuple(field for field in NETNS_FIELDS if field not in world.guarded)
    world.setup = len(machine.events or ())
    for index, actor in enumerate(actors):
        task = Task(name=actor.name, state=TaskState.RUNNABLE)
        _add(world, index, task, actor_body(machine, actor.operations, task, use))
    inherited = [
        *(triple[-1] for triple in driver.runnable),
        *(sleeper[-1] for sleeper in driver.sleepers),
    ]
    for task in sorted(inherited, key=lambda task: (task.rank, task.age)):
        if task.state is TaskState.EXITED or any(thread.task is task for thread in world.threads):
            continue
        body = task.body if task.body is not None else function_of(machine, task)
        thread = _add(world, _index(world, task), task, body)
        if task.state is TaskState.SLEEPING:
            thread.point = Sleep(0, "setup")
            thread.wake_at = task.wake_at
    _take_callbacks(world)
    return world


def _add(world: World, index: int, task: Task, body: Body) -> Thread:
    thread = Thread(index, task, body)
    world.threads.append(thread)
    world.by_index[index] = thread
    return thread


def _index(world: World, task: Task) -> int:
    """The choice that a kthread or the reload work is: by what it is, not by when it was made.

    So states that differ in nothing but what has ended, or began first, have the same choices.
    """
    if task.kd is None:
        return world.actors
    index = world.actors + 1 + task.kd.id
    while (other := world.by_index.get(index)) is not None and not _has_exited(other):
        # A kthread of the same slot is still there.
        index += _SLOTS
    return index


def can_run(world: World, thread: Thread) -> bool:
    """Whether the point at which the thread stands lets it go on."""
    task, point = thread.task, thread.point
    if task.state is TaskState.EXITED:
        return False
    if isinstance(point, Lock):
        return point.mutex.owner is None
    if isinstance(point, Sleep):
        return task.should_stop or thread.wake_at <= world.machine.now
    if isinstance(point, Join):
        return point.task.state is TaskState.EXITED
    return True


def gives_way(world: World, index: int) -> bool:
    """Whether the thread stands where it offers the processor to others (cond_resched)."""
    return isinstance(world.by_index[index].point, GiveWay)


def enabled(world: World) -> list[int]:
    """All choices, threads by index first."""
    choices = [thread.index for thread in world.threads if can_run(world, thread)]
    choices.sort()
    if world.order is not MemoryOrder.SC:
        choices.extend(_flushes(world))
    if world.callbacks and not world.callbacks[0][1] & _open_sections(world):
        choices.append(RCU)
    if _next_wake_up(world) is not None:
        choices.append(TIME)
    return choices


def flush_of(choice: int) -> tuple[int, int] | None:
    """Whose store reaches the others, and the number of the entry in its buffer; None: the choice
    is no flush."""
    return divmod(_FIRST_FLUSH - choice, _ENTRIES) if choice <= _FIRST_FLUSH else None


def flush_choice(index: int, number: int) -> int:
    """The choice that lets the entry of that number in a thread's buffer reach the others."""
    return _FIRST_FLUSH - index * _ENTRIES - number


def _flushes(world: World) -> list[int]:
    waiting = sorted((thread.index, thread.buffer) for thread in world.threads if thread.buffer)
    return [
        flush_choice(index, number)
        for index, buffer in waiting
        for number in can_flush(world.order, buffer)
    ]


def waiting_store(world: World, choice: int) -> tuple[Thread, Entry]:
    """What a flush that is enabled does: whose it is, and what reaches the others."""
    found = flush_of(choice)
    assert found is not None
    thread = world.by_index[found[0]]
    return thread, thread.buffer[found[1]]


def step(world: World, choice: int) -> None:
    """Let `choice`, which is enabled, go on to its next point; raises ViolationError."""
    world.looks = world.watch is not None
    _step(world, choice)
    _look_for_deadlock(world)
    if world.watch is not None:
        _look(world, world.watch, _scopes(world))


def repeat(world: World, choice: int) -> None:
    """A step that another schedule has taken from the same state without a failure."""
    world.looks = False
    _step(world, choice)
    if world.watch is not None:
        _scopes(world)


def _step(world: World, choice: int) -> None:
    world.steps += 1
    if choice < 0:
        _pause(world)
    if choice == TIME:
        if world.watch is not None and any(can_run(world, thread) for thread in world.threads):
            world.prompt = False
            world.quiet_since = None
        due = _next_wake_up(world)
        assert due is not None
        for thread in world.threads:
            # No store waits for a jiffy.
            flush_all(world.machine, thread.buffer)
        world.machine.now = due
        run_timers(world.machine)
    elif choice == RCU:
        callback, _ = world.callbacks.pop(0)
        callback()
    elif (flushed := flush_of(choice)) is not None:
        flush(world.machine, world.by_index[flushed[0]].buffer, flushed[1])
    else:
        _run(world, world.by_index[choice])
    _take_callbacks(world)
    _start_work(world)


def _scopes(world: World) -> int:
    """What the state after a step is in the scope of, beside the mutexes; keeps the books."""
    machine = world.machine
    if machine.events is not None:
        world.marks.append(len(machine.events))
    if not finished(world) or any(
        thread.buffer or can_run(world, thread) for thread in world.threads
    ):
        return 0
    netns = machine.netns
    if not netns.enable or netns.est_stopped:
        world.quiet_since = None
        return SETTLED
    if world.quiet_since is None:
        world.quiet_since = machine.now
    quiet_at = world.quiet_since + quiet_jiffies(machine.params)
    # Where nobody is to be woken up, the state will be the same then.
    event = machine.now if machine.now >= quiet_at else _next_event(world)
    return SETTLED | (QUIET if event is None or event >= quiet_at else 0)


def _look(world: World, watch: Watch, scopes: int) -> None:
    """Look at the state in which everything is done that tasks have done: what others do because
    they do not see it yet, they do."""
    machine, order = world.machine, world.order
    views = [
        MemoryView(machine, order, (), None, thread.buffer)
        for thread in world.threads
        if thread.buffer
    ]
    for view in views:
        lay_over(view)
    broken = broken_state(watch, machine, scopes)
    for view in reversed(views):
        leave(view)
    if broken is not None:
        world.machine.violations.append(broken)
        raise ViolationError(broken)


def broken_history(world: World) -> tuple[int, Violation] | None:
    """Which property the history breaks, of those that are judged by the whole of it, and after
    how many steps it is broken."""
    watch, events = world.watch, world.machine.events
    if watch is None:
        return None
    _pause(world)
    watch.checks[LEAK] += is_gone(world)
    leak = leaked(world)
    if leak is not None:
        return world.steps, leak
    if events is None:
        return None

    def broken(length: int) -> BrokenProperty | None:
        params = world.machine.params
        return broken_record(watch, params, events[:length], world.setup, prompt=world.prompt)

    violation = broken(len(events))
    if violation is None:
        return None

    def breaks(steps: int) -> bool:
        found = broken(world.marks[steps - 1]) if steps else None
        return found is not None and found.property == violation.property

    return bisect_left(range(world.steps), True, key=breaks), violation


def is_gone(world: World) -> bool:
    """Whether the netns is gone and everybody and everything has ended."""
    machine = world.machine
    gone = machine.netns.total is None and not machine.netns.enable and machine.params.sysctl
    return gone and not world.callbacks and all(_has_exited(thread) for thread in world.threads)


def leaked(world: World) -> LeakAtExit | None:
    """What is still allocated when the netns is gone."""
    live = world.machine.memory.live if is_gone(world) else {}
    return LeakAtExit(live[min(live)].describe()) if live else None


def _has_exited(thread: Thread) -> bool:
    return thread.task.state is TaskState.EXITED


def finished(world: World) -> bool:
    """All control processes have returned."""
    return all(
        thread.task.state is TaskState.EXITED for thread in world.threads if thread.task.kd is None
    )


def _run(world: World, thread: Thread) -> None:
    if world.order is MemoryOrder.SC:
        _go_on(world, thread, None)
    else:
        own = thread.task.kd
        view = MemoryView(world.machine, world.order, world.stored_late, own, thread.buffer)
        begin(view)
        _go_on(world, thread, view)
        leave(view)


def _go_on(world: World, thread: Thread, view: MemoryView | None) -> None:
    """Run a thread to its next point; `view`: memory as it sees it, if others see another one."""
    task = thread.task
    point, thread.point = thread.point, None
    if point is None and task.state is TaskState.NEW and task.should_stop:
        # Of two control processes the one that goes on after this one ends may be alone.
        _pause(world)
        end_task(world.machine, thread.task)
        return
    task.state = TaskState.RUNNING
    events = world.machine.events
    if events is not None and world.running is not thread:
        _pause(world)
        events.append(resumed(world.machine, task))
    world.running = thread
    if point is not None:
        if view is not None:
            before(view, point)
        if not _perform(world, thread, point):
            if world.looks or view is not None:
                _pause(world)
            return
    owns_nothing_new = not isinstance(point, Lock)
    est_mutex = world.machine.netns.est_mutex
    while True:
        try:
            point = next(thread.body)
        except StopIteration:
            if view is not None:
                capture(view)
                drain(view)
            _pause(world)
            end_task(world.machine, thread.task)
            return
        if view is not None:
            capture(view)
        if isinstance(point, _AT_ONCE):
            if view is not None:
                before(view, point)
            _perform(world, thread, point)
            continue
        if isinstance(point, FieldAccess):
            if point.field in world.guarded and est_mutex.owner is task:
                if world.passed is not None:
                    world.passed.append(point)
                continue
            if not owns_nothing_new or not _is_point(world, point.field):
                owns_nothing_new = True
                if world.passed is not None:
                    world.passed.append(point)
                if view is not None:
                    before(view, point)
                if thread.opens_section:
                    _open_section(world, thread)
                continue
        elif isinstance(point, WordAccess) and world.fields is not True:
            continue
        elif isinstance(point, Sleep):
            thread.wake_at = world.machine.now + point.jiffies
            if view is not None:
                # Who goes to sleep schedules: a full barrier.
                drain(view)
        elif isinstance(point, GiveWay) and point.rcu:
            thread.reading = 0
            thread.opens_section = True
        thread.point = point
        task.state = TaskState.RUNNABLE
        if world.looks or view is not None:
            # What a run has stored is told as its task sees it.
            _pause(world)
        return


def _is_point(world: World, name: str) -> bool:
    """Whether an access to a shared field of that name is one."""
    fields = world.fields
    return fields if isinstance(fields, bool) else name in fields


def _pause(world: World) -> None:
    """Enter the end of the run that goes on, and what its thread waits for, if it has to.

    Where several steps of a thread in a row repeat what was judged before, they are one run.
    """
    thread, world.running = world.running, None
    machine = world.machine
    if thread is None or machine.events is None:
        return
    task, point = thread.task, thread.point
    state = task.state
    if point is not None and not can_run(world, thread):
        task.waits_for = _waited_for(thread)
        if isinstance(point, Sleep) and point.where != USER_SPACE:
            task.state = TaskState.SLEEPING
    machine.events.append(paused(machine, task))
    task.waits_for, task.state = None, state


def _perform(world: World, thread: Thread, point: Point) -> bool:
    """Do what the point says; False if the thread now stands at another one."""
    if thread.opens_section and not isinstance(point, RcuReadUnlock):
        _open_section(world, thread)
    awaited = perform(world.machine, thread.task, point)
    if awaited is not None:
        # The task has cancelled the work, of which an instance still runs.
        thread.point = Join(awaited)
        return False
    if isinstance(point, Unlock):
        if world.looks and world.watch is not None:
            _look(world, world.watch, 0)
    elif isinstance(point, Start):
        _add(world, _index(world, point.task), point.task, function_of(world.machine, point.task))
    elif isinstance(point, RcuReadLock):
        thread.opens_section = True
    elif isinstance(point, RcuReadUnlock):
        thread.opens_section = False
        thread.reading = 0
    return True


def _open_section(world: World, thread: Thread) -> None:
    thread.opens_section = False
    world.sections += 1
    thread.reading = world.sections


def _start_work(world: World) -> None:
    task = start_due_work(world.machine)
    if task is not None:
        _add(world, _index(world, task), task, function_of(world.machine, task))


def _take_callbacks(world: World) -> None:
    pending = world.machine.rcu.pending
    if pending:
        before = _open_sections(world)
        world.callbacks.extend((function, before) for function in pending)
        pending.clear()


def _open_sections(world: World) -> frozenset[tuple[int, int]]:
    return frozenset((thread.index, thread.reading) for thread in world.threads if thread.reading)


def _next_wake_up(world: World) -> int | None:
    """When anybody can go on again, if time may go on until then."""
    due = _next_event(world)
    return due if due is not None and due <= world.end else None


def _next_event(world: World) -> int | None:
    machine = world.machine
    now = machine.now
    work = machine.netns.reload_work
    times = [
        thread.wake_at
        for thread in world.threads
        if isinstance(thread.point, Sleep)
        and thread.wake_at > now
        and thread.task.state is not TaskState.EXITED
    ]
    if work.pending and work.due > now:
        times.append(work.due)
    return min(times, default=None)


def _look_for_deadlock(world: World) -> None:
    """Raise if threads wait for each other in a circle."""
    circle = deadlocked(world)
    if circle:
        lines = tuple(f"{thread.task.name}: waits {waits_for(thread)}" for thread in circle)
        violation = Deadlock(lines)
        world.machine.violations.append(violation)
        raise ViolationError(violation)


def deadlocked(world: World) -> list[Thread]:
    """Threads of which each waits for the next, and the last for the first, if there are any."""
    for thread in world.threads:
        if thread.point is None or can_run(world, thread):
            continue
        circle: list[Thread] = []
        current: Thread | None = thread
        while current is not None and current not in circle:
            circle.append(current)
            current = _waits_on(world, current)
        if current is thread:
            return circle
    return []


def _waits_on(world: World, thread: Thread) -> Thread | None:
    """The thread without which this one cannot go on."""
    if thread.task.state is TaskState.EXITED or can_run(world, thread):
        return None
    waited_for = _waited_for(thread)
    other = None if waited_for is None else in_the_way(waited_for)
    return next((thread for thread in world.threads if thread.task is other), None)


def waits_for(thread: Thread) -> str:
    """What a thread waits for that waits for a mutex or another task."""
    waited_for = _waited_for(thread)
    assert waited_for is not None
    return wait_text(waited_for)


def _waited_for(thread: Thread) -> Mutex | Task | None:
    """The mutex or the task of the point at which it stands."""
    point = thread.point
    if isinstance(point, Lock):
        return point.mutex
    return point.task if isinstance(point, Join) else None
