"""The page that lists all findings; each has a page of its own, which is written by hand."""

from collections.abc import Iterator

from ipvs_est_checks.documents import anchor, linked
from ipvs_est_checks.known import registry

_ABOUT = """\
Properties of the [catalogue](../properties.md) that fail on a revision of the estimator,
`net/netfilter/ipvs/ip_vs_est.c` and its callers. Each is a fact about the revision, with its
shortest history or schedule; the property stays as it is. `ipvs-est findings F01` tells one
step by step: each operation, what it changes, and the command that replays it.

Revisions: *v7*, the series as merged in 6.2; *v7-unwind*, v7 with the error path of adding a
service repaired (6.12.83 and later, such as 6.12.94 and 6.12.95); *stable*, v7-unwind with the
repair of CVE-2026-74670 (6.12.117); *mainline*, 7.3.4; *repaired*, mainline with the repairs
below, each a field of `Revision` in `refimpl/ipvs_est/language/revision.py`. So a finding in v7
is there since 6.2, and what the pages say of v7 holds of v7-unwind too, but for F09. What the
words mean is on [the estimator's page](../../explanation/estimator.md#words). Histories use a
small geometry, such as 1 row of 2 chains, in which a kthread is full with 2 estimators; `cost`
sets what estimating one takes, and so the limits that the next calc phase finds.

See also: [bounds that were not known](bounds.md), proved and not what the design promises;
[what was seen and is no finding](no-findings.md).
"""


def findings_page() -> Iterator[str]:
    """The lines of the page."""
    yield from ("# Findings", "", *_ABOUT.splitlines(), "")
    new = [
        finding.id
        for finding in registry.ALL
        if "mainline" in finding.revisions and not finding.defect
    ]
    yield from (f"New in mainline, as far as the known defects tell: {', '.join(new)}.", "")
    yield from ("| id | on | what | breaks | known before |", "|---|---|---|---|---|")
    for finding in registry.ALL:
        breaks = ", ".join(
            f"[`{name}`](../properties.md#{anchor(name)})" for name in finding.properties
        )
        cells = (
            f"[{finding.id}]({finding.id}.md)",
            ", ".join(finding.revisions),
            finding.title,
            breaks,
            linked(finding.defect, "../../"),
        )
        yield f"| {' | '.join(cells)} |"
