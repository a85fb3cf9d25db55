"""One file a scenario, or a few that belong together; each has `SCENARIOS`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from benchmarks.scenario import Scenario

NAMES = sorted(module.name for module in pkgutil.iter_modules(__path__))


def found(names: Iterable[str]) -> Iterator[tuple[str, Scenario]]:
    """Every scenario of the files so named."""
    for name in names:
        for scenario in importlib.import_module(f"{__name__}.{name}").SCENARIOS:
            yield name, scenario
