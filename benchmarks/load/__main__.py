"""`make load`: trivial executions at 64 connections for a minute; no error, and nothing that grows.

`python -m benchmarks.load [--seconds N] [--connections N] [--record FILE]`. It starts a service of its own on loopback
over a temporary directory, with the settings of its environment, and ends it. Exit code 1 for an error or growth.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.leaving import leave_with
from benchmarks.load.processes import Course, Watch
from benchmarks.load.requests import MISSING, Answered, is_installed, send
from benchmarks.load.serving import serving

SESSIONS = 64
MOST_SECONDS, MOST_CONNECTIONS = 600, 512
WARM_SECONDS = 5  # every session is open and every cache filled once before anything is compared


def main() -> int:
    """Run the load, print what came of it, say whether it was well."""
    asked = _arguments()
    if not is_installed():
        print(MISSING, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="codemode-load-") as folder, serving(Path(folder)) as (address, pid):
        for number in range(SESSIONS):
            _create(address, f"load-{number}")
        send(address, connections=asked.connections, seconds=WARM_SECONDS, sessions=SESSIONS)
        with Watch(pid) as watch:
            answered = send(address, connections=asked.connections, seconds=asked.seconds, sessions=SESSIONS)
        courses = watch.courses()
        logged = Path(folder, "log").read_text(encoding="utf-8")
    problems = [*_problems(answered, courses), *_complaints(logged)]
    _show(asked, answered, courses, problems)
    if asked.record:
        Path(asked.record).write_text(json.dumps(_record(asked, answered, courses, problems), indent=1) + "\n")
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help=f"how long; {MOST_SECONDS} at most")
    parser.add_argument("--connections", type=int, default=64, help=f"how many; {MOST_CONNECTIONS} at most")
    parser.add_argument("--record", metavar="FILE", help="write what came of it as JSON, too")
    asked = parser.parse_args()
    if not 3 <= asked.seconds <= MOST_SECONDS:
        parser.error(f"--seconds is from 3 to {MOST_SECONDS}")
    if not 2 <= asked.connections <= MOST_CONNECTIONS:
        parser.error(f"--connections is from 2 to {MOST_CONNECTIONS}")
    return asked


def _create(address: str, session_id: str) -> None:
    body = json.dumps({"id": session_id}).encode()
    request = urllib.request.Request(f"{address}/v1/sessions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def _problems(answered: Answered, courses: list[Course]) -> Iterator[str]:
    if answered.bad:
        yield f"{answered.bad:,} answers were not good, as this one: {answered.example}"
    if answered.errors:
        yield f"{answered.errors:,} errors of connections"
    if not answered.good:
        yield "nothing was answered well"
    for course in courses:
        if course.grew:
            yield f"{course.part}: {course.figure} grew from {course.first:,.0f} to {course.last:,.0f}"


def _complaints(log: str) -> Iterator[str]:
    """What the service itself said that is worse than a remark."""
    worse = [line for line in log.splitlines() if " warning " in line[:40] or " error " in line[:40]]
    if worse:
        yield f"the service complained {len(worse):,} times, as here: {worse[0][:300]}"


def _show(asked: argparse.Namespace, answered: Answered, courses: list[Course], problems: list[str]) -> None:
    print(f"{_machine()}; {asked.connections} connections, {SESSIONS} sessions, {answered.seconds:.0f} s")
    print(
        f"{answered.per_second:,.0f} executions/s; p50 {answered.p50_ms:.1f} ms, p99 {answered.p99_ms:.1f} ms, "
        f"p99.9 {answered.p999_ms:.1f} ms, slowest {answered.slowest_ms:.1f} ms; {answered.good:,} good, "
        f"{answered.bad:,} bad, {answered.errors:,} errors"
    )
    print(f"{'':<26} {'first third':>14} {'last third':>14} {'highest':>14}")
    for course in courses:
        figures = [_amount(course.figure, value) for value in (course.first, course.last, course.highest)]
        cells = " ".join(f"{each:>14}" for each in figures)
        print(f"{course.part:<9} {course.figure.removesuffix('_bytes'):<16} {cells}{'   GREW' if course.grew else ''}")
    print("\n".join(f"PROBLEM: {each}" for each in problems) or "no error, and nothing grew")


def _amount(figure: str, value: float) -> str:
    return f"{value / 2**20:,.1f} MiB" if figure == "memory_bytes" else f"{value:,.0f}"


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _record(
    asked: argparse.Namespace, answered: Answered, courses: list[Course], problems: list[str]
) -> dict[str, Any]:
    return {
        "machine": _machine(),
        "load_average": os.getloadavg()[0],
        "connections": asked.connections,
        "sessions": SESSIONS,
        "per_second": round(answered.per_second, 1),
        **dataclasses.asdict(answered),
        "courses": [{**dataclasses.asdict(course), "grew": course.grew} for course in courses],
        "problems": problems,
    }


if __name__ == "__main__":
    leave_with(main)
