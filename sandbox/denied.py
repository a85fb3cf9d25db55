"""The errors for attributes that a snippet may not read or set: they read like missing ones, and say why."""

from __future__ import annotations

from typing import Any

from sandbox.facade import Facade, title
from sandbox.own import is_class


def _owner(value: Any) -> str:
    if issubclass(type(value), Facade):
        return f"module {title(value)!r}"
    return f"type object {value.__name__!r}" if is_class(value) else f"{type(value).__name__!r} object"


def hidden(value: Any, name: str) -> AttributeError:
    """The error for an attribute that the snippet may not read."""
    return AttributeError(f"{_owner(value)} has no attribute {name!r} in snippets")


def unwritable(value: Any, name: str) -> AttributeError:
    """The error for an attribute that the snippet may not set or delete."""
    return AttributeError(f"{_owner(value)} does not let snippets set attribute {name!r}")
