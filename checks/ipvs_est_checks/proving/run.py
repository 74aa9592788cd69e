"""Deciding many theorems, each in a process of its own.

A fresh process for each makes the counterexamples, too, a function of the seed: z3's choices
depend on all the terms that its process made before.
"""

import multiprocessing
import signal
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from time import monotonic, process_time
from typing import TYPE_CHECKING

from ipvs_est_checks.proving.counterexamples.registry import with_replay
from ipvs_est_checks.proving.second_solver import SecondSolver
from ipvs_est_spec.proof.framework.costs import cost
from ipvs_est_spec.proof.framework.solve import Answer, Options, Outcome, Status, Verdict, decide
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import BY_ID

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.process import BaseProcess

    Context = ForkServerContext | SpawnContext
    ToParent = Connection[Outcome, None]
    ToWorker = Connection[None, Outcome]


_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Work:
    theorem: Theorem
    process: "BaseProcess"
    began: float


def outcomes(
    theorems: Sequence[Theorem],
    options: Options,
    jobs: int,
    limit: float = 0.0,
    *,
    second: bool = False,
    replay: bool = True,
    waiting: Callable[[str], None] = lambda _: None,
) -> Generator[Outcome]:
    """What z3 says of each theorem, as soon as it is known: the longest are begun first.

    jobs: processes at a time. limit: seconds for one theorem, 0 = none; a theorem that takes
    longer, and one whose process dies, is UNKNOWN. second: the other solvers are asked, not z3.
    replay: counterexamples that z3 gives are executed in the model.
    waiting: called every now and then with the theorem that is under way for the longest time.
    Close the generator to end the processes.
    """
    # Imported here: it takes as long as some theorems.
    from multiprocessing.connection import wait

    context = _context()
    todo = sorted(theorems, key=lambda each: cost(each.id))
    busy: dict[ToWorker, _Work] = {}
    try:
        while todo or busy:
            while todo and len(busy) < jobs:
                worker, work = _start(context, todo.pop(), options, second, replay)
                busy[worker] = work
            waiting(next(iter(busy.values())).theorem.id)
            ready = wait(list(busy), _until_next_look(busy, limit))
            for worker, work in list(busy.items()):
                if worker in ready:
                    outcome = _received(worker, work)
                elif limit and monotonic() - work.began >= limit:
                    why = f"time limit of {limit:g} s"
                    took = monotonic() - work.began
                    outcome = _undecided(work.theorem.id, Verdict.UNKNOWN, why, took)
                else:
                    continue
                del busy[worker]
                _end(work)
                yield outcome
    finally:
        for work in busy.values():
            _end(work)


def in_order(found: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes in the registry's order."""
    place = {id_: number for number, id_ in enumerate(BY_ID)}
    return tuple(sorted(found, key=lambda each: place[each.id]))


def _context() -> "Context":
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # z3 is loaded and the registry built once, not in each process.
    context.set_forkserver_preload(["ipvs_est_checks.proving.counterexamples.registry"])
    return context


def _start(
    context: "Context", theorem: Theorem, options: Options, second: bool, replay: bool
) -> "tuple[ToWorker, _Work]":
    to_worker, to_parent = context.Pipe(duplex=False)
    process = context.Process(
        target=_decide, args=(to_parent, theorem.id, options, second, replay), daemon=True
    )
    began = monotonic()
    process.start()
    # Only the worker holds its end, so that its death ends the pipe.
    to_parent.close()
    return to_worker, _Work(theorem, process, began)


def _decide(to_parent: "ToParent", id_: str, options: Options, second: bool, replay: bool) -> None:
    # Ctrl-C reaches the whole process group; the parent alone acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    began = process_time()
    try:
        solver = SecondSolver(options) if second else None
        outcome = decide(BY_ID[id_], options, solver)
        if replay and not second:
            outcome = with_replay(BY_ID[id_], outcome)
            outcome = replace(outcome, seconds=process_time() - began)
    except Exception as error:
        # A theorem that cannot be stated has failed; the others go on.
        traceback.print_exc()
        outcome = _undecided(
            id_, Verdict.FAIL, f"{type(error).__name__}: {error}", process_time() - began
        )
    to_parent.send(outcome)


def _until_next_look(busy: "dict[ToWorker, _Work]", limit: float) -> float:
    if not limit:
        return _LOOK_SECONDS
    left = min(each.began for each in busy.values()) + limit - monotonic()
    return max(0.0, min(left, _LOOK_SECONDS))


def _received(worker: "ToWorker", work: _Work) -> Outcome:
    try:
        return worker.recv()
    except (EOFError, OSError):
        work.process.join()
        why = f"its process died, exit code {work.process.exitcode}"
        return _undecided(work.theorem.id, Verdict.UNKNOWN, why, monotonic() - work.began)
    finally:
        worker.close()


def _undecided(id_: str, verdict: Verdict, why: str, seconds: float) -> Outcome:
    twin = Answer(Status.UNKNOWN, reason=why)
    return Outcome(id_, verdict, (), twin, (why,), 0, seconds)


def _end(work: _Work) -> None:
    work.process.terminate()
    work.process.join()
