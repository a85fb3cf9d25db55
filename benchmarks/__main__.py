"""Run the scenarios: `python -m benchmarks [--quick] [--json] [NAME …]`."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import pkgutil
import platform
from collections.abc import Iterable

import benchmarks.scenarios
from benchmarks.measure import Figure

NAMES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.scenarios.__path__))


def main() -> None:
    """Measure, print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"scenarios: {', '.join(NAMES)} (all by default)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and smaller data")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"no scenario {unknown[0]!r}; there are {', '.join(NAMES)}")
    figures = _measured(asked.names or NAMES, asked.quick)
    if asked.json:
        print(json.dumps({"machine": _machine(), "figures": [dataclasses.asdict(figure) for figure in figures]}))
        return
    print(_machine())
    for figure in figures:
        print(
            f"{figure.scenario:<36} {figure.subject * 1000:>10.2f} ms   {figure.ratio:>7.3f} × {figure.floor_name}"
            f"   ({figure.lowest:.3f} to {figure.highest:.3f})",
            flush=True,
        )


def _measured(names: Iterable[str], quick: bool) -> Iterable[Figure]:
    for name in names:
        yield importlib.import_module(f"benchmarks.scenarios.{name}").figure(quick)


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
