"""What is known of a subject after its history has ended, when it has no state any more."""

import shlex
import sys
from pathlib import Path

import pytest

from ipvs_est import MAINLINE, Params, ViolationError
from ipvs_est.language.operations import Advance, InitNetns
from ipvs_est_checks.harness.command import harness_command
from ipvs_est_checks.subjects.subject import begin, start_subject, stop_subject
from ipvs_est_checks.terminal.bad_input import BadInputError

# The oracle, but for its second operation: there it crashes, as a tree's program would tell it.
CRASHES = """\
import json, sys
from ipvs_est.oracle_process import Session, answer, handshake
session, count = Session(), 0
print(json.dumps(handshake()), flush=True)
for number, line in enumerate(sys.stdin.buffer, 1):
    count += b'"op"' in line
    if count < 2:
        answered = answer(session, line.rstrip(), number)
    elif count == 2:
        answered = {"violation": {"kind": "invalid-pointer", "thing": "address 0xf", "where": "f"}}
    else:
        answered = {"error": {"type": "cannot-answer", "field": "", "message": "", "line": number}}
    print(json.dumps(answered), flush=True)
"""


def test_after_a_crash_the_last_state_that_was_told_is_the_state(tmp_path: Path) -> None:
    script = tmp_path / "crashes.py"
    script.write_text(CRASHES)
    subject = start_subject(shlex.join([sys.executable, str(script)]))
    try:
        run = begin(subject, Params(), MAINLINE)
        run.apply(InitNetns())
        before = run.snapshot()
        with pytest.raises(ViolationError, match="address 0xf"):
            run.apply(Advance(1))
        assert run.snapshot() == before
    finally:
        stop_subject(subject)


def test_a_tree_that_is_refused_is_no_subject(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not a kernel tree"):
        harness_command(tmp_path)
