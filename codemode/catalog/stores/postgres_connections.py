"""The connections of a process to a PostgreSQL server: a pool of them, set up alike, alive when they are handed out."""

from __future__ import annotations

import select
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import psycopg_pool
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import FloatLoader, Int8Dumper

from codemode.catalog.store import Row
from codemode.errors import RequestInvalid, WorkerUnavailable

Connection = psycopg.Connection[Row]
_WAIT_SECONDS = 5.0  # for a connection of the pool, and for the server to answer at all
_AWAY_SECONDS = 0.5  # for a connection where the server was away a moment ago: whoever asks is told so soon
_SILENT_MS = 10_000  # a server whose machine is gone says nothing: what is not acknowledged by then is lost
_STATEMENT_MS = 30_000  # no statement of the catalogue takes so long, unless it waits for somebody who hangs
_IDLE_MS = 60_000  # a process that stops inside of `at_once` holds its locks no longer than this


class _Flag(Dumper):
    """True and False as 1 and 0: flags are numbers in every store."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class Connections:
    """The pool; safe to use from several threads. `where` tells people which server it is."""

    def __init__(self, address: str, most: int) -> None:
        parts = _parts(address)
        self.where = f"postgresql://{_servers(parts['host'], parts['port'])}/{parts['dbname']}"
        self._address, self._patience = address, _WAIT_SECONDS
        # Its attempts at a server that is away get rarer; one that is given up is made anew when the next one asks.
        self._pool = psycopg_pool.ConnectionPool(
            address, min_size=1, max_size=most, check=_is_alive, configure=_configured,
            reconnect_timeout=_WAIT_SECONDS, name="codemode", open=False,
            kwargs={"autocommit": True, "cursor_factory": psycopg.RawCursor, "connect_timeout": int(_WAIT_SECONDS),
                    "tcp_user_timeout": parts["tcp_user_timeout"] or _SILENT_MS},
        )  # fmt: skip

    @contextmanager
    def by_itself(self) -> Iterator[psycopg.Connection[Any]]:
        """One outside of the pool, which says why the server does not take it: a pool tells only that it has waited."""
        with psycopg.connect(self._address, connect_timeout=int(_WAIT_SECONDS)) as connection:
            yield connection

    def open(self) -> None:
        """Begin to connect."""
        self._pool.open()

    def close(self) -> None:
        """Close all of them."""
        self._pool.close()

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection of the pool; raises WorkerUnavailable, or what the server says."""
        try:
            with self._pool.connection(self._patience) as connection:
                self._patience = _WAIT_SECONDS
                yield connection
        except psycopg_pool.PoolTimeout:
            raise self._none_left() from None

    def _none_left(self) -> Exception:
        """Why the pool has no connection: it says only that it waited for one."""
        try:
            psycopg.connect(self._address, connect_timeout=2).close()
        except psycopg.Error as error:
            self._patience = _AWAY_SECONDS
            return error
        return WorkerUnavailable(
            f"all {self._pool.max_size} connections to the catalogue are in use",
            hint="try again, or raise the setting catalog_connections",
        )


def _configured(connection: Connection) -> None:
    connection.adapters.register_dumper(int, Int8Dumper)  # one type for every int: one plan for every statement
    connection.adapters.register_dumper(bool, _Flag)
    connection.adapters.register_loader("numeric", FloatLoader)
    # A plan that is kept for any tenant is one for a small one: it looked at all rows of a large session to find one.
    connection.execute(
        f"SET statement_timeout = {_STATEMENT_MS}; SET idle_in_transaction_session_timeout = {_IDLE_MS};"
        " SET client_encoding = 'UTF8'; SET default_transaction_isolation = 'read committed';"
        " SET plan_cache_mode = force_custom_plan"
    )


def _is_alive(connection: Connection) -> None:
    """Raise for a connection whose server has gone: one that is not used has nothing to read but that."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        connection.execute("SELECT 1")


def _parts(address: str) -> defaultdict[str, str]:
    """What an address says, "" for what it does not; raises RequestInvalid.

    A password with a sign of addresses in it ends up in the host or port, or in libpq's message: neither is shown.
    """
    try:
        parts: dict[str, Any] = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        raise _no_address(first_line(error).partition(': "')[0]) from None
    if "@" in str(parts.get("host", "")):
        raise _no_address("there are two @ in it")
    if not str(parts.get("port", "")).replace(",", "").isdecimal() and parts.get("port"):
        raise _no_address("its port is no number")
    return defaultdict(str, {name: str(value) for name, value in parts.items()})


def _servers(hosts: str, ports: str) -> str:
    """Each server that an address names, with its port: libpq has a list of hosts and a list of ports."""
    names, numbers = hosts.split(","), ports.split(",")
    numbers = numbers if len(numbers) == len(names) else numbers * len(names)
    return ",".join(f"{name}{number and ':' + number}" for name, number in zip(names, numbers, strict=False))


def _no_address(why: str) -> RequestInvalid:
    return RequestInvalid(
        f"setting catalog is no address of PostgreSQL: {why}",
        hint="write postgresql://user@host:5432/database, with : / @ % in a password as %3A %2F %40 %25, or better the"
        " password in ~/.pgpass",
    )


def first_line(error: psycopg.Error) -> str:
    """What the server said, or the library in its place."""
    return (error.diag.message_primary or str(error)).partition("\n")[0].strip() or type(error).__name__
