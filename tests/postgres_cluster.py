"""A throw-away PostgreSQL of Debian's package for a run of the tests: one for all of its processes, gone with the last.

Each test gets a database of its own, copied from one that was migrated once.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

_SPARTAN = (
    "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB"
    " -c max_connections=60 -c max_wal_size=128MB -c autovacuum=off -c jit=off -c max_worker_processes=0"
)
# As the superuser, whom no trigger that guards the audit log keeps from it.
_EMPTY = """
    DO $$ BEGIN
        SET LOCAL session_replication_role = replica;
        EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY'
            FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'audit_horizon'));
        UPDATE audit_horizon SET before = 0;
        INSERT INTO tenants (id, created_at) VALUES ('local', now_ms());
        INSERT INTO counters (tenant) VALUES ('local');
    END $$
"""
_numbers = count()


def binaries() -> Path | None:
    """Where the newest server's programs are, if one is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


class Cluster:
    """A running server: `place` is where its socket is."""

    def __init__(self, place: Path, owner: str | None) -> None:
        self.place, self._owner = place, owner

    def address(self, database: str, role: str = "codemode") -> str:
        return f"postgresql://{role}@/{database}?host={self.place}"

    def sql(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as the superuser; the rows of the last one that has some."""
        import psycopg

        rows: list[Any] = []
        role = self._owner or pwd.getpwuid(os.getuid()).pw_name
        with psycopg.connect(self.address(database, role), autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
                rows = cursor.fetchall() if cursor.description else rows
        return rows

    def database(self, template: str = "template1") -> str:
        """The address of a new database, owned by a role that no policy is beneath."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} OWNER codemode TEMPLATE {template} STRATEGY file_copy")
        return self.address(name)

    @property
    def own(self) -> str:
        """The name of this process's own database."""
        return f"own_{os.getpid()}"

    def emptied(self) -> str:
        """The address of this process's own database, in the newest form and as if nobody had used it yet."""
        name = self.own
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.sql(f"CREATE DATABASE {name} OWNER codemode TEMPLATE migrated STRATEGY file_copy")
        self.sql(_EMPTY, database=name)
        return self.address(name)

    def drop(self, address: str) -> None:
        """Remove a database that `database` made."""
        name = address.partition("?")[0].rpartition("/")[2]
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        self._control("restart", "-m", "immediate")

    def _control(self, *words: str) -> None:
        folder = binaries()
        assert folder is not None
        _run(self._owner, folder / "pg_ctl", "-D", self.place / "data", "-l", self.place / "log", "-w", *words)

    def _start(self) -> None:
        folder = binaries()
        assert folder is not None
        _run(self._owner, folder / "initdb", "-D", self.place / "data", "--no-sync", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8")  # fmt: skip
        self._control("-o", f"{_SPARTAN} -k {self.place}", "start")
        roles = (
            "CREATE ROLE codemode LOGIN",
            "CREATE ROLE codemode_asking NOLOGIN",
            "GRANT codemode_asking TO codemode",
        )
        self.sql(*roles, "CREATE DATABASE migrated OWNER codemode")


def _run(owner: str | None, *words: object) -> None:
    as_owner = {} if owner is None else {"user": owner, "group": owner, "extra_groups": []}
    subprocess.run([str(word) for word in words], check=True, cwd="/", capture_output=True, **as_owner)  # type: ignore[call-overload]


@contextmanager
def shared(folder: Path, prepare: Callable[[Cluster], None]) -> Iterator[Cluster]:
    """The cluster of this run of the tests, whose processes have `folder` in common; who makes it prepares it.

    Nobody else: a database that somebody is connected to is no template.
    """
    owner = "postgres" if os.getuid() == 0 else None  # the server refuses to run as root
    users, place = folder / "postgres.users", folder / "postgres.place"
    with _locked(folder):
        if not place.exists():
            made = Path(tempfile.mkdtemp(prefix="codemode-pg-"))  # its socket's path must be short
            if owner is not None:
                shutil.chown(made, owner)
            cluster = Cluster(made, owner)
            cluster._start()
            prepare(cluster)
            place.write_text(str(made))
            users.write_text("0")
        cluster = Cluster(Path(place.read_text()), owner)
        users.write_text(str(int(users.read_text()) + 1))
    try:
        yield cluster
    finally:
        with _locked(folder):
            left = int(users.read_text()) - 1
            users.write_text(str(left))
            if not left:
                cluster._control("-m", "immediate", "stop")
                shutil.rmtree(cluster.place)
                place.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "postgres.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
