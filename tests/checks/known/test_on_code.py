"""A crash of real code is the model's index out of range only in the function that it names."""

from ipvs_est_checks.known.on_code import as_modelled

CRASH = "invalid-pointer: thing=Segmentation fault at address 0xf, where=f (net/x.c:478)"
INDEX = "index-out-of-range: thing=chains, index=2, size=2, where="


def modelled(property_id: str, detail: str, **failures: str) -> str:
    named = {name.replace("_", ".", 1).replace("_", "-"): text for name, text in failures.items()}
    return as_modelled(
        property_id, detail, lambda ids: {k: v for k, v in named.items() if k in ids}
    )


def test_a_crash_where_the_model_leaves_an_array_is_that() -> None:
    assert modelled("memory.pointer", CRASH, bitmaps_in_range=f"{INDEX}f") == "bitmaps.in-range"


def test_a_crash_in_another_function_is_another_cause() -> None:
    assert modelled("memory.pointer", CRASH, bitmaps_in_range=f"{INDEX}g") == "memory.pointer"
    assert (
        modelled("memory.pointer", "invalid-pointer: x", bitmaps_in_range="y") == "memory.pointer"
    )


def test_what_the_model_has_too_or_has_not_keeps_its_name() -> None:
    both = {"memory_pointer": "where=f", "bitmaps_in_range": f"{INDEX}f"}
    assert modelled("memory.pointer", CRASH, **both) == "memory.pointer"
    assert modelled("memory.pointer", CRASH) == "memory.pointer"
    assert modelled("limits.chain", "where=f", bitmaps_in_range=f"{INDEX}f") == "limits.chain"
