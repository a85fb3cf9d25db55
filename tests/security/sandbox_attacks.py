"""Counts the attacks on the sandbox: pytest runs them, its report says which held."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from .line import Line

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "attacks"))

BREACH = "test_breach"
CATALOGUE = "test_catalogue"  # a table of contents, no attack
FRAMES = [TESTS / "sandbox" / "test_process_hostile.py", TESTS / "sandbox" / "test_stateful_hostile.py"]
# Who stops what the tests of a file try; a file that is new is counted under its own name.
STOPPED_BY = {
    "test_language_escapes": "stopped by the language",
    "test_confined_escapes": "the same in a confined child",
    "test_confined_resources": "resources: the child ends alone",
    "test_facade_crawl": "stopped by the modules' facades",
    "test_process_hostile": "frames stopped by the worker",
    "test_stateful_hostile": "what a kept child does unasked",
}
# The test whose parameters are the attacks; the other tests of that file test the oracle.
WITH_ORACLES = {
    "test_language_escapes": "test_reaches_nothing[",
    "test_confined_escapes": "test_an_escape_reaches_nothing[",
    "test_facade_crawl": "test_plain_attributes_lead_nowhere[",
}


def lines() -> Iterator[Line]:
    """Escapes by the layer that stops them, then the breach battery by kind of host."""
    files = [path for path in sorted((TESTS / "attacks").glob("test_*.py")) if path.stem != CATALOGUE] + FRAMES
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", f"--junitxml={report}"]
        done = subprocess.run([*command, *map(str, files)], cwd=TESTS.parent, capture_output=True, text=True)
        if not report.exists():
            yield Line("Python", "attacks", 0, 0, "pytest did not run", (done.stdout[-2_000:] + done.stderr[-2_000:],))
            return
        outcomes = _outcomes(report)
    oracles: dict[str, str] = {}
    for path in files:
        if path.stem != BREACH:
            ours = outcomes[path.stem]
            if path.stem in WITH_ORACLES:
                attack = WITH_ORACLES[path.stem]
                oracles |= {name: outcome for name, outcome in ours.items() if not name.startswith(attack)}
            what = STOPPED_BY.get(path.stem, path.stem.removeprefix("test_").replace("_", " "))
            yield _line("Python", what, {name: ours[name] for name in ours.keys() - oracles.keys()})
    yield _line("Python", "what judges these would notice an escape", oracles)
    yield from _breach(outcomes[BREACH])


def _outcomes(report: Path) -> dict[str, dict[str, str]]:
    """For each file, each test's name and "passed", "skipped" or "failed"."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        told = {child.tag for child in case}
        outcome = "failed" if told & {"failure", "error"} else "skipped" if "skipped" in told else "passed"
        found[case.get("classname", "").split(".")[-1]][case.get("name", "")] = outcome
    return found


def _breach(outcomes: dict[str, str]) -> Iterator[Line]:
    """The battery: one line for each kind of host, and one for the controls that show that the attacks are real."""
    from test_breach import LEFT_OUT, USERS

    battery = {name: outcome for name, outcome in outcomes.items() if name.startswith("test_an_escaped_snippet")}
    for user in USERS:
        name = user if user != "as we are" else "root" if os.geteuid() == 0 else "an ordinary user"
        for without in LEFT_OUT:
            what = f"as {name}, " + (f"without {without.replace(',', ', ')}" if without else "every layer of this host")
            ours = {test: outcome for test, outcome in battery.items() if str((user, without)) in test}
            yield _line("breach", what, ours)
    others = {name: outcome for name, outcome in outcomes.items() if name not in battery}
    yield _line("breach", "controls, and nothing outside touched", others)


def _line(area: str, what: str, outcomes: dict[str, str]) -> Line:
    failed = tuple(name for name, outcome in outcomes.items() if outcome == "failed")
    skipped = sum(outcome == "skipped" for outcome in outcomes.values())
    tried = len(outcomes) - skipped
    note = f"{skipped} cannot be tried on this host" if skipped else ""
    return Line(area, what, tried, tried - len(failed), note, failed, absent=bool(skipped) and not tried)
