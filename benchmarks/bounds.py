"""Whether what was measured is within the bounds of its scenario."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.figures import Growth, Standing, Verdict
from benchmarks.scenario import LINEAR, SUBJECT, AtMost, Bound, Grows, Scenario


def verdicts(scenario: Scenario, size: int, standings: Sequence[Standing], growth: Growth | None) -> list[Verdict]:
    """One for each bound of the scenario, and one for its growth where it was measured."""
    named = {standing.name: standing for standing in standings}
    bounds = [bound for bound in scenario.bounds if not isinstance(bound, AtMost) or bound.peer in named]
    if growth is not None and not any(isinstance(bound, Grows) for bound in bounds):
        bounds.append(LINEAR)
    return [_verdict(bound, named, size if scenario.each else 1, growth) for bound in bounds]


def _verdict(bound: Bound, named: dict[str, Standing], size: int, growth: Growth | None) -> Verdict:
    if isinstance(bound, Grows):
        came = None if growth is None else growth.exponent
        return Verdict("growth", bound.exponent, _within(came, bound.exponent))
    if isinstance(bound, AtMost):
        ratio = named[bound.peer].ratio
        return Verdict("ratio", bound.times, _within(ratio.median if ratio else None, bound.times), bound.peer)
    took = named[SUBJECT].took
    # What took no time was not measured: it is a difference that noise turned over, and reaches nothing.
    came = took.median / size if took and took.median > 0 else None
    return Verdict("absolute", bound.most, _within(came, bound.most))


def _within(came: float | None, most: float) -> bool | None:
    return None if came is None else came <= most
