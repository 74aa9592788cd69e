"""A kthread of the model alone, whose wake-ups, stops and clock the test decides."""

from collections.abc import Generator

from ipvs_est import Params, Revision
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.kthread_tasks import start_kthread
from ipvs_est.machine.points import RCU_READ_LOCK, Point, Sleep
from ipvs_est.state.kthread_context import KthreadContext, new_context
from ipvs_est.state.machine import boot, jiffies


class LoneKthread:
    """Kthread 1: no calc phase, no temp list. All rows count as used but have no tick, so that
    the turn of each is seen and nothing is estimated."""

    def __init__(self, params: Params, revision: Revision) -> None:
        self.machine = boot(params, revision)
        self.machine.netns.est_chain_max = 1
        self.kd: KthreadContext = new_context(params, 1, jiffies(self.machine), 1)
        self.kd.tick_len = [1] * params.nticks
        self.turns: list[tuple[int, int]] = []
        """Row and time of each turn at which the row would have been estimated."""
        self.asleep = 0
        """Jiffies that the task sleeps now; 0 = it has no task."""
        self._body: Generator[Point, None, None] | None = None

    def start(self) -> None:
        """Start the task and let it run to its first sleep."""
        for _ in start_kthread(self.machine, self.kd):
            pass
        task = self.kd.task
        assert task is not None
        self._body = estimation_kthread(self.machine, self.kd, task)
        self._run()

    def wake(self, late: int = 0) -> None:
        """The sleep ends, so many jiffies late; run to the next one."""
        self.machine.now += self.asleep + late
        self._run()

    def stop(self, after: int) -> None:
        """So many jiffies into its sleep the task is stopped."""
        assert self.kd.task is not None
        self.machine.now += after
        self.kd.task.should_stop = True
        self._run()
        assert not self.asleep
        self.kd.task = None

    def restart(self, after: int) -> None:
        """The same, and another task is started at once."""
        self.stop(after)
        self.start()

    def until_turn(self, row: int, since: int) -> int:
        """Wake on time until the row is estimated after `since`; answers when that is."""
        for _ in range(1000):
            for turn, at in self.turns:
                if turn == row and at > since:
                    return at
            self.wake()
        raise AssertionError(f"row {row} is not estimated")

    def _run(self) -> None:
        assert self._body is not None
        task = self.kd.task
        assert task is not None
        self.asleep = 0
        for point in self._body:
            if isinstance(point, Sleep):
                self.asleep = point.jiffies
                return
            if point is RCU_READ_LOCK and not task.should_stop:
                self.turns.append((self.kd.est_row, self.machine.now))
