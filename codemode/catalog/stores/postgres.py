"""The catalogue in PostgreSQL.

Each statement runs as one tenant, or as everybody ("*"), which is set for its transaction (`codemode.tenant`) in one
place, `_As`. The policies of the tables show and take only that tenant's rows, whatever the statement says, so the
role that connects must not be one that they do not hold for. Nothing set means no rows.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self, cast

from codemode.catalog.contents import NUMBERED
from codemode.catalog.store import (
    EVERYBODY,
    PARTS,
    Broken,
    Dialect,
    Kind,
    Look,
    Row,
    RuleBroken,
    changed_since,
    closed,
    no_text,
    not_migrated,
    unknown_form,
)
from codemode.errors import ExtraMissing, RequestInvalid, StorageFull, WorkerUnavailable
from codemode.limits import Limits

try:
    import psycopg
    import psycopg_pool
    from psycopg import errors
except ImportError as error:
    raise ExtraMissing(
        "a catalogue in PostgreSQL needs psycopg", hint="install it: pip install 'codemode[postgres]'"
    ) from error

from codemode.catalog.stores.postgres_asking import PostgresAsking
from codemode.catalog.stores.postgres_connections import Connection, Connections, first_line

_log = logging.getLogger("codemode")
_FORM_LOCK, _TENANT_LOCK = 0x636F6465, 0x6D6F6465  # the first of two keys: others may use advisory locks too
_BEGIN = "SELECT set_config('codemode.tenant', $1, true), set_config('codemode.sought', $2, true)"
_LOCK_ALL = f"SELECT pg_advisory_xact_lock({_FORM_LOCK}, 0)"
_LOCK_ONE = f"SELECT pg_advisory_xact_lock_shared({_FORM_LOCK}, 0), pg_advisory_xact_lock({_TENANT_LOCK}, hashtext($1))"
_ROLE = "SELECT rolsuper OR rolbypassrls, rolname FROM pg_roles WHERE rolname = current_user"
_BROKEN: dict[str, Broken] = {
    "23505": "unique",
    "23503": "foreign",
    "23514": "check",
    "22P02": "check",  # text that is no JSON, in a column that is checked by reading it
    "23502": "null",
    "P0001": "trigger",
    "42501": "tenant",
}
_LACKING = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)


class PostgresStore:
    """An open catalogue; safe to use from several threads."""

    dialect: Dialect = "postgres"
    kind: Kind = "postgres"
    is_near = False
    behind = False
    form: int | None = None

    def __init__(self, address: str, connections: int) -> None:
        self._connections, self._is_open = Connections(address, connections), False
        self.where = self._connections.where
        # A connection is left for `look`: threads that hold one each and wait for another would wait for each other.
        self._writing = threading.BoundedSemaphore(connections - 1)
        self._asked = threading.BoundedSemaphore(max(1, connections // 4))  # a question may hold one for half a minute
        self._local = threading.local()

    @classmethod
    def open(cls, address: str, connections: int) -> Self:
        """The catalogue at an address, in whatever form it has; raises RequestInvalid and WorkerUnavailable."""
        store = cls(address, max(2, connections))
        with store._errors():
            with store._connections.by_itself() as connection:
                found = connection.execute(_ROLE).fetchone()
            if found is None or found[0]:
                raise _above_policies(store.where, "" if found is None else found[1])
            store._connections.open()
        store._is_open = True
        return store

    def acting_for(self, tenant: str, sought: str = "") -> _As:
        """The statements as one tenant."""
        return _As(self, tenant, sought)

    def run(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement over all tenants; see `Statements.run`."""
        return self._everybody.run(sql, *params)

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The committed rows of one statement over all tenants; see `Statements.look`."""
        return self._everybody.look(sql, *params)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """One transaction, while no other `at_once` runs; see `Statements.at_once`."""
        with self._everybody.at_once():
            yield

    @contextmanager
    def asking(self, limits: Limits) -> Iterator[PostgresAsking]:
        """What one question needs; see `Store.asking`."""
        with self._asked, self._errors(), self._connections.one() as connection:
            yield PostgresAsking(connection)

    @property
    def _everybody(self) -> _As:
        return _As(self, EVERYBODY, "")

    def script(self, sql: str) -> None:
        """Run the statements of a text, however long it takes; see `Store.script`."""
        with self._errors():
            held = cast("_Held", self._local.held)
            held.connection.execute("SET LOCAL statement_timeout = 0")
            held.connection.execute(sql, prepare=False)

    @contextmanager
    def snapshot(self) -> Iterator[Look]:
        """One moment, on a connection of the pool; see `Store.snapshot`."""
        with self._errors(), self._connections.one() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0")
            connection.execute(_BEGIN, (EVERYBODY, ""))

            def look(sql: str, *params: Any) -> list[Row]:
                with self._errors():
                    return _rows(connection.execute(translated(sql), params))

            yield look

    @contextmanager
    def loading(self, tables: Collection[str]) -> Iterator[None]:
        """One transaction without the triggers of these tables; see `Store.loading`."""
        with self.at_once():
            self.script("SET LOCAL idle_in_transaction_session_timeout = 0")
            for table in tables:
                self.script(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            for table in tables:
                self.script(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            if "messages" in tables:
                self.run("INSERT INTO message_words SELECT position, words FROM messages_as_indexed")
            for table, column in NUMBERED.items():
                self.run(
                    f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"  # noqa: S608
                    f" coalesce((SELECT max({column}) FROM {table}), 0) + 1, false)"
                )

    def shrink(self, pages: int) -> None:
        """Nothing to do: PostgreSQL's autovacuum sees to it."""

    def close(self) -> None:
        """Close the pool."""
        self._connections.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg_pool.PoolClosed:
            raise closed() from None
        except UnicodeEncodeError:
            raise no_text() from None
        except psycopg.Error as error:
            raise self._told(error) from None

    def _told(self, error: psycopg.Error) -> Exception:
        state, text = error.sqlstate or "", first_line(error)
        if state in _BROKEN and (state != "42501" or "row-level security" in text):
            return RuleBroken(_BROKEN[state], text)
        if isinstance(error, _LACKING):
            if self.behind:
                return not_migrated(text)
            return unknown_form(text, self.where) if self.form is None else changed_since(text, self.where)
        if isinstance(error, errors.DiskFull | errors.OutOfMemory | errors.ReadOnlySqlTransaction):
            return StorageFull(
                f"the catalogue cannot be written: {text}",
                hint="free space of the server, or connect to one that takes writes",
            )
        if isinstance(error, psycopg.DataError):
            return RequestInvalid(f"the catalogue cannot keep this: {text}")
        if state.startswith(("42", "0A")):
            return error  # a fault of the program, and no state of the server
        why = f"the catalogue does not answer: {text} ({self.where})"
        if not self._is_open:
            return WorkerUnavailable(why, hint="see that the server runs and takes this role's connections")
        # Told to whoever asks, with a token or without: where the server is they need not know.
        _log.warning(why)
        return WorkerUnavailable("the catalogue does not answer", hint="try again in a moment; the log says why")


