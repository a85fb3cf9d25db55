"""One table of what is tried against Codemode and what holds: `python -m tests.security [--json] [--record]`.

Every figure is counted in the run that prints it. Exit 1 when anything did not hold. `--record` keeps a run in which
everything held as docs/figures/security.json, from which SECURITY.md has its figures (`make docs`).
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apsw

from . import kills, sandbox_attacks, sql_attacks
from .line import Line, table

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "figures" / "security.json"


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    options.add_argument("--json", action="store_true", help="one JSON document on standard output")
    options.add_argument("--record", action="store_true", help="keep the figures for SECURITY.md")
    options.add_argument("--mutants", type=int, default=100_000)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument(
        "--corpus", type=Path, action="append", default=[], metavar="FOLDER", help="instead of samples"
    )
    chosen = options.parse_args(arguments)
    started = time.monotonic()
    lines = [_told(line) for line in _lines(chosen)]
    ok = all(line.ok for line in lines)
    seconds = round(time.monotonic() - started)
    found = [{**dataclasses.asdict(line), "verdict": line.verdict} for line in lines]
    told = {"machine": _machine(), "commit": _commit(), "seconds": seconds, "ok": ok, "lines": found}
    if chosen.record and ok:
        RECORD.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    if chosen.json:
        print(json.dumps(told))
        return 0 if ok else 1
    print(_machine(), table(lines), sep="\n")
    for line in lines:
        for problem in line.problems:
            print(f"\n{line.area}, {line.what}: {problem}")
    print(f"\n{'everything held' if ok else 'NOT everything held'} ({seconds} s)")
    return 0 if ok else 1


def _lines(chosen: argparse.Namespace) -> Iterator[Line]:
    return itertools.chain(
        sql_attacks.cases(),
        sql_attacks.mutants(chosen.mutants),
        sql_attacks.corpora(chosen.corpus),
        sandbox_attacks.lines(),
        kills.lines(chosen.kills),
    )


def _told(line: Line) -> Line:
    """Progress goes to standard error: the table comes at the end, in one piece."""
    print(f"{line.verdict:>7}  {line.area}: {line.what}", file=sys.stderr, flush=True)
    return line


def _machine() -> str:
    return (
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {apsw.sqlite_lib_version()}"
    )


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
