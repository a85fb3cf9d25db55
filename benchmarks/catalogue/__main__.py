"""`make bench-catalogue`: a catalogue of a million sessions and ten million messages, and what the questions take.

`python -m benchmarks.catalogue [--sessions N] [--folder DIR] [--record FILE]`. It makes two catalogues, one with all
tenants and one with only the small ones, of together some 8 GB, in about a quarter of an hour; with `--folder` they
stay, and are used again. Exit code 1 where a median is above its bound.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from benchmarks.catalogue.generate import generate
from benchmarks.catalogue.measure import BOUND_MS, compared, measured
from benchmarks.catalogue.questions import askers
from benchmarks.catalogue.recorded import Recorded, encoded
from benchmarks.catalogue.shape import Shape
from benchmarks.leaving import leave_with
from benchmarks.machine import commit, machine, versions
from codemode import Worker

_ALL, _SMALL = "all", "small"


def main() -> int:
    """Make, measure, print, record; 1 where a question takes too long."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="codemode-catalogue-") as own:
        folder = Path(asked.folder or own)
        found = run(folder, Shape(asked.sessions), asked.times, _told)
    _show(found)
    if asked.record:
        Path(asked.record).write_text(encoded(found), encoding="utf-8")
    return 1 if any(each.p50_ms > BOUND_MS for each in found.questions) else 0


def run(folder: Path, whole: Shape, times: int, told: Callable[[str], None]) -> Recorded:
    """What the questions take in a catalogue of this shape, made in `folder` unless it is there."""
    load, small = os.getloadavg()[0], replace(whole, only_small=True)
    for name, shape in ((_ALL, whole), (_SMALL, small)):
        _make(folder / name, shape, told)
    with Worker(folder / _ALL) as beside, Worker(folder / _SMALL) as alone:
        by_kind = askers(beside, whole)
        questions = measured(by_kind, times, told)
        besides = compared(askers(alone, small)["small"], by_kind["small"], times, told)
    told("")
    return Recorded(
        commit=commit(), machine=machine(), versions=versions(), load_average=round(load, 2),
        sessions=whole.sessions, messages=whole.sessions * whole.messages, tenants=len(whole.tenants()),
        bytes=(folder / _ALL / "catalog.db").stat().st_size, bound_ms=BOUND_MS, questions=questions, beside=besides,
    )  # fmt: skip


def _make(folder: Path, shape: Shape, told: Callable[[str], None]) -> None:
    if (folder / "made").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    generate(folder, shape, lambda text: told(f"{folder.name}: {text}"))
    (folder / "made").write_text(msgspec.json.encode({"sessions": shape.sessions}).decode(), encoding="utf-8")


def _told(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _show(found: Recorded) -> None:
    print(f"{found.sessions:,} sessions, {found.messages:,} messages, {found.bytes / 1e9:.1f} GB")
    for each in found.questions:
        print(
            f"{each.question:46} {each.tenant:7} p50 {each.p50_ms:7.2f} ms  p95 {each.p95_ms:7.2f} ms  {each.rows} rows"
        )
    print("a small tenant beside the large ones, and without them")
    for other in found.beside:
        print(f"{other.question:46} {other.beside_ms:7.2f} ms {other.alone_ms:7.2f} ms  ratio {other.ratio:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catalogue", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000, help="how many; each has ten messages")
    parser.add_argument("--times", type=int, default=200, help="how often each question is timed")
    parser.add_argument("--folder", metavar="DIR", help="where the catalogues are made, and stay")
    parser.add_argument("--record", metavar="FILE", help="write what came of it as JSON, too")
    asked = parser.parse_args()
    if not 1_000 <= asked.sessions <= 10_000_000:
        parser.error("--sessions is from 1,000 to 10,000,000")
    if not 10 <= asked.times <= 100_000:
        parser.error("--times is from 10 to 100,000")
    return asked


if __name__ == "__main__":
    leave_with(main)