class _Held:
    """The connection that a thread's `at_once` holds, and whom it acts for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._tenant: str | None = None

    def become(self, tenant: str) -> None:
        """Act for `tenant` from here on, as long as the transaction lasts."""
        if tenant != self._tenant:
            self.connection.execute(_BEGIN, (tenant, ""))
            self._tenant = tenant

    def forget(self) -> None:
        """An inner block was undone, and whom it acted for with it."""
        self._tenant = None


class _As:
    """The statements of a store as one tenant, or as everybody."""

    __slots__ = ("_sought", "_store", "_tenant")

    def __init__(self, store: PostgresStore, tenant: str, sought: str) -> None:
        self._store, self._tenant, self._sought = store, tenant, sought

    @property
    def dialect(self) -> Dialect:
        """Which of a pair of texts it takes."""
        return self._store.dialect

    def run(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement; see `Statements.run`."""
        held: _Held | None = getattr(self._store._local, "held", None)
        if held is None:
            return self.look(sql, *params)
        with self._store._errors():
            held.become(self._tenant)
            return _rows(held.connection.execute(translated(sql), params))

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The same on a connection of its own, in a transaction of this statement alone: one way to the server."""
        with self._store._errors(), self._store._connections.one() as connection:
            with connection.pipeline():
                connection.execute("BEGIN")
                connection.execute(_BEGIN, (self._tenant, self._sought))
                cursor = connection.execute(translated(sql), params)
                connection.execute("COMMIT")
            return _rows(cursor)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """One transaction, or a part of the one that this thread is in; see `Statements.at_once`."""
        local = self._store._local
        held: _Held | None = getattr(local, "held", None)
        if held is not None:
            try:
                with self._store._errors(), held.connection.transaction():
                    yield
            except BaseException:
                held.forget()
                raise
            return
        with (
            self._store._writing,
            self._store._errors(),
            self._store._connections.one() as connection,
            connection.transaction(),
        ):
            local.held = _Held(connection)
            try:
                local.held.become(self._tenant)
                if self._tenant == EVERYBODY:
                    connection.execute(_LOCK_ALL)
                else:
                    connection.execute(_LOCK_ONE, (self._tenant,))
                yield
            finally:
                local.held = None


@lru_cache(maxsize=1_024)
def translated(sql: str) -> str:
    """The text with PostgreSQL's parameters: `$1` for `?1`, and for `?` the number that SQLite would give it."""
    highest = 0

    def parameter(found: re.Match[str]) -> str:
        nonlocal highest
        if not found[0].startswith("?"):
            return found[0]
        number = int(found[1]) if found[1] else highest + 1
        highest = max(highest, number)
        return f"${number}"

    return PARTS.sub(parameter, sql)


def _rows(cursor: psycopg.Cursor[Row]) -> list[Row]:
    return cursor.fetchall() if cursor.description else []


def _above_policies(where: str, role: str) -> RequestInvalid:
    return RequestInvalid(
        f"the role {role!r} is above the row-level security that keeps tenants apart ({where})",
        hint="connect as one that is neither superuser nor BYPASSRLS: CREATE ROLE codemode LOGIN; CREATE DATABASE"
        " codemode OWNER codemode",
    )
