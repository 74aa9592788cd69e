"""The recordings that travel with the package are those of the tests."""

from pathlib import Path

from ipvs_est.replay import Passed, replay_bytes
from ipvs_est_checks.conformance.recordings import (
    Recording,
    pack,
    read_directory,
    recordings,
    unpack,
)

TRACES = Path(__file__).parents[1] / "data" / "traces"


def test_the_package_has_every_recorded_trace() -> None:
    # If this fails: python -m ipvs_est_checks.conformance.recordings tests/data/traces
    assert [recording.name for recording in recordings()] == [
        recording.name for recording in read_directory(TRACES)
    ]
    assert recordings() == read_directory(TRACES)


def test_equal_recordings_give_equal_bytes_in_any_order() -> None:
    some = (Recording("a.jsonl", b"1\n"), Recording("b.jsonl", b"2\n"))
    assert pack(some) == pack(reversed(some))
    assert unpack(pack(reversed(some))) == some


def test_a_recording_is_replayed_as_its_file_is() -> None:
    (found,) = [recording for recording in recordings() if recording.name == "early-3003.jsonl"]
    outcome = replay_bytes(found.name, found.data)
    assert isinstance(outcome, Passed)
    assert outcome.file == "early-3003.jsonl"
    assert outcome.operations == found.data.count(b"\n") - 1
