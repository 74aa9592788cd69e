"""Events by what they are: each property meets those that it would meet in the whole record."""

from ipvs_est.language.events import Estimated, Event, Paused, Resumed, Started, Stopped
from ipvs_est.language.revision import MAINLINE
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_spec.record.by_kind import of_kind, of_kinds


def _record() -> list[Event]:
    (finding,) = [finding for finding in BY_HISTORY if finding.id == "F15"]
    events = watch_finding(finding, MAINLINE).oracle.machine.events
    assert events
    return list(events)


def test_events_of_a_kind_are_those_of_the_record_in_its_order() -> None:
    events = _record()
    wanted = [event for event in events if isinstance(event, Estimated)]
    assert len(wanted) > 1
    assert of_kind(events, Estimated) == wanted


def test_events_of_several_kinds_keep_the_order_of_the_record() -> None:
    events = _record()
    kinds = (Stopped, Paused, Started, Resumed)
    assert of_kinds(events, *kinds) == [event for event in events if isinstance(event, kinds)]
    assert of_kinds(events, *kinds) != [
        event for kind in kinds for event in events if isinstance(event, kind)
    ]


def test_a_record_that_has_grown_is_looked_at_anew() -> None:
    events = _record()
    started = Started(0, 1)
    known = len(of_kind(events, Started))
    events.append(started)
    assert len(of_kind(events, Started)) == known + 1
