"""Guard the ratios that tell most: `python -m benchmarks.guard`; exit code 1 when one of them is lost.

Each is a scenario's at its middle size against one peer that needs nothing but the `dev` extra. The bounds are wide:
one and a half times the worse of what the scenario must reach and what it had reached when the bound was set, so that a
neighbour on the machine does not fail a change, and a change that loses half does. One that is over its bound is
measured again, longer; only if it is over it again has it been lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.amounts import digits
from benchmarks.figures import Spread
from benchmarks.leaving import leave_with
from benchmarks.measure import Effort, measured
from benchmarks.scenario import Scenario
from benchmarks.scenarios import found


class Guarded(NamedTuple):
    """A scenario, by its file and title, whose subject takes at most `times` what `peer` takes."""

    name: str
    title: str
    peer: str
    times: float


GUARDED = (
    Guarded("trivial_snippet", "trivial snippets in bursts of the pool's size", "fork + exit", 1.7),
    Guarded("compute", "additions in a snippet", "CPython exec", 1.75),
    Guarded("helper_call", "one helpers.db.value('select 1') of a loop", "echo of the same frames", 15),
    Guarded("batch_insert", "records of a generator into a table by one batch_insert", "apsw executemany", 1.75),
    Guarded("query", "rows of one query into a snippet", "apsw fetch to dicts", 3.75),
)

ONCE = Effort(seconds=3, most=25)
AGAIN = Effort(seconds=9, most=75)


def main(guarded: Sequence[Guarded] = GUARDED) -> int:
    """Measure each, again where it is lost at first, and print a line of it."""
    lost = 0
    for each in guarded:
        ratio = _ratio(each, ONCE)
        if ratio.median > each.times:
            ratio = _ratio(each, AGAIN)
        held = ratio.median <= each.times
        lost += not held
        came = f"{digits(ratio.median)} × {each.peer} ({digits(ratio.low)} – {digits(ratio.high)})"
        print(f"{'held' if held else 'LOST'}  {each.title}: {came}, at most {each.times:g}", flush=True)
    return 1 if lost else 0


def scenario(guarded: Guarded) -> Scenario:
    """The scenario that is meant."""
    return next(each for _, each in found([guarded.name]) if each.title == guarded.title)


def _ratio(guarded: Guarded, effort: Effort) -> Spread:
    figure = measured(guarded.name, scenario(guarded), effort, against=guarded.peer)
    standing = next(each for each in figure.standings if each.name == guarded.peer)
    if standing.ratio is None:
        raise SystemExit(f"{guarded.title}: {guarded.peer} is absent: {standing.absent}")
    return standing.ratio


if __name__ == "__main__":
    leave_with(main)
