"""`session_state`: JSON values by key, committed and rolled back with the data.

Runs under the engine's rights; no statement of a snippet can write this table.
"""

from __future__ import annotations

import json

import apsw

from codemode.database.clock import now
from codemode.errors import RequestInvalid, StatementLimit, ValueRefused

_KEY_BYTES = 1024


def save(connection: apsw.Connection, key: str, text: str, most_bytes: int) -> int:
    """Keep the JSON `text` under `key`, and answer how many bytes it has.

    Raises RequestInvalid for the key, StatementLimit above `most_bytes`, ValueRefused for what could not be read again.
    """
    _check_key(key)
    size = len(text.encode())
    if size > most_bytes:
        raise StatementLimit(
            f"the value of state {key!r} has {size:,} bytes as JSON; state_bytes is {most_bytes:,}",
            hint="keep large data in a table and only its name in the state",
        )
    # A snippet that lifted the bound of digits, or a child that escaped, may send an integer of a million digits or a
    # thousand lists in one another, and whoever asks for the key would get the decoder's own error. Which of Python and
    # SQLite, which takes no JSON of over 1,000 levels, reads less of these depends on the version of Python.
    try:
        json.loads(text)
        connection.execute(
            "INSERT INTO main.session_state VALUES (?1, ?2, ?3)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            (key, text, now()),
            can_cache=False,
        )
    except (ValueError, RecursionError, apsw.ConstraintError):
        raise ValueRefused(
            f"the value of state {key!r} could not be read again",
            hint="keep integers of more than 4,300 digits as text, hex(n), and nest lists and dicts less deeply",
        ) from None
    return size


def load(connection: apsw.Connection, key: str) -> str | None:
    """The JSON text under `key`, or None."""
    _check_key(key)
    text = connection.execute("SELECT value FROM main.session_state WHERE key = ?", (key,), can_cache=False).get
    return None if text is None else str(text)


def delete(connection: apsw.Connection, key: str) -> bool:
    """Forget `key`; whether it was there."""
    _check_key(key)
    connection.execute("DELETE FROM main.session_state WHERE key = ?", (key,), can_cache=False)
    return connection.changes() > 0


def keys(connection: apsw.Connection) -> list[str]:
    """All keys, sorted."""
    return [
        str(key) for (key,) in connection.execute("SELECT key FROM main.session_state ORDER BY key", can_cache=False)
    ]


def _check_key(key: object) -> None:
    if type(key) is not str or not key or len(key.encode("utf-8", "replace")) > _KEY_BYTES:
        raise RequestInvalid(f"a key of the session's state is text of 1 to {_KEY_BYTES} bytes")
