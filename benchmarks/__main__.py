"""Run the scenarios: `python -m benchmarks [--quick] [--json] [NAME …]`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Iterator

import benchmarks.scenarios
from benchmarks.measure import Figure, Spread, measured
from benchmarks.scenario import AtMost, Scenario

NAMES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.scenarios.__path__))


def main() -> None:
    """Measure, print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"scenarios: {', '.join(NAMES)} (all by default)")
    parser.add_argument("--quick", action="store_true", help="smaller data, no growth")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"no scenario {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name, scenario in scenarios(asked.names or NAMES):
        show(measured(name, scenario, asked.quick), scenario)


def scenarios(names: list[str]) -> Iterator[tuple[str, Scenario]]:
    """Every scenario of the files so named."""
    for name in names:
        for scenario in importlib.import_module(f"benchmarks.scenarios.{name}").SCENARIOS:
            yield name, scenario


def show(figure: Figure, scenario: Scenario) -> None:
    """Print it."""
    print(f"{figure.title}, {figure.size:,} {figure.of}", flush=True)
    bounds = {bound.peer: bound.times for bound in scenario.bounds if isinstance(bound, AtMost)}
    for standing in figure.standings:
        ratio = "" if standing.ratio is None else f"  × {_spread(standing.ratio)}"
        bound = f"  at most {bounds[standing.name]}" if standing.name in bounds else ""
        took = standing.absent if standing.took is None else _spread(standing.took)
        print(f"    {standing.name:<28} {took}{ratio}{bound}", flush=True)
    if figure.growth:
        print(f"    grows with size ^ {figure.growth.exponent:.2f}", flush=True)


def _spread(spread: Spread) -> str:
    return f"{spread.median:.5g} ({spread.low:.5g} to {spread.high:.5g})"


if __name__ == "__main__":
    main()
