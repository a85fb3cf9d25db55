"""Arguments of tools: what models send, checked in one step, with errors that say how to mend the call."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from codemode.errors import RequestInvalid
from codemode.mismatch import mismatch

Arguments = TypeVar("Arguments", bound=msgspec.Struct)
_STRUCTURED = ("inputs", "params")


def decode(kind: type[Arguments], sent: Mapping[str, Any]) -> Arguments:
    """The arguments as a checked struct; raises RequestInvalid.

    Numbers and booleans may come as text, lists and objects as JSON text, and null for what is left out: models and
    hosts write all of these.
    """
    known = kind.__struct_fields__
    for name in sent:
        if name not in known:
            raise RequestInvalid(
                f"there is no argument {name[:60]!r}", did_you_mean=_close(name, known), available=known
            )
    try:
        present = {name: _parsed(name, value) for name, value in sent.items() if value is not None}
        return msgspec.convert(present, kind, strict=False)
    except msgspec.ValidationError as error:
        given, words = mismatch(kind, error)
        raise RequestInvalid(
            f"the arguments are not as they must be: {_words(error)}", did_you_mean=_close(given, words),
            available=words or known,
        ) from None  # fmt: skip
    except RecursionError:
        raise RequestInvalid("the arguments are nested too deeply") from None


def _close(name: str, known: tuple[str, ...]) -> list[str]:
    """The names that may have been meant, camelCase ones too."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name[:60])
    return difflib.get_close_matches(snake, known, n=3)


def _parsed(name: str, value: Any) -> Any:
    if name in _STRUCTURED and isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeEncodeError):
            return value
    return value


def _words(error: msgspec.ValidationError) -> str:
    return str(error).replace("Object missing required field", "missing").replace("$.", "")[:300]
