"""A snippet's value as JSON text, by the contract's rules.

Values are hostile: their type is read with `type()`, and what a subclass overrides (`__iter__`, `items`, `__str__`)
is never called: the methods of the base class are. The text is bounded while it grows.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import fractions
import json.encoder
import math
import sys
import uuid
from array import array
from collections import ChainMap, OrderedDict, UserDict, UserList, deque
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

from sandbox.errors import SandboxError
from sandbox.own import mro

MAX_DEPTH = 150
_BITS_PER_BYTE = 3.3  # a decimal digit holds 3.32 bits
_quote = json.encoder.encode_basestring
_quote_ascii = json.encoder.encode_basestring_ascii


class Unserializable(SandboxError):
    """A value that has no JSON form; the message says what it was and where."""

    code = "code.unserializable"

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.hint = hint


class TooLarge(SandboxError):
    """The value's JSON text would be longer than allowed."""

    code = "code.output_limit"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the result is larger than {limit_bytes:,} bytes")
        self.hint = "return a summary or the first rows, and keep the whole in a table with helpers.db.batch_insert"


def to_json(value: Any, limit_bytes: int) -> tuple[str, dict[str, Any]]:
    """JSON text of a value, and what it is: `{"type", "bytes", "warnings"}`, `row_count` for rows, `length` for lists.

    Raises Unserializable or TooLarge.
    """
    writer = Writer(limit_bytes)
    write_whole(writer, value)
    return "".join(writer.parts), {**describe(value), "bytes": writer.size, "warnings": sorted(writer.warnings)}


def write_whole(writer: Writer, value: Any) -> None:
    """Write a value with `writer`. Raises Unserializable or TooLarge."""
    digits = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)  # integers are exact at any size; the writer bounds them
    try:
        writer.write(value)
    except RecursionError:
        raise Unserializable(f"the result is nested deeper than {MAX_DEPTH} levels", "return a flatter value") from None
    finally:
        sys.set_int_max_str_digits(digits)


