"""What a run answers: its value as JSON text, in the form that was asked for, or the beginning of a larger one."""

from __future__ import annotations

from typing import Any, NamedTuple

from sandbox.form import Form
from sandbox.formats import render
from sandbox.helpers.channel import Channel
from sandbox.helpers.rows import Rows
from sandbox.serialize import TooLarge, describe, to_json
from sandbox.spilling import Spill
from sandbox.tabular import Table, items_of, table_of

PLAIN = Form()
_PART_OF_TEXT = 2  # how much of the room a text's beginning is tried with: quoting may double it


class _Begun(NamedTuple):
    """JSON text of a value or of its beginning, what it is, and whether it is the whole."""

    text: str
    info: dict[str, Any]
    whole: bool


def answer(channel: Channel, value: Any, limits: dict[str, Any], form: Form = PLAIN) -> tuple[str, dict[str, Any]]:
    """JSON text of a value, or of its beginning, and what it is; see `to_json`.

    What is larger than `result_bytes`, and rows that a query's limits cut, are handed over to the worker. Raises
    Unserializable; TooLarge above `spill_bytes`; HelperError for what the worker refuses.
    """
    begun = _begin(value, limits["result_bytes"], form)
    cut = type(value) is Rows and value.truncated
    if begun.whole and not (cut and limits["spill_bytes"]):
        return begun.text, begun.info
    if not limits["spill_bytes"]:
        raise TooLarge(limits["result_bytes"])
    spill = Spill(channel, limits["spill_bytes"], limits["piece_bytes"])
    if not (cut and spill.query(value)) and not begun.whole:
        spill.whole(value)
    warnings = sorted({*begun.info["warnings"], *spill.warnings})
    return begun.text, {**begun.info, "truncated": True, "more": cut, "warnings": warnings}


def _begin(value: Any, most_bytes: int, form: Form) -> _Begun:
    if not form.is_plain and (rows := _rows_of(value)) is not None:
        return _formatted(rows, most_bytes, form)
    lost = []
    if form.kind not in ("objects", "auto") and value is not None:
        lost = [f"result_format={form.kind!r} is for rows, and the result is something else: it is answered as it is"]
    try:
        text, info = to_json(value, most_bytes)
        whole = True
    except TooLarge:
        text, whole = _first_that_fits(value, most_bytes), False
        info = {**describe(value), "bytes": len(text.encode()), "warnings": []}
    if type(value) is str:
        info["length"] = len(value)
    return _Begun(text, {**info, "warnings": [*info["warnings"], *lost]}, whole)


def _rows_of(value: Any) -> Table | None:
    """`value` as rows with names: what has a form of its own."""
    if type(value) is Rows and not value:
        return Table(dict, value.columns, [])
    table = table_of(value)
    return table if table is not None and table.kind is dict else None


def _formatted(rows: Table, most_bytes: int, form: Form) -> _Begun:
    rendered = render(rows, form, most_bytes)
    clipped, warnings = rendered.clipped, list(rendered.warnings)
    if clipped:
        cells = "one cell was" if clipped == 1 else f"{clipped:,} cells were"
        warnings.append(f"{cells} clipped, each with the number of characters that are missing; see max_cell")
    info = {
        "type": "rows",
        "row_count": len(rows.items),
        "bytes": len(rendered.text.encode()),
        "format": rendered.kind,
        "shown": rendered.shown,
        "clipped_cells": clipped,
        "warnings": warnings,
    }
    return _Begun(rendered.text, info, rendered.shown == len(rows.items))


def _first_that_fits(value: Any, most_bytes: int) -> str:
    """JSON text of the first items of a list, or characters of a text; null for what has neither."""
    if type(value) is str:
        return _first_characters(value, most_bytes)
    items = items_of(value)
    if items is None or most_bytes < len("[]"):
        return "null"
    parts: list[str] = []
    room = most_bytes - len("[]")
    for item in items:
        try:
            text, info = to_json(item, room)
        except TooLarge:
            break
        parts.append(text)
        room -= info["bytes"] + 1
        if room < 0:
            break
    return "[" + ",".join(parts) + "]"


def _first_characters(value: str, most_bytes: int) -> str:
    shown = most_bytes
    while shown:
        try:
            return to_json(value[:shown], most_bytes)[0]
        except TooLarge:
            shown //= _PART_OF_TEXT
    return "null"
