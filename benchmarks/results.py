"""What a run came to as a file: a full one is kept in `benchmarks/results/`, named by its time and commit."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.figures import Figure
from benchmarks.machine import ROOT, Commit, Machine, commit, machine, versions

RESULTS = ROOT / "benchmarks" / "results"


class Results(msgspec.Struct, frozen=True):
    """A run: when and on what, how busy the machine was before and after, and the figure of each scenario."""

    at: datetime
    commit: Commit
    machine: Machine
    versions: dict[str, str]
    quick: bool
    seconds: int
    load_before: float
    load_after: float
    figures: list[Figure]


class Run:
    """A run that begins now."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self._commit = commit()  # as it is while it runs, not as it is when it ends
        self._load = os.getloadavg()[0]
        self._began = time.monotonic()

    def results(self, figures: Sequence[Figure]) -> Results:
        """What it came to, now that it has ended."""
        return Results(
            at=datetime.now(UTC).replace(microsecond=0),
            commit=self._commit,
            machine=machine(),
            versions=versions(),
            quick=self._quick,
            seconds=round(time.monotonic() - self._began),
            load_before=round(self._load, 2),
            load_after=round(os.getloadavg()[0], 2),
            figures=list(figures),
        )


def encoded(results: Results) -> str:
    """The results as JSON."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1).decode() + "\n"


def decoded(text: str) -> Results:
    """The results that such JSON holds."""
    return msgspec.json.decode(text, type=Results)


def record(results: Results, folder: Path = RESULTS) -> Path:
    """Write a file of its own for them; names sort by time, whatever a checkout does to the times of files."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{results.at:%Y-%m-%dT%H%M%SZ}-{results.commit.id[:7]}.json"
    path.write_text(encoded(results), encoding="utf-8")
    return path


def newest(folder: Path = RESULTS) -> Results | None:
    """The results of the last full run that is kept, or None where none is."""
    kept = sorted(folder.glob("*.json"))
    return decoded(kept[-1].read_text(encoding="utf-8")) if kept else None
