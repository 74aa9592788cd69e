"""Runs of Hypothesis that depend on nothing but their seed and leave nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Hypothesis keeps notes in the current directory, database or not: not in a user's."""
    with TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


@contextmanager
def no_local_constants() -> Iterator[None]:
    """Keep Hypothesis from drawing numbers that it finds in the source of loaded modules.

    Otherwise what a seed means would depend on what else the process has imported.
    """
    original, cache = providers._get_local_constants, providers.CONSTANTS_CACHE
    providers._get_local_constants = Constants
    providers.CONSTANTS_CACHE = LRUCache(1024)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = original, cache
