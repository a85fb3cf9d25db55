"""Measure the contenders of a scenario in turns, so that all of them see the same machine."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.bounds import verdicts
from benchmarks.figures import Figure, Growth, Spread, Standing
from benchmarks.scenario import SUBJECT, Absent, AtMost, Contender, Scenario

REST_SECONDS = 0.01  # what a contender starts in the background is not paid for by the next one

Note = Callable[[str], object]


class Effort(NamedTuple):
    """How much is done: turns for so many `seconds`, between `least` (the scenario's own when None) and `most`.

    A `full` one measures at the largest size and how the figure grows; any other at the scenario's quick size.
    """

    seconds: float
    most: int
    least: int | None = None
    full: bool = False

    def goes_on(self, turns: int, took: float, repeat: int) -> bool:
        """Whether one more turn is due after so many, which took so long."""
        if took < self.seconds:
            return turns < self.most
        return turns < (repeat if self.least is None else min(repeat, self.least))


FULL = Effort(seconds=2, most=100, full=True)  # more turns where they are short, so that the median means something
QUICK = Effort(seconds=2, most=25, least=3)


def measured(
    name: str, scenario: Scenario, effort: Effort, note: Note = lambda _: None, against: str | None = None
) -> Figure:
    """The scenario's figure. With `against` the subject meets that peer alone."""
    began = time.monotonic()
    middle = scenario.quick or scenario.sizes[len(scenario.sizes) // 2]
    size = scenario.sizes[-1] if effort.full else middle
    standings, turns = _compare(scenario, size, effort, note, against)
    subject = next(standing for standing in standings if standing.name == SUBJECT)
    growth = None
    if effort.full and len(scenario.sizes) > 1 and subject.took is not None:
        growth = _growth(scenario, effort, subject.took.median, note)
    return Figure(
        scenario=name,
        title=scenario.title,
        of=scenario.of,
        size=size,
        unit=scenario.unit,
        each=scenario.each,
        turns=turns,
        seconds=round(time.monotonic() - began, 1),
        standings=[_each(standing, size) for standing in standings] if scenario.each else standings,
        growth=growth,
        verdicts=verdicts(scenario, size, standings, growth),
    )


def _compare(
    scenario: Scenario, size: int, effort: Effort, note: Note, against: str | None
) -> tuple[list[Standing], int]:
    with scenario.contenders(size) as found:
        _know(scenario, found)
        sides = [each for each in found if against is None or each.name in (SUBJECT, against)]
        present = [each for each in sides if isinstance(each, Contender)]
        for each in present:  # what happens once only, in whoever it happens, is not what is asked
            note(f"{each.name} for the first time")
            each.run()
        turns = _turns(present, effort, scenario.repeat, note)
        return [_standing(each, turns) for each in sides], len(turns)


def _know(scenario: Scenario, found: Sequence[Contender | Absent]) -> None:
    named = {SUBJECT, *(bound.peer for bound in scenario.bounds if isinstance(bound, AtMost))}
    if unknown := named - {each.name for each in found}:
        raise ValueError(f"{scenario.title}: no contender is called {', '.join(sorted(unknown))}")


def _turns(present: Sequence[Contender], effort: Effort, repeat: int, note: Note) -> list[dict[str, float]]:
    turns: list[dict[str, float]] = []
    began = time.monotonic()
    with _little_garbage():
        while effort.goes_on(len(turns), time.monotonic() - began, repeat):
            note(f"turn {len(turns) + 1} of {max(repeat, len(turns) + 1)}")
            turns.append({each.name: _figure(each) for each in order(present, len(turns))})
    return turns


def order(present: Sequence[Contender], turn: int) -> list[Contender]:
    """Who comes when: another one first every time, and every other time backwards.

    So nobody always comes first, and nobody always after the same neighbour.
    """
    first = turn % len(present)
    turned = [*present[first:], *present[:first]]
    return turned[::-1] if turn % 2 else turned


@contextmanager
def _little_garbage() -> Iterator[None]:
    """What is there already is not gone through again before every figure: that would empty the processor's caches."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _figure(contender: Contender) -> float:
    time.sleep(REST_SECONDS)
    gc.collect()  # what the one before left is not paid for by the next
    started = time.perf_counter()
    own = contender.run()
    took = time.perf_counter() - started
    return own if isinstance(own, float) else took


def _standing(contender: Contender | Absent, turns: list[dict[str, float]]) -> Standing:
    if isinstance(contender, Absent):
        return Standing(contender.name, None, None, contender.why)
    took = spread([turn[contender.name] for turn in turns])
    if contender.name == SUBJECT or contender.part:
        return Standing(contender.name, took, None)
    if took.median == 0:
        raise ValueError(f"{contender.name} measured 0, and nothing can be a multiple of that")
    if any(turn[name] <= 0 for turn in turns for name in (SUBJECT, contender.name)):
        return Standing(contender.name, took, None)  # a difference that noise turned over is no multiple of anything
    return Standing(contender.name, took, spread([turn[SUBJECT] / turn[contender.name] for turn in turns]))


def spread(figures: Sequence[float]) -> Spread:
    """The median and the quartiles of two figures or more."""
    low, median, high = statistics.quantiles(figures, n=4, method="inclusive")
    return Spread(median, low, high)


def _each(standing: Standing, size: int) -> Standing:
    """The standing of one of the `size`."""
    if standing.took is None:
        return standing
    took = Spread(standing.took.median / size, standing.took.low / size, standing.took.high / size)
    return Standing(standing.name, took, standing.ratio)


def _growth(scenario: Scenario, effort: Effort, largest: float, note: Note) -> Growth | None:
    took = [*(_alone(scenario, size, effort, note) for size in scenario.sizes[:-1]), largest]
    if min(took) <= 0:
        return None  # a difference that noise turned over: there is no power of anything
    return Growth(list(scenario.sizes), took, exponent(scenario.sizes, took))


def exponent(sizes: Sequence[int], took: Sequence[float]) -> float:
    """The power of the size that the figures go with."""
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(each) for each in took]).slope


def _alone(scenario: Scenario, size: int, effort: Effort, note: Note) -> float:
    with scenario.contenders(size) as found:
        subject = next(each for each in found if isinstance(each, Contender) and each.name == SUBJECT)
        subject.run()

        def said(turn: str) -> object:
            return note(f"{turn} with {size:,}")

        turns = _turns([subject], effort, scenario.repeat, said)
        return statistics.median(turn[SUBJECT] for turn in turns)
