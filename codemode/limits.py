"""What one session may use: one frozen object, resolved once per session.

Each default has its reason beside it; `docs/reference/limits.md` is checked against this file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

from codemode.errors import RequestInvalid, shown

MIB = 1024 * 1024
_CENTURY = 36_525 * 86_400
_OF_SQLITE = ("sql_bytes", "value_bytes")  # what it is told of a connection


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds of one session; counts are whole numbers, sizes are bytes, times are seconds."""

    rows: int = 10_000  # a model reads no more, and 10,000 narrow rows decode in milliseconds
    query_seconds: float = 30.0  # one statement; longer ones want an index, not patience
    execution_seconds: float = 60.0  # one snippet, helper calls included
    queue_seconds: float = 30.0  # waiting for the session's turn, before the clock of the execution starts
    memory_bytes: int = 512 * MIB  # address space of the child: a data set of some 100 MB as Python objects
    result_bytes: int = 1 * MIB  # the value returned to the caller; a larger one is kept as a table
    stdout_bytes: int = 256 * 1024  # head and tail are kept, the middle is counted
    helper_calls: int = 10_000  # a loop of single-row calls wants a batch long before this
    sql_bytes: int = 1_000_000  # SQLite's SQL_LENGTH here; generated IN lists stay far below
    value_bytes: int = 2_000_000  # SQLite's LENGTH here; bounds the functions that cannot be interrupted
    result_set_bytes: int = 16 * MIB  # 10,000 rows of 100 KB would pass every other limit
    database_bytes: int = 1024 * MIB  # max_page_count of the session's file
    state_bytes: int = 1 * MIB  # one value of session_state, as JSON text
    chunk_rows: int = 500  # rows bound to one INSERT of a batch; more gains nothing
    idle_seconds: float = 86_400.0  # a session expires this long after its last use
    open_sessions: int = 256  # per worker; each open one costs about 0.25 MB and up to 18 descriptors
    checkpoints: int = 20  # named copies of a session: more are hard to tell apart
    checkpoint_bytes: int = 4096 * MIB  # all of them together, whole copies: four of the largest database
    undo_executions: int = 20  # how many changes can be undone, one after the other
    undo_bytes: int = 64 * MIB  # what they had changed, as it was before; new rows cost nothing
    code_bytes: int = 256 * 1024  # the snippet's source; data belongs in `inputs` or in a table

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value, least, most = getattr(self, name), least_of(name), most_of(name)
            if type(value) is not int and not (type(value) is float and name.endswith("_seconds")):
                kind = "seconds" if name.endswith("_seconds") else "a whole number"
                raise RequestInvalid(f"limit {name} must be {kind}, not {value!r:.80}")
            if not (value > 0 and least <= value <= most):
                above = f"at least {least:,}" if least else "above zero"
                bound = f"at most {most:,}" if value > most else above
                raise RequestInvalid(f"limit {name} must be {bound}, not {shown(value)}")

    def within(self, ceiling: Limits) -> Limits:
        """These limits, each lowered to `ceiling` where it is above: a session's limits only go downwards."""
        return Limits(**{name: min(getattr(self, name), getattr(ceiling, name)) for name in self.__struct_fields__})


def least_of(name: str) -> int:
    """The lowest value that a limit can have, where zero is not the bound: it holds for the engine's own tables too.

    Below it SQLite takes neither their definitions nor their records, and says of a whole file that it is damaged.
    """
    return 1_000 if name in _OF_SQLITE else 0


def most_of(name: str) -> int:
    """The highest value that a limit or setting can have: no more can be waited for, dated, or told to SQLite."""
    if name in _OF_SQLITE:
        return 1_000_000_000  # SQLite was made with it
    if name.endswith("_days"):
        return _CENTURY // 86_400
    return _CENTURY if name.endswith("_seconds") else 2**53  # which every reader of JSON keeps exact


def asked(given: Limits | Mapping[str, Any], own: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a session records that asks for `given`: all of `Limits`, or some by name in the place of its `own`.

    None is the worker's again. Raises RequestInvalid for a name that no limit has, and for a value that its limit
    cannot have.
    """
    if isinstance(given, Limits):
        return _recorded(msgspec.to_builtins(given))
    if not isinstance(given, Mapping):
        raise RequestInvalid(f"limits must be Limits, or some of them by name, not {type(given).__name__}")
    names = Limits.__struct_fields__
    for name in given:
        if name not in names:
            close = tuple(difflib.get_close_matches(shown(name).strip("'"), names, n=3, cutoff=0.6))
            raise RequestInvalid(f"limits: there is no limit {shown(name)}", did_you_mean=close, available=names)
    both = {name: value for name, value in {**_named(own or {}), **given}.items() if value is not None}
    try:
        found = msgspec.to_builtins(msgspec.convert(both, Limits))
    except msgspec.ValidationError as error:
        raise RequestInvalid(f"limits: {error}", hint="a whole number, or seconds; null is the worker's own") from None
    return _recorded({name: value for name, value in found.items() if name in both})


def held(own: Mapping[str, Any], ceiling: Limits) -> Limits:
    """The limits of a session that records these of its `own`, below those of its worker."""
    return msgspec.structs.replace(ceiling, **_named(own)).within(ceiling) if own else ceiling


def told(own: Mapping[str, Any]) -> dict[str, Any]:
    """What a session records of limits, for people and for the audit log."""
    return {name: value for name, value in own.items() if name != _OTHERS}


# A record that has this names some limits, and others are the worker's. One without names those that differ from the
# defaults, and asks for the defaults too; but none at all are the worker's.
_OTHERS = "others"


def _recorded(named: dict[str, Any]) -> dict[str, Any]:
    if 0 < len(named) < len(Limits.__struct_fields__):
        return {**named, _OTHERS: None}
    default = msgspec.to_builtins(Limits())
    return {name: value for name, value in named.items() if value != default[name]} or named


def _named(own: Mapping[str, Any]) -> dict[str, Any]:
    # Records of before have what was asked for, however high or low it was.
    named = {
        name: max(least_of(name), min(value, most_of(name))) if isinstance(value, float | int) else value
        for name, value in own.items()
    }
    return told(named) if _OTHERS in own or not own else {**msgspec.to_builtins(Limits()), **named}
