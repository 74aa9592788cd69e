"""Which theorems the words of a command line mean."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from ipvs_est_checks.terminal.suggest import no_such
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import GROUPS, THEOREMS


class NoSuchTheoremError(Exception):
    """A word that means no theorem; says which words are like it."""

    def __init__(self, word: str, known: Iterable[str]) -> None:
        super().__init__(no_such("theorem", word, known, "see `ipvs-est list --theorems`"))


def select(words: Sequence[str]) -> tuple[Theorem, ...]:
    """The theorems that any of the words means, all without words; in the registry's order.

    A word is an id, or else a group, the beginning of ids up to a dot, a property of the
    catalogue, or a pattern with `*`. Raises NoSuchTheoremError.
    """
    if not words:
        return THEOREMS
    meant = {theorem.id for word in words for theorem in _meant(word)}
    return tuple(theorem for theorem in THEOREMS if theorem.id in meant)


def _meant(word: str) -> list[Theorem]:
    exact = [theorem for theorem in THEOREMS if theorem.id == word]
    found = exact or [theorem for theorem in THEOREMS if _matches(theorem, word)]
    if not found:
        properties = sorted({name for theorem in THEOREMS for name in theorem.properties})
        raise NoSuchTheoremError(
            word, [*(theorem.id for theorem in THEOREMS), *GROUPS, *properties]
        )
    return found


def _matches(theorem: Theorem, word: str) -> bool:
    if "*" in word:
        return fnmatchcase(theorem.id, word)
    return (
        theorem.group == word
        or theorem.id.startswith(f"{word.removesuffix('.')}.")
        or word in theorem.properties
    )
