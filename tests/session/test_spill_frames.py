"""The pieces of a result from a child that lies: out of turn, of a wrong form, too large, too many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from codemode import Session, Worker
from codemode.database import connection
from codemode.session.calls import Calls
from codemode.session.host import HostFunctions
from codemode.session.spills import PIECE_BYTES, SPILL_BYTES
from codemode.session.statements import Statements
from codemode.session.transaction import Mode, Transaction
from sandbox import pieces
from sandbox.errors import ProtocolViolation

BEGIN = ("result.begin", ["rows", ["a", "b"], ["INTEGER", "TEXT"]])
JSON = ("result.begin", ["json", [], []])
ROWS = ("result.rows", [1, [1, "x"]])
END = ("result.end", [])

VIOLATIONS = {
    "rows before the beginning": [ROWS],
    "rows of no columns before the beginning": [("result.rows", [1, []])],
    "text before the beginning": [("result.json", ["1"])],
    "an end without a beginning": [END],
    "an end without rows": [BEGIN, END],
    "two beginnings": [BEGIN, BEGIN],
    "two ends": [BEGIN, ROWS, END, END],
    "rows after the end": [BEGIN, ROWS, END, ROWS],
    "a query after the beginning": [BEGIN, ("result.query", ["SELECT 1", [], 0, 0])],
    "two queries": [("result.query", ["SELECT 1", [], 1, 0])] * 2,
    "text into rows": [BEGIN, ("result.json", ["1"])],
    "rows into text": [JSON, ROWS],
    "another call after the beginning": [BEGIN, ("db.exec", ["CREATE TABLE mine (x)"])],
    "another call after the end": [BEGIN, ROWS, END, ("db.commit", [])],
    "another call after a query": [("result.query", ["SELECT 1", [], 1, 0]), ("db.query", ["SELECT 1"])],
    "an unknown piece": [("result.other", [])],
    "an unknown kind": [("result.begin", ["view", ["a"], [""]])],
    "no columns": [("result.begin", ["rows", [], []])],
    "more columns than types": [("result.begin", ["rows", ["a", "b"], [""]])],
    "columns of one name": [("result.begin", ["rows", ["a", "A"], ["", ""]])],
    "a column that is no text": [("result.begin", ["rows", [b"a"], [""]])],
    "a column of control characters": [("result.begin", ["rows", ["a\0"], [""]])],
    "too many columns": [("result.begin", ["rows", [f"c{n}" for n in range(201)], [""] * 201])],
    "SQL as a type": [("result.begin", ["rows", ["a"], ["TEXT); DROP TABLE t; --"]])],
    "a type that is no text": [("result.begin", ["rows", ["a"], [[]]])],
    "too few values": [BEGIN, ("result.rows", [2, [1, "x"]])],
    "no rows": [BEGIN, ("result.rows", [0, []])],
    "less than no rows": [BEGIN, ("result.rows", [-1, [1, "x"]])],
    "too many rows": [BEGIN, ("result.rows", [3000, [1, "x"] * 3000])],
    "lists as values": [BEGIN, ("result.rows", [1, [1, ["x"]]])],
    "an integer above 64 bits": [BEGIN, ("result.rows", [1, [2**64 - 1, "x"]])],
    "a piece of rows that is too large": [BEGIN, ("result.rows", [1, [1, "x" * PIECE_BYTES]])],
    "a piece of text that is too large": [JSON, ("result.json", ["é" * (PIECE_BYTES // 2 + 1)])],
    "empty text": [JSON, ("result.json", [""])],
    "text that is none": [JSON, ("result.json", [7])],
    "more than 64 MiB": [JSON, *[("result.json", ["x" * PIECE_BYTES])] * (SPILL_BYTES // PIECE_BYTES + 1)],
    "a beginning without arguments": [("result.begin", [])],
    "a query of a wrong form": [("result.query", [1, 2, "3", None])],
    "an open batch below": [("db.batch_begin", ["t", None, {}]), BEGIN],
}


@contextmanager
def serving(worker: Worker, session: Session, mode: Mode = "atomic") -> Iterator[tuple[Calls, Transaction]]:
    with worker.registry.turn(("local", session.id), 5) as opened:
        transaction = Transaction(opened, mode)
        yield Calls(Statements(opened, transaction, "ex"), HostFunctions(), dict), transaction


@pytest.mark.parametrize("frames", VIOLATIONS.values(), ids=VIOLATIONS.keys())
@pytest.mark.parametrize("mode", ["atomic", "each"])
def test_a_lie_ends_the_child(
    worker: Worker, table: Session, frames: list[tuple[str, list[object]]], mode: Mode
) -> None:
    with serving(worker, table, mode) as (calls, transaction):
        for method, args in frames[:-1]:
            calls(method, args)
        with pytest.raises(ProtocolViolation):
            calls(*frames[-1])
        transaction.finish(keep=False)
    assert table.get_tables() == ["t"]
    kept = table.query("SELECT * FROM _codemode_results")
    assert len(kept) <= (mode == "each")


@pytest.mark.parametrize("mode", ["atomic", "each"])
def test_a_result_that_was_never_ended_is_not_kept(worker: Worker, table: Session, mode: Mode) -> None:
    with serving(worker, table, mode) as (calls, transaction):
        calls("db.exec", ["DELETE FROM t WHERE a = 1"])
        calls(*BEGIN)
        calls(*ROWS)
        transaction.finish(keep=True)
        assert calls.spill.kept is None
    assert table.value("SELECT count(*) FROM t") == 2
    assert table.query("SELECT name FROM sqlite_schema WHERE name LIKE '\\_result%' ESCAPE '\\'") == []


def test_a_query_runs_under_the_users_rights(worker: Worker, table: Session) -> None:
    for sql in (
        "DELETE FROM t",
        "DELETE FROM t RETURNING a",
        "PRAGMA page_count",
        "SELECT * FROM log.totals",
        "SELECT",
    ):
        with serving(worker, table) as (calls, transaction):
            assert calls("result.query", [sql, [], 3, 0]) == {"same": False}, sql
            transaction.finish(keep=True)
    assert table.value("SELECT count(*) FROM t") == 3


def test_a_query_whose_rows_are_others_leaves_nothing(worker: Worker, table: Session) -> None:
    for held, mark in ((3, 12345), (4, 0), (0, 0)):
        with serving(worker, table) as (calls, transaction):
            same = calls("result.query", ["SELECT * FROM t WHERE a > 3 OR ? > 0", [held], held, mark])["same"]
            assert not same
            transaction.finish(keep=True)
    assert table.query("SELECT * FROM _codemode_results") == []


def test_worker_and_child_agree_on_how_many_columns_a_table_may_have() -> None:
    assert pieces.MOST_COLUMNS == connection.MOST_COLUMNS
