"""What a run is shown, kept and drawn as, and when it is a failure."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from synthetic import scenario

import benchmarks.__main__ as command
from benchmarks import guard, results
from benchmarks.amounts import amount, digits
from benchmarks.figures import Figure
from benchmarks.guard import Guarded
from benchmarks.machine import ROOT
from benchmarks.measure import Effort, measured
from benchmarks.plot import drawing
from benchmarks.progress import Progress
from benchmarks.results import Results, Run
from benchmarks.scenario import AtMost, Scenario, Sides, Under
from benchmarks.table import HEAD, WIDTH, block, summary

ONE = Effort(seconds=0, most=2, least=2)
SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def figures() -> list[Figure]:
    """One of each kind of line, with a title and a reason that are too long for it."""
    made = scenario(
        lambda size: size * 1.23456e-6,
        AtMost("close", 1.5),
        AtMost("ahead", 0.5),
        AtMost("docker", 1),
        Under(5e-3),
        close=1.1e-3,
        ahead=1.0e-3,
        plain=123.456,
        docker="there is no docker on this machine, and what it needs to be installed takes more than one line to tell",
    )
    long = dataclasses.replace(made, title="a made-up scenario whose title is so long that it fits in no line " * 2)
    return [measured("made", each, Effort(0, 2, 2, full=True)) for each in (made, long)]


def one(title: str, **peers: float) -> Figure:
    made = scenario(lambda _: 1.0, **peers)
    return measured("made", dataclasses.replace(made, title=title), ONE)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.5, "s", "1.50 s"),
        (0.0123, "s", "12.3 ms"),
        (0.9999, "s", "1.00 s"),
        (4.2e-5, "s", "42.0 µs"),
        (3e-9, "s", "3.00 ns"),
        (83.0, "s", "83.0 s"),
        (0.0, "s", "0 ns"),
        (-2.5e-3, "s", "-2.50 ms"),
        (91_234_567, "B", "91.2 MB"),
        (300_000, "B", "300 KB"),
        (12.0, "B", "12.0 B"),
        (1_234.0, "calls", "1,234 calls"),
    ],
)
def test_an_amount_is_in_the_unit_that_fits(value: float, unit: str, shown: str) -> None:
    assert amount(value, unit) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.0061, "0.0061"), (0.1, "0.10"), (0.9999, "1.00"), (99.96, "100")])
def test_three_digits_say_enough(value: float, shown: str) -> None:
    assert digits(value) == shown


def test_the_table_says_everything_in_a_hundred_columns(figures: list[Figure]) -> None:
    lines = "\n".join([HEAD, *map(block, figures), summary(figures)]).splitlines()
    assert max(map(len, lines)) <= WIDTH == 100
    table = block(figures[0])
    assert re.search(r"codemode +1\.23 ms", table)
    assert re.search(r"close .* 1\.12 × .* ≤ 1\.5 reached", table)
    assert re.search(r"ahead .* 1\.23 × .* ≤ 0\.5 MISSED", table)
    assert re.search(r"docker +absent: there is no docker", table)
    assert "grows with size ^ 1.00, ≤ 1.15 reached: 12.3 µs, 123 µs, 1.23 ms for 10, 100, 1,000" in table
    assert "on the reference machine ≤ 5.00 ms reached" in table
    assert summary(figures[:1]).splitlines()[1:] == [
        "3 of 4 bounds reached, 1 not compared; missed:",
        "  a made-up scenario: ahead ≤ 0.5 MISSED",
    ]


def test_results_are_read_as_they_were_written_and_the_newest_is_found(figures: list[Figure], tmp_path: Path) -> None:
    first = msgspec.structs.replace(Run(quick=False).results(figures), at=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))
    last = msgspec.structs.replace(first, at=datetime(2026, 11, 1, tzinfo=UTC), figures=[])
    assert results.newest(tmp_path) is None
    results.record(last, tmp_path)
    written = results.record(first, tmp_path)
    assert written.name == f"2026-02-03T040506Z-{first.commit.id[:7]}.json"
    assert results.decoded(written.read_text(encoding="utf-8")) == first
    assert results.newest(tmp_path) == last


def test_results_say_what_they_were_measured_on() -> None:
    made = Run(quick=True).results([])
    assert made.machine.cores >= 1
    assert made.machine.memory_bytes > 2**28
    assert made.machine.cpu
    assert re.match(r"Linux \d", made.machine.kernel)
    assert {"Python", "SQLite", "apsw", "sqlglot"} <= set(made.versions)
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", made.commit.id)


def test_the_drawing_is_svg_with_every_ratio_and_bound(figures: list[Figure]) -> None:
    root = ElementTree.fromstring(drawing(figures))
    assert len(root.findall(f"{SVG}circle")) == 6
    texts = [each.text or "" for each in root.iter(f"{SVG}text")]
    assert {"close", "ahead", "plain", "a made-up scenario", "1 ×"} <= set(texts)
    bounds = [each for each in root.iter(f"{SVG}line") if each.get("stroke") == "#24292f"]
    assert len(bounds) == 4
    width = float(root.get("width", "0"))
    places = [float(each.get(name, "0")) for each in root.iter(f"{SVG}line") for name in ("x1", "x2")]
    assert 0 < min(places) < max(places) < width


def test_a_drawing_of_nothing_is_svg() -> None:
    root = ElementTree.fromstring(drawing([]))
    assert root.tag == f"{SVG}svg"
    assert not root.findall(f"{SVG}circle")


def test_a_title_that_looks_like_markup_is_text() -> None:
    root = ElementTree.fromstring(drawing([one("<&> told", peer=2.0)]))
    assert "<&> told" in [each.text for each in root.iter(f"{SVG}text")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (
            Terminal(),
            ["", "[1/2] the first: turn 1 of 7 in a made-", "", "[2/2, 0 s left] the second: turn 2 of 7", ""],
        ),
        (io.StringIO(), ["[1/2] the first\n[2/2, 0 s left] the second\n"]),
    ],
    ids=["terminal", "file"],
)
def test_progress_is_one_line_on_a_terminal_and_one_for_each_scenario_in_a_file(
    stream: io.StringIO, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    progress = Progress(2, stream)
    for number, title in enumerate(("the first", "the second"), 1):
        progress.begin(title)
        progress.note(f"turn {number} of 7 in a made-up scenario")
        progress.clear()
    assert stream.getvalue().split("\r\x1b[K") == said


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Scenario]]:
    """The scenarios that there are, for the command and the guard."""
    made: list[Scenario] = []
    for module in (command, guard):
        monkeypatch.setattr(module, "found", lambda _names: [("made", each) for each in made])
    monkeypatch.setattr(command, "QUICK", ONE)
    return made


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *words])
    return command.main()


def test_check_fails_for_a_ratio_that_is_missed_and_for_nothing_else(
    chosen: list[Scenario], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen.append(scenario(lambda _: 4, AtMost("peer", 2), Under(1), peer=2.0))
    assert run(monkeypatch, "--quick", "--check") == 0
    chosen.append(scenario(lambda _: 4, AtMost("peer", 1), peer=2.0))
    assert run(monkeypatch, "--quick") == 0
    assert run(monkeypatch, "--quick", "--check") == 1
    assert "peer ≤ 1 MISSED" in capsys.readouterr().out


def test_a_scenario_that_fails_is_told_and_the_others_are_measured(
    chosen: list[Scenario], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def broken(_: int) -> Sides:
        raise RuntimeError("the peer answered 2")
        yield []

    chosen.extend([Scenario("broken", "things", (1, 10, 100), broken), scenario(lambda _: 4)])
    assert run(monkeypatch, "--quick") == 1
    shown = capsys.readouterr()
    assert "FAILED made, broken: RuntimeError: the peer answered 2" in shown.err
    assert "a made-up scenario: 100 things" in shown.out


def test_json_is_what_would_be_recorded(
    chosen: list[Scenario], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen.append(scenario(lambda _: 4, peer=2.0))
    assert run(monkeypatch, "--quick", "--json") == 0
    told = results.decoded(capsys.readouterr().out)
    assert isinstance(told, Results)
    assert (told.quick, told.figures[0].standings[1].ratio.median) == (True, 2.0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trivial_snipet"], "no scenario is called trivial_snipet; there are"),
        (["--record", "--quick"], "only a full run is recorded"),
        (["--record", "trivial_snippet"], "only a full run is recorded"),
    ],
)
def test_wrong_usage_is_said(
    words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, *words)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("costs", "code", "measurements"), [([1.0], 0, 1), ([9.0, 1.0], 0, 2), ([9.0, 9.0], 1, 2)], ids=str
)
def test_the_guard_fails_when_a_ratio_is_lost_twice(
    costs: list[float], code: int, measurements: int, chosen: list[Scenario], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def subject(size: int) -> float:
        asked.append(size)
        return costs[len(asked) - 1]

    chosen.append(scenario(subject, peer=1.0))
    monkeypatch.setattr(guard, "ONCE", ONE)
    monkeypatch.setattr(guard, "AGAIN", ONE)
    assert guard.main([Guarded("made", "a made-up scenario", "peer", 2.0)]) == code
    assert len(asked) == measurements


def test_the_guard_does_not_pass_over_a_peer_that_is_absent(chosen: list[Scenario]) -> None:
    chosen.append(scenario(lambda _: 4, peer="not installed"))
    with pytest.raises(SystemExit, match="peer is absent: not installed"):
        guard.main([Guarded("made", "a made-up scenario", "peer", 2.0)])


LEFT = "from benchmarks.leaving import leave_with; leave_with(lambda: print('a line', flush=True) or 1)"


@pytest.mark.parametrize("program", [["-m", "benchmarks", "--list"], ["-c", LEFT]], ids=["list", "every program"])
def test_a_reader_that_leaves_gets_no_traceback(program: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        listed = subprocess.run(
            [sys.executable, *program], stdout=nobody, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )
    assert (listed.returncode, listed.stderr) == (141, b"")
