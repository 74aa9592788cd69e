"""What the rules of the netns machine are made of: applying, judging, choosing operands."""

from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.language.operations import (
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    Operation,
)
from ipvs_est_checks.known.by_repair import cause_text
from ipvs_est_checks.machines.naive.model import live
from ipvs_est_checks.machines.netns import history as nh
from ipvs_est_checks.machines.netns.known_cause import FailingHistory, known_cause
from ipvs_est_checks.machines.report import (
    FailureRecord,
    Findings,
    UnexpectedFailureError,
    add_failure,
    add_history,
)
from ipvs_est_checks.machines.system import REFERENCE, SystemUnderTest, nearest, takes

NAME = "netns"
MOST_OBJECTS = 70
"""More only take time."""


class NetnsDriver(RuleBasedStateMachine):
    """A history that goes on; subclasses have the rules."""

    revision: ClassVar[Revision] = MAINLINE
    system: ClassVar[SystemUnderTest] = REFERENCE
    findings: ClassVar[Findings] = Findings()
    properties: ClassVar[frozenset[str] | None] = None
    """Ids of those that are looked at; None = all."""
    only_theme: ClassVar[str | None] = None
    """What every history is about at first; None: each something else."""
    only_params: ClassVar[Params | None] = None
    """The machine of every history; None: each another one."""

    def __init__(self) -> None:
        super().__init__()
        self.history: nh.NetnsHistory
        self.next_id = 1
        self.operations = 0
        self.reached: set[str] = set()

    def _begin(self, params: Params) -> None:
        machine = type(self)
        self.history = nh.begin(
            machine.only_params or nearest(machine.system, params),
            machine.revision,
            machine.system.new_oracle,
            machine.properties,
        )

    def teardown(self) -> None:
        """The history ends: what the record as a whole shows, and what was reached."""
        if not hasattr(self, "history"):
            return
        self._judge(nh.end(self.history))
        self._count()
        add_history(type(self).findings, NAME, self.reached, self.operations)

    def _count(self) -> None:
        type(self).findings.checks.update(self.history.seen.checks)
        self.reached |= self.history.observer.reached

    def _do(self, operation: Operation) -> None:
        history = self.history
        if nh.ended(history) or not takes(type(self).system, operation):
            return
        self.operations += 1
        self._judge(nh.do(history, operation))

    def _all(self, *operations: Operation) -> None:
        for operation in operations:
            self._do(operation)

    def _judge(self, failing: list[str]) -> None:
        history, findings = self.history, type(self).findings
        system = type(self).system
        failed = FailingHistory(
            history.params,
            history.revision,
            tuple(history.seen.operations),
            {name: history.failing[name] for name in failing},
            system.explains,
            is_model=system is REFERENCE,
        )
        records = [
            FailureRecord(
                machine=NAME,
                property=name,
                sentence=text,
                revision=history.revision.name,
                params=history.params,
                operations=failed.operations,
                steps=(),
                reason=self._reason(failed, name),
            )
            for name, text in failed.failing.items()
        ]
        for record in records:
            add_failure(findings, record)
        for record in records:
            if not record.reason:
                raise UnexpectedFailureError(record)

    def _reason(self, failed: FailingHistory, property_id: str) -> str:
        """What known cause the failure has."""
        causes = type(self).findings.causes
        reason = cause_text(known_cause(failed, property_id, causes.get(property_id, "")))
        if reason:
            causes[property_id] = reason
        return reason

    @property
    def _params(self) -> Params:
        return self.history.params

    @property
    def _tick(self) -> int:
        return self._params.tick_jiffies

    @property
    def _revolution(self) -> int:
        return self._params.nticks * self._tick

    def _usable(self) -> bool:
        return not nh.ended(self.history) and self.history.model.initialised

    def _room(self, wanted: int) -> int:
        return max(0, min(wanted, MOST_OBJECTS - len(live(self.history.model))))

    def _new_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def _add_service(self) -> None:
        self._do(AddService(self._new_id()))

    def _delete(self, object_id: int) -> None:
        model = self.history.model
        if object_id in model.bare:
            self._do(Delete(object_id))
        elif object_id in model.services:
            self._do(DeleteService(object_id))
        elif object_id in model.dests:
            self._do(DeleteDest(object_id))

    def _drained(self) -> None:
        """Enough time for a restart, a calc phase and a drain."""
        self._do(Advance(self._params.hz // 5 + self._tick))
