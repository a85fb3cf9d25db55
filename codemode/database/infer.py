"""Which column type a file's values ask for, decided over the whole file and never from a sample.

    INTEGER   every value is a whole number of at most 64 bits, written plainly
    REAL      every value is a number, and no whole number among them is too long for a float to hold
    BLOB      every value is {"$bytes": base64} (JSON only)
    TEXT      anything else: dates, leading zeros ("007"), "+49", true and false in a CSV, numbers beyond 64 bits

Text columns come from CSV and TSV, value columns from JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from codemode.errors import RequestInvalid
from codemode.patterns import pattern

INTEGER_MAX = 2**63 - 1
FLOAT_EXACT = 2**53  # whole numbers up to here survive the way through a float
_SURE = 15  # digits that every float has
_FEW = 3  # texts for NULL that are counted one by one in less time than a set of the cells is made
REMEMBERED = 50_000  # converted texts kept per column: repeated values convert at the speed of a dict

_WHOLE = r" *+(?>0|-?[1-9][0-9]*+) *+"
_NUMBER = r" *+-?(?>(?>0|[1-9][0-9]*+)(?>\.[0-9]*+)?|\.[0-9]++)(?>[eE][+-]?[0-9]++)? *+"
_WHOLES = re.compile(rf"(?>{_WHOLE}\n)*+{_WHOLE}")
_NUMBERS = re.compile(rf"(?>(?>{_NUMBER}|-?inf)\n)*+(?>{_NUMBER}|-?inf)")
_LONG = re.compile(r"[0-9]{16}")
_DIGITS = pattern(r"[ -]*[0.]*([0-9.]*?)\.?(?:[eE].*)? *")  # of a number, from the first that counts
_INFINITY = pattern(r'("(?:[^"\\]++|\\.)*+")|(-?)Infinity')  # the word may be in a text too
_DIGIT = pattern(r"[ .0-]*[1-9]")  # that is not 0, before an exponent

# What files have in the place of a number that is missing.
_MARKERS = frozenset(
    {"NA", "N/A", "n/a", "na", "#N/A", "NULL", "Null", "null", "None", "none", "NaN", "nan", "\\N", "-", "--", ".", "?"}
)

_encoder = msgspec.json.Encoder()
Cells = Sequence[Any]


class Kinds:
    """The kinds of value seen so far in one column, and the type that follows from them."""

    def __init__(self) -> None:
        self.whole = self.wide = self.huge = self.real = self.rounded = self.text = self.blob = False
        self.marker: str | None = None  # the one text that was among numbers when the first text was seen

    def whole_numbers(self, values: Collection[int]) -> None:
        """Note whole numbers, and whether a float or 64 bits could hold them."""
        least, most = min(values), max(values)
        self.whole = True
        self.wide = self.wide or most > FLOAT_EXACT or least < -FLOAT_EXACT
        self.huge = self.huge or most > INTEGER_MAX or least < -INTEGER_MAX - 1

    def type(self) -> str:
        """The narrowest type that loses nothing."""
        numbers = self.whole or self.real
        if self.text or self.huge or (self.real and self.wide) or (self.blob and numbers):
            return "TEXT"
        if self.blob:
            return "BLOB"
        if numbers:
            return "REAL" if self.real else "INTEGER"
        return "TEXT"

    def note(self, name: str) -> str | None:
        """Why a column of numbers was kept as text, or that some of them are not as they were, where that is so."""
        kind = self.type()
        if kind == "REAL" and self.rounded:
            return f"{name}: some of its numbers have more digits than a float, and are rounded"
        if self.text and self.marker is not None:
            return (
                f"{name}: kept as text, for {self.marker!r} among its numbers, which avg() counts as 0:"
                f" where it means that there is none, say so (null, --null {self.marker!r})"
            )
        if self.text or kind != "TEXT":
            return None
        if self.huge:
            return f"{name}: kept as text, since a number is beyond 64 bits"
        if self.wide and self.real:
            return f"{name}: kept as text, since a float would round its long whole numbers"
        return None

    def verdict(self) -> tuple[str, str | None]:
        """What its values become, and why."""
        kind = self.type()
        return kind, self.note("") if kind == "TEXT" else None


class TextColumn:
    """One column of a delimited file; `null_texts` stand for NULL.

    A blank field of a number column is NULL as well: it can be nothing else.
    """

    def __init__(self, null_texts: frozenset[str], *, text: bool = False) -> None:
        self.kinds = Kinds()
        self.kinds.text = text
        self.null_texts = null_texts
        self._null_count = self._blank_count = 0

    def add(self, cells: Sequence[str]) -> None:
        """Look at one chunk of the column. Distinct values are looked at once, and together, in compiled code."""
        if self.kinds.text and len(self.null_texts) <= _FEW:
            self._null_count += sum(map(cells.count, self.null_texts))
            return
        distinct = set(cells)
        for null in distinct & self.null_texts:
            self._null_count += cells.count(null)
        distinct -= self.null_texts
        if "" in distinct:
            self._blank_count += cells.count("")
            distinct.remove("")
        if not self.kinds.text:
            self.classify(distinct)
        if self.kinds.real and not self.kinds.text:
            long = [text for text in distinct if len(text) > _SURE]
            self.heed_digits(long, map(float, long))

    def classify(self, distinct: set[str]) -> None:
        """Look at texts of which none is blank or stands for NULL."""
        if not distinct:
            return
        joined = "\n".join(distinct)
        if joined.count("\n") != len(distinct) - 1:
            self.kinds.text = True
        elif _WHOLES.fullmatch(joined):
            self.kinds.whole = True
            if _LONG.search(joined):
                self._long_numbers(distinct)
        elif _NUMBERS.fullmatch(joined) and not _is_beyond_floats(distinct):
            self.kinds.real = True
            if _LONG.search(joined):
                self._long_numbers({text for text in distinct if _WHOLES.fullmatch(text)})
        else:
            if not self.kinds.text and len(marked := distinct & _MARKERS) == 1:
                self._heed_marker(distinct - marked, *marked)
            self.kinds.text = True

    def _heed_marker(self, others: set[str], marker: str) -> None:
        """Note `marker` where all else was numbers until now."""
        if (others or self.kinds.whole or self.kinds.real) and all(map(_NUMBERS.fullmatch, others)):
            self.kinds.marker = marker

    def heed_digits(self, texts: Iterable[str], values: Iterable[float]) -> None:
        """Note whether numbers of a REAL column are rounded: `values` are what `texts` become."""
        self.kinds.rounded = self.kinds.rounded or _are_rounded(texts, values)

    def _long_numbers(self, texts: set[str]) -> None:
        if any(len(text) > 100 for text in texts):
            self.kinds.huge = self.kinds.whole = True
        elif texts:
            self.kinds.whole_numbers([int(text) for text in texts])

    @property
    def type(self) -> str:
        """INTEGER, REAL or TEXT."""
        return self.kinds.type()

    @property
    def nulls(self) -> int:
        """How many fields become NULL."""
        return self._null_count + (0 if self.type == "TEXT" else self._blank_count)

    def converter(self) -> Callable[[Sequence[str]], Sequence[Any]] | None:
        """A function from a chunk of texts to a chunk of SQLite values; None where they are the same."""
        nulls = dict.fromkeys(self.null_texts)
        if self.type != "TEXT":
            numbers = _Numbers(int if self.type == "INTEGER" else float, nulls)
            return lambda cells: list(map(numbers.__getitem__, cells))
        if self._null_count == 0:
            return None
        return lambda cells: list(map(nulls.get, cells, cells))


class _Numbers(dict[str, Any]):
    """Text to number, remembered, within bounds."""

    def __init__(self, parse: Callable[[str], Any], nulls: dict[str, Any]) -> None:
        super().__init__()
        self._parse, self._known = parse, {**nulls, "": None}
        self.update(self._known)

    def __missing__(self, text: str) -> Any:
        if len(self) > REMEMBERED:
            self.clear()
            self.update(self._known)
        value = self[text] = self._parse(text)
        return value


class ValueColumn:
    """One column of a JSON file, whose values bring their types along."""

    def __init__(self, *, text: bool) -> None:
        self.kinds = Kinds()
        self.kinds.text = self._is_meant_as_text = text
        self.nulls = 0

    def add(self, cells: Cells) -> None:
        """Look at one chunk of the column."""
        types = set(map(type, cells))
        if type(None) in types:
            self.nulls += cells.count(None)
        if float in types:
            self.kinds.real = True
        if bool in types or int in types:
            self.kinds.whole_numbers([cell for cell in cells if isinstance(cell, int)])
        if dict in types and list not in types and str not in types and all(map(_is_blob, cells)):
            self.kinds.blob = True
        elif types & {str, list, dict}:
            self.kinds.text = True

    def note(self, name: str) -> str | None:
        """What became of values that had another type."""
        if self.kinds.text and not self._is_meant_as_text and (self.kinds.whole or self.kinds.real):
            return f"{name}: its numbers are kept as text, since there are other values among them"
        return self.kinds.note(name)

    @property
    def type(self) -> str:
        """INTEGER, REAL, TEXT or BLOB."""
        return self.kinds.type()

    def converter(self) -> Callable[[Cells], Cells]:
        """A function from a chunk of JSON values to a chunk of SQLite values."""
        types: dict[str, Callable[[Any], Any]] = {"INTEGER": int, "REAL": float, "TEXT": _text, "BLOB": _blob}
        convert = types[self.type]
        return lambda cells: [None if cell is None else convert(cell) for cell in cells]


def _is_beyond_floats(texts: Iterable[str]) -> bool:
    """Whether any of the numbers is too large for a float, or so small that it would become 0."""
    doubtful = (text for text in texts if "e" in text or "E" in text or len(text) > 300)
    return any(math.isinf(value := float(text)) or (value == 0.0 and _DIGIT.match(text)) for text in doubtful)


def _are_rounded(texts: Iterable[str], values: Iterable[float]) -> bool:
    """Whether a float has not all of the digits that one of the numbers is written with.

    Most long numbers are as some program has written a float: compiled code writes them all again and finds the others.
    """
    long = {text: value for text, value in zip(texts, values, strict=True) if len(text) > _SURE}
    written = _encoder.encode(list(long.values()))[1:-1]
    if written == ",".join(long).encode():
        return False
    again = written.decode().split(",")
    return any(_is_rounded(*each) for each, known in zip(long.items(), again, strict=True) if each[0] != known)


def _is_rounded(text: str, value: float) -> bool:
    if f"{value:.17g}" == text or (spelled := _DIGITS.fullmatch(text)) is None:
        return False
    digits = len(spelled[1].replace(".", ""))
    if digits <= _SURE:
        return False
    return Decimal(text.strip()) not in (Decimal(repr(value)), Decimal(f"{value:.{digits - 1}e}"))


def _is_blob(cell: Any) -> bool:
    if not isinstance(cell, dict):
        return cell is None
    if list(cell) != ["$bytes"] or not isinstance(cell["$bytes"], str):
        return False
    try:
        base64.b64decode(cell["$bytes"], validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else with_infinities(cell)


def with_infinities(cell: Any) -> str:
    """JSON text of a value with infinities in it: JSON has none, but every reader takes 9e999 for one."""
    text = json_text(cell)
    return _INFINITY.sub(lambda found: found[1] or f"{found[2]}9e999", text) if "Infinity" in text else text


def json_text(value: Any) -> str:
    """The text of a value; raises RequestInvalid where it is nested so deeply that it could just be read."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise RequestInvalid("a value is nested too deeply", hint="store it as text, or in several rows") from None


def _blob(cell: Any) -> bytes:
    return base64.b64decode(cell["$bytes"])
