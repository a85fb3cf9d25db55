"""A session's database as the engine leaves it for its user, and what became of a statement on it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from codemode.database.connection import open_session
from codemode.errors import CodemodeError, StatementRefused
from codemode.guard import Guard, rules, scan
from codemode.guard.parse import read
from codemode.guard.repair import explain_error
from codemode.limits import Limits

ENGINE_SQL = """
    CREATE TABLE session_state (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE _result_1 (a, b);
    CREATE TABLE _codemode_counters (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, count INTEGER);
    INSERT INTO session_state VALUES ('step', '1', '2025-01-01T00:00:00.000Z');
    INSERT INTO _result_1 VALUES (1, 2);
    INSERT INTO _codemode_counters (name, count) VALUES ('opened', 1);
"""
RESERVED = re.compile(r"(session_state|execution_logs)$|_codemode_|_result_|pragma_|json_(each|tree)$", re.IGNORECASE)
OWNED = "('session_state', '_result_1', '_codemode_counters')"
LOG_SQL = """
    CREATE TABLE execution_logs (id INTEGER PRIMARY KEY, statement TEXT);
    CREATE TABLE other_secret (x);
    INSERT INTO execution_logs VALUES (1, 'SELECT 1');
"""
USER_SQL = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL)",
    "CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT, t_id INT REFERENCES t (id) ON DELETE CASCADE, note TEXT)",
    "CREATE TABLE only (x)",
    'CREATE TABLE "odd name" ("a b" TEXT, "select" INTEGER)',
    "CREATE INDEX t_a ON t (a)",
    "CREATE VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a",
    "CREATE VIRTUAL TABLE docs USING fts5(title, body)",
    "INSERT INTO t (a, b) VALUES ('x', 1.5), ('y', 2), ('x', NULL)",
    "INSERT INTO u (t_id, note) VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO docs VALUES ('first', 'hello world'), ('second', 'good day')",
)


@dataclass
class Result:
    """What became of a statement, as tests/cases names it: ("refused", rule, layer) and so on."""

    verdict: tuple[str, ...]
    rows: list[Any]
    error: CodemodeError | None = None


class Desk:
    def __init__(self, directory: Path, limits: Limits | None = None, *, user_tables: bool = True) -> None:
        self.limits = limits or Limits()
        log = apsw.Connection(str(directory / "log.db"))
        log.execute(LOG_SQL).fetchall()
        log.close()
        self.connection = open_session(directory / "session.db", self.limits)
        self.connection.execute(ENGINE_SQL).fetchall()
        self.connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
        self.connection.execute("ATTACH ? AS log", (str(directory / "log.db"),))
        self.connection.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
        self.connection.execute("CREATE TEMP VIEW execution_logs AS SELECT id, statement FROM log.execution_logs")
        self.guard = Guard(self.connection, self.limits)
        for sql in USER_SQL if user_tables else ():
            assert self.submit(sql).verdict[0] == "allowed", sql
        self.before = self.engine_hash()

    def close(self) -> None:
        self.connection.close(True)

    def submit(self, sql: Any, params: Any = ()) -> Result:
        """Check and run `sql` as a session does: in a transaction, undone when it fails."""
        with self.guard.engine():
            self.connection.execute("SAVEPOINT unit", can_cache=False)
        rows: list[Any] = []
        layer = "sqlite"
        self.guard.authorizer.violation = None
        try:
            statement = self.guard.check(sql)
            layer = "running"
            try:
                with self.guard.running(statement):
                    rows = list(self.connection.execute(statement.sql, params))
            except apsw.Error as error:
                raise explain_error(error, statement.sql, self.connection) from None
            layer = "schema"
            if statement.changes_schema:
                self.guard.check_schema()  # its refusal names no rule to us: the hint tells which
        except CodemodeError as error:
            result = Result(self._refusal(error, sql, layer), rows, error)
            self._end("ROLLBACK TO unit", "RELEASE unit")
            return result
        self._end("RELEASE unit")
        return Result(("allowed", statement.kind), rows)

    def engine_hash(self) -> str:
        """A digest of everything the engine owns: its rows, its schema, its numbers."""
        with self.guard.engine():
            owned = [
                list(self.connection.execute(sql, can_cache=False))
                for sql in (
                    "SELECT * FROM main.session_state ORDER BY 1",
                    "SELECT * FROM main._result_1",
                    "SELECT * FROM main._codemode_counters",
                    "SELECT * FROM log.execution_logs",
                    "SELECT * FROM main.sqlite_sequence WHERE name LIKE '\\_codemode%' ESCAPE '\\'",
                    f"SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE tbl_name IN {OWNED} ORDER BY 1, 2",
                    "SELECT type, name, sql FROM temp.sqlite_schema",
                    "SELECT name FROM pragma_database_list",
                    "SELECT * FROM pragma_user_version, pragma_application_id, pragma_foreign_keys",
                )
            ]
            names = [row[0] for row in self.connection.execute("SELECT name FROM sqlite_schema", can_cache=False)]
            taken = [name for name in names if RESERVED.match(name)]
        return hashlib.sha256(repr((owned, sorted(taken))).encode()).hexdigest()

    def _end(self, *statements: str) -> None:
        if self.connection.in_transaction:  # RAISE(ROLLBACK) and its like have ended it already
            with self.guard.engine():
                for sql in statements:
                    self.connection.execute(sql, can_cache=False)

    def _refusal(self, error: CodemodeError, sql: Any, layer: str) -> tuple[str, ...]:
        rule = None
        if layer == "sqlite":
            rule, layer = self._before_sqlite(sql)
        if rule is None and self.guard.authorizer.violation is not None:
            rule = self.guard.authorizer.violation.rule
            layer = "authorizer" if layer == "sqlite" else layer
        if isinstance(error, StatementRefused):
            return ("refused", rule or ("temp" if "TEMP" in error.message else _rule_of(error)), layer)
        return ("error", error.code, layer)

    def _before_sqlite(self, sql: Any) -> tuple[str | None, str]:
        if not isinstance(sql, str) or "\0" in sql or "\ufeff" in sql[1:] or scan.unfinished(sql):
            return None, "gate"
        candidate = rules.Candidate(scan.heading(sql), read(sql))
        for rule in rules.RULES:
            if (violation := rule(candidate)) is not None:
                of_sqlglot = rule.__name__ in ("root_agrees", "json_is_kept")
                return violation.rule, "sqlglot" if of_sqlglot else "keyword"
        if candidate.heading.kind is None:
            return None, "keyword"
        return None, "sqlite"


def _rule_of(error: CodemodeError) -> str:
    if "()" in error.message:
        return "function"
    return "numbering" if "numbers nothing" in error.message else "reserved"
