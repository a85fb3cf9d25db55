"""The rules of a table, read from the text of its definition."""

from __future__ import annotations

import apsw
import pytest

from codemode.database import rules

MADE = """
    CREATE TABLE r (id INTEGER PRIMARY KEY, /* CHECK (no) */
        plan TEXT DEFAULT 'CHECK (x)' CHECK(plan IN ('a)', 'it''s')), "check" TEXT, -- CHECK (never)
        size INT CHECK (size IS NULL OR size IN (1, 2.5, -3)), UNIQUE (plan, size),
        CONSTRAINT "two words" CHECK ((plan <> 'a)') OR ("check" IS NOT NULL)));
    CREATE UNIQUE INDEX low ON r (lower(plan), size DESC) WHERE size > 0;
    CREATE UNIQUE INDEX "wh ere" ON r ("check") WHERE "check" <> ' WHERE ';
    CREATE TABLE w (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID;
"""


@pytest.fixture
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(MADE)
    return connection


def test_checks_are_found_with_their_names_whatever_stands_around_them(connection: apsw.Connection) -> None:
    found = rules.checks(connection, "R")
    assert [check.name for check in found] == [None, None, "two words"]
    assert [check.rule for check in found] == [
        "plan IN ('a)', 'it''s')", "size IS NULL OR size IN (1, 2.5, -3)", "(plan <> 'a)') OR (\"check\" IS NOT NULL)",
    ]  # fmt: skip


def test_a_check_is_called_as_sqlite_calls_it() -> None:
    connection = apsw.Connection(":memory:")
    for made in (
        "a INT CHECK (a < 2)", "a INT CHECK ( a  <  2 )", 'a INT CHECK ("a" < 2)', "a INT CHECK ([a] < 2)",
        "a INT CHECK (`a` < 2)", "a INT CHECK ('it''s' < a AND a < 2)", '"a""b" INT CHECK ("a""b" < 2)',
        'a INT CONSTRAINT "it ""s" CHECK (a < 2)',
    ):  # fmt: skip
        connection.execute(f"CREATE TABLE c ({made})")
        [check] = rules.checks(connection, "c")
        with pytest.raises(apsw.ConstraintError) as caught:
            connection.execute("INSERT INTO c VALUES (2)")
        assert str(caught.value) == f"CHECK constraint failed: {check.called}"
        connection.execute("DROP TABLE c")


def test_a_list_of_values_is_known_as_one(connection: apsw.Connection) -> None:
    found = [check.values for check in rules.checks(connection, "r")]
    assert found == [("plan", ["'a)'", "'it''s'"]), ("size", ["1", "2.5", "-3"]), None]


def test_keys_are_named_as_on_conflict_takes_them(connection: apsw.Connection) -> None:
    connection.execute("INSERT INTO r VALUES (1, 'a)', 'c', 1)")
    targets = [key.target for key in rules.unique_keys(connection, "r")]
    assert targets == [
        "(id)", '("plan", size)', "(lower(plan), size DESC) WHERE size > 0", "(\"check\") WHERE \"check\" <> ' WHERE '",
    ]  # fmt: skip
    for target in targets:
        connection.execute(f"INSERT INTO r VALUES (1, 'a)', 'c', 1) ON CONFLICT {target} DO UPDATE SET size = size")
    assert [key.target for key in rules.unique_keys(connection, "w")] == ["(b, a)"]


def test_a_key_of_all_rows_comes_before_one_of_some(connection: apsw.Connection) -> None:
    connection.execute("CREATE UNIQUE INDEX some ON r (size, plan) WHERE id > 5")
    key = rules.key_of(connection, "r", ("SIZE", "plan"))
    assert key is not None
    assert key.where == ""
    assert rules.key_of(connection, "r", ("size",)) is None


@pytest.mark.parametrize("text", ["CHECK (", "CREATE TABLE t (a CHECK (((", "CONSTRAINT CHECK", "CREATE TABLE t (a '"])
def test_a_text_that_ends_too_early_has_no_rules(text: str) -> None:
    assert rules.checks_in(text) == []
