"""explain: what it recommends was measured, on a copy; the session's own data is as it was."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from codemode import Session
from codemode.database import scratch
from codemode.session import advice, trial

ROWS = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT {}) "


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time; what is recommended must not depend on it here."""
    monkeypatch.setattr(advice, "ADVICE_SECONDS", 60.0)
    monkeypatch.setattr(advice, "_COUNT_SECONDS", 60.0)


@pytest.fixture
def sales(session: Session) -> Session:
    session.script(
        "CREATE TABLE sale (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, day TEXT, amount REAL, half INTEGER,"
        " doubled AS (amount * 2));"
        "CREATE TABLE customer (id INTEGER, name TEXT) "
    )
    session.exec(
        ROWS.format(20_000) + "INSERT INTO sale (customer, day, amount, half) "
        "SELECT n % 500, date('2020-01-01', (n % 900) || ' days'), n * 1.5, n % 2 FROM n"
    )
    session.exec(ROWS.format(500) + "INSERT INTO customer SELECT n, 'name ' || n FROM n")
    return session


RECOMMENDED = [
    ("SELECT * FROM sale WHERE customer = 7", (), ["CREATE INDEX sale_by_customer ON sale (customer)"]),
    ("SELECT * FROM sale WHERE customer = :c", {"c": 7}, ["CREATE INDEX sale_by_customer ON sale (customer)"]),
    ("SELECT * FROM sale ORDER BY amount DESC LIMIT 5", (), ["CREATE INDEX sale_by_amount ON sale (amount DESC)"]),
    (
        "SELECT * FROM sale WHERE day BETWEEN '2020-02-01' AND '2020-02-03'",
        (),
        ["CREATE INDEX sale_by_day ON sale (day)"],
    ),
    ("SELECT * FROM sale WHERE doubled = 300", (), ["CREATE INDEX sale_by_doubled ON sale (doubled)"]),
    ("UPDATE sale SET amount = 0 WHERE customer = 7", (), ["CREATE INDEX sale_by_customer ON sale (customer)"]),
    ("DELETE FROM sale WHERE customer = 7", (), ["CREATE INDEX sale_by_customer ON sale (customer)"]),
    (
        "SELECT sum(amount) FROM customer c JOIN sale s ON s.customer = c.id WHERE c.name = 'name 7'",
        (),
        ["CREATE INDEX customer_by_name_id ON customer (name, id)", "CREATE INDEX sale_by_customer ON sale (customer)"],
    ),
]


@pytest.mark.parametrize(("sql", "params", "expected"), RECOMMENDED)
def test_what_is_recommended_halves_the_steps_and_is_then_used(
    sales: Session, sql: str, params: object, expected: list[str]
) -> None:
    found = sales.explain(sql, params)
    checked = found["checked"]
    assert checked["create_index"] == expected
    assert checked["on"] == "a copy of the data"
    assert 2 * checked["after"]["vm_steps"] <= checked["before"]["vm_steps"]
    assert expected[0] in found["advice"][0]
    for statement in expected:
        sales.exec(statement)
    again = sales.explain(sql, params)
    assert again["indexes"]
    assert not again["checked"].get("create_index"), "one piece of advice is enough"


NOT_RECOMMENDED = [
    ("SELECT * FROM sale WHERE half = 1", "save too little"),
    ("SELECT * FROM sale WHERE abs(customer) = 7", "compares and orders by no column"),
    ("SELECT * FROM customer WHERE id = 3", "nobody feels"),
    ("SELECT * FROM sale WHERE id = 3", "reads nothing whole"),
    ("INSERT INTO customer VALUES (1, 'x')", "reads nothing whole"),
    ("CREATE TABLE other AS SELECT * FROM sale WHERE customer = 1", "changes the schema"),
    ("UPDATE sale SET amount = 1 WHERE customer = 3 RETURNING id", "has RETURNING"),
    ("SELECT kind FROM execution_logs WHERE kind = 'exec'", "reads the execution log"),
]


