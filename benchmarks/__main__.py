"""Run the scenarios: `python -m benchmarks [--quick] [--check] [--json] [--list] [--record] [NAME …]`.

Each figure is the median of turns in which all contenders took part; a ratio is codemode's figure over the other's in
the same turn, so less is better.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.figures import Figure
from benchmarks.leaving import leave_with
from benchmarks.machine import ROOT
from benchmarks.measure import FULL, QUICK, Effort, measured
from benchmarks.progress import Progress
from benchmarks.results import Results, Run, encoded, record
from benchmarks.scenario import Scenario
from benchmarks.scenarios import NAMES, found
from benchmarks.table import HEAD, block, summary


def main() -> int:
    """Measure, print a table or JSON; 1 where a scenario failed, or with `--check` missed a bound."""
    asked = _arguments()
    chosen = list(found(asked.names or NAMES))
    if asked.list:
        print("\n".join(f"{name:<20} {scenario.title}" for name, scenario in chosen))
        return 0
    run = Run(asked.quick)
    figures, failed = _measured(chosen, QUICK if asked.quick else FULL, show=not asked.json)
    results = run.results(figures)
    print(encoded(results) if asked.json else summary(figures), end="" if asked.json else "\n")
    if asked.record:
        _record(results, failed)
    missed = asked.check and any(figure.missed for figure in figures)
    return 1 if failed or missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="files in benchmarks/scenarios; all by default")
    parser.add_argument("--quick", action="store_true", help="the middle size, fewer turns, no growth")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a ratio or a growth is over its bound")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--list", action="store_true", help="print the scenarios and measure nothing")
    parser.add_argument("--record", action="store_true", help="keep the run in benchmarks/results; a full one only")
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in NAMES]:
        parser.error(f"no scenario is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if asked.record and (asked.quick or asked.names):
        parser.error("only a full run is recorded: leave out --quick and the names, or keep what --json prints")
    return asked


def _measured(chosen: Sequence[tuple[str, Scenario]], effort: Effort, show: bool) -> tuple[list[Figure], bool]:
    """The figures, each shown when it is there, and whether a scenario failed."""
    figures, failed = [], False
    progress = Progress(len(chosen))
    if show:
        print(HEAD)
    for name, scenario in chosen:
        progress.begin(scenario.title)
        try:
            figures.append(measured(name, scenario, effort, progress.note))
        except Exception as problem:  # one that fails does not take the figures of the others with it
            failed = True
            progress.clear()
            print(f"FAILED {name}, {scenario.title}: {type(problem).__name__}: {problem}", file=sys.stderr)
            continue
        progress.clear()
        if show:
            print(block(figures[-1]), flush=True)
    return figures, failed


def _record(results: Results, failed: bool) -> None:
    if failed:
        print("not recorded: a scenario failed", file=sys.stderr)
    else:
        print(f"recorded in {record(results).relative_to(ROOT)}; `make docs` puts it into the page", file=sys.stderr)


if __name__ == "__main__":
    leave_with(main)
