"""Batches, scripts, records and statements in one another, with errors among them, against SQLite's own savepoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codemode import Worker

SETUP = """
CREATE TABLE t (a INTEGER PRIMARY KEY, b);
INSERT INTO t VALUES (1, 'one'), (2, 'two');
CREATE TABLE later (a REFERENCES t DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE ended (x);
CREATE TRIGGER ends AFTER INSERT ON ended BEGIN SELECT RAISE(ROLLBACK, 'never'); END;
"""
SQL = (
    "INSERT INTO t VALUES ({0}, 'new')",
    "INSERT INTO t VALUES ({0}, 'new'), (1, 'again')",
    "INSERT OR FAIL INTO t VALUES ({0}, 'kept'), (1, 'again')",
    "INSERT OR ROLLBACK INTO t VALUES (1, 'again')",
    "REPLACE INTO t VALUES ({0}, 'replaced')",
    "UPDATE t SET b = b || {0}",
    "DELETE FROM t WHERE a = {0}",
    "INSERT INTO ended VALUES ({0})",
    "INSERT INTO later VALUES (500)",
    "CREATE TABLE IF NOT EXISTS made (x)",
)
CODE = """
def records(keys, inner):
    for key in keys:
        yield {"a": key, "b": "record"}
    do(inner)
    yield {"a": 1000, "b": "last"}

def do(units):
    for kind, what, inner in units:
        try:
            if kind == "batch": helpers.db.batch([(sql, []) for sql in what])
            elif kind == "records": helpers.db.batch_insert("t", records(what, inner))
            elif kind == "commit": helpers.db.commit()
            else: helpers.db.exec(what)
            went.append(True)
        except helpers.Error:
            went.append(False)

went = []
do(units)
return went
"""
Unit = tuple[str, Any, Any]
statements = st.builds(str.format, st.sampled_from(SQL), st.integers(2, 9))
keys = st.lists(st.integers(2, 12), min_size=1, max_size=3)
plain = st.one_of(
    st.tuples(st.just("exec"), statements, st.just([])),
    st.tuples(st.just("batch"), st.lists(statements, min_size=1, max_size=3), st.just([])),
    st.tuples(st.just("commit"), st.none(), st.just([])),
)
units = st.recursive(
    st.lists(plain, max_size=3),
    lambda inner: st.lists(plain | st.tuples(st.just("records"), keys, inner), min_size=1, max_size=4),
    max_leaves=4,
)


class Model:
    """The same with BEGIN, SAVEPOINT and COMMIT on a plain connection."""

    def __init__(self, *, atomic: bool) -> None:
        self.connection = apsw.Connection(":memory:")
        self.connection.pragma("foreign_keys", 1)
        self.connection.execute(SETUP)
        self._atomic, self._depth, self.over = atomic, 0, False
        self.went: list[bool] = []

    def do(self, listed: list[Unit]) -> None:
        for kind, what, inner in listed:
            try:
                self._one(kind, what, inner)
                self.went.append(True)
            except apsw.Error:
                self.went.append(False)

    def _one(self, kind: str, what: Any, inner: list[Unit]) -> None:
        if kind == "batch":
            self._unit(lambda: [self._run(sql) for sql in what])
        elif kind == "records":
            self._unit(lambda: self._records(what, inner))
        elif kind == "exec":
            self._run(what)
        elif self.over or self._depth:
            raise apsw.SQLError("no commit here")
        else:
            self.commit()

    def _records(self, listed: list[int], inner: list[Unit]) -> None:
        self.do(inner)
        self._begin()
        rows = ", ".join([*(f"({key}, 'record')" for key in listed), "(1000, 'last')"])
        self.connection.execute(f"INSERT INTO t VALUES {rows}")

    def _run(self, sql: str) -> None:
        self._begin()
        try:
            self.connection.execute(sql)
        except apsw.Error:
            self.over = not self.connection.in_transaction
            self._end("ROLLBACK")
            raise
        self._end("COMMIT")

    def _unit(self, work: Callable[[], object]) -> None:
        self._begin()
        self._depth += 1
        name = f"unit_{self._depth}"
        self.connection.execute(f"SAVEPOINT {name}")
        try:
            work()
            self._begin()
        except apsw.Error:
            self._depth -= 1
            if self.connection.in_transaction:
                self.connection.execute(f"ROLLBACK TO {name}; RELEASE {name}")
                self._end("ROLLBACK")
            else:
                self.over = True
            raise
        self._depth -= 1
        self.connection.execute(f"RELEASE {name}")
        self._end("COMMIT")

    def _begin(self) -> None:
        if self.over:
            raise apsw.SQLError("the transaction has ended")
        if not self.connection.in_transaction:
            self.connection.execute("BEGIN")

    def _end(self, how: str) -> None:
        if not self._atomic and not self._depth and self.connection.in_transaction:
            self.commit() if how == "COMMIT" else self.connection.execute(how)

    def commit(self) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("COMMIT")
        except apsw.Error:
            self.connection.execute("ROLLBACK")
            raise

    def finish(self) -> bool:
        """End the execution; whether it went well."""
        try:
            if not self.over:
                self.commit()
        except apsw.Error:
            return False
        return not self.over


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=units, atomic=st.booleans())
def test_what_stays_is_what_savepoints_leave(worker: Worker, listed: list[Unit], atomic: bool) -> None:
    session, model = worker.session(), Model(atomic=atomic)
    session.script(SETUP)
    outcome = session.run(CODE, inputs={"units": listed}, atomic=atomic)
    model.do(listed)
    assert outcome.ok == model.finish(), outcome.error
    assert outcome.error is None or outcome.error.code != "worker.internal"
    assert outcome.result in (None, model.went)
    rows = [tuple(row.values()) for row in session.query("SELECT a, b FROM t ORDER BY a")]
    assert rows == model.connection.execute("SELECT a, b FROM t ORDER BY a").fetchall()
    made = model.connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'made'").get
    assert ("made" in session.get_tables()) == bool(made)
    different = {"t"} if rows != [(1, "one"), (2, "two")] else set()
    assert different | ({"made"} if made else set()) <= set(outcome.db.tables_changed)
    worker.remove(session.id)
