"""What msgspec refuses of a document, in names: what was written there, and what may be."""

from __future__ import annotations

import re
from typing import Any, NamedTuple, get_args, get_type_hints

import msgspec

from codemode.patterns import pattern

# Of a field of the document itself; what is deeper in it is told by its place alone.
_UNKNOWN = pattern("Object contains unknown field `([^`]*)`")
_NO_CHOICE = pattern(r"Invalid enum value '(.*)' - at `\$\.(\w+)`", re.DOTALL)


class Mismatch(NamedTuple):
    """A name that is none of those that there are; both empty where the document is wrong in another way."""

    given: str = ""
    available: tuple[Any, ...] = ()


def mismatch(kind: type[msgspec.Struct], error: msgspec.ValidationError) -> Mismatch:
    """What is wrong with a document that is no `kind`: an unknown field, or a word that a field does not take."""
    if found := _UNKNOWN.fullmatch(str(error)):
        return Mismatch(found[1][:100], kind.__struct_encode_fields__)
    if found := _NO_CHOICE.fullmatch(str(error)):
        return Mismatch(found[1][:100], _words(get_type_hints(kind)[found[2]]))
    return Mismatch()


def _words(hint: Any) -> tuple[str, ...]:
    """The words of a Literal, or of one that may be left out."""
    return tuple(word for each in get_args(hint) for word in ([each] if isinstance(each, str) else _words(each)))
