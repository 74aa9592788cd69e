"""The machine: its CPUs, its clock, and what the kernel was built as."""

from dataclasses import dataclass

from ipvs_est import Params
from ipvs_est.language.params import IPVS_EST_CHAIN_FACTOR, MAX_POSSIBLE_CPUS, ParamsError
from ipvs_est_checks.live.memory.layout import Layout, offset_of
from ipvs_est_checks.live.memory.protocol import Kernel, KernelMemory, symbol
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.reading.structs import Structs

_SECOND_NS = 10**9
_FIRST_WRAP = 300
"""Seconds after boot at which the lower 32 bits of jiffies wrap: they begin so far below 0."""


@dataclass(frozen=True, slots=True)
class LiveMachine:
    """What does not change while the kernel runs."""

    params: Params
    cpus: int
    """`nr_cpu_ids`: bits in a CPU mask."""
    jiffies: int
    """Address of the 64-bit jiffies."""


def read_machine(kernel: Kernel, structs: Structs) -> LiveMachine:
    """Raises UnreadableError."""
    memory = kernel.memory
    cpus = int.from_bytes(memory.read(need_symbol(kernel, "nr_cpu_ids"), 4), "little")
    if not 0 < cpus <= MAX_POSSIBLE_CPUS:
        raise UnreadableError(f"{cpus} CPUs, which cannot be")
    possible = read_cpumask(memory, need_symbol(kernel, "__cpu_possible_mask"), cpus)
    if not possible:
        raise UnreadableError("no possible CPU")
    hz = _hz(kernel)
    try:
        params = Params(
            hz=hz,
            nticks=structs.nticks,
            # With preemptible RCU there is one chain, and the factor is in no type.
            chain_factor=structs.chains if structs.chains > 1 else IPVS_EST_CHAIN_FACTOR,
            preempt_rcu=structs.chains == 1,
            possible_cpus=max(possible) + 1,
            housekeeping_cpus=_housekeeping(kernel, cpus, frozenset(possible)),
            sysctl=structs.cpulist is not None,
            initial_jiffies=-_FIRST_WRAP * hz & 0xFFFF_FFFF,
        )
    except ParamsError as error:
        raise UnreadableError(f"no machine that can be: {error}") from None
    jiffies = symbol(kernel, "jiffies_64")
    return LiveMachine(params, cpus, need_symbol(kernel, "jiffies") if jiffies is None else jiffies)


def need_symbol(kernel: Kernel, name: str) -> int:
    """Raises UnreadableError if there is none."""
    found = symbol(kernel, name)
    if found is None:
        raise UnreadableError(f"the kernel has no symbol {name} (CONFIG_KALLSYMS_ALL)")
    return found


def read_cpumask(memory: KernelMemory, address: int, cpus: int) -> tuple[int, ...]:
    """The CPUs of a mask, ascending."""
    size = (cpus + 63) // 64 * 8
    mask = int.from_bytes(memory.read(address, size), "little")
    return tuple([number for number in range(cpus) if mask >> number & 1])


def _hz(kernel: Kernel) -> int:
    """From the clock that counts jiffies: HZ itself is nowhere in memory."""
    clock = Layout(kernel.types, "clocksource", ("mult", "shift"))
    raw = kernel.memory.read(need_symbol(kernel, "clocksource_jiffies"), clock.size)
    mult, shift = clock.values(raw)
    tick = mult >> shift if shift < 64 else 0
    if not tick:
        raise UnreadableError("a clock of jiffies without a length")
    return round(_SECOND_NS / tick)


def _housekeeping(kernel: Kernel, cpus: int, possible: frozenset[int]) -> frozenset[int] | None:
    """CPUs left for kthreads where others are isolated; None: all."""
    place = symbol(kernel, "housekeeping")
    # The kind for kthreads was merged with others, and renamed.
    kinds = ("HK_TYPE_KTHREAD", "HK_TYPE_KERNEL_NOISE")
    found = [kernel.types.enumerator("hk_type", kind) for kind in kinds]
    kind = next((number for number in found if number is not None), None)
    if place is None or kind is None:
        return None
    layout = Layout(kernel.types, "housekeeping", ("flags",))
    (flags,) = layout.values(kernel.memory.read(place, layout.size))
    if not flags >> kind & 1:
        return None
    masks = offset_of(kernel.types, "housekeeping", "cpumasks")
    mask = int.from_bytes(kernel.memory.read(place + masks + 8 * kind, 8), "little")
    return frozenset(read_cpumask(kernel.memory, mask, cpus)) & possible
