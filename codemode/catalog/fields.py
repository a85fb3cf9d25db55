"""What a field of a record may hold: checked once, before it is stored. Every check raises RequestInvalid.

NUL is refused in all of them, and in JSON as `\\u0000`: PostgreSQL cannot store it, and what one store takes all take.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from codemode.asked import SESSION_ID
from codemode.errors import RequestInvalid, shown
from codemode.patterns import pattern

NAME_CHARACTERS = 200  # of names, titles, keys and ids of others
TEXT_BYTES = 4_096  # of descriptions
CONTENT_BYTES = 262_144  # of a message, a panel's query or document, and what an MCP server told of itself
METADATA_BYTES = 16_384  # of metadata, preferences and configuration
SIGNAL_BYTES = 65_536  # of a signal: descriptions of a session take some kilobytes
PAGE_ROWS = 1_000  # of one page of a list
_NUL = pattern(r"(?<!\\)(?:\\\\)*\\u0000")


def parse_id(value: Any, what: str) -> str:
    """An id that a caller chose: as those of sessions are."""
    if isinstance(value, str) and SESSION_ID.fullmatch(value):
        return value
    raise RequestInvalid(f"{shown(value)} cannot be the id of {what}", hint="letters, digits, _ . : @ -, at most 128")


def parse_name(value: Any, what: str, most: int = NAME_CHARACTERS, least: int = 1) -> str:
    """A line that people read: printable, without blanks around it."""
    if isinstance(value, str) and least <= len(value) <= most and value.isprintable() and value == value.strip():
        return value
    raise RequestInvalid(
        f"{shown(value)} cannot be {what}",
        hint=f"{least} to {most} printable characters, without blanks around them",
    )


def parse_text(value: Any, what: str, most: int) -> str:
    """Text of at most so many bytes of UTF-8."""
    if not isinstance(value, str):
        raise RequestInvalid(f"{what} must be text, not {type(value).__name__}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise RequestInvalid(f"{what} holds a lone surrogate at position {error.start}, no character") from None
    if size > most:
        raise RequestInvalid(f"{what} has {size:,} bytes, and at most {most:,} are stored", hint="store less")
    if "\0" in value:
        raise RequestInvalid(f"{what} holds a NUL, which is not stored", hint="leave it out")
    return value


def parse_json(value: Any, what: str, most: int) -> str:
    """Any value that JSON has, as text."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestInvalid(
            f"{what} cannot be stored as JSON: {error}", hint="None, text, numbers, lists and dicts"
        ) from None
    if _NUL.search(text):
        raise RequestInvalid(f"{what} holds a NUL, which is not stored", hint="leave it out")
    return parse_text(text, what, most)


def parse_object(value: Any, what: str = "metadata", most: int = METADATA_BYTES) -> str:
    """A JSON object as text; None is an empty one."""
    if value is not None and not isinstance(value, dict):
        raise RequestInvalid(f"{what} must be an object of names and values, not {type(value).__name__}")
    return parse_json(value or {}, what, most)


def parse_choice(value: Any, what: str, options: Sequence[str]) -> str:
    """One of the words that there are."""
    if isinstance(value, str) and value in options:
        return value
    raise RequestInvalid(f"{shown(value)} is no {what}: there are {', '.join(options)}", available=options)


def parse_limit(value: Any) -> int:
    """How many rows a page may have."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= PAGE_ROWS:
        return value
    raise RequestInvalid(f"a page has 1 to {PAGE_ROWS:,} rows, not {shown(value)}")
