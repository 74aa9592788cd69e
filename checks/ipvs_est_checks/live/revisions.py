"""Which modelled revision a kernel behaves like: known by its fields, named by its release."""

from ipvs_est import MAINLINE, V7_UNWIND
from ipvs_est.language.revision import KERNELS
from ipvs_est_checks.live.memory.btf import Btf
from ipvs_est_checks.live.memory.layout import has_field


def revision_of(release: str, types: Btf) -> str:
    """The name of the nearest revision."""
    version = release.split("-", 1)[0].split("+", 1)[0]
    known = KERNELS.get(version)
    if known is not None:
        return known.name
    if has_field(types, "ip_vs_est_kt_data", "needed"):
        return MAINLINE.name
    # What stable repairs leaves no trace in its structs: of the two the one with more findings.
    return V7_UNWIND.name
