"""Compares the guard's word on a statement with SQLite's, on one connection with a session's settings.

The guard is asked first. What it refuses is run again with the engine's rights, which is SQLite without a guard: only
what runs then was refused by the guard. Its effect stays, so that the statements after it find what they expect.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import apsw

from codemode.database.connection import open_session
from codemode.errors import CodemodeError, StatementRefused
from codemode.guard import Guard, policy, rules, scan
from codemode.guard.gate import admit
from codemode.guard.parse import read
from codemode.guard.repair import explain_error
from codemode.limits import Limits

SECONDS = 5.0
ROWS = 1_000  # of one answer: the rest shows nothing new

# The rules that policy names for statements that SQLite itself would run; SECURITY.md and the guide for models say so.
NAMED = {
    "attach": "a session has one database",
    "pragma": "the engine sets the connection up",
    "transaction": "executions are atomic",
    "maintenance": "the engine does this itself",
    "temp": "a TEMP object could shadow the session's own",
    "reserved": "a name that the engine or SQLite keeps",
    "table": "a table function that shows more than the session",
    "module": "a virtual table other than fts5, fts5vocab, rtree and rtree_i32",
    "numbering": "SERIAL and its like: the ids would stay NULL",
    "json_patch": "the bounded json_patch() needs json() around it there",
    "text": "NUL, U+FEFF, an open comment or a parameter with parentheses",
}
# Functions refused by name; any other function that SQLite has and the policy does not list would be a finding.
NAMED_FUNCTIONS = frozenset(
    {"load_extension", "fts3_tokenizer", "sqlite_log", "snippet", "highlight", "rtreecheck", "offsets", "matchinfo"}
)


@dataclass(frozen=True)
class Word:
    """What became of a statement: ran, slow, invalid (SQLite refuses it too), named or false (refused)."""

    verdict: str
    rule: str = ""
    message: str = ""


class Judge:
    def __init__(self, directory: Path, database: Path | None = None, schema: Iterable[str] = ()) -> None:
        self.limits = Limits()
        path = database or directory / "corpus.db"
        self.connection = open_session(path, self.limits, read_only=database is not None)
        self._known = {name.lower() for (name,) in self.connection.execute("SELECT name FROM pragma_function_list")}
        for sql in schema:
            self._sqlite_runs(sql)
        self.guard = Guard(self.connection, self.limits)
        self._until = 0.0
        self.connection.set_progress_handler(lambda: time.thread_time() > self._until, 10_000)

    def close(self) -> None:
        self.connection.close(True)

    def unlisted_functions(self) -> set[str]:
        """Functions that this SQLite has and the policy neither allows nor refuses by name."""
        return self._known - policy.FUNCTIONS - NAMED_FUNCTIONS

    def judge(self, sql: str) -> Word:
        try:
            self._guarded(sql)
        except apsw.InterruptError:
            return Word("slow")
        except CodemodeError as error:
            rule = self._rule(error, sql)
            if not self._sqlite_runs_again(sql):
                return Word("invalid")
            return Word("named" if self._is_named(rule, error) else "false", rule, str(error))
        return Word("ran")

    def _guarded(self, sql: str) -> None:
        """As a session runs it; nothing of it remains when it fails."""
        self._engine("SAVEPOINT corpus")
        self._until = time.thread_time() + SECONDS
        self.guard.authorizer.violation = None
        try:
            statement = self.guard.check(sql)
            with self.guard.running(statement):
                self._run(statement.sql)
            if statement.changes_schema:
                self.guard.check_schema()
        except BaseException as error:
            explained = explain_error(error, sql, self.connection) if isinstance(error, apsw.Error) else error
            self._end("ROLLBACK TO corpus", "RELEASE corpus")
            if isinstance(error, apsw.InterruptError):
                raise
            raise explained from None
        self._end("RELEASE corpus")

    def _sqlite_runs_again(self, sql: str) -> bool:
        self._until = time.thread_time() + SECONDS
        with self.guard.engine():
            return self._sqlite_runs(sql)

    def _sqlite_runs(self, sql: str) -> bool:
        try:
            self._run(sql)
        except (apsw.Error, ValueError):
            return False
        return True

    def _run(self, sql: str) -> None:
        cursor = self.connection.cursor()
        try:
            for count, _ in enumerate(cursor.execute(sql, apsw._null_bindings, can_cache=False)):  # type: ignore[attr-defined]
                if count >= ROWS:
                    break
        finally:
            cursor.close(True)

    def _engine(self, *statements: str) -> None:
        with self.guard.engine():
            for sql in statements:
                self.connection.execute(sql, can_cache=False)

    def _end(self, *statements: str) -> None:
        """End the savepoint; a statement may have ended the whole transaction itself (OR ROLLBACK, an interrupt)."""
        if self.connection.in_transaction:
            self._until = time.thread_time() + SECONDS
            self._engine(*statements)

    def _rule(self, error: CodemodeError, sql: str) -> str:
        violation = self.guard.authorizer.violation
        if isinstance(error, StatementRefused) and violation is not None:
            return violation.rule
        try:
            text = admit(sql, self.limits.sql_bytes)
        except CodemodeError:
            return "text"
        if isinstance(error, StatementRefused):
            candidate = rules.Candidate(scan.heading(text), read(text))
            broken = rules.first_violation(candidate)
            return broken.rule if broken is not None else "temp" if "TEMP" in error.message else "reserved"
        return error.code

    def _is_named(self, rule: str, error: CodemodeError) -> bool:
        if rule != "function":
            return rule in NAMED
        name = re.search(r"(\w+)\(\)", error.message)
        return name is not None and (name[1].lower() in NAMED_FUNCTIONS or name[1].lower() not in self._known)
