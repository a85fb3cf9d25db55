"""Regions and the drawing about speed, from the newest full run of the benchmarks and the docstrings of the peers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wording import ROOT, paragraph, table

from benchmarks.amounts import amount, digits
from benchmarks.figures import Figure, Spread, Verdict
from benchmarks.guard import GUARDED
from benchmarks.plot import drawing
from benchmarks.results import Results, newest
from benchmarks.scenario import SUBJECT
from benchmarks.table import said


def speed_run() -> str:
    """On what, when and with which versions the newest run was made, and how busy the machine was."""
    run = newest()
    if run is None:
        return "No full run is recorded yet: `make bench` records one."
    machine, versions = run.machine, ", ".join(f"{name} {version}" for name, version in run.versions.items())
    changed = " with changes that were not committed" if run.commit.dirty else ""
    took = f"{run.seconds / 60:.0f} minutes"
    return (
        f"Measured on {run.at:%d %B %Y} at commit `{run.commit.id[:12]}`{changed} in {took} on {machine.cpu},"
        f" {machine.cores} cores, {amount(machine.memory_bytes, 'B')} of memory, {machine.kernel}. {_neighbours(run)}"
        f"\n\n{_reached(run)}\n\n{versions}."
    )


def _reached(run: Results) -> str:
    """How many of the bounds were reached, of those that something could be held against."""
    held = [bound.reached for figure in run.figures for bound in figure.verdicts if bound.reached is not None]
    missed = " [Those that were missed](#bounds-that-are-missed-and-why) have their reasons." if False in held else ""
    return f"{held.count(True)} of {len(held)} bounds were reached.{missed}"


def _neighbours(run: Results) -> str:
    """One process that measures keeps the load at about 1: what was there before it began is somebody else's."""
    said = f"The load average was {run.load_before:.1f} before and {run.load_after:.1f} after it"
    if run.load_before < 0.5:
        return f"{said}: the machine was its own."
    return f"{said}: the machine was shared, so times are longer than they need be and ratios are what to read."


def speed_table() -> str:
    """Every figure of the newest run."""
    rows = [row for figure in _figures() for row in _rows(figure)]
    return table(["scenario", "who", "median", "codemode takes", "bound"], rows) if rows else ""


def _rows(figure: Figure) -> Iterator[list[str]]:
    what = f"**{figure.title}**, {figure.size:,} {figure.of}{', each' if figure.each else ''}"
    ratios = {each.peer: each for each in figure.verdicts if each.kind == "ratio"}
    absolute = next((each for each in figure.verdicts if each.kind == "absolute"), None)
    for standing in figure.standings:
        took = amount(standing.took.median, figure.unit) if standing.took else f"absent: {standing.absent}"
        ratio = "" if standing.ratio is None else _ratio(standing.ratio)
        bound = absolute if standing.name == SUBJECT else ratios.get(standing.name)
        yield [what, standing.name, took, ratio, _bound(bound, figure.unit)]
        what = ""
    if figure.growth:
        bound = next(each for each in figure.verdicts if each.kind == "growth")
        yield ["", "growth", "", f"size ^ {figure.growth.exponent:.2f}", _bound(bound, "")]


def _ratio(ratio: Spread) -> str:
    return f"{digits(ratio.median)} × ({digits(ratio.low)} – {digits(ratio.high)})"


def _bound(verdict: Verdict | None, unit: str) -> str:
    return "" if verdict is None else said(verdict, unit)


def speed_peers() -> str:
    """Who takes part, as each peer's file says it."""
    found = sorted((ROOT / "benchmarks" / "peers").glob("[a-z]*.py"))
    return "\n".join(f"- {paragraph(ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))))}" for path in found)


def speed_guarded() -> str:
    """The ratios that every change is held to."""
    return table(["scenario", "beside", "at most"], [[each.title, each.peer, f"{each.times:g} ×"] for each in GUARDED])


def speed_drawing() -> str:
    """The ratios of the newest run as SVG."""
    return drawing(_figures())


def _figures() -> list[Figure]:
    run = newest()
    return [] if run is None else run.figures