@pytest.mark.parametrize(("sql", "reason"), NOT_RECOMMENDED)
def test_an_index_that_does_not_help_is_not_recommended(sales: Session, sql: str, reason: str) -> None:
    found = sales.explain(sql)
    assert not found["checked"].get("create_index")
    assert re.search(reason, found["checked"]["reason"])
    assert not any("CREATE INDEX" in line for line in found["advice"])


def test_the_flights_are_advised(flights: Session) -> None:
    found = flights.explain(
        "SELECT * FROM flights f JOIN planes p USING (tailnum) WHERE f.carrier = ? ORDER BY dep_delay DESC LIMIT 10",
        ["HA"],
    )
    assert found["plan"][0] == "read all of flights (f), 336,776 rows"
    assert found["scans"] == ["flights"]
    assert found["sorts"] == ["ORDER BY"]
    assert found["estimated_rows"][0] == {"table": "flights", "rows": 336_776}
    assert found["query_plan"][0] == "SCAN f"
    assert (
        "CREATE INDEX flights_by_carrier_dep_delay ON flights (carrier, dep_delay DESC)"
        in (found["checked"]["create_index"])
    )


def state(session: Session) -> tuple[object, ...]:
    tables = {name: session.query(f'SELECT * FROM "{name}"') for name in session.get_tables()}
    return tables, session.query("SELECT name, sql FROM sqlite_schema")


def test_tables_are_told_apart_as_sqlite_does(session: Session) -> None:
    for table, rows in (("Δ", 3), ("δ", 0)):
        session.exec(f'CREATE TABLE "{table}" (x)')
        session.batch_insert(table, [{"x": number} for number in range(rows)])
    assert session.explain('SELECT * FROM "Δ"')["plan"] == ["read all of Δ, 3 rows"]
    assert session.explain('SELECT * FROM "δ" AS d')["plan"] == ["read all of δ (d), 0 rows"]


def test_nothing_of_the_session_is_changed(sales: Session) -> None:
    sales.exec("CREATE TRIGGER gone AFTER DELETE ON sale BEGIN INSERT INTO customer VALUES (old.id, 'gone'); END")
    before = state(sales)
    for sql in (
        "DELETE FROM sale",
        "DELETE FROM sale WHERE customer = 7",
        "UPDATE sale SET amount = -1 WHERE half = 1",
        "INSERT INTO sale (customer, amount) SELECT customer, 1 FROM sale WHERE amount > 5 ORDER BY day",
    ):
        assert sales.explain(sql)["plan"]
    outcome = sales.run("return helpers.db.explain('DELETE FROM sale WHERE customer = 7')['checked']['create_index']")
    assert outcome.result == ["CREATE INDEX sale_by_customer ON sale (customer)"]
    assert not outcome.db.tables_changed
    assert state(sales) == before


def test_a_snippet_is_advised_on_what_it_has_not_committed_yet(session: Session) -> None:
    outcome = session.run(
        "helpers.db.create_table('t', 'a, b')\n"
        f"helpers.db.exec('{ROWS.format(20_000)} INSERT INTO t SELECT n % 1000, n FROM n')\n"
        "found = helpers.db.explain('SELECT * FROM t WHERE a = 5')\n"
        "return found.plan, found.checked['create_index'], helpers.db.value('SELECT count(*) FROM t')",
        dry_run=True,
    )
    assert outcome.result == [["read all of t, 20,000 rows"], ["CREATE INDEX t_by_a ON t (a)"], 20_000]


