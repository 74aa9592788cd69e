"""The corpus: a directory of cases, each a file that is named by its content.

A file's name and content say nothing else, so two corpora are merged by copying files, or by git,
in any order and as often as one likes: the result is the union. Cases that fail are in the folder
`failing`, and are run first.
"""

from dataclasses import dataclass
from pathlib import Path

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.campaign.case import CampaignCase, case_of_file
from ipvs_est_checks.report.report_file import write_report_file

FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Cases, each once."""

    failing: frozenset[CampaignCase] = frozenset()
    """Known to have failed; they stay after they are repaired, as regression tests."""
    others: frozenset[CampaignCase] = frozenset()

    def in_order(self) -> tuple[CampaignCase, ...]:
        """Failing ones first, else by name: the same for the same corpus."""
        first = sorted(self.failing, key=lambda campaign_case: campaign_case.name)
        rest = sorted(self.others - self.failing, key=lambda other: other.name)
        return (*first, *rest)


def union(one: Corpus, other: Corpus) -> Corpus:
    """What copying the files of one over those of the other leaves."""
    return Corpus(one.failing | other.failing, one.others | other.others)


def read_corpus(directory: Path) -> Corpus:
    """All cases of a directory; none if it is not there. Raises InputError naming the file, or
    OSError. Hidden files are passed over: git and editors leave some."""
    return Corpus(_read(directory / FAILING), _read(directory))


def _read(directory: Path) -> frozenset[CampaignCase]:
    if not directory.exists():
        return frozenset()
    cases: set[CampaignCase] = set()
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or path.name in (FAILING, "README.md"):
            continue
        try:
            cases.add(case_of_file(path.name, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            raise InputError(str(path), "is not UTF-8") from None
        except InputError as error:
            where = f"{error.field}: " if error.field else ""
            raise InputError(str(path), f"{where}{error.message}") from None
    return frozenset(cases)


def add_case(directory: Path, case: CampaignCase, *, failing: bool) -> None:
    """Write a case's file, if it is not there; raises OSError."""
    folder = directory / FAILING if failing else directory
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / case.name
    if not path.exists():
        write_report_file(path, case.text)


def remove_case(directory: Path, case: CampaignCase) -> None:
    """Take a case that does not fail out of the corpus; raises OSError."""
    (directory / case.name).unlink(missing_ok=True)
