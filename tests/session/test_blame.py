"""What errors of rows and of time tell: the record, the column, the value; how far it got and what is read whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from codemode import Limits, Session, Worker
from codemode.errors import ConstraintFailed, NoSuchTable, ParametersInvalid, StatementFailed, StatementTimeout
from codemode.session import blame


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Worker() as worker:
        session = worker.session("blame")
        session.script("""
            CREATE TABLE parent (id INTEGER PRIMARY KEY);
            INSERT INTO parent VALUES (1);
            CREATE TABLE strict (a INTEGER UNIQUE, b TEXT CHECK (length(b) < 3), c INTEGER NOT NULL,
                                 d INTEGER REFERENCES parent (id)) STRICT;
            INSERT INTO strict VALUES (7, 'x', 1, 1);
        """)
        session.script("""
            CREATE TABLE plans (id INTEGER PRIMARY KEY, plan TEXT CHECK (plan IN ('free', 'pro')), seats INTEGER,
                                until TEXT, gone TEXT,
                                CONSTRAINT pro_ends CHECK (plan <> 'pro' OR until IS NOT NULL));
            CREATE UNIQUE INDEX plans_living ON plans (plan, seats) WHERE gone IS NULL;
            CREATE UNIQUE INDEX plans_name ON plans (lower(until));
            INSERT INTO plans (id, plan, seats, until) VALUES (1, 'free', 1, 'A'), (2, 'free', 2, 'b');
            CREATE TABLE pair (a INTEGER, b INTEGER, plan INTEGER REFERENCES plans, PRIMARY KEY (a, b));
            INSERT INTO pair VALUES (1, 1, 1);
            CREATE TABLE quoted ("kind" TEXT CHECK ("kind" IN ('a', 'b')), "low" INT CHECK ([low] > 0), "high" INT,
                                 CHECK ([low] < "high"));
            CREATE TABLE half (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, late INTEGER REFERENCES plans (id)
                               DEFERRABLE INITIALLY DEFERRED, FOREIGN KEY (a, b) REFERENCES pair ON DELETE CASCADE);
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


@pytest.mark.parametrize(
    ("sql", "params", "told", "hint"),
    [
        ("UPDATE plans SET plan = 'Pro' WHERE id = 1", (), "(plan = 'Pro')", "takes for plan: 'free', 'pro'"),
        ("UPDATE plans SET seats = seats + ?, plan = ?", (1, "gold"), "'pro')", "takes for plan: 'free', 'pro'"),
        ("UPDATE plans SET seats = 2, plan = ? WHERE id = ?", ("gold", 1), "(plan = 'gold')", "takes for plan"),
        (
            "INSERT INTO plans (plan) VALUES ('pro')",
            (),
            "pro_ends (plan = 'pro')",
            "plan <> 'pro' OR until IS NOT NULL",
        ),
        ("INSERT INTO quoted (kind) VALUES ('A')", (), "kind (kind = 'A')", "takes for kind: 'a', 'b'"),
        ("INSERT INTO quoted (low, high) VALUES (2, 1)", (), "(low = 2, high = 1)", '([low] > 0) AND ([low] < "high")'),
        ("UPDATE plans SET seats = 2 WHERE id = 1", (), "(seats = 2)", "another row has this key"),
        (
            "INSERT INTO plans (plan, seats) VALUES ('free', 2)",
            (),
            "seats = 2)",
            "(plan, seats) WHERE gone IS NULL DO",
        ),
        ("INSERT INTO plans (until) VALUES ('a')", (), "(until = 'a')", "ON CONFLICT (lower(until)) DO UPDATE"),
        ("UPDATE plans SET id = NULL", (), "(id = NULL)", "whole numbers"),
        ("INSERT INTO half (a, b) VALUES (1, 2)", (), "(a = 1, b = 2)", "pair has none with this a and b"),
        ("INSERT INTO pair VALUES (2, 2, 9)", (), "(plan = 9)", "plans has none with this id"),
        ("DELETE FROM plans WHERE id = 1", (), "failed", "pair.plan refers to plans, ON DELETE NO ACTION"),
    ],
)
def test_a_constraint_says_what_would_be_right(session: Session, sql: str, params: Any, told: str, hint: str) -> None:
    with pytest.raises(ConstraintFailed) as caught:
        session.exec(sql, params)
    assert caught.value.message.endswith(told)
    assert hint in (caught.value.hint or "")


def test_a_value_like_an_allowed_one_is_offered(session: Session) -> None:
    with pytest.raises(ConstraintFailed) as caught:
        session.exec("INSERT INTO plans (plan) VALUES (?)", ["Free"])
    assert caught.value.did_you_mean == ("free",)
    assert caught.value.available == ("free", "pro")


