"""However a statement ends, and whatever could not be set up for it: nothing of its rights or its time stays."""

from __future__ import annotations

from typing import Any

import pytest

from codemode import Session, Worker
from codemode.database import execute
from codemode.database.clock import in_ms
from codemode.errors import CodemodeError, StatementFailed
from codemode.session.statements import Statements
from codemode.session.transaction import Transaction


def fail(*_: Any) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("sql", "broken", "expected"),
    [
        ("SELECT 1", None, None),
        ("SELECT abs(-9223372036854775808)", None, StatementFailed),
        ("SELECT CAST(x'ff' AS TEXT)", None, StatementFailed),
        ("SELECT 1", (execute.watchdog, "watch"), RuntimeError),
        ("CREATE TABLE u (x)", ("schema", "remember"), RuntimeError),
    ],
    ids=["ends well", "an error of SQLite's", "an error of Python's", "no watchdog", "no look at the schema"],
)
def test_nothing_of_a_statement_stays(
    worker: Worker,
    table: Session,
    monkeypatch: pytest.MonkeyPatch,
    sql: str,
    broken: tuple[Any, str] | None,
    expected: type[Exception] | None,
) -> None:
    with worker.registry.turn(("local", table.id), 5) as opened:
        statements = Statements(opened, transaction := Transaction(opened, "atomic"), "ex")
        statements.checked(sql)  # before anything is broken
        at = opened.deadline._at
        if broken is not None:
            owner, name = broken
            monkeypatch.setattr(opened.guard._schema if owner == "schema" else owner, name, fail)
        if expected is None:
            statements.value(sql)
        else:
            with pytest.raises(expected):
                statements.exec(sql)
        monkeypatch.undo()
        assert opened.guard.authorizer.kind is None
        assert (opened.deadline._at, opened.meter.on) == (at, False)
        assert len(statements.tally.entries) == 1
        transaction.finish(keep=False)


@pytest.mark.parametrize("seconds", [0.0, 4e-7, 0.0000235, 0.001, 1.2345678, 86_400.123456])
def test_milliseconds_are_those_that_round_gives(seconds: float) -> None:
    assert in_ms(seconds) == round(seconds * 1000, 3)


def test_the_entry_of_a_refused_statement_says_why(worker: Worker, table: Session) -> None:
    with worker.registry.turn(("local", table.id), 5) as opened:
        statements = Statements(opened, Transaction(opened, "atomic"), "ex")
        with pytest.raises(CodemodeError):
            statements.value("PRAGMA user_version = 3")
        (entry,) = statements.tally.entries
    assert (entry.kind, entry.statement, entry.error_code) == ("query", "PRAGMA user_version = 3", "sql.refused")