class Writer:
    """Appends JSON text piece by piece; knows where in the value it is."""

    def __init__(self, limit_bytes: int) -> None:
        self.parts: list[str] = []
        self.size = 0
        self.limit = limit_bytes
        self.warnings: set[str] = set()
        self._path: list[str] = []
        self._open: set[int] = set()  # the containers around this value: one of them again is a cycle

    def put(self, text: str) -> None:
        """Append text, within the limit."""
        self.size += len(text) if text.isascii() else len(text.encode())
        if self.size > self.limit:
            raise TooLarge(self.limit)
        self.parts.append(text)

    def write(self, value: Any) -> None:
        """Append one value."""
        kind = type(value)
        rule = _RULES.get(kind)
        if rule is None:
            rule = next((found for base in mro(kind) if (found := _RULES.get(base)) is not None), None) or _other(value)
        if rule is None:
            raise self.unserializable(value)
        rule(self, value)

    def unserializable(self, value: Any, why: str | None = None) -> Unserializable:
        """The error for a value without a JSON form, with its place."""
        name = type.__dict__["__name__"].__get__(type(value))
        place = "result" + "".join(self._path[:40])
        return Unserializable(
            f"{place} is a {name}, which cannot be returned" if why is None else f"{place} {why}", _hint(name)
        )

    def enter(self, value: Any) -> None:
        """Open a container."""
        if id(value) in self._open:
            raise self.unserializable(value, "contains itself")
        if len(self._open) >= MAX_DEPTH:
            raise Unserializable(f"the result is nested deeper than {MAX_DEPTH} levels", "return a flatter value")
        self._open.add(id(value))

    def sequence(self, value: Any, items: Iterable[Any]) -> None:
        """Append a list."""
        self.enter(value)
        self.put("[")
        self._path.append("")
        for position, item in enumerate(items):
            if position:
                self.put(",")
            self._path[-1] = f"[{position}]"
            self.write(item)
        self._path.pop()
        self.put("]")
        self._open.discard(id(value))

    def mapping(self, value: Any, items: Iterable[tuple[Any, Any]]) -> None:
        """Append an object; of keys that have the same text, the last one stays."""
        self.enter(value)
        self.put("{")
        self._path.append("")
        for position, (key, item) in enumerate(self._keyed(items)):
            if position:
                self.put(",")
            self._path[-1] = f"[{key[:60]!r}]"
            self.text(key)
            self.put(":")
            self.write(item)
        self._path.pop()
        self.put("}")
        self._open.discard(id(value))

    def _keyed(self, items: Iterable[tuple[Any, Any]]) -> Iterable[tuple[str, Any]]:
        pairs = list(items)
        if all(type(key) is str for key, _ in pairs):
            return pairs
        keyed: dict[str, Any] = {}
        for key, item in pairs:
            text = self._key(key)
            if text in keyed:
                self.warnings.add(f"two keys of a dict have the same text {text[:60]!r}: the last one is kept")
            keyed[text] = item
        return keyed.items()

    def _key(self, key: Any) -> str:
        if issubclass(type(key), str) and not issubclass(type(key), enum.Enum):
            return str.__str__(key)
        inner = Writer(self.limit)
        inner._path = [*self._path[:-1], " (a key)"]
        inner.write(key)
        self.warnings |= inner.warnings
        text = "".join(inner.parts)
        return json.loads(text) if text.startswith('"') else text

    def text(self, value: str) -> None:
        """Append a string; a lone surrogate is escaped, so that the text is always valid UTF-8."""
        if value.isascii():
            self.put(_quote(value))
            return
        try:
            value.encode()
        except UnicodeEncodeError:
            self.put(_quote_ascii(value))
        else:
            self.put(_quote(value))

    def integer(self, value: int) -> None:
        """Append an integer, exact."""
        if int.bit_length(value) / _BITS_PER_BYTE > self.limit:
            raise TooLarge(self.limit)  # before the quadratic work of writing it
        self.put(int.__repr__(value))

    def number(self, value: float) -> None:
        """Append a float; what JSON lacks becomes null."""
        if math.isfinite(value):
            self.put(float.__repr__(value))
        else:
            self.warnings.add("NaN and infinities in the result were replaced by null")
            self.put("null")

    def bytes(self, value: Any) -> None:
        """Append bytes as `{"$bytes": base64}`."""
        if memoryview(value).nbytes > self.limit:
            raise TooLarge(self.limit)
        self.put('{"$bytes":"' + base64.b64encode(bytes(memoryview(value))).decode() + '"}')


def _set(writer: Writer, value: Any) -> None:
    items = list(set.__iter__(value) if issubclass(type(value), set) else frozenset.__iter__(value))
    kinds = {type(item) for item in items}
    if len(kinds) == 1 and kinds <= {str, int, float}:
        items.sort()  # the order of a set of strings differs from process to process
    writer.sequence(value, items)


def _enum(writer: Writer, value: Any) -> None:
    writer.write(enum.Enum.__dict__["value"].__get__(value))


def _ordered(writer: Writer, value: Any) -> None:
    writer.mapping(value, ((key, dict.__getitem__(value, key)) for key in OrderedDict.__iter__(value)))


