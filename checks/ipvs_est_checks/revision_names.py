"""Groups of revisions, by name, as findings and known defects name them."""

from ipvs_est import REVISIONS
from ipvs_est.language.revision import BEFORE_MAINLINE as _BEFORE_MAINLINE
from ipvs_est.language.revision import BEFORE_STABLE as _BEFORE_STABLE
from ipvs_est.language.revision import MERGED as _MERGED

ONLY_V7 = ("v7",)
BEFORE_STABLE = tuple(revision.name for revision in _BEFORE_STABLE)
BEFORE_MAINLINE = tuple(revision.name for revision in _BEFORE_MAINLINE)
MERGED = tuple(revision.name for revision in _MERGED)
ALL = tuple(REVISIONS)
