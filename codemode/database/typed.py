"""Plain lines as integers and texts, by way of JSON: msgspec makes a number of a text without making the text.

Some lines together are written as one JSON array, every field in quotation marks, and decoded to the types that the
columns have, over and over: values ready to be bound to one statement, and no object for each row. The decoder takes
more for a number than we do ("1.0", "1e2", "-0"), so the values are encoded again and have to give the lines back:
whatever is not written as we would write it is left to `onepass.py`, which looks at every value.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import repeat
from typing import Annotated, Any

import msgspec

from codemode.database.infer import INTEGER_MAX

_INTEGER = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX - 1, le=INTEGER_MAX)]
_encoder = msgspec.json.Encoder()
_AT_ONCE = 1_000  # values in one statement: what SQLite keeps for them then stays in the processor's cache
Values = tuple[Any, ...]


def rows_at_once(width: int) -> int:
    """How many rows of so many columns a load decodes and inserts together, where nothing speaks for fewer."""
    return max(1, _AT_ONCE // width)


class TypedLines:
    """Takes lines apart, `at_once` of them, whose columns are INTEGER, or of another type and left as texts."""

    def __init__(self, types: Sequence[str], null_texts: frozenset[str], delimiter: str) -> None:
        self.at_once = rows_at_once(len(types))
        self._types, self._null_texts, self._delimiter = types, null_texts, delimiter

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Values]:
        # One type for all fields of all lines: making it takes milliseconds, which a small file does without.
        fields = tuple(_INTEGER | None if kind == "INTEGER" else str | None for kind in self._types)
        return msgspec.json.Decoder(tuple[fields * self.at_once], strict=False)  # type: ignore[misc]

    def values(self, lines: list[str]) -> tuple[Values, bool] | None:
        """The values of `at_once` lines, one after another, and whether any is NULL; None where they are not sure."""
        if set(map(str.count, lines, repeat(self._delimiter))) != {len(self._types) - 1}:
            return None
        text = self._delimiter.join(lines)
        texts = '["' + text.replace(self._delimiter, '","') + '"]'
        # JSON would take the one for an escape, and a field of the other for nothing.
        if "\\" in text or ("null" in text and '"null"' in texts):
            return None
        written = texts
        for null in self._null_texts:
            written = written.replace(f'"{null}"', "null")
        try:
            values = self._decoder.decode(written)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None
        if _encoder.encode(values).translate(None, b'"') != written.encode().translate(None, b'"'):
            return None
        return values, written != texts