_Rule = Callable[[Writer, Any], None]
_RULES: dict[type, _Rule] = {
    type(None): lambda writer, value: writer.put("null"),
    bool: lambda writer, value: writer.put("true" if value else "false"),
    # Before str and int, which enumerations often are too: `mro` decides, and Enum stands before them only here.
    str: lambda writer, value: writer.text(str.__str__(value)),
    int: Writer.integer,
    float: Writer.number,
    list: lambda writer, value: writer.sequence(value, list.__iter__(value)),
    tuple: lambda writer, value: writer.sequence(value, tuple.__iter__(value)),
    dict: lambda writer, value: writer.mapping(value, dict.items(value)),
    OrderedDict: _ordered,
    set: _set,
    frozenset: _set,
    deque: lambda writer, value: writer.sequence(value, deque.__iter__(value)),
    range: lambda writer, value: writer.sequence(value, value),
    array: lambda writer, value: writer.sequence(value, array.tolist(value)),
    type({}.keys()): lambda writer, value: writer.sequence(value, value),
    type({}.values()): lambda writer, value: writer.sequence(value, value),
    type({}.items()): lambda writer, value: writer.sequence(value, value),
    bytes: Writer.bytes,
    bytearray: Writer.bytes,
    memoryview: Writer.bytes,
    datetime.datetime: lambda writer, value: writer.text(datetime.datetime.isoformat(value)),
    datetime.date: lambda writer, value: writer.text(datetime.date.isoformat(value)),
    datetime.time: lambda writer, value: writer.text(datetime.time.isoformat(value)),
    datetime.timedelta: lambda writer, value: writer.text(datetime.timedelta.__str__(value)),
    decimal.Decimal: lambda writer, value: writer.text(decimal.Decimal.__str__(value)),
    fractions.Fraction: lambda writer, value: writer.text(fractions.Fraction.__str__(value)),
    uuid.UUID: lambda writer, value: writer.text(uuid.UUID.__str__(value)),
    enum.Enum: _enum,
    SimpleNamespace: lambda writer, value: writer.mapping(value, vars(value).items()),
    MappingProxyType: lambda writer, value: writer.mapping(value, dict(value).items()),
}


def _other(value: Any) -> _Rule | None:
    """Dataclasses, and the library's containers that are written in Python."""
    kind = type(value)
    if kind in (UserDict, ChainMap):
        return lambda writer, given: writer.mapping(given, dict(given).items())
    if kind is UserList:
        return lambda writer, given: writer.sequence(given, list(given))
    fields: Mapping[str, Any] | None = next(
        (found for base in mro(kind) if (found := type.__dict__["__dict__"].__get__(base).get("__dataclass_fields__"))),
        None,
    )
    return None if type(fields) is not dict else lambda writer, given: _dataclass(writer, given, fields)


def _dataclass(writer: Writer, value: Any, fields: dict[str, dataclasses.Field[Any]]) -> None:
    items: list[tuple[str, Any]] = []
    for name, each in fields.items():
        if getattr(each, "_field_type", None) is not dataclasses._FIELD:  # type: ignore[attr-defined]
            continue  # ClassVar and InitVar
        try:
            items.append((name, object.__getattribute__(value, name)))
        except AttributeError:
            raise writer.unserializable(value, f"has no value for its field {name!r}") from None
    writer.mapping(value, items)


_ADVICE = {
    "generator": "make a list of it: list(…)",
    "map": "make a list of it: list(…)",
    "filter": "make a list of it: list(…)",
    "zip": "make a list of it: list(…)",
    "coroutine": "await it",
    "async_generator": "collect it: [x async for x in …]",
    "function": "call it",
    "method": "call it",
    "complex": "return [value.real, value.imag]",
}


def _hint(name: str) -> str:
    return _ADVICE.get(name, "return numbers, text, lists, dicts, dates or dataclasses; str(…) of anything else")


def describe(value: Any) -> dict[str, Any]:
    """What a value is: its type, `row_count` for rows, `length` for lists."""
    kind = type(value)
    if issubclass(kind, enum.Enum):
        return describe(enum.Enum.__dict__["value"].__get__(value))
    if issubclass(kind, list | tuple):
        size = len(value) if kind in (list, tuple) else (list if issubclass(kind, list) else tuple).__len__(value)
        items = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
        if size and all(issubclass(type(item), dict) for item in items):
            return {"type": "rows", "row_count": size}
        return {"type": "list", "length": size}
    for base, name in _NAMES:
        if issubclass(kind, base):
            return {"type": name}
    return {"type": "object" if _RULES.get(kind) is None else "text"}


_LISTS: tuple[type, ...] = (
    set, frozenset, deque, range, array, UserList, type({}.keys()), type({}.values()), type({}.items())
)  # fmt: skip
_NAMES: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "text"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (memoryview, "bytes"),
    (dict, "object"),
    (SimpleNamespace, "object"),
    (MappingProxyType, "object"),
    *((kind, "list") for kind in _LISTS),
)
