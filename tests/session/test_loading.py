"""Rows that a host loads into a table, and what stays where they cannot be."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from codemode import Session
from codemode.errors import CodemodeError, ConstraintFailed, NoSuchColumn, ValueRefused

REFUSED_ROWS = {
    "a key": ("id INTEGER PRIMARY KEY, n", [(n, "x") for n in range(900)] + [(5, "y")], "(id = 5)"),
    "a NULL": ("id, n NOT NULL", [(1, "x"), (2, None)], "(n = NULL)"),
    "a rule": ("id, n CHECK (n <> 'bad')", [(1, "x"), (2, "bad")], "(n = 'bad')"),
}


@pytest.mark.parametrize(("columns", "rows", "told"), REFUSED_ROWS.values(), ids=REFUSED_ROWS.keys())
def test_a_row_that_its_table_refuses_is_told_by_its_values(
    session: Session, columns: str, rows: list[tuple[object, ...]], told: str
) -> None:
    session.create_table("p", columns)
    with pytest.raises(ConstraintFailed) as refused:
        session.load("p", [("id", ""), ("n", "")], rows, if_exists="append")
    assert told in refused.value.message
    assert session.value("SELECT count(*) FROM p") == 0


def test_no_row_is_told_where_fail_kept_those_before_the_bad_one(session: Session) -> None:
    session.create_table("p", "id UNIQUE ON CONFLICT FAIL")
    with pytest.raises(ConstraintFailed) as refused:
        session.load("p", [("id", "")], [(1,), (2,), (2,)], if_exists="append")
    assert refused.value.message == "UNIQUE constraint failed: p.id"
    assert session.value("SELECT count(*) FROM p") == 0


def test_a_row_that_ends_the_transaction_leaves_none_of_the_others(session: Session) -> None:
    session.create_table("p", "id UNIQUE ON CONFLICT ROLLBACK")
    with pytest.raises(ConstraintFailed):
        session.load("p", [("id", "")], [(1,), (2,), (1,), (3,)], if_exists="append")
    assert session.value("SELECT count(*) FROM p") == 0


def test_a_hint_names_the_arguments_of_a_program_too(session: Session, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "t.dat").write_text("a\n1\n")
    session.import_file(tmp_path / "t.csv")
    asked = {
        "(if_exists, --if-exists)": lambda: session.import_file(tmp_path / "t.csv"),
        "(file_format, --format)": lambda: session.import_file(tmp_path / "t.dat"),
        "(force=True, --force)": lambda: session.export("t", tmp_path / "t.csv"),
    }
    for named, call in asked.items():
        with pytest.raises(CodemodeError, match=re.escape(named)):
            call()


def test_a_table_of_another_case_beyond_ascii_is_another_table(session: Session) -> None:
    session.script('CREATE TABLE "Ω" ("x" INTEGER); INSERT INTO "Ω" VALUES (1)')
    for if_exists in ("error", "append", "replace"):
        session.load("ω", [("x", "")], [(2,)], if_exists=if_exists)
        assert session.value('SELECT sum(x) FROM "Ω"') == 1, if_exists
        session.exec('DROP TABLE "ω"')


def test_a_column_that_a_table_has_not_is_told_with_those_it_has(session: Session) -> None:
    session.create_table("p", "id, name, twice AS (id * 2)")
    for column, meant in (("nmae", ("name",)), ("twice", ())):
        with pytest.raises(NoSuchColumn, match=f"p has no column '{column}' that can be inserted into") as refused:
            session.load("p", [("ID", ""), (column, "")], [(1, 2)], if_exists="append")
        assert (refused.value.did_you_mean, refused.value.available) == (meant, ("id", "name"))


@pytest.mark.parametrize("rule", ["CASCADE ON UPDATE CASCADE", "NO ACTION"])
def test_a_table_that_others_refer_to_is_not_replaced(session: Session, rule: str) -> None:
    session.script(
        f"CREATE TABLE p (id INTEGER PRIMARY KEY, up REFERENCES p); CREATE TABLE c (p REFERENCES P ON DELETE {rule});"
        "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1)"
    )
    with pytest.raises(ConstraintFailed, match="a foreign key of c refers to it"):
        session.load("p", [("id", "INTEGER")], [(1,)], if_exists="replace")
    assert session.value("SELECT count(*) FROM c") == 1
    session.exec("DROP TABLE c")
    assert session.load("p", [("id", "INTEGER")], [(1,), (2,)], if_exists="replace") == 2


@pytest.mark.parametrize("value", [Decimal("sNaN"), {1: float("nan")}.keys(), object()])
def test_a_value_that_cannot_be_compared_is_refused_as_any_other(session: Session, value: object) -> None:
    with pytest.raises(ValueRefused, match="cannot be stored"):
        session.load("p", [("id", "")], [(1,), (value,)])
