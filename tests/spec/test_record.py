"""Events by what they are: each property meets those that it would meet in the whole record."""

from ipvs_est.language.events import Estimated, Event, Paused, Resumed, Started, Stopped
from ipvs_est.language.revision import MAINLINE
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_spec.record.by_kind import of_kind, of_kinds


def _record() -> list[Event]:
    (finding,) = [each for each in BY_HISTORY if each.id == "F15"]
    events = watch_finding(finding, MAINLINE).oracle.machine.events
    assert events
    return list(events)


def test_events_of_a_kind_are_those_of_the_record_in_its_order() -> None:
    events = _record()
    wanted = [each for each in events if isinstance(each, Estimated)]
    assert len(wanted) > 1
    assert of_kind(events, Estimated) == wanted


def test_events_of_several_kinds_keep_the_order_of_the_record() -> None:
    events = _record()
    kinds = (Stopped, Paused, Started, Resumed)
    assert of_kinds(events, *kinds) == [each for each in events if isinstance(each, kinds)]
    assert of_kinds(events, *kinds) != [
        each for kind in kinds for each in events if isinstance(each, kind)
    ]


def test_a_record_that_has_grown_is_looked_at_anew() -> None:
    events = _record()
    started = Started(0, 1)
    known = len(of_kind(events, Started))
    events.append(started)
    assert len(of_kind(events, Started)) == known + 1
