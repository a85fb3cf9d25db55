"""Measure the contenders of a scenario in turns, so that all of them see the same machine."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Sequence

import msgspec

from benchmarks.scenario import SUBJECT, Absent, Contender, Scenario


class Spread(msgspec.Struct, frozen=True):
    """The median of repetitions, and the quartiles around it."""

    median: float
    low: float
    high: float


class Standing(msgspec.Struct, frozen=True):
    """What one contender took, in the scenario's unit; `ratio` is the subject's figure over its, turn by turn."""

    name: str
    took: Spread | None
    ratio: Spread | None
    absent: str | None = None


class Growth(msgspec.Struct, frozen=True):
    """How the subject's figure grows with the size: it goes with size to the power of `exponent`."""

    sizes: list[int]
    took: list[float]
    exponent: float


class Figure(msgspec.Struct, frozen=True):
    """What a scenario came to at one size."""

    scenario: str
    title: str
    of: str
    size: int
    unit: str
    repeat: int
    standings: list[Standing]
    growth: Growth | None


def measured(name: str, scenario: Scenario, quick: bool) -> Figure:
    """The scenario's figure: at its largest size with its growth, or when quick at the middle one without."""
    size = scenario.sizes[len(scenario.sizes) // 2] if quick else scenario.sizes[-1]
    standings = _compare(scenario, size)
    subject = next(standing for standing in standings if standing.name == SUBJECT)
    growth = None
    if not quick and len(scenario.sizes) > 1 and subject.took is not None:
        growth = _growth(scenario, subject.took.median)
    return Figure(name, scenario.title, scenario.of, size, scenario.unit, scenario.repeat, standings, growth)


def _compare(scenario: Scenario, size: int) -> list[Standing]:
    with scenario.contenders(size) as found:
        present = [each for each in found if isinstance(each, Contender)]
        for each in present:  # what happens once only, in whoever it happens, is not what is asked
            each.run()
        turns = [_turn(present, turn) for turn in range(scenario.repeat)]
        return [_standing(each, turns) for each in found]


def _turn(present: Sequence[Contender], turn: int) -> dict[str, float]:
    """One figure of each, beginning with another one every time: nobody always comes after the same neighbour."""
    first = turn % len(present)
    return {each.name: _figure(each) for each in (*present[first:], *present[:first])}


def _figure(contender: Contender) -> float:
    gc.collect()  # what the one before left is not paid for by the next
    started = time.perf_counter()
    own = contender.run()
    took = time.perf_counter() - started
    return own if isinstance(own, float) else took


def _standing(contender: Contender | Absent, turns: list[dict[str, float]]) -> Standing:
    if isinstance(contender, Absent):
        return Standing(contender.name, None, None, contender.why)
    took = [turn[contender.name] for turn in turns]
    ratios = [turn[SUBJECT] / turn[contender.name] for turn in turns]
    return Standing(contender.name, _spread(took), None if contender.name == SUBJECT else _spread(ratios))


def _spread(figures: list[float]) -> Spread:
    low, median, high = statistics.quantiles(figures, n=4, method="inclusive")
    return Spread(median, low, high)


def _growth(scenario: Scenario, largest: float) -> Growth:
    smaller = [_alone(scenario, size) for size in scenario.sizes[:-1]]
    took = [*smaller, largest]
    slope = statistics.linear_regression([math.log(size) for size in scenario.sizes], [math.log(t) for t in took]).slope
    return Growth(list(scenario.sizes), took, slope)


def _alone(scenario: Scenario, size: int) -> float:
    with scenario.contenders(size) as found:
        subject = next(each for each in found if isinstance(each, Contender) and each.name == SUBJECT)
        subject.run()
        return statistics.median(_figure(subject) for _ in range(scenario.repeat))
