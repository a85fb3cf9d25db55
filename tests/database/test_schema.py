"""What `helpers.schema` answers, on tables with odd names and of every kind."""

from __future__ import annotations

import apsw
import pytest

from codemode.database import plan, schema
from codemode.database.metrics import size_bytes, table_sizes
from codemode.database.sample import source_of
from codemode.errors import NoSuchTable

SCRIPT = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, fullName TEXT NOT NULL DEFAULT 'x', "birth year" INTEGER);
CREATE TABLE "or""der" ("sel ect" TEXT, author REFERENCES authors (id) ON DELETE CASCADE, twice AS (author * 2));
CREATE UNIQUE INDEX by_name ON authors (fullName, "birth year") WHERE id > 0;
CREATE VIEW "ünder" AS SELECT id FROM authors;
CREATE VIRTUAL TABLE docs USING fts5 (title, body);
CREATE TABLE session_state (key, value);
CREATE TABLE _result_1 (x);
INSERT INTO authors (fullName, "birth year") VALUES ('Ann', 1970), ('Bob', 1980);
INSERT INTO docs VALUES ('a', 'b');
"""


@pytest.fixture
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(SCRIPT)
    return connection


def test_tables_are_those_of_the_user(connection: apsw.Connection) -> None:
    assert schema.tables(connection) == ["authors", "docs", 'or"der', "ünder"]


def test_columns(connection: apsw.Connection) -> None:
    assert schema.columns(connection, "AUTHORS")[1] == {
        "name": "fullName", "type": "TEXT", "not_null": True, "default_value": "'x'", "primary_key": False,
        "generated": False,
    }  # fmt: skip
    assert [(c["name"], c["generated"]) for c in schema.columns(connection, 'or"der')] == [
        ("sel ect", False), ("author", False), ("twice", True),
    ]  # fmt: skip
    assert [c["name"] for c in schema.columns(connection, "docs")] == ["title", "body"]


def test_insertable_columns_are_not_the_generated_ones(connection: apsw.Connection) -> None:
    assert schema.insertable(connection, 'or"der') == ["sel ect", "author"]


def test_describe(connection: apsw.Connection) -> None:
    described = schema.structure(connection, "authors")
    assert (described["table"], schema.row_count(connection, "authors")) == ("authors", 2)
    assert described["indexes"] == [
        {
            "name": "by_name",
            "unique": True,
            "partial": True,
            "columns": ["fullName", "birth year"],
            "on": '(fullName, "birth year") WHERE id > 0',
        }
    ]
    assert schema.structure(connection, 'or"der')["foreign_keys"] == [
        {"column": "author", "table": "authors", "references": "id", "on_update": "NO ACTION", "on_delete": "CASCADE"}
    ]
    assert schema.row_count(connection, "ünder") == 2


def test_an_unknown_table_names_the_closest(connection: apsw.Connection) -> None:
    with pytest.raises(NoSuchTable) as raised:
        schema.columns(connection, "Author")
    assert raised.value.did_you_mean == ("authors",)
    assert raised.value.hint == "did you mean authors?"
    assert "docs" in raised.value.available


def test_table_sizes_add_up_to_the_file(connection: apsw.Connection) -> None:
    sizes = {entry["name"]: entry for entry in table_sizes(connection)}
    assert sizes["authors"]["rows"] == 2
    assert sizes["authors"]["bytes"] == 2 * 4096, "its index is counted with it"
    assert sizes["docs"]["bytes"] > 4096, "its shadow tables are counted with it"
    assert sum(entry["bytes"] for entry in sizes.values()) < size_bytes(connection)


def test_the_size_of_a_table_that_is_named_like_a_part_of_another_is_its_own(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE docs_old AS SELECT zeroblob(100000) AS x")
    sizes = {entry["name"]: entry["bytes"] for entry in table_sizes(connection)}
    assert sizes["docs_old"] > 100_000 > sizes["docs"] > 4096


def test_a_plan_says_what_is_read_whole_and_sorted(connection: apsw.Connection) -> None:
    sql = "SELECT * FROM authors a, authors b WHERE a.fullName = b.fullName ORDER BY a.id + 1"
    found = plan.steps(connection, sql, ())
    assert plan.scans(found)
    assert [step.sort for step in found if step.sort] == ["ORDER BY"]
    assert "read whole" in plan.advice(found)[-1]
    assert plan.scans(plan.steps(connection, "SELECT * FROM authors WHERE id = ?", (1,))) == []


def test_one_table_of_many_is_looked_at_alone(connection: apsw.Connection) -> None:
    """The list of all is a program of SQLite's, and longer than it may be where there are 30,000 tables."""
    for number in range(150):
        connection.execute(f"CREATE TABLE t{number} (a)")
    connection.limit(apsw.SQLITE_LIMIT_VDBE_OP, 1_000)
    assert (schema.is_virtual(connection, "DOCS"), schema.is_virtual(connection, "t7")) == (True, False)
    assert source_of(connection, "t7").rowid == "rowid"
    assert source_of(connection, "docs").rowid is None
