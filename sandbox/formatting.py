"""`str.format`, `format_map` and `string.Formatter` for snippets.

A format string reads attributes by text (`"{0.__class__}"`), past every compile-time check. So its field names are
looked at first: with plain names only, the real `str.format` does the work at full speed; otherwise each attribute
is read through the guard.
"""

from __future__ import annotations

import _string  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import BuiltinFunctionType, MethodDescriptorType
from typing import Any

from sandbox import names

Read = Callable[[Any, str], Any]
_MAX_NESTING = 4  # str.format itself allows 2


def guard_method(value: Any, read: Read) -> Any:
    """Replace `str.format` and `str.format_map`, bound or not; anything else called format is the snippet's own."""
    if type(value) is BuiltinFunctionType and issubclass(type(value.__self__), str):
        return _bound(str.__str__(value.__self__), value.__name__, read)
    if type(value) is MethodDescriptorType and issubclass(value.__objclass__, str):
        return _unbound(value.__name__, read)
    return value


def _unbound(name: str, read: Read) -> Callable[..., str]:
    def format(self: str, /, *args: Any, **keywords: Any) -> str:  # noqa: A001 - the name shows in tracebacks
        return _bound(self, name, read)(*args, **keywords)

    return format


def _bound(template: str, name: str, read: Read) -> Callable[..., str]:
    def format(*args: Any, **keywords: Any) -> str:  # noqa: A001
        return format_text(template, args, keywords, read)

    def format_map(mapping: Any, /) -> str:
        return format_text(template, (), mapping, read, whole=True)

    return format if name == "format" else format_map


def format_text(text: str, args: Sequence[Any], keywords: Mapping[str, Any], read: Read, *, whole: bool = False) -> str:
    """Format as `str.format` does; `whole` means format_map (the mapping is used as it is)."""
    text = str.__str__(text)  # exactly: what was found plain is remembered, and a subclass may say that it equals that
    if is_plain(text):
        return str.format_map(text, keywords) if whole else str.format(text, *args, **keywords)
    return str(formatter_class(read)().vformat(text, args, keywords))


@lru_cache(maxsize=512)
def is_plain(text: str) -> bool:
    """Whether a template reads plain attributes only; one that is malformed is left to the guarded way."""
    try:
        return all(map(names.is_plain, _attributes(text)))
    except ValueError:
        return False


def _attributes(text: str, nesting: int = 0) -> Iterator[str]:
    """Every attribute name that a template would read, in nested specifications too."""
    if nesting > _MAX_NESTING:
        raise ValueError("Max string recursion exceeded")
    for _, field, specification, _ in _string.formatter_parser(text):
        if field:
            yield from (
                str(name) for is_attribute, name in _string.formatter_field_name_split(field)[1] if is_attribute
            )
        if specification:
            yield from _attributes(specification, nesting + 1)


def formatter_class(read: Read) -> type:
    """`string.Formatter`, made anew for one run: the library's own class must not be anywhere among the bases.

    Snippets may subclass it and override get_value, get_field, format_field, convert_field and check_unused_args.
    """

    class Formatter:
        """Formats templates, with methods to override."""

        def format(self, template: str, /, *args: Any, **keywords: Any) -> str:
            return self.vformat(template, args, keywords)

        def vformat(self, template: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> str:
            used: set[Any] = set()
            text, _ = _build(self, str.__str__(template), (args, keywords, used), _MAX_NESTING, 0)
            self.check_unused_args(used, args, keywords)
            return text

        def parse(self, template: str) -> Iterator[tuple[str, str | None, str | None, str | None]]:
            yield from _string.formatter_parser(str.__str__(template))

        def get_value(self, key: int | str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
            return args[key] if isinstance(key, int) else keywords[key]

        def get_field(self, name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Any, Any]:
            first, rest = _string.formatter_field_name_split(str.__str__(name))
            value = self.get_value(first, args, keywords)
            for is_attribute, each in rest:
                value = read(value, each) if is_attribute else value[each]
            return value, first

        def convert_field(self, value: Any, conversion: str | None) -> Any:
            if conversion is None:
                return value
            if conversion not in _CONVERSIONS:
                raise ValueError(f"Unknown conversion specifier {conversion!s}")
            return _CONVERSIONS[conversion](value)

        def format_field(self, value: Any, specification: str) -> str:
            return format(value, specification)

        def check_unused_args(self, used: set[Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
            pass

    Formatter.__module__ = "string"  # so that it may be a base: see Guards.check_base
    return Formatter


_CONVERSIONS: dict[str, Callable[[Any], str]] = {"s": str, "r": repr, "a": ascii}


def _build(
    formatter: Any, template: str, arguments: tuple[Any, Any, set[Any]], depth: int, auto: int
) -> tuple[str, int]:
    """Fill one template; `auto` numbers the fields without a name, and is -1 once a number was written."""
    if depth < 0:
        raise ValueError("Max string recursion exceeded")
    args, keywords, used = arguments
    parts: list[str] = []
    for literal, field, specification, conversion in formatter.parse(template):
        parts.append(literal)
        if field is None:
            continue
        field, auto = _numbered(field, auto)
        value, key = formatter.get_field(field, args, keywords)
        used.add(key)
        value = formatter.convert_field(value, conversion)
        specification, auto = _build(formatter, specification or "", arguments, depth - 1, auto)
        parts.append(formatter.format_field(value, specification))
    return "".join(parts), auto


def _numbered(field: str, auto: int) -> tuple[str, int]:
    first = str(_string.formatter_field_name_split(field)[0])
    if first == "":
        if auto < 0:
            raise ValueError("cannot switch from manual field specification to automatic field numbering")
        return f"{auto}{field}", auto + 1
    if first.isdigit():
        if auto > 0:
            raise ValueError("cannot switch from automatic field numbering to manual field specification")
        return field, -1
    return field, auto
