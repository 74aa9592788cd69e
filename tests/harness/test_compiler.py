"""What is said of the compiler."""

from pathlib import Path

import pytest

from ipvs_est_checks.harness.building.compiler import (
    CompileError,
    check_word_bits,
    find_compiler,
    first_error,
    run,
)
from ipvs_est_checks.harness.building.options import Variant
from ipvs_est_checks.harness.building.sources import RUNTIME, WARNINGS, runtime_arguments
from ipvs_est_checks.terminal.bad_input import BadInputError
from kernels.kernel_trees import need_compiler


def test_no_compiler_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with pytest.raises(BadInputError) as caught:
        find_compiler()
    assert caught.value.message == (
        "no C compiler: no-such-cc is not installed (CC can name another)"
    )


def test_the_first_error_is_found_among_what_leads_to_it() -> None:
    messages = (
        "In file included from a.c:1:\n"
        "a.h:2:5: warning: unused variable\n"
        "a.h:3:9: error: expected ';' before '}' token\n"
        "a.h:9:9: error: another\n"
    )
    assert first_error(messages) == "a.h:3:9: error: expected ';' before '}' token"


def test_a_linkers_error_is_found_too() -> None:
    messages = "ld: a.o: undefined reference to `f'\ncollect2: error: ld returned 1 exit status\n"
    assert first_error(messages) == "ld: a.o: undefined reference to `f'"


def test_a_file_that_does_not_compile_is_told_with_its_place(tmp_path: Path) -> None:
    need_compiler()
    source = tmp_path / "bad.c"
    source.write_text("int f(void)\n{\n\treturn nothing;\n}\n")
    with pytest.raises(CompileError) as caught:
        run(find_compiler(), ["-c", "-o", str(tmp_path / "bad.o"), str(source)])
    assert caught.value.first.startswith(f"{source}:3:")


def test_a_word_size_of_which_no_program_can_be_made_is_refused(tmp_path: Path) -> None:
    need_compiler()
    # No compiler has it.
    with pytest.raises(BadInputError) as caught:
        check_word_bits(find_compiler(), 48, tmp_path)
    assert caught.value.message.startswith("48 bits: ")
    assert "-m48 makes no programs here" in caught.value.message


@pytest.mark.parametrize("variant", [Variant.PLAIN, Variant.POINTS])
def test_the_runtime_compiles_without_a_warning(tmp_path: Path, variant: Variant) -> None:
    need_compiler()
    compiler = find_compiler()
    sources, output = sorted(RUNTIME.rglob("*.c")), str(tmp_path / "x.o")
    assert sources
    for source in sources:
        run(
            compiler,
            [*runtime_arguments(variant), *WARNINGS, "-c", "-o", output, str(source)],
        )
