"""Equal states have equal fingerprints, on every Python, however they came about."""

import ast
import dis
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
from types import CodeType, GeneratorType, ModuleType

import pytest

import ipvs_est
from ipvs_est import MAINLINE, REPAIRED, V7
from ipvs_est.language.operations import AddService, DeleteService, Operation
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est_checks.explore.engine import bodies
from ipvs_est_checks.explore.engine.bodies import NetnsUse
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.states.image import Image, UnknownTypeError
from ipvs_est_checks.explore.engine.states.suspended import places
from ipvs_est_checks.explore.engine.world import Thread, enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario, load, scenario_from_text
from ipvs_est_checks.explore.schedulers.dfs import explore_dfs

Steps = Generator[str, None, None]


def _live(function: Callable[..., Steps], *arguments: object) -> list[tuple[str, list[str]]]:
    """What the function yields, and the variables that matter then."""
    body = function(*arguments)
    found: list[tuple[str, list[str]]] = []
    assert isinstance(body, GeneratorType)
    for name in body:
        assert body.gi_frame is not None
        live = places(body.gi_code)[body.gi_frame.f_lasti].live
        found.append((name, [name for name in live if name in body.gi_frame.f_locals]))
    return found


def _straight(a: int, b: int) -> Steps:
    yield "begin"
    c = a + b
    yield "both are read"
    a = c
    yield "c is read"
    assert a
    yield "end"


def test_a_variable_matters_until_it_is_read_for_the_last_time() -> None:
    assert _live(_straight, 1, 2) == [
        ("begin", ["a", "b"]),
        ("both are read", ["c"]),
        ("c is read", ["a"]),
        ("end", []),
    ]


def _looping(numbers: list[int], times: int) -> Steps:
    left = times
    while left:
        left -= 1
        yield "again"
    for index, number in enumerate(numbers):
        found = index + number
        yield "inside"
        left = found
    assert left
    yield "after"


def test_what_tells_how_far_a_loop_is_matters_in_it() -> None:
    assert _live(_looping, [5, 6], 1) == [
        ("again", ["left", "numbers"]),
        ("inside", ["found", "index", "number", "numbers"]),
        ("inside", ["found", "index", "number", "numbers"]),
        ("after", []),
    ]


def _choosing(flag: bool, value: int, other: int) -> Steps:
    yield "begin"
    if flag:
        yield "then"
        other += value
    try:
        yield "try"
        int("x" * value)
    except ValueError:
        yield "except"
        value = other
        yield "except again"
    yield "-" * value


def test_every_way_that_may_be_gone_counts() -> None:
    assert _live(_choosing, True, 1, 2) == [
        ("begin", ["flag", "other", "value"]),
        ("then", ["other", "value"]),
        ("try", ["other", "value"]),
        ("except", ["other"]),
        ("except again", ["value"]),
        ("---", []),
    ]


def _inner(value: int) -> Steps:
    yield "inner"
    yield str(value)


def _outer(value: int, unused: int) -> Steps:
    call = _inner(value)
    yield next(call)
    squares = [number * number for number in range(value) if number != value]
    yield from call
    yield "outer" * len(squares)


def test_a_generator_in_a_variable_matters_as_others_do() -> None:
    assert _live(_outer, 1, 0) == [
        ("inner", ["call", "value"]),
        ("1", ["squares"]),
        ("outer", []),
    ]


def _modules() -> Iterator[ModuleType]:
    yield bodies
    for package in pkgutil.walk_packages(ipvs_est.__path__, "ipvs_est."):
        if not package.name.endswith("__main__"):
            yield importlib.import_module(package.name)


def _codes() -> Iterator[tuple[ModuleType, CodeType]]:
    for module in _modules():
        for value in vars(module).values():
            if inspect.isgeneratorfunction(value) and value.__module__ == module.__name__:
                yield module, value.__code__


def _yields(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for one_node in ast.walk(node):
                if isinstance(one_node, ast.Yield | ast.YieldFrom):
                    yield f"{one_node.lineno}:{one_node.col_offset}", node


def test_a_place_in_the_model_is_that_of_a_yield_in_its_source() -> None:
    """Two of them are never taken for one, whatever code the interpreter makes of them."""
    count = 0
    for module, code in _codes():
        known = {place for place, _ in _yields(ast.parse(inspect.getsource(module)))}
        found = {f"{line}:{column}" for line, column in _yielding(code)}
        assert found <= known, code
        count += len(found)
    assert count > 200


def _yielding(code: CodeType) -> Iterator[tuple[int, int]]:
    table = places(code)
    for instruction in dis.get_instructions(code):
        if instruction.opname == "YIELD_VALUE":
            place = table[instruction.offset]
            yield place.line + code.co_firstlineno, place.column


_EVALUATED_IN_ORDER = (ast.Call, ast.BinOp, ast.Compare, ast.List, ast.Dict, ast.Tuple)


def test_no_function_of_the_model_that_waits_keeps_values_where_nobody_sees_them() -> None:
    """In a closure of its own, or in an expression that is half done."""
    for module in _modules():
        for place, function in _yields(ast.parse(inspect.getsource(module))):
            where = f"{module.__name__}:{place}"
            for node in ast.walk(function):
                assert not isinstance(node, ast.Lambda), where
                if isinstance(node, _EVALUATED_IN_ORDER):
                    first, *others = list(ast.iter_child_nodes(node))
                    late = [node for other in others for node in ast.walk(other)]
                    half_done = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in late)
                    assert not half_done or isinstance(first, ast.Constant), where


@dataclass(slots=True, eq=False)
class Knot:
    """Something that can change."""

    name: str
    others: "list[Knot]" = field(default_factory=list)
    values: dict[int, tuple[int, ...]] = field(default_factory=dict)
    cpus: frozenset[int] = frozenset()


