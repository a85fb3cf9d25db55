"""What errors of rows and of time tell: the record, the column, the value; how far it got and what is read whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from codemode import Limits, Session, Worker
from codemode.errors import ConstraintFailed, ParametersInvalid, StatementTimeout
from codemode.session import statements


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Worker() as worker:
        session = worker.session("blame", limits=Limits(query_seconds=0.3))
        session.script("""
            CREATE TABLE parent (id INTEGER PRIMARY KEY);
            INSERT INTO parent VALUES (1);
            CREATE TABLE strict (a INTEGER UNIQUE, b TEXT CHECK (length(b) < 3), c INTEGER NOT NULL,
                                 d INTEGER REFERENCES parent (id)) STRICT;
            INSERT INTO strict VALUES (7, 'x', 1, 1);
        """)
        session.batch_insert("big", ({"n": n, "m": n % 97} for n in range(20_000)), create=True)
        yield session


@pytest.mark.parametrize(
    ("sql", "params", "told"),
    [
        ("INSERT INTO strict VALUES (7, 'x', 1, 1)", (), "(a = 7)"),
        ("INSERT INTO strict (c, a) VALUES (?, ?)", (1, 7), "(a = 7)"),
        ("INSERT INTO strict (c, a) VALUES (:c, :a)", {"c": 1, "a": 7}, "(a = 7)"),
        ("INSERT INTO strict VALUES (1, 'abc', 1, 1)", (), "(b = 'abc')"),
        ("INSERT INTO strict VALUES (1, 'x', NULL, 1)", (), "(c = NULL)"),
        ("INSERT INTO strict VALUES ('one', 'x', 1, 1)", (), "(a = 'one')"),
        ("INSERT INTO strict VALUES (1, 'x', 1, 99)", (), "(d = 99)"),
        ("INSERT INTO parent VALUES (?)", ("abc",), "(id = 'abc')"),
    ],
)
def test_a_constraint_names_the_column_and_the_value(session: Session, sql: str, params: Any, told: str) -> None:
    with pytest.raises(ConstraintFailed) as caught:
        session.exec(sql, params)
    assert caught.value.message.endswith(told)


def test_the_parent_of_an_orphan_is_named(session: Session) -> None:
    with pytest.raises(ConstraintFailed, match="parent has none with this id"):
        session.exec("INSERT INTO strict VALUES (1, 'x', 1, 99)")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"a": 7, "c": 1}, "record 1: UNIQUE constraint failed: strict.a (a = 7)"),
        ({"a": 2, "c": 1, "b": "long"}, "record 1: CHECK constraint failed: length(b) < 3 (b = 'long')"),
        ({"a": "two", "c": 1}, "record 1: cannot store TEXT value in INTEGER column strict.a (a = 'two')"),
        ({"a": 2, "c": 1, "d": 99}, "record 1: FOREIGN KEY constraint failed (d = 99)"),
    ],
)
def test_a_batch_names_the_record_too(session: Session, record: dict[str, Any], told: str) -> None:
    with pytest.raises(ConstraintFailed) as caught:
        session.batch_insert("strict", [{"a": 3, "c": 1}, record])
    assert caught.value.message == told
    assert session.value("SELECT count(*) FROM strict") == 1


def test_a_long_value_is_cut_with_its_length(session: Session) -> None:
    with pytest.raises(ConstraintFailed, match=r"x{50,}… \(5,002 characters\)\)"):
        session.exec("INSERT INTO strict VALUES (1, ?, 1, 1)", ["x" * 5_000])


def test_a_statement_that_takes_too_long_says_how_far_it_got_and_what_it_reads_whole(session: Session) -> None:
    with pytest.raises(StatementTimeout) as caught:
        session.exec("CREATE TABLE pairs AS SELECT * FROM big AS one JOIN big AS two ON one.m < two.n + 1")
    assert "in full scans" in caught.value.message
    assert "plan reads one and two whole" in (caught.value.hint or "")


def test_a_snippet_that_takes_too_long_says_which_call_was_the_last(session: Session) -> None:
    outcome = session.run("while True: helpers.db.value('SELECT 41 + 1')", timeout=0.5)
    assert outcome.status == "timeout"
    assert outcome.error is not None
    assert "the last one was query: SELECT 41 + 1" in (outcome.error.hint or "")


def test_a_value_under_a_misspelt_name_is_told(session: Session) -> None:
    with pytest.raises(ParametersInvalid) as caught:
        session.query("SELECT :origin", {"orign": 1})
    assert caught.value.did_you_mean == ("origin",)
    assert "'orign' is given" in caught.value.message


def test_the_first_errors_of_an_execution_are_advised_and_the_rest_is_not(session: Session) -> None:
    found = session.run("""
found = []
for n in range(25):
    try:
        helpers.db.query(f"SELECT mm + {n} FROM big")
    except helpers.Error as error:
        found.append(error.suggestion)
return found
""").result
    assert found[0] == "SELECT m + 0 FROM big"
    assert [each is None for each in found] == [False] * 20 + [True] * 5


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_looking_at_a_plan_that_takes_too_long_leaves_the_timeout_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[float] = []

    def endless(_sql: str, connection: Any, *_: Any) -> Any:
        started = time.monotonic()
        try:
            connection.execute(ENDLESS).fetchall()
        finally:
            spent.append(time.monotonic() - started)

    monkeypatch.setattr(statements, "timed_out", endless)
    with Worker() as worker:
        session = worker.session(limits=Limits(query_seconds=4))
        with pytest.raises(StatementTimeout):
            session.query(ENDLESS)
        assert session.value("SELECT 1") == 1
    assert spent[0] < 3  # a second, and not once more what the statement had
