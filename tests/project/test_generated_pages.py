"""The generated pages of the reference are what the code says now."""

from pathlib import Path

import pytest

from ipvs_est_checks.pages.__main__ import main
from ipvs_est_checks.pages.generated import PAGES, page_text

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """If not: `python -m ipvs_est_checks.pages docs/reference`."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == page_text(name)


def test_the_command_writes_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pages", str(tmp_path)])
    assert main() == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert written == {*PAGES}
    for name in PAGES:
        assert (tmp_path / name).read_text(encoding="utf-8") == page_text(name)


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["a", "b"]])
def test_a_directory_that_is_not_there_is_refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["pages", *arguments])
    assert main() == 2
    assert capsys.readouterr().err.startswith("usage: ")
