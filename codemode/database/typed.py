"""Plain lines as rows of integers and texts, by way of JSON: msgspec makes a number of a text without making the text.

The lines are written as JSON, every field in quotation marks, and decoded to the types that the columns have. The
decoder takes more for a number than we do ("1.0", "1e2", "-0"), so the rows are encoded again and have to give the
lines back: whatever is not written as we would write it is left to `onepass.py`, which looks at every value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from codemode.database.infer import INTEGER_MAX

_INTEGER = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX - 1, le=INTEGER_MAX)]
_encoder = msgspec.json.Encoder()
Rows = list[tuple[Any, ...]]


class TypedLines:
    """Takes lines apart whose columns are INTEGER, or of another type and left as texts."""

    def __init__(self, types: Sequence[str], null_texts: frozenset[str], delimiter: str) -> None:
        # A type of as many fields as there are: a line of another number of them is not decoded.
        row: Any = tuple[tuple(_INTEGER | None if kind == "INTEGER" else str | None for kind in types)]  # type: ignore[misc]
        self._decoder = msgspec.json.Decoder(list[row], strict=False)
        self._null_texts, self._delimiter = null_texts, delimiter

    def rows(self, lines: list[str]) -> tuple[Rows, Rows] | None:
        """The rows, and those of them in which something is NULL; None where that cannot be told for sure."""
        text = "\n".join(lines)
        if "\\" in text:  # JSON would take it for an escape
            return None
        quoted = text.replace(self._delimiter, '","').replace("\n", '"\n"')
        fields = f'"{quoted}"'
        if '"null"' in fields:  # a text to us, and nothing to the decoder
            return None
        for null in self._null_texts:
            fields = fields.replace(f'"{null}"', "null")
        written = fields.replace("\n", "],[")
        try:
            rows: Rows = self._decoder.decode(f"[[{written}]]")
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None
        if _encoder.encode(rows).translate(None, b'"') != f"[[{written}]]".encode().translate(None, b'"'):
            return None
        if "null" not in fields:
            return rows, []
        return rows, [row for row, line in zip(rows, fields.split("\n"), strict=True) if "null" in line]
