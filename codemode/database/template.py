"""New files of the engine: made once a process, in memory, then copied in a tenth of the time of making them."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

import apsw

from codemode.database.migrate import LOG, SESSION, migrate, migrations
from codemode.database.ways import PAGE_SIZE

_LOG_PAGE_SIZE = 1_024  # a line changes five pages by some 100 bytes each, and each goes into the write-ahead log whole
MAKING = ".new-"  # begins the name of a directory in which a file of the data directory is made


def session_template() -> bytes:
    """The bytes of an empty session database: newest form, in WAL mode, nothing outside of the file itself."""
    return _template(SESSION, PAGE_SIZE)


def log_template() -> bytes:
    """The same of an empty execution log."""
    return _template(LOG, _LOG_PAGE_SIZE)


@cache
def _template(kind: tuple[str, str], page_size: int) -> bytes:
    connection = apsw.Connection(":memory:")
    connection.pragma("page_size", page_size)
    migrate(connection, migrations(*kind))
    return in_wal_mode(connection)


def in_wal_mode(connection: apsw.Connection) -> bytes:
    """The bytes of a database in memory, as those of a file that is in WAL mode.

    Memory knows no WAL; a file's mode is the two bytes of its header that say which versions of SQLite may write and
    read it (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
    """
    data = bytearray(connection.serialize("main"))
    data[18:20] = b"\2\2"
    return bytes(data)


def put(data: bytes, path: Path) -> None:
    """Make the file `path` of `data` where there is none: whole and durable from the moment that it has its name.

    Of several that do so at once one comes first, and the others leave what it made. What keeps the file from being
    made so, as a full disk or a file system without links, shows again when the file is opened, and is told then.
    """
    import tempfile  # only where a data directory is new

    with suppress(OSError), tempfile.TemporaryDirectory(prefix=MAKING, dir=path.parent) as place:
        fresh = Path(place) / path.name
        # Closed before it has its name: closing a file takes all locks on it from this process, SQLite's too.
        # For its owner alone, in a directory of others too: SQLite gives what it makes beside it the same mode.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
