"""A statement of a collection, and how a text is cut into statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

_BLANK = re.compile(r"(?:[\s;]|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    file: Path
    line: int
    sql: str


@dataclass
class Script:
    """Statements that see each other: one database, from its beginning or from a file that is only read."""

    file: Path
    statements: list[Statement] = field(default_factory=list)
    schema: list[str] = field(default_factory=list)  # run by the engine first, not judged
    database: Path | None = None


def split(text: str, file: Path, line: int = 1) -> Iterator[Statement]:
    """The statements of `text` by SQLite's own reading: a trigger's body holds semicolons and is one."""
    start = 0
    at = text.find(";")
    while at >= 0:
        part = text[start : at + 1]
        if apsw.complete(part):
            yield from _one(part, file, line + text.count("\n", 0, start))
            start = at + 1
        at = text.find(";", at + 1)
    yield from _one(text[start:], file, line + text.count("\n", 0, start))


def _one(part: str, file: Path, line: int) -> Iterator[Statement]:
    blank = len(_BLANK.match(part)[0])  # type: ignore[index]  # it matches the empty text too
    if blank < len(part):
        yield Statement(file, line + part.count("\n", 0, blank), part.strip())
