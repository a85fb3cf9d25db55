"""median() and its kin by another sort, because SQLite's own can be led to the square of the number of values.

It takes the middle one of three values as its pivot, in one step that nothing interrupts: 400,000 values in an order
that was made for it take 27 s, a few million take days. These sort runs of a bounded length, and look the wanted value
up in all of them; tests/database/test_percentiles.py holds that the answers and the errors are the same.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left, bisect_right, insort
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakSet

import apsw

from codemode.patterns import pattern

Value = None | int | float | str | bytes

_RUN = 1 << 17  # values that are sorted together: 20 ms
_LOOK = 1 << 13  # values between two looks at how many are held
_MOST = 1 << 25  # values that all calls of a connection hold: 256 MB, at which SQLite's own met the bound of its heap
_FRAME = 1 << 20  # values of a window, which are kept in order while it moves
_SAME = 0.001  # two fractions nearer than this are the same one to SQLite
_NOTHING = object()
_FINITE = frozenset({int, float})
_INFINITE = frozenset({math.inf, -math.inf})
_NUMBER = pattern(r"[ \t\n\v\f\r]*+[+-]?(?:\d++\.?\d*+|\.\d++)(?:e[+-]?\d++)?[ \t\n\v\f\r]*+", re.IGNORECASE | re.ASCII)


class _Kind(NamedTuple):
    name: str
    whole: float  # what stands for all of the values in the second argument
    between: bool  # whether the answer may lie between two values


_KINDS = (
    _Kind("median", 1.0, True),
    _Kind("percentile", 100.0, True),
    _Kind("percentile_cont", 1.0, True),
    _Kind("percentile_disc", 1.0, False),
)


def register_percentiles(connection: apsw.Connection) -> None:
    """Replace the functions on `connection`; innocuous, so that views may use them."""
    live: WeakSet[_Percentile] = WeakSet()
    for kind in _KINDS:
        arguments = 1 if kind.name == "median" else 2
        connection.create_window_function(
            kind.name, partial(_begun, kind, live), arguments, flags=apsw.SQLITE_INNOCUOUS
        )


def _begun(kind: _Kind, live: WeakSet[_Percentile]) -> tuple[_Percentile, Any, Any, Any, Any]:
    # As apsw takes it: functions that it need not look up at each row.
    return _Percentile(kind, live), *_STEPS


class _Percentile:
    """The values of one group, or of a window's frame: in runs that are sorted, or in one once a frame moves."""

    def __init__(self, kind: _Kind, live: WeakSet[_Percentile]) -> None:
        self._kind, self._live = kind, live
        self._given: object = _NOTHING  # as the second argument, and what it means
        self._fraction: float | None = None
        self._new: list[Value] = []
        self._last: array[float] = array("d")
        self._runs: list[array[float]] = []
        self._frame: array[float] | None = None
        live.add(self)

    def step(self, value: Value, fraction: Value = 0.5) -> None:
        """Take the value of one more row; it is looked at with others, which takes a third of the time."""
        if fraction != self._given:
            self._keep_fraction(fraction)
        if self._frame is not None:
            self._insert(self._frame, value)
            return
        self._new.append(value)
        if len(self._new) >= _LOOK:
            self._take_in()

    def inverse(self, value: Value, _fraction: Value = 0.5) -> None:
        """Let go of the value of a row that the frame has left."""
        if value is not None:
            frame = self._in_order()
            del frame[bisect_left(frame, float(value))]

    def value(self) -> float | None:
        """The answer for the frame as it is now."""
        frame = self._in_order()
        return self._answer([frame], len(frame))

    def final(self) -> float | None:
        """The answer."""
        self._take_in()
        self._live.discard(self)
        runs = [self._frame] if self._frame is not None else [*self._runs, _sorted(self._last)]
        return self._answer(runs, sum(map(len, runs)))

    def held(self) -> int:
        """How many values are held."""
        return len(self._new) + len(self._last) + sum(map(len, self._runs)) + len(self._frame or ())

    def _take_in(self) -> None:
        """Look at the values that are new."""
        if sum(each.held() for each in self._live) > _MOST:
            raise apsw.NoMemError("out of memory")
        if not _FINITE.issuperset(map(type, self._new)) or not _INFINITE.isdisjoint(self._new):
            self._new = [value for value in self._new if value is not None and self._is_number(value)]
        self._last.extend(self._new)  # type: ignore[arg-type]
        self._new.clear()
        if len(self._last) >= _RUN:
            self._runs.append(_sorted(self._last))
            self._last = array("d")

    def _insert(self, frame: array[float], value: Value) -> None:
        if value is not None and self._is_number(value):
            insort(frame, float(value))
            self._bound_frame()

    def _in_order(self) -> array[float]:
        if self._frame is None:
            self._take_in()
            values = self._last
            for run in self._runs:
                values += run
            self._frame = _sorted(values) if len(values) <= _FRAME else values
            self._runs, self._last = [], array("d")
            self._bound_frame()
        return self._frame

    def _bound_frame(self) -> None:
        if len(self._frame or ()) > _FRAME:
            raise apsw.TooBigError(f"a frame of {self._kind.name}() holds at most {_FRAME:,} values")

    def _is_number(self, value: Value) -> bool:
        """True; an error is raised for what SQLite refuses."""
        if not isinstance(value, int | float):
            raise apsw.SQLError(f"input to {self._kind.name}() is not numeric")
        if value in _INFINITE:
            raise apsw.SQLError(f"Inf input to {self._kind.name}()")
        return True

    def _keep_fraction(self, given: Value) -> None:
        whole, self._given = self._kind.whole, given
        if isinstance(given, str):
            given = float(given) if _NUMBER.fullmatch(given) else None
        if not isinstance(given, int | float) or not 0.0 <= given / whole <= 1.0:
            raise apsw.SQLError(f"the fraction argument to {self._kind.name}() is not between 0.0 and {whole}")
        if self._fraction is None:
            self._fraction = given / whole
        elif abs(self._fraction - given / whole) > _SAME:
            raise apsw.SQLError(f"the fraction argument to {self._kind.name}() is not the same for all input rows")

    def _answer(self, runs: list[array[float]], count: int) -> float | None:
        if not count or self._fraction is None:
            return None
        place = self._fraction * (count - 1)
        first = int(place)
        low = _nth(runs, first)
        if not self._kind.between or place == first:
            return low
        return low + (_nth(runs, first + 1) - low) * (place - first)


_STEPS = (_Percentile.step, _Percentile.final, _Percentile.value, _Percentile.inverse)


def _sorted(values: array[float]) -> array[float]:
    return array("d", sorted(values))


def _nth(runs: list[array[float]], wanted: int) -> float:
    """The value that stands at `wanted` (from 0) in all of the sorted `runs` together."""
    if len(runs) == 1:
        return runs[0][wanted]
    low, high = [0] * len(runs), list(map(len, runs))
    while True:
        widest = max(range(len(runs)), key=lambda number: high[number] - low[number])
        middle = runs[widest][(low[widest] + high[widest]) // 2]
        before = [bisect_left(run, middle, start, end) for run, start, end in zip(runs, low, high, strict=True)]
        upto = [bisect_right(run, middle, start, end) for run, start, end in zip(runs, low, high, strict=True)]
        if wanted < sum(before):
            high = before
        elif wanted < sum(upto):
            return middle
        else:
            low = upto