def test_a_machine_that_is_busy_elsewhere_meanwhile_changes_no_advice(
    sales: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = trial.open_cursor
    waits = iter([0.0] * trial._TIMES)

    def slowly(*args: Any) -> Any:
        time.sleep(next(waits, 0.2))  # once the index is there
        return opened(*args)

    monkeypatch.setattr(trial, "open_cursor", slowly)
    found = sales.explain("DELETE FROM sale WHERE customer = 7")["checked"]
    assert found["create_index"] == ["CREATE INDEX sale_by_customer ON sale (customer)"]


def test_a_large_database_is_tried_on_a_sample(sales: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sales.script(
        "CREATE TABLE visit (sale INTEGER REFERENCES sale (id), place TEXT NOT NULL CHECK (length(place) > 0),"
        " PRIMARY KEY (sale, place)) WITHOUT ROWID;"
        "INSERT INTO visit SELECT id, 'place ' || (id % 300) FROM sale;"
        "CREATE VIEW visited AS SELECT * FROM visit"
    )
    monkeypatch.setattr(scratch, "WHOLE_BYTES", 0)
    found = sales.explain("SELECT * FROM sale WHERE customer = 7")["checked"]
    assert found["on"] == "a sample of the data (10,000 of 20,000 rows of sale)"
    assert found["create_index"] == ["CREATE INDEX sale_by_customer ON sale (customer)"]
    found = sales.explain("SELECT * FROM visited WHERE place = 'place 7'")["checked"]
    assert found["create_index"] == ["CREATE INDEX visit_by_place ON visit (place)"]


def test_a_statement_that_never_ends_is_given_up(sales: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "ADVICE_SECONDS", 3.0)
    started = time.monotonic()
    endless = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)"
    found = sales.explain(f"{endless} SELECT count(*) FROM n, sale WHERE sale.half = n.n % 2")
    assert time.monotonic() - started < 30
    assert found["checked"].get("create_index", []) == []


def test_a_write_that_would_fill_the_memory_is_stopped_on_the_copy(
    sales: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "_GROWS_BY", 1_000_000)
    found = sales.explain("INSERT INTO customer SELECT a.id, hex(zeroblob(900)) FROM sale a WHERE a.half = 1")
    assert "full" in found["checked"]["reason"]
    assert sales.value("SELECT count(*) FROM customer") == 500


def test_a_run_that_was_ended_is_compared_by_how_far_it_got(sales: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from codemode.session import trial

    monkeypatch.setattr(trial, "_RUN_SECONDS", 0.0)
    found = sales.explain("SELECT * FROM sale WHERE customer = 7")
    assert found["checked"]["before"]["finished"] is False
    assert "and more than" in found["advice"][0]


def test_an_explain_of_an_explain_and_a_refused_statement(sales: Session) -> None:
    assert sales.explain("EXPLAIN QUERY PLAN SELECT * FROM sale")["scans"] == ["sale"]
    assert sales.explain("explain SELECT * FROM sale")["scans"] == ["sale"]
    with pytest.raises(Exception, match="geopoly_area"):
        sales.explain("SELECT geopoly_area(day) FROM sale WHERE customer = 1")
    with pytest.raises(Exception, match="PRAGMA"):
        sales.explain("PRAGMA journal_mode = delete")


def test_the_guard_stands_on_the_copy_too(sales: Session) -> None:
    for sql in ("DELETE FROM session_state WHERE key = 'x'", "SELECT * FROM dbstat WHERE name = 'sale'"):
        with pytest.raises(Exception, match=r"engine|not available"):
            sales.explain(sql)


def test_names_of_indexes_that_exist_are_not_used_again(sales: Session) -> None:
    sales.exec("CREATE INDEX sale_by_customer ON sale (customer) WHERE half = 9")
    found = sales.explain("SELECT * FROM sale WHERE customer = 7")["checked"]
    assert found["create_index"] == ["CREATE INDEX sale_by_customer_2 ON sale (customer)"]


def test_one_copy_is_held_at_a_time(sales: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advice, "ADVICE_SECONDS", 0.2)
    with advice._turn:
        found = sales.explain("SELECT * FROM sale WHERE customer = 7")
    assert found["checked"] == {"on": None, "reason": "other statements are being tried; ask again"}
    assert "read whole" in found["advice"][0]
