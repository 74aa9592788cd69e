"""The first difference between two JSON values."""

from dataclasses import dataclass

from ipvs_est.language.input_error import join

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two values differ first, and how."""

    path: str
    """Path inside the value, such as kthreads[0].ticks.4.len; '' = the value itself."""
    recorded: object
    computed: object


def first_difference(recorded: object, computed: object, path: str = "") -> Difference | None:
    """The first place, in the order of `computed`, where they differ; None if nowhere.

    Numbers and booleans differ, as they do in JSON.
    """
    if type(recorded) is not type(computed):
        return Difference(path, recorded, computed)
    if isinstance(recorded, dict) and isinstance(computed, dict):
        return _in_objects(recorded, computed, path)
    if isinstance(recorded, list) and isinstance(computed, list):
        return _in_lists(recorded, computed, path)
    return None if recorded == computed else Difference(path, recorded, computed)


def _in_objects(
    recorded: dict[str, object], computed: dict[str, object], path: str
) -> Difference | None:
    for name, value in computed.items():
        if name not in recorded:
            return Difference(join(path, name), ABSENT, value)
        found = first_difference(recorded[name], value, join(path, name))
        if found is not None:
            return found
    for name, value in recorded.items():
        if name not in computed:
            return Difference(join(path, name), value, ABSENT)
    return None


def _in_lists(recorded: list[object], computed: list[object], path: str) -> Difference | None:
    for index, (left, right) in enumerate(zip(recorded, computed, strict=False)):
        found = first_difference(left, right, f"{path}[{index}]")
        if found is not None:
            return found
    shorter = min(len(recorded), len(computed))
    if len(recorded) > shorter:
        return Difference(f"{path}[{shorter}]", recorded[shorter], ABSENT)
    if len(computed) > shorter:
        return Difference(f"{path}[{shorter}]", ABSENT, computed[shorter])
    return None
