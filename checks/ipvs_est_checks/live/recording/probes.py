"""The probes of a recording, for a kernel's structs."""

from dataclasses import dataclass

from ipvs_est_checks.live.memory.btf import Btf
from ipvs_est_checks.live.memory.layout import field_of, offset_of
from ipvs_est_checks.live.memory.protocol import MODULE
from ipvs_est_checks.live.reading.structs import Structs
from ipvs_est_checks.live.recording.live_log import SYSCTLS

NODES = 6
"""Members of a chain that are told with its estimation, from its head."""
_JIFFIES = "j=@jiffies_64:u64"


@dataclass(frozen=True, slots=True)
class Place:
    """How an estimator's place is packed into the 4 bytes that are recorded."""

    ktid: int
    """Bits to shift."""
    row: int
    cid: int

    def unpacked(self, value: int) -> tuple[int, int, int]:
        """Kthread (-1 = none), row and chain."""
        ktid = value >> self.ktid & 0xFFFF
        return (
            ktid - (1 << 16) if ktid >> 15 else ktid,
            value >> self.row & 0xFF,
            value >> self.cid & 0xFF,
        )


def place_of(types: Btf, structs: Structs) -> Place:
    """From the fields of the kernel's estimators."""

    def shift(name: str) -> int:
        field = field_of(types, "ip_vs_stats", f"est.{name}")
        return 8 * (field.offset - structs.stats_watched.offset) + field.shift

    return Place(shift("ktid"), shift("ktrow"), shift("ktcid"))


def definitions(types: Btf, structs: Structs, netns: int) -> list[str]:
    """Events for `tracefs.probing`; `netns`: the address of the struct whose sysctls are told."""
    kd = "ip_vs_est_kt_data"
    ktid, task = offset_of(types, kd, "id"), offset_of(types, kd, "task")
    enable = offset_of(types, "netns_ipvs", "enable")
    place = structs.stats_watched.offset - structs.est_list
    found = [
        ("p:chain", "ip_vs_chain_estimation", f"chain=$arg1:x64 {_nodes(place)}"),
        ("p:start", "ip_vs_start_estimator", "ipvs=$arg1:x64 stats=$arg2:x64"),
        ("r:started", "ip_vs_start_estimator", "ret=$retval:s32"),
        ("p:stop", "ip_vs_stop_estimator", "ipvs=$arg1:x64 stats=$arg2:x64"),
        (
            "p:kstart",
            "ip_vs_est_kthread_start",
            f"ipvs=$arg1:x64 enable=+{enable}($arg1):s32 task=+{task}($arg2):x64"
            f" ktid=+{ktid}($arg2):s32",
        ),
        ("r:kstarted", "ip_vs_est_kthread_start", "ret=$retval:s32"),
        (
            "p:kstop",
            "ip_vs_est_kthread_stop",
            f"ipvs=+{offset_of(types, kd, 'ipvs')}($arg1):x64 task=+{task}($arg1):x64"
            f" ktid=+{ktid}($arg1):s32",
        ),
        ("r:kstopped", "ip_vs_est_kthread_stop", ""),
    ]
    found += _writes(types, structs, netns)
    return [f"{name} {MODULE}:{where} {_JIFFIES} {more}".rstrip() for name, where, more in found]


def _writes(types: Btf, structs: Structs, netns: int) -> list[tuple[str, str, str]]:
    """Of each handler of a sysctl: that it begins, and what the values are when it has ended."""
    if structs.cpulist is None:
        return []

    def at(name: str) -> str:
        return f"@{netns + offset_of(types, 'netns_ipvs', name):#x}"

    mask = f"@{netns + structs.cpulist.offset:#x}"
    if structs.cpulist_is_pointer:
        mask = f"+0({mask})"
    values = (
        f"run={at('sysctl_run_estimation')}:s32 nice={at('sysctl_est_nice')}:s32"
        f" valid={at('est_cpulist_valid')}:s32 cpus={mask}:x64"
    )
    begins = f"write=$arg2:s32 ipvs=+{offset_of(types, 'ctl_table', 'extra2')}($arg1):x64"
    found = []
    for sysctl in SYSCTLS:
        found.append((f"p:write_{sysctl}", f"ipvs_proc_{sysctl}", begins))
        found.append((f"r:wrote_{sysctl}", f"ipvs_proc_{sysctl}", values))
    return found


def _nodes(place: int) -> str:
    """The first members of a chain, by following it, each with its place."""
    text, node = "", "+0($arg1)"
    for number in range(NODES):
        text += f" n{number}={node}:x64 p{number}=+{place}({node}):x32"
        node = f"+0({node})"
    return text.strip()
