"""The port under the checks: `python -m pytest examples/python`."""

from hypothesis import given, settings

from ipvs_est import Params
from ipvs_est.language.operations import ReadCpulist, WriteCpulist
from ipvs_est_checks.testing import NetnsMachine, check_history, cpulists
from port import CpulistPort

FOUR = Params(possible_cpus=4)


@settings(deadline=None)
@given(cpulists(FOUR.possible_cpus))
def test_each_text_is_taken_as_the_kernel_takes_it(text: str) -> None:
    check_history(CpulistPort, [WriteCpulist(text), ReadCpulist()], params=FOUR)


class CpulistMachine(NetnsMachine):
    subject = CpulistPort


TestCpulist = CpulistMachine.TestCase
TestCpulist.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)
