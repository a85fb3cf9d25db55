"""How long one row of a statement could take in operations that nothing interrupts, and the sizes that bound it.

SQLite looks at its deadline when a program jumps back, so what stands in one straight line runs to its end: a row of
100 LIKEs on values of 2 MB takes 100 s, a CASE of 30,000 comparisons of 1 MB takes 12 s. The more of it a program
holds, the shorter the values it may handle. Operations are counted in the compiled program: aliases, flattened
subqueries and views repeat what the text says once.
"""

from __future__ import annotations

from typing import NamedTuple

from codemode.guard.program import Operation, Program

BUDGET_MS = 2_000.0  # for one row with values of the greatest size
LEAST_BYTES = 256  # no program is held below this: 80,000 LIKEs, the most that fit into one, then take the budget too
SHORT_PROGRAM = 1_000  # operations; of the linear ones not even so many need more than the budget
# A thread of messages goes by a cascade of each to its answers. Where every program, those of triggers and foreign keys
# too, is short, so many levels hold 54 MB (measured), less than ten levels of the longest program do.
SHORT_PROGRAM_DEPTH = 1_000

# What one call takes on values of 2 MB, in milliseconds, measured; most are one pass over the value.
_ONE_PASS_MS = 2.0
_ARGUMENT_MS = 4.0  # of max, printf and json_set: a pass or two for each argument
_LONGEST_PATTERN = 250  # the connection's LIKE_PATTERN_LENGTH
_PATTERN_MS = {"like(2)": 310.0, "like(3)": 310.0, "glob(2)": 390.0}  # with the longest pattern
_SLOW_MS = {
    "trim(2)": 60.0,
    "ltrim(2)": 60.0,
    "rtrim(2)": 60.0,
    "unhex(2)": 250.0,
    "json_patch(2)": 150.0,
    "jsonb_patch(2)": 150.0,
}
_SLOWER_MS = {
    "trim(1)": 4.0,
    "ltrim(1)": 4.0,
    "rtrim(1)": 4.0,
    "randomblob(1)": 4.0,
    "unistr_quote(1)": 4.0,
    "strftime(-1)": 30.0,  # of a format of nothing but %f, which makes three times its length
}
SLOW_FUNCTIONS = frozenset(name.partition("(")[0] for name in (*_PATTERN_MS, *_SLOW_MS))
_CALL_MS = _PATTERN_MS | _SLOW_MS | _SLOWER_MS
_CALLS = frozenset({"Function", "PureFunc", "AggStep", "AggStep1", "AggInverse", "AggValue", "AggFinal"})
_ANY_NUMBER = "(-"  # EXPLAIN writes (-1) for any number of arguments; since SQLite 3.54 (-3) for two or more
_OPERATION_MS = {
    **dict.fromkeys(("Eq", "Ne", "Lt", "Le", "Gt", "Ge"), 1.0),
    # As numbers: the digits of a text are read.
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "Remainder", "BitAnd", "BitOr"), 2.0),
    **dict.fromkeys(("And", "Or", "Not", "BitNot", "If", "IfNot", "IsTrue", "Cast", "MustBeInt"), 1.2),
    **dict.fromkeys(("Column", "VColumn", "Concat", "Copy"), 0.5),
}
_LOADS = frozenset({"Variable", "Column", "VColumn", "SCopy", "Copy", "String8"})  # each argument needs one
_ITEM_MS = 20.0  # an item of IN (…): compared with one item of each level of a tree


class Sizes(NamedTuple):
    """The longest values, and the longest parameters, in bytes with which one row of a statement ends in time."""

    value: int
    parameter: int


def sizes(program: Program, value_bytes: int) -> Sizes:
    """What `program` may handle, at most `value_bytes`: linear, because the slow operations are at their worst."""
    value = _fitting(_milliseconds(program), value_bytes)
    items = min(program.count["Variable"], program.count["IdxInsert"])
    return Sizes(value, min(value, _fitting(items * _ITEM_MS, value_bytes)))


def _fitting(milliseconds: float, value_bytes: int) -> int:
    if milliseconds <= BUDGET_MS:
        return value_bytes
    return max(min(LEAST_BYTES, value_bytes), int(value_bytes * BUDGET_MS / milliseconds))


def _milliseconds(program: Program) -> float:
    """What the operations of `program` take together, each once, on values of 2 MB."""
    count = program.count
    total = sum(count[name] * milliseconds for name, milliseconds in _OPERATION_MS.items())
    made, takes_any_number = count["Concat"], False
    for frame, operation in program.of(_CALLS):
        made += 1
        total += _call_ms(program, frame, operation)
        takes_any_number = takes_any_number or _ANY_NUMBER in str(operation.detail)
    if takes_any_number:
        total += sum(count[name] for name in _LOADS) * _ARGUMENT_MS
    return total + min(made, count["IdxInsert"]) * _ITEM_MS


def _call_ms(program: Program, frame: int, operation: Operation) -> float:
    name = str(operation.detail)
    if name in _PATTERN_MS:  # the pattern is the first argument
        longest = program.longest_literal(frame, operation.second)
        share = 1.0 if longest is None else min(longest, _LONGEST_PATTERN) / _LONGEST_PATTERN
        return _ONE_PASS_MS + share * _PATTERN_MS[name]
    return _CALL_MS.get(name, _ONE_PASS_MS)
