"""Names of the engine's own objects, and quoting of everybody else's."""

from __future__ import annotations

import re

from codemode.patterns import pattern

# Readable by everybody, written only by the engine. SQLite compares names without case.
_RESERVED = pattern(
    r"(?:session_state|execution_logs|_result_.*|_codemode_.*|sqlite_.*)", re.IGNORECASE | re.ASCII | re.DOTALL
)
_SMALL = {ordinal: ordinal + 32 for ordinal in range(ord("A"), ord("Z") + 1)}

# The engine's tables in session.db that no way back changes (a restore, an undo) and no fork inherits: what they tell
# is true of the session, not of its data.
CARRIED_TABLES = ("_codemode_idempotency",)


def is_reserved(name: str) -> bool:
    """Whether `name` belongs to the engine or to SQLite itself."""
    return _RESERVED.fullmatch(name) is not None


def folded(name: str) -> str:
    """`name` as SQLite compares it: without the case of ASCII letters; Δ and δ are two names, where lower() has one."""
    return name.lower() if name.isascii() else name.translate(_SMALL)


def quoted(name: str) -> str:
    """`name` as an SQL identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a text of SQL, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