def _bytes(*values: object) -> bytes:
    image = Image()
    image.add(*values)
    return image.digestible()


def test_values_count_by_what_they_are() -> None:
    shared = (10**30, "a text", frozenset({1}))
    apart = (10 ** int("30"), "".join(["a ", "text"]), frozenset(int(letter) for letter in "1"))
    assert _bytes(shared, shared) == _bytes(shared, apart)
    assert _bytes((1, 2)) != _bytes((2, 1))
    assert _bytes(1) != _bytes(True) != _bytes("1")


def test_sets_and_keys_have_no_order() -> None:
    for one, other in (([0, 8, 16], [16, 8, 0]), ([1, 9], [9, 1])):
        assert _bytes(Knot("a", cpus=frozenset(one))) == _bytes(Knot("a", cpus=frozenset(other)))
        left = Knot("a", values=dict.fromkeys(one, (1,)))
        assert _bytes(left) == _bytes(Knot("a", values=dict.fromkeys(other, (1,))))


def test_of_what_can_change_it_matters_which_it_is() -> None:
    left, right = Knot("a"), Knot("a")
    assert _bytes(left) == _bytes(right)
    assert _bytes(left, left) == _bytes(right, right) != _bytes(left, right)
    assert _bytes(left.others, left) != _bytes([], left)
    left.others.append(left)
    right.others.append(left)
    assert _bytes(left) != _bytes(right)


def _encoded(value: object) -> bytes:
    """What the documentation of `marshal` and its version 2 say of a value."""

    def of_all(letter: bytes, members: Iterable[bytes], count: int) -> bytes:
        return letter + count.to_bytes(4, "little") + b"".join(members)

    match value:
        case int() if abs(value) < 1 << 31:
            return b"i" + value.to_bytes(4, "little")
        case int():
            digits = [value >> place & 0x7FFF for place in range(0, value.bit_length(), 15)]
            return of_all(b"l", [digit.to_bytes(2, "little") for digit in digits], len(digits))
        case str():
            text = value.encode()
            return of_all(b"u", [text], len(text))
        case list():
            return of_all(b"[", map(_encoded, value), len(value))
        case tuple():
            return of_all(b"(", map(_encoded, value), len(value))
        case frozenset():
            return of_all(b">", sorted(map(_encoded, value)), len(value))
        case _:
            raise TypeError(type(value))


def test_an_image_is_the_same_on_every_python() -> None:
    knot = Knot("ä", values={2: (3, 10**20), 1: ()}, cpus=frozenset({3, 1}))
    knot.others = [knot, Knot("b")]
    first = ["Knot", ("ä", frozenset({1, 3})), [(1,), [(0,), (2,)]]]
    first.append([(3,), [[1, []], [2, [3, 10**20]]]])
    second = ["Knot", ("b", frozenset[int]()), [(4,), []], [(5,), []]]
    assert _bytes(knot) == _encoded([(0,), *first, *second])


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(UnknownTypeError, match="itertools"):
        _bytes(permutations([1]))


ALIKE = """{"scenario": 1, "about": "", "setup": [{"op": "init"}],
 "tasks": {"CTL1": [{"op": "add_service", "id": 1}], "CTL2": [{"op": "add_service", "id": 2}],
  "SYSCTL": [{"op": "nice", "value": 1}]},
 "jiffies": 0}"""


def _figures(scenario: Scenario) -> tuple[int, bool]:
    figures = explore_dfs(scenario, REPAIRED, Bounds(preemptions=0)).figures
    return figures.states, figures.exhausted


def _with_id(operation: Operation, id_: int) -> Operation:
    assert isinstance(operation, AddService | DeleteService)
    return replace(operation, id=id_)


def test_alike_tasks_and_objects_make_as_many_states_under_any_names() -> None:
    scenario = scenario_from_text("alike", ALIKE)
    first, second, third = scenario.actors
    states = _figures(scenario)
    assert states[1]
    for names in (("C", "B", "A"), ("CTL2", "CTL1", "Z")):
        named = [
            replace(actor, name=name) for actor, name in zip(scenario.actors, names, strict=True)
        ]
        assert _figures(replace(scenario, actors=tuple(named))) == states
    for ids in ((2, 1), (70, 3)):
        renamed = [
            replace(actor, operations=tuple(_with_id(step, id_) for step in actor.operations))
            for actor, id_ in zip((first, second), ids, strict=True)
        ]
        assert _figures(replace(scenario, actors=(*renamed, third))) == states
    assert _figures(replace(scenario, actors=(third, second, first))) == states


def test_what_has_ended_and_what_was_made_first_leave_no_trace() -> None:
    world = start(load("two-kthreads-restart"), MAINLINE)
    before = fingerprint(world)
    gone = Task(name="gone", state=TaskState.EXITED)
    world.threads.insert(0, Thread(3, gone, bodies.actor_body(world.machine, (), gone, NetnsUse())))
    assert fingerprint(world) == before
    world.threads.reverse()
    assert fingerprint(world) == before
    objects = world.machine.objects
    for number in sorted(objects, reverse=True):
        objects[number] = objects.pop(number)
    assert fingerprint(world) == before
    world.threads[0].index += 1
    assert fingerprint(world) != before


def test_a_thread_is_numbered_by_what_it_is() -> None:
    world = start(load("two-kthreads-restart"), V7)
    while choices := enabled(world):
        step(world, choices[-1] if len(world.threads) % 2 else choices[0])
        if world.steps == 200:
            break
    for thread in world.threads:
        kd = thread.task.kd
        if thread.index >= world.actors:
            wanted = world.actors if kd is None else world.actors + 1 + kd.id
            assert thread.index == wanted
    assert len({thread.index for thread in world.threads}) < len(world.threads)
