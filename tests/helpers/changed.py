"""Changing one place in a function of the properties or of the proofs, and taking it back."""

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType


@contextmanager
def changed(function: FunctionType, old: str, new: str) -> Iterator[None]:
    """In the function's source, where it stands exactly once, `old` is `new`."""
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(old) == 1, (function.__name__, old, source.count(old))
    namespace = dict(function.__globals__)
    text = "from __future__ import annotations\n" + source.replace(old, new)
    exec(compile(text, f"<changed {function.__name__}>", "exec", dont_inherit=True), namespace)
    made = namespace[function.__name__]
    assert isinstance(made, FunctionType)
    original = function.__code__
    # The code alone is changed, so that it is so wherever the function was imported to.
    function.__code__ = made.__code__
    try:
        yield
    finally:
        function.__code__ = original
