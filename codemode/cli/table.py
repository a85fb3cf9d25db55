"""Tables for people: whole where they fit, cut with an ellipsis and a word about it where they do not.

Numbers stand to the right and are cut last, since a cut number is a wrong one.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import click

from codemode.cli.output import note, printable
from codemode.counts import plural

GAP = 2
NARROWEST = 8  # a text column is cut down to this before columns are left out


class Drawn(NamedTuple):
    """The lines of a table, and what had to be left out of it."""

    lines: list[str]
    remarks: list[str]


def show(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    left_out: str = "--json shows all of it",
    whole: Collection[str] = (),
    none: str = "",
) -> None:
    """Print a table as wide as the terminal, or uncut where standard output is none; remarks go to standard error.

    The columns in `whole` are never cut. `none` is the remark where there are no rows, in the place of an empty table.
    """
    if none and not rows:
        click.echo(none, err=True)
        return
    width = _terminal() if sys.stdout.isatty() else None
    drawn = draw(columns, rows, width, whole)
    header, *body = drawn.lines
    click.echo("\n".join([click.style(header, bold=True), *body]))
    for remark in drawn.remarks:
        note(f"{remark}: {left_out}")


def records(rows: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Columns and cells of a list of dicts; a key that a row lacks is NULL."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return columns, [[row.get(column) for column in columns] for row in rows]


def draw(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None, whole: Collection[str] = ()
) -> Drawn:
    """Lay a table out within `width` characters, without cutting the columns in `whole`."""
    texts = [[cell_text(cell) for cell in row] for row in rows]
    numeric = [_is_numeric([row[index] for row in rows]) for index in range(len(columns))]
    names = [printable(str(name)) for name in columns]
    natural = [max(map(_width, (name, *(row[i] for row in texts)))) for i, name in enumerate(names)]
    firm = [number or name in whole for number, name in zip(numeric, columns, strict=True)]
    widths = _fitted(natural, firm, width)
    kept = range(len(widths))
    remarks = []
    if any(widths[i] < natural[i] for i in kept):
        remarks.append("some cells are cut (…)")
    if len(widths) < len(names):
        hidden = names[len(widths) :]
        named = f"{', '.join(hidden[:8])}{', …' if len(hidden) > 8 else ''}"
        remarks.append(f"{plural(len(hidden), 'column')} {'does' if len(hidden) == 1 else 'do'} not fit ({named})")

    def line(cells: Sequence[str]) -> str:
        return (" " * GAP).join(_cell(cells[i], widths[i], right=numeric[i]) for i in kept).rstrip()

    rule = (" " * GAP).join("─" * widths[i] for i in kept)
    return Drawn([line(names), rule, *map(line, texts)], remarks)


def cell_text(cell: Any) -> str:
    """One value in one line."""
    if cell is None:
        return "NULL"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, bytes):
        return f"<{len(cell):,} bytes>"
    if isinstance(cell, str):
        return cell if cell.isprintable() else printable(cell)
    if isinstance(cell, dict | list | tuple):
        return printable(json.dumps(cell, ensure_ascii=False, default=str))
    return str(cell)


def _is_numeric(cells: Iterable[Any]) -> bool:
    present = [cell for cell in cells if cell is not None]
    return bool(present) and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in present)


def _fitted(natural: list[int], firm: list[bool], width: int | None) -> list[int]:
    """Column widths that fit: texts are cut first, then columns are left out from the right."""
    if width is None:
        return natural
    least = [w if kept else min(w, NARROWEST) for w, kept in zip(natural, firm, strict=True)]
    count = len(natural)
    while count > 1 and sum(least[:count]) + GAP * (count - 1) > width:
        count -= 1
    room = width - GAP * (count - 1)
    widths = natural[:count]
    if sum(least[:count]) > room:  # a single column, wider than the terminal
        return [max(1, min(natural[0], width))]
    while (excess := sum(widths) - room) > 0:
        widest = max((i for i in range(count) if widths[i] > least[i]), key=widths.__getitem__)
        others = [widths[i] for i in range(count) if i != widest and widths[i] < widths[widest] and not firm[i]]
        floor = max([least[widest], *others])
        widths[widest] -= min(excess, max(1, widths[widest] - floor))
    return widths


def _cell(text: str, width: int, *, right: bool) -> str:
    length = _width(text)
    if length > width:
        room = width - 1
        fits = room if text.isascii() else bisect_right(range(len(text)), room, key=lambda end: _width(text[:end])) - 1
        text, length = f"{text[:fits]}…", _width(text[:fits]) + 1
    padding = " " * (width - length)
    return padding + text if right else text + padding


def _width(text: str) -> int:
    """Columns that a terminal gives the text: most characters one, East Asian ones two, combining ones none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _terminal() -> int:
    import shutil  # loads every kind of compression with it

    return shutil.get_terminal_size().columns
