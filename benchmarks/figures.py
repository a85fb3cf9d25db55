"""What a run of the scenarios came to, as it is recorded, shown and drawn."""

from __future__ import annotations

from typing import Literal

import msgspec


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


class Verdict(msgspec.Struct, frozen=True):
    """A bound of the scenario and whether it was reached; None where there was nothing to hold against it.

    `ratio` and `growth` hold on every machine. `absolute` is one of the reference machine.
    """

    kind: Literal["ratio", "absolute", "growth"]
    most: float
    reached: bool | None
    peer: str | None = None


class Figure(msgspec.Struct, frozen=True):
    """What a scenario came to at one size. With `each`, what was `took` and its bound is of one of the `size`."""

    scenario: str
    title: str
    of: str
    size: int
    unit: str
    each: bool
    turns: int
    seconds: float
    standings: list[Standing]
    growth: Growth | None
    verdicts: list[Verdict]

    @property
    def missed(self) -> list[Verdict]:
        """The bounds of ratios and growth that were not reached: those that hold on every machine."""
        return [verdict for verdict in self.verdicts if verdict.reached is False and verdict.kind != "absolute"]
