"""Bring one of the engine's own files to its newest form.

A file's form is its `user_version`; `NNNN_name.sql` (or `.up.sql`) takes it from NNNN-1 to NNNN.
Each step and its version commit together, so a crash leaves the form before or after it, never between.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

import apsw

from codemode.errors import SessionNewer
from codemode.patterns import pattern

# The engine's own files, by the package and the folder of their migrations.
SESSION, LOG = ("codemode.database", "migrations/session"), ("codemode.database", "migrations/log")
_UP = pattern(r"\d{4}_\w+(\.up)?\.sql")


@cache
def migrations(package: str, folder: str) -> tuple[str, ...]:
    """The SQL texts of `folder` inside `package`, in order; their numbers must run 1, 2, 3, …"""
    place = Path(import_module(package).__path__[0], folder)
    found = [step for step in place.iterdir() if _UP.fullmatch(step.name)]
    steps = sorted(found, key=lambda step: step.name)
    texts, numbers = [step.read_text("utf-8") for step in steps], [int(step.name[:4]) for step in steps]
    if numbers != list(range(1, len(numbers) + 1)):
        raise AssertionError(f"migrations of {package}/{folder} are not numbered 1 to {len(numbers)}: {numbers}")
    return tuple(texts)


def newer(version: int, known: int) -> SessionNewer:
    """The error for a file of the form `version`, where those up to `known` are known."""
    return SessionNewer(
        f"the file has format {version}, and this codemode knows formats up to {known}",
        hint="upgrade codemode, or open it with the version that wrote it",
    )


def migrate(connection: apsw.Connection, steps: tuple[str, ...]) -> int:
    """Run the steps that this file lacks and return its version; raises SessionNewer for one of the future."""
    version = int(connection.pragma("user_version"))
    if version > len(steps):
        raise newer(version, len(steps))
    if version == len(steps):
        return version
    connection.execute("BEGIN IMMEDIATE", can_cache=False)
    try:
        # Another process may have migrated between the look above and the lock.
        version = int(connection.pragma("user_version"))
        for number, step in enumerate(steps[version:], version + 1):
            connection.execute(step, can_cache=False)
            connection.pragma("user_version", number)
        connection.execute("COMMIT", can_cache=False)
    except BaseException:
        if connection.in_transaction:  # not where SQLite undid all by itself, as on a full disk
            connection.execute("ROLLBACK", can_cache=False)
        raise
    return len(steps)
