"""The catalogue in a SQLite file: one connection that writes, two that only read, and errors that say what to do.

Whoever asks never waits for whoever writes, here or in another process: the event loop of a service asks at each
request, and a write may wait for the disk. SQLite shows a reader what is committed when its statement begins, so that a
token that is revoked, by whichever process, is refused from then on. Searches in messages, which may take tenths of a
second, have a connection of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import apsw

from codemode.catalog.store import (
    Broken,
    Dialect,
    Kind,
    Look,
    Row,
    RuleBroken,
    Statements,
    changed_since,
    closed,
    no_text,
    not_migrated,
)
from codemode.database.engine_file import identity, open_engine_file
from codemode.errors import CatalogDamaged, CodemodeError, StorageFull, WorkerUnavailable
from codemode.limits import Limits

if TYPE_CHECKING:
    from codemode.catalog.stores.sqlite_asking import SqliteAsking

BUSY_MS = 10_000  # a reader waits only while another process recovers the file after a crash
_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError)
_BROKEN: dict[int, Broken] = {
    apsw.SQLITE_CONSTRAINT_UNIQUE: "unique",
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    apsw.SQLITE_CONSTRAINT_ROWID: "unique",
    apsw.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign",
    apsw.SQLITE_CONSTRAINT_NOTNULL: "null",
    apsw.SQLITE_CONSTRAINT_TRIGGER: "trigger",
}
# What triggers keep of messages for searching them, worked out for all there are: see migration 10.
INDEX_ANEW = """
    DELETE FROM search_ranges WHERE tenant NOT IN (SELECT id FROM tenants);
    INSERT INTO search_ranges (tenant) SELECT id FROM tenants WHERE id NOT IN (SELECT tenant FROM search_ranges);
    UPDATE search_ranges SET newest_at = 0, late_ms = 0;
    WITH came AS (SELECT tenant, created_at, max(created_at) OVER (PARTITION BY tenant ORDER BY position) AS newest
            FROM messages),
        late AS (SELECT tenant, max(created_at) AS at, max(newest - created_at) AS ms FROM came GROUP BY tenant)
        UPDATE search_ranges SET newest_at = late.at, late_ms = late.ms FROM late
        WHERE late.tenant = search_ranges.tenant;
    INSERT INTO messages_text (messages_text) VALUES ('rebuild');
