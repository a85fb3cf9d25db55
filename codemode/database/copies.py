"""Copies of a session's database: taken beside its readers, made ready, and put back in one transaction.

A copy is taken by SQLite's backup from a connection of its own, so nobody waits for it. It is put back the same way,
into the file that is there: one transaction of the write-ahead log. A crash leaves the state before it or after it,
and whoever has the file open, here or in another process, simply sees a commit. (A file renamed into place would meet
the write-ahead log of the file before it: its pages would be replayed into the wrong database.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import apsw

from codemode.database import undo
from codemode.database.connection import allow_any_length, closed_if_it_fails, frozen, open_session
from codemode.database.directory import staying
from codemode.database.execute import Deadline
from codemode.database.metrics import size_bytes
from codemode.database.migrate import SESSION, migrate, migrations
from codemode.database.names import CARRIED_TABLES, quoted
from codemode.errors import SessionBusy, SessionDamaged, StatementTimeout, StorageFull
from codemode.limits import Limits

Check = Callable[[], None]  # called between two steps; raises to give up

_STEP_PAGES = 2_000  # 8 MB: some 10 ms between two looks at the clock
_BUSY_MS = 5_000
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)
_FULL = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError)


def unless(is_over: Callable[[], bool]) -> Check:
    """A check that raises StatementTimeout when the time for a copy is over."""

    def check() -> None:
        if is_over():
            raise StatementTimeout("copying the session took longer than was allowed", hint="try again with more time")

    return check


def live_bytes(path: Path) -> int:
    """How large a copy of the session's file at `path` would be."""
    with explained(path), closing(_reading(path)) as connection:
        return size_bytes(connection)


def take(source: Path, target: Path, check: Check) -> None:
    """Write the committed state of the session's file `source` to the new file `target`; durable when it returns.

    Neither readers nor a writer of `source` wait. Raises what `check` raises, StorageFull and SessionDamaged; what was
    written of `target` stays for the caller to delete.
    """
    with explained(source), closing(hold(source)) as origin:
        write(origin, target, check)


def hold(source: Path) -> apsw.Connection:
    """A connection that sees the committed state of the file `source` as it is now, whoever commits until it is closed.

    Raises apsw's errors: see `explained`.
    """
    with staying(source.parent):
        connection = _reading(source)
        with closed_if_it_fails(connection):
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # from here on one state
    return connection


def write(origin: apsw.Connection, target: Path, check: Check) -> None:
    """Write what `origin` sees to the new file `target`; durable when it returns."""
    with closing(apsw.Connection(str(target))) as copy:
        copy.execute("PRAGMA journal_mode = off")  # nobody else knows the file, and a torn one is never named
        copy.execute("PRAGMA synchronous = off")
        _backup(origin, copy, check)
    sync(target)


def make_ready(path: Path, live: Path | None, limits: Limits, until: float, *, renew: bool, whole: bool = False) -> int:
    """Bring the private copy at `path` to the newest form, check it, and give it what belongs to `live` alone.

    Without `live` it becomes a session of its own, to which nothing of that kind belongs; `whole` keeps what it has of
    that kind. Answers the id of its state: a new one where something was carried over, or where `renew` says so. With
    the walls of a session's own connection: checking computes the users' CHECK constraints. Raises SessionNewer,
    SessionDamaged for a copy that is not sound, StatementTimeout at `until`.
    """
    with explained(path), closing(open_session(path, limits, own=True)) as connection:
        allow_any_length(connection)
        try:
            with Deadline(connection).until(until):
                migrate(connection, migrations(*SESSION))
                found = connection.pragma("quick_check", 1)
                if found != "ok":
                    raise SessionDamaged(f"the copy is damaged: {found}", hint="use another one; nothing was changed")
                if (not whole and _carry_over(connection, live)) or renew:
                    undo.set_id(connection, undo.new_id())
                return undo.current_id(connection)
        except apsw.InterruptError:
            raise StatementTimeout("checking the copy took too long", hint="give the session more time") from None


def _carry_over(connection: apsw.Connection, live: Path | None) -> bool:
    """Fill what no way back may change of the engine's tables with what the session holds now; whether that differs."""
    if live is not None:
        connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
        connection.execute("ATTACH ? AS live", (str(live),))
    differs = False
    for name in map(quoted, CARRIED_TABLES):
        wanted = f"SELECT * FROM live.{name}" if live is not None else f"SELECT * FROM main.{name} WHERE FALSE"  # noqa: S608
        if not _same(connection, f"SELECT * FROM main.{name}", wanted):  # noqa: S608
            with connection:
                connection.execute(f"DELETE FROM main.{name}")  # noqa: S608
                connection.execute(f"INSERT INTO main.{name} {wanted}")
            differs = True
    if live is not None and (last := undo.last_result(connection, "live")) > undo.last_result(connection):
        undo.keep_last_result(connection, last)
        differs = True
    return differs


def _same(connection: apsw.Connection, one: str, other: str) -> bool:
    sql = f"SELECT NOT EXISTS ({one} EXCEPT {other}) AND NOT EXISTS ({other} EXCEPT {one})"
    return bool(connection.execute(sql).get)


def put_back(copy: Path, live: Path, check: Check) -> None:
    """Make the session's file `live` what the private file `copy` is, in one transaction."""
    with explained(live), closing(apsw.Connection(str(live), flags=apsw.SQLITE_OPEN_READWRITE)) as connection:
        connection.set_busy_timeout(_BUSY_MS)
        connection.wal_autocheckpoint(0)
        with closing(frozen(copy)) as origin:
            _backup(origin, connection, check)
        connection.set_busy_timeout(0)
        with suppress(apsw.Error):  # a reader is in its way, or the disk: it is committed, and the next one will do
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


def _reading(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_MS)
    return connection


def _backup(origin: apsw.Connection, target: apsw.Connection, check: Check) -> None:
    with target.backup("main", origin, "main") as backup:
        while not backup.done:
            check()
            try:
                backup.step(_STEP_PAGES)
            except apsw.FullError:  # whose text would be "not an error"
                raise apsw.FullError("the disk is full") from None


def sync(path: Path) -> None:
    """Make a private file durable."""
    # Opened as a plain file: no connection has it, so no lock of SQLite's is lost when it is closed.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explained(file: Path | str) -> Iterator[None]:
    """SQLite's errors about a file, told by its path or in words, as errors of the tree."""
    try:
        yield
    except _DAMAGE as error:
        raise SessionDamaged(f"{file} cannot be read: {error}", hint="restore another copy") from None
    except (*_FULL, OSError) as error:
        raise StorageFull(f"the copy cannot be written: {error}", hint="free space in the data directory") from None
    except (apsw.BusyError, apsw.LockedError):
        raise SessionBusy("another process holds the session's file", hint="try again") from None
    except apsw.Error as error:
        raise StorageFull(f"the session cannot be copied: {error}", hint="try again, or free space") from None
