"""What a kernel build would generate."""

import re

import pytest

from ipvs_est_checks.harness.building.kconfig import autoconf, bounds
from ipvs_est_checks.harness.building.options import BuildOptions
from ipvs_est_checks.harness.building.timeconst import timeconst


def defined(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#define (\S+) (.*)$", text, re.M))


# As kernel builds with these HZ have them in include/generated/timeconst.h.
OF_KERNEL_BUILDS = {
    100: {
        "HZ_TO_MSEC_MUL32": "U64_C(0xA0000000)",
        "HZ_TO_MSEC_ADJ32": "U64_C(0x0)",
        "HZ_TO_MSEC_SHR32": "28",
        "MSEC_TO_HZ_MUL32": "U64_C(0xCCCCCCCD)",
        "MSEC_TO_HZ_ADJ32": "U64_C(0x733333333)",
        "MSEC_TO_HZ_SHR32": "35",
        "MSEC_TO_HZ_NUM": "1",
        "MSEC_TO_HZ_DEN": "10",
    },
    250: {
        "HZ_TO_MSEC_MUL32": "U64_C(0x80000000)",
        "HZ_TO_MSEC_SHR32": "29",
        "MSEC_TO_HZ_MUL32": "U64_C(0x80000000)",
        "MSEC_TO_HZ_ADJ32": "U64_C(0x180000000)",
        "MSEC_TO_HZ_SHR32": "33",
    },
    1000: {
        "HZ_TO_MSEC_MUL32": "U64_C(0x80000000)",
        "HZ_TO_MSEC_SHR32": "31",
        "HZ_TO_NSEC_NUM": "1000000",
        "HZ_TO_NSEC_DEN": "1",
    },
}


@pytest.mark.parametrize("hz", OF_KERNEL_BUILDS)
def test_time_constants_are_those_of_kernel_builds(hz: int) -> None:
    found = defined(timeconst(hz))
    assert {name: found[name] for name in OF_KERNEL_BUILDS[hz]} == OF_KERNEL_BUILDS[hz]


@pytest.mark.parametrize("hz", [12, 24, 100, 250, 300, 1000, 1024, 1200])
@pytest.mark.parametrize(("unit", "per_second"), [("MSEC", 1000), ("USEC", 1_000_000)])
def test_a_time_becomes_jiffies_rounded_up_as_the_header_says(
    hz: int, unit: str, per_second: int
) -> None:
    found = defined(timeconst(hz))
    factor, adjustment = (
        int(found[f"{unit}_TO_HZ_{name}"].removeprefix("U64_C(").removesuffix(")"), 16)
        for name in ("MUL32", "ADJ32")
    )
    shift = int(found[f"{unit}_TO_HZ_SHR32"])
    for time in (0, 1, 2, 3, 9, 10, 11, 999, 1000, 1001, 999_999, 1_000_000, 123_456_789):
        jiffies = (time * factor + adjustment) >> shift
        assert jiffies == -(-time * hz // per_second)


def test_preemptible_rcu_is_set_as_kconfig_would_set_it() -> None:
    preemptible, other = autoconf(BuildOptions(preempt_rcu=True)), autoconf(BuildOptions())
    assert "CONFIG_PREEMPT_RCU" in defined(preemptible)
    assert "CONFIG_PREEMPT_NONE" not in defined(preemptible)
    assert "CONFIG_PREEMPT_NONE" in defined(other)
    assert "CONFIG_PREEMPT_RCU" not in defined(other)


def test_without_sysctl_support_it_is_not_set() -> None:
    assert "CONFIG_SYSCTL" in defined(autoconf(BuildOptions()))
    assert "CONFIG_SYSCTL" not in defined(autoconf(BuildOptions(sysctl=False)))


def test_the_word_size_decides_on_64bit_and_on_the_cpus_of_one_word() -> None:
    narrow = defined(autoconf(BuildOptions(word_bits=32)))
    assert "CONFIG_64BIT" not in narrow
    assert narrow["CONFIG_NR_CPUS"] == "32"
    assert defined(autoconf(BuildOptions()))["CONFIG_64BIT"] == "1"


def test_many_cpus_are_as_many_as_a_kernel_can_have() -> None:
    options = BuildOptions(many_cpus=True)
    assert defined(autoconf(options))["CONFIG_NR_CPUS"] == "8192"
    assert defined(bounds(options))["NR_CPUS_BITS"] == "13"