def test_a_deferred_key_that_fails_at_the_commit_names_the_row(session: Session) -> None:
    error = session.run("helpers.db.exec('INSERT INTO half (id, late) VALUES (5, 77)')").error
    assert error is not None
    assert error.hint == "row 5 of half refers to a row of plans that is not there"
    assert session.value("SELECT count(*) FROM half") == 0


def test_what_a_record_lacks_is_no_default_and_the_error_says_so(session: Session) -> None:
    with pytest.raises(ConstraintFailed, match=r"record 1: NOT NULL .* \(c = NULL\)") as caught:
        session.batch_insert("strict", [{"a": 3, "c": 1}, {"a": 4}])
    assert "not the column's default" in (caught.value.hint or "")


def test_a_key_of_some_rows_is_named_with_its_where(session: Session) -> None:
    sql = "INSERT INTO plans (plan, seats) VALUES ('free', 2) ON CONFLICT (seats, plan) DO UPDATE SET until = 'c'"
    with pytest.raises(StatementFailed, match="does not match") as caught:
        session.exec(sql)
    assert caught.value.available == ("(id)", "(plan, seats) WHERE gone IS NULL", "(lower(until))")
    assert caught.value.suggestion == sql.replace("(seats, plan) DO", "(plan, seats) WHERE gone IS NULL DO")
    with_it = session.batch_insert(
        "plans", [{"plan": "free", "seats": 2, "until": "z"}], on_conflict="update", key=["plan", "seats"]
    )
    assert with_it["rows_written"] == 1
    assert session.value("SELECT until FROM plans WHERE id = 2") == "z"


def test_a_table_that_only_a_foreign_key_names_is_told_as_such(session: Session) -> None:
    session.exec("CREATE TABLE loose (id INTEGER PRIMARY KEY, of INTEGER REFERENCES nowhere (id))")
    with pytest.raises(NoSuchTable) as caught:
        session.exec("INSERT INTO loose (of) VALUES (1)")
    assert "a foreign key" in (caught.value.hint or "")


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


def test_no_record_is_blamed_where_fail_kept_those_before_the_bad_one(session: Session) -> None:
    session.exec("CREATE TABLE once (a UNIQUE ON CONFLICT FAIL)")
    with pytest.raises(ConstraintFailed) as failed:
        session.batch_insert("once", [{"a": 1}, {"a": 2}, {"a": 1}])
    assert failed.value.message == "UNIQUE constraint failed: once.a"
    assert session.value("SELECT count(*) FROM once") == 0


def test_a_long_value_is_cut_with_its_length(session: Session) -> None:
    with pytest.raises(ConstraintFailed, match=r"x{50,}… \(5,002 characters\)\)"):
        session.exec("INSERT INTO strict VALUES (1, ?, 1, 1)", ["x" * 5_000])


def test_a_statement_that_takes_too_long_says_how_far_it_got_and_what_it_reads_whole(worker: Worker) -> None:
    whole = worker.session()
    whole.batch_insert("big", ({"n": n, "m": n % 97} for n in range(20_000)), create=True)
    session = worker.session(whole.id, limits=Limits(query_seconds=0.5))
    with pytest.raises(StatementTimeout) as caught:
        session.exec("CREATE TABLE pairs AS SELECT * FROM big AS one JOIN big AS two ON one.m < two.n + 1")
    assert "in full scans" in caught.value.message
    with pytest.raises(StatementTimeout) as caught_too:
        session.value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    assert "end the recursion" in (caught_too.value.hint or "")
    assert "plan reads one and two whole" in (caught.value.hint or "")


def test_a_snippet_that_takes_too_long_says_which_call_was_the_last(session: Session) -> None:
    code = """
helpers.db.value('SELECT 41 + 1')
while True: len(helpers.schema.get_tables()) + sum(range(20_000))  # not the number of calls ends it
"""
    outcome = session.run(code, timeout=2.0)  # in which its first call is made, on a busy machine too
    assert outcome.status == "timeout"
    assert outcome.error is not None
    told = f"it had made {outcome.usage.helper_calls:,} helper calls; the last one on its log was query: SELECT 41 + 1"
    assert told in (outcome.error.hint or "")


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
        used = time.thread_time()  # what a busy machine leaves it, and no more than it has
        try:
            connection.execute(ENDLESS).fetchall()
        finally:
            spent.append(time.thread_time() - used)

    monkeypatch.setattr(blame, "timed_out", endless)
    with Worker() as worker:
        session = worker.session(limits=Limits(query_seconds=3))
        with pytest.raises(StatementTimeout):
            session.query(ENDLESS)
        assert session.value("SELECT 1") == 1
    assert spent[0] < 2  # a second, and not once more what the statement had
