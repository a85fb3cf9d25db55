"""States of a session's pages: how one is named, and how a copy of one is made into another.

Each state has an id: a random number in the table `_codemode_version`, changed in the transaction that changes the
data. What leads from one state to another (`ways.py`) is put only on the very state that it was taken from: pages of
one state never meet pages of another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import apsw

from codemode.database.ways import PAGE_SIZE, Way, WayFile, WayWriter

AS_MADE = 0  # the id of a new session's state
_BUFFER_BYTES = 1024 * 1024


def new_id() -> int:
    """An id that no state had before."""
    return (int.from_bytes(os.urandom(8)) >> 2) + 1


def current_id(connection: apsw.Connection) -> int:
    """The id of the state that `connection` sees."""
    return int(connection.execute("SELECT id FROM _codemode_version", can_cache=False).get)


def set_id(connection: apsw.Connection, to: int) -> None:
    """Name the state that the open transaction makes."""
    connection.execute("UPDATE _codemode_version SET id = ?", (to,), can_cache=False)


def last_result(connection: apsw.Connection, schema: str = "main") -> int:
    """The highest number that a result of the session ever had."""
    sql = f"SELECT last_result FROM {schema}._codemode_version"  # noqa: S608
    return int(connection.execute(sql, can_cache=False).get)


def keep_last_result(connection: apsw.Connection, number: int) -> None:
    """Results up to `number` were given one, whatever is undone: a handle never means another result."""
    connection.execute("UPDATE main._codemode_version SET last_result = ?", (number,), can_cache=False)


def id_page(connection: apsw.Connection) -> int:
    """The page that holds the id: a change of this one alone is none."""
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = '_codemode_version'"
    found = connection.execute(sql, can_cache=False).get
    if found is None:
        raise apsw.CorruptError("the table _codemode_version is missing")
    return int(found)


def pages_of(path: Path) -> int:
    """How many pages a private database file has."""
    return path.stat().st_size // PAGE_SIZE


def patch(path: Path, images: Mapping[int, WayFile], goal: Way) -> None:
    """Put the images into a private database file, and cut or stretch it to the pages of the goal."""
    with path.open("r+b") as file:
        for page, source in images.items():
            if page <= goal.pages:
                file.seek((page - 1) * PAGE_SIZE)
                file.write(source.image(page))
        file.truncate(goal.pages * PAGE_SIZE)


def write_difference(writer: WayWriter, here: Path, pages: int, there: Path, images: Mapping[int, WayFile]) -> None:
    """Write each page from 1 to `pages` of `here`, or of `images` where it is among them, that `there` has not so."""
    with here.open("rb", buffering=_BUFFER_BYTES) as mine, there.open("rb", buffering=_BUFFER_BYTES) as other:
        for page in range(1, pages + 1):
            image = mine.read(PAGE_SIZE)
            if page in images:
                image = images[page].image(page)
            if image != other.read(PAGE_SIZE):
                writer.add(page, image)