"""


class SqliteStore:
    """An open catalogue file; safe to use from several threads."""

    dialect: Dialect = "sqlite"
    kind: Kind = "sqlite"
    is_near = True
    behind = False
    form: int | None = None

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._path = connection.filename
        self._identity = identity(self._path)
        self._lock = threading.RLock()
        self._reader = apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READONLY)
        self._reader.set_busy_timeout(BUSY_MS)
        self._reading = threading.Lock()
        self._searcher: apsw.Connection | None = None  # opened by the first search
        self._searching = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Self:
        """The catalogue in `path`, made where there is none; raises CatalogDamaged and StorageFull."""
        try:
            return cls(open_engine_file(path, None, gives_back=True))
        except _DAMAGED as error:
            raise catalog_damaged(str(path), error) from None
        except apsw.CantOpenError as error:  # by its reader: the descriptors went with what is open already
            raise StorageFull(f"{path}: {error}", hint="raise the limit of open files") from None

    @property
    def where(self) -> str:
        """The file's path."""
        return self._path

    def acting_for(self, tenant: str, sought: str = "") -> Statements:
        """The store itself: SQLite knows no row-level security, and a statement's own condition is what holds."""
        return _Searching(self) if sought else self

    def run(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement; see `Statements.run`."""
        self._check_is_there()
        try:  # not `_errors`: each request asks, and a generator's context takes as long as the question
            with self._lock:
                return self._connection.execute(sql, params).fetchall()
        except (apsw.Error, UnicodeEncodeError) as error:
            raise self._explained(error) from None

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement that reads what is committed; see `Statements.look`."""
        self._check_is_there()
        try:
            with self._reading:
                return self._reader.execute(sql, params).fetchall()
        except (apsw.Error, UnicodeEncodeError) as error:
            raise self._explained(error) from None

    def search(self, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """The same for what may take its time: the event loop of a service looks, and must not wait for it."""
        self._check_is_there()
        with self._errors(), self._searching:
            if self._searcher is None:
                self._searcher = apsw.Connection(self._open_path(), flags=apsw.SQLITE_OPEN_READONLY)
                self._searcher.set_busy_timeout(BUSY_MS)
            return self._searcher.execute(sql, params).fetchall()

    def script(self, sql: str) -> None:
        """Run the statements of a text; see `Store.script`."""
        with self._errors(), self._lock:
            self._connection.execute(sql, can_cache=False)

    def shrink(self, pages: int) -> None:
        """Give at most so many free pages back: none of a file that was made before it kept count of them."""
        with self._errors(), self._lock:
            self._connection.execute(f"PRAGMA incremental_vacuum({int(pages)})", can_cache=False).fetchall()

    @contextmanager
    def asking(self, limits: Limits) -> Iterator[SqliteAsking]:
        """What one question needs; see `Store.asking`."""
        from codemode.catalog.stores.sqlite_asking import asking_file

        self._check_is_there()
        with self._errors():
            path = self._open_path()
        with asking_file(Path(path), limits) as asking:
            yield asking

    def _open_path(self) -> str:
        """The file's path; not of a store that is closed. A connection that is busy refuses even that: in turn."""
        with self._reading:
            return self._reader.filename

    def _check_is_there(self) -> None:
        # What is written to a deleted file is lost with this process, and another one has made a new file by then.
        if identity(self._path) != self._identity:
            raise self._gone()

    def _gone(self) -> CodemodeError:
        """The error for a file that is not found where it was: it may only be out of reach, or gone with its worker."""
        if self._closed:
            return closed()
        try:
            Path(self._path).stat()
        except OSError as error:
            if not isinstance(error, FileNotFoundError | NotADirectoryError):
                return StorageFull(
                    f"the catalogue of sessions is out of reach: {error.strerror} ({self._path})",
                    hint="mend the data directory's permissions, or the disk; the file is kept",
                )
        return catalog_damaged(self._path, "it was removed or replaced while this worker had it open")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What runs inside is one transaction, of this thread alone; see `Statements.at_once`."""
        with self._lock:
            with self._errors():
                inside = self._connection.in_transaction
            try:
                # In here: Ctrl-C after it would leave a transaction that takes all that is written later with it.
                self.run("SAVEPOINT inner" if inside else "BEGIN IMMEDIATE")
                yield
                self.run("RELEASE inner" if inside else "COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # not where SQLite undid all by itself, as on a full disk
                    with suppress(apsw.SQLError) if inside else nullcontext():  # there may be no savepoint yet
                        self._connection.execute("ROLLBACK TO inner; RELEASE inner" if inside else "ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[Look]:
        """One moment, on a connection of its own; see `Store.snapshot`."""
        self._check_is_there()
        with self._errors(), closing(apsw.Connection(self._path, flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            connection.set_busy_timeout(BUSY_MS)
            connection.execute("BEGIN")

            def look(sql: str, *params: Any) -> list[Row]:
                with self._errors():
                    return connection.execute(sql, params).fetchall()

            yield look

    @contextmanager
    def loading(self, tables: Collection[str]) -> Iterator[None]:
        """One transaction without triggers; see `Store.loading`."""
        with self._lock:
            self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
            try:
                with self.at_once():
                    self.run("PRAGMA defer_foreign_keys = on")
                    yield
                    if "messages" in tables:
                        self.script(INDEX_ANEW)
            finally:
                self._connection.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, UnicodeEncodeError) as error:
            raise self._explained(error) from None

    def _explained(self, error: apsw.Error | UnicodeEncodeError) -> Exception:
        """The error of the tree for the library's own; the same where there is none."""
        match error:
            case apsw.ConnectionClosedError():
                return closed()
            case UnicodeEncodeError():
                return no_text()
            case apsw.ConstraintError():
                return RuleBroken(_BROKEN.get(_extended(error), "check"), str(error))
            case apsw.SQLError() if self._has_changed():
                return changed_since(error, self._path)
            case apsw.SQLError() if self.behind:
                return not_migrated(error)
            case apsw.CorruptError() | apsw.NotADBError() | apsw.SQLError():
                return catalog_damaged(self._path, error)
            case apsw.BusyError():
                return WorkerUnavailable(
                    f"another process has held the catalogue for over {BUSY_MS // 1000} seconds ({self._path})",
                    hint="end what holds it (`fuser` names it), or try again when it is done",
                )
            case apsw.FullError() | apsw.IOError() | apsw.ReadOnlyError() | apsw.CantOpenError():
                return StorageFull(
                    f"the catalogue of sessions cannot be written: {error}",
                    hint="free space below the data directory, make it writable, or raise the limit of open files",
                )
        return error

    def _has_changed(self) -> bool:
        """Whether its form is another one than when it was opened; False where it cannot be asked."""
        try:
            with self._reading:
                [(now,)] = self._reader.execute("PRAGMA user_version").fetchall()
        except apsw.Error:
            return False
        return self.form not in (None, now)

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        with self._searching:
            if self._searcher is not None:
                self._searcher.close(True)
        with self._reading:
            self._reader.close(True)
        with self._lock:
            self._connection.close(True)


class _Searching:
    """The statements of a store for a search: nobody else's look waits for its own."""

    dialect: Dialect = "sqlite"

    def __init__(self, store: SqliteStore) -> None:
        self._store, self.run, self.at_once = store, store.run, store.at_once

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement that reads what is committed; see `Statements.look`."""
        return self._store.search(sql, params)


def catalog_damaged(path: str, why: object) -> CatalogDamaged:
    """The error for a catalogue that cannot be read: it is neither repaired nor replaced by guessing."""
    return CatalogDamaged(
        f"the catalogue of sessions cannot be read: {why} ({path})",
        hint="end this worker and restore the file from a copy, or move it away with its -wal file: the sessions are"
        " kept, each is found again when it is asked for by its id, and `codemode restore BACKUP --skip-existing`"
        " brings back what a backup knows of them",
    )


def _extended(error: apsw.Error) -> int:
    return int(getattr(error, "extendedresult", 0))  # apsw sets it on each error, and declares it nowhere
