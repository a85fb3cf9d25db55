"""What worker and child agree on of a value that is handed over in pieces."""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

MOST_COLUMNS = 200  # what a table of the session may have
PIECE_ROWS = 2_000  # in one piece, at most
_SMALL = {ordinal: ordinal + 32 for ordinal in range(ord("A"), ord("Z") + 1)}


def folded(name: str) -> str:
    """A column's name as SQLite compares it: without the case of ASCII letters; others must match as they are."""
    return name.lower() if name.isascii() else name.translate(_SMALL)


def digest(rows: Iterable[Sequence[Any]], start: int = 0) -> int:
    """A checksum of rows as SQLite gives them, the same in worker and child; raises ValueError for other values."""
    for row in rows:
        start = zlib.crc32(marshal.dumps(tuple(row), 0), start)  # version 0 knows no references: equal is equal
    return start
