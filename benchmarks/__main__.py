"""Run the scenarios: `python -m benchmarks [--quick] [--check] [--json] [--list] [NAME …]`.

Each figure is the median of turns in which all contenders took part; a ratio is codemode's figure over the other's in
the same turn, so less is better.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence

import msgspec

import benchmarks.scenarios
from benchmarks.figures import Figure
from benchmarks.measure import measured
from benchmarks.progress import Progress
from benchmarks.scenario import Scenario
from benchmarks.table import HEAD, block, summary

NAMES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.scenarios.__path__))


def main() -> int:
    """Measure, print a table or JSON; 1 where a scenario failed, or with `--check` missed a bound."""
    asked = _arguments()
    chosen = list(scenarios(asked.names or NAMES))
    if asked.list:
        print("\n".join(f"{name:<20} {scenario.title}" for name, scenario in chosen))
        return 0
    figures, failed = run(chosen, asked.quick, show=not asked.json)
    if asked.json:
        print(msgspec.json.format(msgspec.json.encode(figures), indent=1).decode())
    else:
        print(summary(figures))
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
    asked = parser.parse_args()
    if unknown := [name for name in asked.names if name not in NAMES]:
        parser.error(f"no scenario is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return asked


def scenarios(names: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
    """Every scenario of the files so named."""
    for name in names:
        for scenario in importlib.import_module(f"benchmarks.scenarios.{name}").SCENARIOS:
            yield name, scenario


def run(chosen: Sequence[tuple[str, Scenario]], quick: bool, show: bool) -> tuple[list[Figure], bool]:
    """The figures, each shown when it is there, and whether a scenario failed."""
    figures, failed = [], False
    progress = Progress(len(chosen))
    if show:
        print(HEAD)
    for name, scenario in chosen:
        progress.begin(scenario.title)
        try:
            figures.append(measured(name, scenario, quick, progress.note))
        except Exception as problem:  # one that fails does not take the figures of the others with it
            failed = True
            progress.clear()
            print(f"FAILED {name}, {scenario.title}: {type(problem).__name__}: {problem}", file=sys.stderr)
            continue
        progress.clear()
        if show:
            print(block(figures[-1]), flush=True)
    return figures, failed


if __name__ == "__main__":
    sys.exit(main())
