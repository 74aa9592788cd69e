"""A digest of the sources that a search depends on: equal as long as the model is the same."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

import ipvs_est
import ipvs_est_checks
import ipvs_est_spec

_CHECKS = Path(ipvs_est_checks.__file__).parent
_ROOTS = (
    Path(ipvs_est.__file__).parent,
    Path(ipvs_est_spec.__file__).parent,
    _CHECKS / "explore",
    _CHECKS / "broken_properties.py",
)


@cache
def model_digest() -> str:
    """32 hexadecimal digits, of the model, the properties, and the explorer with its known
    failures; scenarios are not in it."""
    state = blake2b(digest_size=16)
    for root in _ROOTS:
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            data = path.read_bytes()
            name = path.relative_to(root.parent).as_posix()
            state.update(f"{name} {len(data)}\n".encode())
            state.update(data)
    return state.hexdigest()
