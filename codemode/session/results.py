"""The value of an execution: JSON text from a child that nobody trusts, back into Python values, and what it is."""

from __future__ import annotations

from typing import Any

from msgspec import convert, structs

from codemode.errors import every_error
from codemode.plain import decode
from codemode.session.spills import Kept, Spill
from codemode.values import Problem, ResultColumn, ResultInfo
from sandbox import RunOutcome

_PASSING = frozenset(kind.code for kind in every_error() if kind.retryable)
_WORDS = {  # what a child may say of its value
    "type": str, "row_count": int, "length": int, "truncated": bool, "shown": int, "more": bool, "format": str,
    "clipped_cells": int,
}  # fmt: skip
_AT_ONCE = 1_000  # rows that the line on reading asks for


def value_of(run: RunOutcome, spill: Spill) -> tuple[Any, ResultInfo | None, Problem | None]:
    """The result as Python values and what it is, or the problem of an execution that failed."""
    if run.error is not None:
        return None, None, _problem(run.error)
    if run.value_json is None:
        return None, None, None
    try:
        value = None if spill.lost else decode(run.value_json)
    except ValueError as error:
        return None, None, Problem(code="code.unserializable", message=f"the result cannot be read: {error}")
    return value, _info(run, spill, value), None


def _info(run: RunOutcome, spill: Spill, value: Any) -> ResultInfo:
    """What the child says of its value, and what is known of the table that keeps it."""
    # Its own words, believed for no more than their type.
    said: dict[str, Any] = {name: word for name, word in run.value_info.items() if type(word) is _WORDS.get(name)}
    kind, rows, length = said.get("type", "value"), said.get("row_count"), said.get("length")
    truncated = spill.lost or said.get("truncated", False)
    shown = 0 if spill.lost else said.get("shown", len(value) if isinstance(value, list | str) else 0)
    things = "characters" if kind == "text" else "rows"
    told = ResultInfo(
        type=kind,
        row_count=length if rows is None and truncated and things == "rows" else rows,
        truncated=truncated,
        shown=shown if truncated else None,
        format=said.get("format"),
        clipped_cells=said.get("clipped_cells", 0),
        bytes=len((run.value_json or "").encode()),
        how_to_read=_beginning(shown, rows or length, things, more=said.get("more", False)) if truncated else None,
    )
    return told if spill.kept is None else _in_table(told, spill.kept, shown)


def _in_table(told: ResultInfo, kept: Kept, shown: int) -> ResultInfo:
    """The same for a value that is kept in a table."""
    if kept.table.kind == "rows":
        told = structs.replace(told, row_count=kept.rows, truncated=shown < kept.rows, shown=shown)
        how = f"{_beginning(shown, kept.rows, 'rows')}; the next ones: {_next_rows(kept, shown)}"
    else:
        parts = "one part" if kept.rows == 1 else f"{kept.rows:,} parts, to be joined"
        how = f"{told.how_to_read}; its JSON text, in {parts}: SELECT json FROM {kept.table.name} ORDER BY part"  # noqa: S608
    columns = [ResultColumn(name=name, type=kind.split()[0] if kind else "ANY") for name, kind in kept.table.columns]
    return structs.replace(told, handle=kept.table.name, bytes=kept.bytes, columns=tuple(columns), how_to_read=how)


def _beginning(shown: int, length: int | None, things: str, *, more: bool = False) -> str:
    """How much of a value is answered."""
    if length is None:
        return "nothing of the value is here"
    return f"the first {shown:,} of {'more than ' if more else ''}{length:,} {things}"


def _next_rows(kept: Kept, shown: int) -> str:
    name, taken = kept.table.name, {column.lower() for column, _ in kept.table.columns}
    rowid = next((known for known in ("rowid", "_rowid_", "oid") if known not in taken), None)
    if rowid is None:
        return f"SELECT * FROM {name} LIMIT {_AT_ONCE} OFFSET {shown}"  # noqa: S608 - a name of the engine's own
    return f"SELECT * FROM {name} WHERE {rowid} > {shown} ORDER BY {rowid} LIMIT {_AT_ONCE}"  # noqa: S608


def _problem(error: dict[str, Any]) -> Problem:
    """The run's error; trying again is worth it where the cause passes, or where the error says what to change."""
    known = {name: value for name, value in error.items() if name in Problem.__struct_fields__}
    passing = known.get("code") in _PASSING or known.get("retryable")
    return convert({**known, "retryable": bool(passing or known.get("hint") or known.get("did_you_mean"))}, Problem)
