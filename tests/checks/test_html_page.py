"""`check --html`: what the page holds, and that it works in a browser where there is one."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ipvs_est import MAINLINE, REPAIRED, Params
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Advance, InitNetns, Operation, StartDest, StartService
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.html.evidence import schedule, walk
from ipvs_est_checks.html.page import html_page
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.report.rows import Problem, Report, Request, Row
from ipvs_est_checks.report.verdict import Verdict

BROWSER = next(
    (name for name in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if name),
    None,
)
SMALL = Params(hz=100, nticks=4, chain_factor=2, possible_cpus=2, est_cost_ns=23750)
HISTORY: tuple[Operation, ...] = (InitNetns(), StartService(1), StartDest(2), Advance(200))
VOID = {"meta", "br"}


def report() -> Report:
    wanted = frozenset({"limits.chain"})
    request = Request((MAINLINE, REPAIRED), "quick", wanted, 1, 1, None)
    problem = Problem(
        "limits.chain",
        "repaired",
        "a <b>chain</b> is too long",
        tuple(json.dumps(operation_to_json(operation)) for operation in HISTORY),
        None,
        "ipvs-est check",
        header_line("limits.chain", "repaired", SMALL),
    )
    failing = Row(
        "limits.chain",
        "No chain.",
        "repaired",
        Verdict.FAIL,
        "sampled",
        7,
        1.5,
        problems=(problem,),
    )
    proved = Row(
        "limits.chain",
        "No chain.",
        "",
        Verdict.PASS,
        "proved",
        1,
        2.5,
        notes=("a counter & model",),
    )
    return Report(request, (*engine_findings(request), failing, proved), True, 3.0)


class Tags(HTMLParser):
    """Every tag is closed, every link leads to an id, and nothing comes from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        assert not {"src", "style", "onclick"} & given.keys()
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        assert tag != "link"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    assert tags.open == []
    return tags


def test_the_page_stands_alone_and_its_links_lead_somewhere() -> None:
    page = html_page(report())
    tags = parsed(page)
    assert len(tags.ids) == len(set(tags.ids))
    assert {link.removeprefix("#") for link in tags.links} <= set(tags.ids)
    assert {link[:1] for link in tags.links} == {"#"}
    # A name of XML's, which nobody fetches, is all that looks like an address.
    assert set(re.findall(r"https?://[^\"' ]+", page)) <= {"http://www.w3.org/2000/svg"}


def test_the_verdict_comes_first_then_what_is_wrong_with_its_history() -> None:
    page = html_page(report())
    assert page.index('<h1 class="fail">not as recorded: 1 cause') < page.index('id="cause-1"')
    assert page.index('id="cause-1"') < page.index('id="matrix"')
    cause = page[page.index('id="cause-1"') : page.index('id="matrix"')]
    assert "a &lt;b&gt;chain&lt;/b&gt; is too long" in cause
    assert cause.count('<div class="step">') == len(HISTORY)
    # What the last step leaves: both estimators in chains, and the bits of their rows.
    last = cause[cause.rindex('<div class="step">') :]
    assert '<span class="new">est_count 3</span>' in last
    assert re.search(r"<td class=\"bits\">1·</td><td class=\"bits\">1·</td><td>0: \[", last)


def test_each_cell_opens_what_it_rests_on() -> None:
    page = html_page(report())
    assert '<td class="FINDING"><a href="#limits.chain-on-mainline">F03' in page
    assert '<td class="FAIL"><a href="#limits.chain-on-repaired">FAIL' in page
    evidence = page[page.index('id="limits.chain-on-repaired"') :]
    assert "a counter &amp; model" in evidence
    assert 'id="F03"' in evidence


def test_a_theorems_counterexamples_are_walked_through() -> None:
    notes = (
        "FINDING a.theorem: It holds.",
        "  for: all",
        "  counterexample (one):",
        "    x = 1",
        "  counterexample (other):",
        "    x = 2",
        "  twin: It is refuted:",
        "    x = 3",
        "  in the model, state: twin: it shows",
        "  in the model, state: other: it shows",
    )
    made = report()
    page = html_page(replace(made, rows=(*made.rows[:-1], replace(made.rows[-1], notes=notes))))
    parsed(page)
    text = page[page.index("FINDING a.theorem") :]
    text = text[: text.index("</details>")]
    steps = re.findall(r'<div class="step"><pre>(.*?)</pre></div>', text, re.DOTALL)
    assert [step.strip().partition("\n")[0] for step in steps] == [
        "counterexample (one):",
        "counterexample (other):",
        "twin: It is refuted:",
        "in the model, state: twin: it shows",
    ]
    assert steps[-1].count("\n") == 1


def test_equal_reports_give_equal_bytes_whatever_time_they_took() -> None:
    assert html_page(report()) == html_page(report())


def test_a_schedule_is_drawn_and_told_step_by_step() -> None:
    (finding,) = (finding for finding in BY_SCHEDULE if finding.id == "F16")
    text = schedule(finding, MAINLINE)
    parsed(text)
    assert text.count("<svg") == 1
    assert text.count('<div class="step">') > 10


def chromium(page: Path, *options: str) -> str:
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [BROWSER, *flags, profile, *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


SCRIPT = """<script>
addEventListener("load", () => {
  document.querySelector('a[href="#limits.chain-on-mainline"]').click();
  const walk = document.querySelector("#cause-1 .walk");
  const at = () => walk.querySelector("output").textContent;
  const seen = [at()];
  walk.querySelector('[data-move="first"]').click();
  seen.push(at());
  walk.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
  seen.push(at(), walk.querySelectorAll(".step.here").length);
  setTimeout(() => {
    seen.push(document.getElementById("limits.chain-on-mainline").open);
    seen.push(document.documentElement.scrollWidth <= innerWidth);
    const all = document.querySelector("nav button");
    all.click();
    seen.push([...document.querySelectorAll("details")].every((each) => each.open));
    seen.push(all.textContent);
    document.title = JSON.stringify(seen);
  }, 200);
});
</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="a page in a browser needs chromium")
def test_the_page_in_a_browser_at_a_phones_width(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html_page(report()).replace("</body>", SCRIPT), encoding="utf-8")
    # Narrower than 500 a window of this browser cannot be.
    dom = chromium(file, "--window-size=500,900", "--dump-dom", file.as_uri())
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None
    steps = [f"step {number} of {len(HISTORY)}" for number in (len(HISTORY), 1, 2)]
    assert json.loads(title[1]) == [*steps, 1, True, True, True, "close all"]


def test_steps_are_all_there_without_a_script() -> None:
    assert walk(["one", "two"]).count('<div class="step">') == 2
