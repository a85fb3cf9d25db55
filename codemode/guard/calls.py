"""Trees in which functions keep their names: sqlglot knows many functions, and would write them as others.

The calls of SQLite's functions travel under a prefix that sqlglot does not know, so that each is a call of that name
with its arguments in their order.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from sqlglot import exp

from codemode.guard.policy import FUNCTIONS

PREFIX = "_f_"
_CALL = re.compile(r"(?<![\w.\"`\[])([a-z]\w*)\s*(?=\()", re.IGNORECASE)
_NUMBERED = re.compile(r":_p_\d+\b")
_KEPT = re.compile(rf"\b{PREFIX}(\w+)", re.IGNORECASE)
_CALLED = FUNCTIONS - {"glob", "like", "match"}  # keywords too: `x LIKE ('a')`
_MARKED = re.compile(r"\?\d|[\"`\[]")  # ?1, and quotes in which one may stand
_TEXT = re.compile(r"('(?:[^']|'')*')")


def protected(text: str) -> str:
    """`text` with the prefix before each call, as sqlglot is to read it."""
    pieces = _TEXT.split(text)
    return "".join(piece if piece.startswith("'") else _CALL.sub(_prefixed, piece) for piece in pieces)


def _prefixed(found: re.Match[str]) -> str:
    return f"{PREFIX}{found[1]}" if found[1].lower() in _CALLED else found[0]


def numbered(text: str) -> str:
    """`text` with names for its plain ?: to sqlglot one is as another. As it is where a comment may hold one."""
    if "?" not in text or "--" in text or "/*" in text or _MARKED.search(text):
        return text
    count = itertools.count(1)
    pieces = _TEXT.split(text)
    return "".join(p if p.startswith("'") else re.sub(r"\?", lambda _: f":_p_{next(count)}", p) for p in pieces)


def parameter_of(node: Any) -> int | str | None:
    """The number, or the name, of the parameter that `node` is."""
    name = node.name if isinstance(node, exp.Placeholder) else ""
    return int(name.removeprefix("_p_")) if name.startswith("_p_") else name.strip("?") or None


def as_written(text: str) -> str:
    """What sqlglot wrote, without the prefix, and with plain ? again."""
    return _NUMBERED.sub("?", _KEPT.sub(r"\1", text))


def called(node: Any) -> str:
    """The name of the function that `node` calls, in small letters; empty where it is no call."""
    return node.name.lower().removeprefix(PREFIX) if isinstance(node, exp.Anonymous) else ""
