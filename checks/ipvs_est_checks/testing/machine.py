"""The state machine of a netns, for a subject of one's own."""

from typing import ClassVar

from hypothesis import reject

from ipvs_est import MAINLINE, Oracle, Params, Revision
from ipvs_est.language.operations import Operation
from ipvs_est_checks.history.subject_failure import RefusedError
from ipvs_est_checks.machines.netns import machine as netns_machine
from ipvs_est_checks.machines.netns.history import ended
from ipvs_est_checks.machines.report import Findings
from ipvs_est_checks.machines.system import SystemUnderTest
from ipvs_est_checks.testing import judge as judging
from ipvs_est_checks.testing.errors import HistoryError, SubjectProblem
from ipvs_est_checks.testing.subject import AnySubject, as_subject


class NetnsMachine(netns_machine.ModelMachine):
    """Rules that lead a netns everywhere; subclass it with what is tested, and let pytest or
    unittest find its `TestCase`:

        class PortMachine(NetnsMachine):
            subject = Port

        TestPort = PortMachine.TestCase

    Hypothesis shrinks what fails and keeps it; `TestPort.settings` are its settings.
    """

    subject: ClassVar[AnySubject]
    """Set it in the subclass, a function or class as `staticmethod(Port)` or as it is."""
    compare: ClassVar[Revision | None] = MAINLINE
    """The subject has to answer what this revision answers; None: properties alone count."""
    judged: ClassVar[frozenset[str] | None] = None
    """Ids of the properties that are judged, if the subject gives what they read; None = all."""

    # The model leads, so that what is done makes sense; on it nothing is judged.
    properties = frozenset()
    system = SystemUnderTest(Oracle)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not hasattr(cls, "subject"):
            raise TypeError(f"{cls.__name__}: `subject` is not set: what does it test?")
        if cls.compare is not None and not isinstance(cls.compare, Revision):
            raise TypeError(f"{cls.__name__}: `compare` is no Revision, such as ipvs_est.MAINLINE")
        cls.findings = Findings()
        cls.revision = cls.compare or MAINLINE
        # A command is started once.
        cls.subject = as_subject(cls.subject)

    def _begin(self, params: Params) -> None:
        super()._begin(params)
        machine = type(self)
        try:
            self._beside = judging.judge(
                as_subject(machine.subject), self._params, machine.compare, machine.judged
            )
        except RefusedError:
            # It cannot be that machine, so nothing is learned from it.
            reject()

    def _do(self, operation: Operation) -> None:
        history = self.history
        if ended(history) or operation.op not in self._beside.started.operations:
            return
        applied = len(history.seen.operations)
        super()._do(operation)
        if len(history.seen.operations) > applied:
            self._fail_with(judging.apply(self._beside, operation))

    def teardown(self) -> None:
        """The history ends."""
        if hasattr(self, "_beside"):
            self._fail_with(judging.end(self._beside))

    def _fail_with(self, problem: SubjectProblem | None) -> None:
        if problem is not None:
            beside = self._beside
            # A failure ends the history: there is nothing more to be seen at its end.
            del self._beside
            name = beside.revision.name
            raise HistoryError(problem, beside.params, tuple(beside.operations), name)
