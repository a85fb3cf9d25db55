"""How long one row of a statement could take in functions that nothing interrupts, and the value size that bounds it.

SQLite looks at its deadline when a program jumps back, so what stands in one straight line runs to its end: a row of
100 LIKEs on values of 2 MB takes 100 s. The more such calls a program holds, the shorter the values it may handle.
Calls are counted in the compiled program: aliases, flattened subqueries and views repeat what the text says once.
"""

from __future__ import annotations

from collections.abc import Iterable

BUDGET_MS = 2_000.0  # for one row with values of the greatest size
LEAST_BYTES = 64 * 1024  # no program is held below this
SHORT_PROGRAM = 1_000  # operations; of the linear functions not even so many need more than the budget

# What one call takes on values of 2 MB, in milliseconds, measured: all but the named are one pass over the value.
_ONE_PASS_MS = 2.0
_CONCAT_MS = 0.5
_SLOW_MS = {
    "like(2)": 260.0,  # with the longest pattern that the connection allows (LIKE_PATTERN_LENGTH)
    "like(3)": 260.0,
    "glob(2)": 390.0,
    "trim(2)": 60.0,
    "ltrim(2)": 60.0,
    "rtrim(2)": 60.0,
    "unhex(2)": 250.0,
    "json_patch(2)": 150.0,
    "jsonb_patch(2)": 150.0,
}
SLOW_FUNCTIONS = frozenset(name.partition("(")[0] for name in _SLOW_MS)
_CALLS = frozenset({"Function", "PureFunc", "AggStep", "AggStep1", "AggInverse", "AggValue", "AggFinal"})


def milliseconds(program: Iterable[tuple[object, ...]]) -> float:
    """What the calls of a program take together, each once, on values of 2 MB; rows as EXPLAIN answers them."""
    total = 0.0
    for row in program:
        if row[1] in _CALLS:
            total += _SLOW_MS.get(str(row[5]), _ONE_PASS_MS)
        elif row[1] == "Concat":
            total += _CONCAT_MS
    return total


def longest_value(milliseconds_of_2_mb: float, value_bytes: int) -> int:
    """The value size with which the calls stay within the budget: linear, because the slow ones are at their worst."""
    if milliseconds_of_2_mb <= BUDGET_MS:
        return value_bytes
    return max(min(LEAST_BYTES, value_bytes), int(value_bytes * BUDGET_MS / milliseconds_of_2_mb))
