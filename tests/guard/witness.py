"""What SQLite itself reports of a statement, beside the guard's word on it: neither knows of the other's reasons."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import apsw
from guard_desk import USER_SQL, Desk, Result

from codemode.guard import Statement, scan


class Witness:
    """Watches one desk's connection, and keeps a database without any guard for a second opinion."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._judged: Statement | None = None
        self._rows: set[tuple[str, str]] = set()
        self._check = desk.guard.check
        desk.guard.check = self._remembered  # type: ignore[method-assign]
        desk.connection.set_update_hook(lambda _kind, database, table, _row: self._rows.add((database, table)))
        self._unguarded = apsw.Connection(":memory:")
        self._unguarded.execute(";".join(USER_SQL)).fetchall()
        self.begin()

    def begin(self) -> None:
        """From here on, what is reported belongs to the next statement."""
        self._judged = None
        self._rows.clear()
        self._changes = self._desk.connection.total_changes()
        self._cookie = self._schema_version()

    def objections(self, sql: str, result: Result) -> list[str]:
        """Where SQLite's report and the guard's word part."""
        if result.verdict[0] == "allowed" and self._judged is not None:
            return self._beyond_its_word(self._judged)
        if result.verdict[0] == "error" and result.verdict[2] in ("gate", "keyword") and self._accepted(sql):
            return ["called an error before SQLite was asked, and SQLite takes it"]
        return []

    def close(self) -> None:
        self._unguarded.close()

    def _remembered(self, sql: Any) -> Statement:
        self._judged = self._check(sql)
        return self._judged

    def _beyond_its_word(self, judged: Statement) -> list[str]:
        found = []
        if judged.reads_only and (self._rows or self._desk.connection.total_changes() != self._changes):
            found.append(f"judged to read only, and wrote {sorted(self._rows)}")
        if not judged.changes_schema and self._schema_version() != self._cookie:
            found.append("judged to leave the schema, and changed it")
        for database, table in self._rows:
            if database != "main" or not (judged.changes_schema or _announced(table, judged.tables_written)):
                found.append(f"wrote {database}.{table}, and announced {judged.tables_written}")
        return found

    def _schema_version(self) -> int:
        with self._desk.guard.engine():
            version: int = next(self._desk.connection.execute("PRAGMA main.schema_version", can_cache=False))[0]
        return version

    def _accepted(self, sql: str) -> bool:
        """Whether plain SQLite prepares the text, where refusing it is no policy of ours (docs/reference/sql.md)."""
        if "\0" in sql or "\ufeff" in sql or scan.unfinished(sql) is not None:
            return False
        cursor = self._unguarded.cursor()
        cursor.exec_trace = lambda *_: False
        with suppress(apsw.Error, UnicodeEncodeError):
            try:  # explained, because SQLite also takes a text that holds no statement at all
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", apsw._null_bindings)  # type: ignore[attr-defined]
            except apsw.ExecTraceAbort:
                return True
        return False


def _announced(table: str, names: tuple[str, ...]) -> bool:
    """A virtual table writes shadow tables of its own: docs_data, docs_idx …"""
    return any(table.lower() == name.lower() or table.lower().startswith(f"{name.lower()}_") for name in names)
