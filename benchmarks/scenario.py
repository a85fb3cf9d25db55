"""What a scenario is, as data: who is measured, at which sizes, and what must be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

SUBJECT = "codemode"


class Contender(NamedTuple):
    """One who does the work of a scenario: the subject, a peer, or a floor that nothing can be under.

    `run` does it once and is timed; one that returns a float has measured itself, in the scenario's unit, and that
    counts instead. A difference may come out below zero: it is shown, and compared with nothing. It raises when the
    work came out wrong. A `part` of the subject's figure is shown without a ratio.
    """

    name: str
    run: Callable[[], object]
    part: bool = False


class Absent(NamedTuple):
    """A peer that cannot take part on this machine, and why."""

    name: str
    why: str


class AtMost(NamedTuple):
    """The subject takes at most `times` what `peer` takes in the same run."""

    peer: str
    times: float


class Under(NamedTuple):
    """The subject stays under `most`, in the scenario's unit, on the reference machine; other machines only show it."""

    most: float


class Grows(NamedTuple):
    """The subject's figure grows at most with the size to the power of `exponent`: 0.1 says that memory stays flat.

    A scenario without this bound has one of `LINEAR`.
    """

    exponent: float


LINEAR = Grows(1.15)
"""Nothing grows faster than its input, with room for what is not growth.

0.15 is a factor of two over two decades: what is quadratic in a part of its work passes the line when that part costs
as much as all the rest at the largest size. Sorting needs 0.11 of it from a thousand to a hundred thousand (n log n),
and a neighbour who takes a quarter of the machine while the largest size is measured takes 0.06.
"""

Bound = AtMost | Under | Grows
Contenders = AbstractContextManager[Sequence[Contender | Absent]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the table. The subject is the contender named `SUBJECT`.

    `sizes` are a decade apart, smallest first, and `of` says of what; the comparison is made at the largest of them,
    and in a quick run at `quick`, which is the middle one where it is not said. `unit` is "s" or "B" (both shown as
    fits). `contenders` makes everything that one size needs and cleans up after it. What is measured takes at least
    `repeat` turns. With `each`, figures are shown and held against `Under` for one of the `size`; growth is that of
    the whole.
    """

    title: str
    of: str
    sizes: tuple[int, ...]
    contenders: Callable[[int], Contenders]
    bounds: tuple[Bound, ...] = ()
    unit: str = "s"
    repeat: int = 7
    each: bool = False
    quick: int | None = None


Sides = Iterator[Sequence[Contender | Absent]]
