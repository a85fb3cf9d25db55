"""Plans in words, and the indexes that the planner says it could use."""

from __future__ import annotations

import apsw
import pytest

from codemode.database import plan
from codemode.database.candidates import Shape, candidates, chosen
from codemode.database.connection import open_scratch
from codemode.limits import Limits

SCRIPT = """
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, author INTEGER, year INTEGER);
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT);
CREATE INDEX books_by_year ON books (year, title);
CREATE UNIQUE INDEX authors_by_name ON authors (name);
"""
ROWS = {"books": 1_000, "authors": 50}


@pytest.fixture
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(SCRIPT)
    return connection


def words(connection: apsw.Connection, sql: str, **names: str) -> list[str]:
    unique, statistics = plan.unique_indexes(connection), plan.statistics(connection)
    sizes = plan.Sizes({"books": "books", "authors": "authors", **names}, ROWS.get, statistics, unique)
    return ["  " * step.depth + plan.in_words(step, sizes) for step in plan.steps(connection, sql, ())]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM books", ["read all of books, 1,000 rows"]),
        ("SELECT * FROM books WHERE id = 5", ["look up books by its primary key, rowid=?, about 1 row"]),
        ("SELECT * FROM books WHERE id > 5", ["look up books by its primary key, rowid>?, about 250 rows"]),
        (
            "SELECT id FROM authors WHERE name = 'x'",
            ["look up authors with index authors_by_name, name=?, about 1 row"],
        ),
        ("SELECT * FROM books WHERE year = 1999", ["look up books with index books_by_year, year=?, about 10 rows"]),
        (
            "SELECT year, count(*) FROM books GROUP BY year",
            ["read all of index books_by_year, which holds all that is needed of books, 1,000 rows"],
        ),
        ("SELECT * FROM books ORDER BY title", ["read all of books, 1,000 rows", "sort for ORDER BY"]),
        ("SELECT 1", ["one row of constants"]),
        (
            "SELECT * FROM books b JOIN authors a ON a.id = b.author",
            ["read all of books (b), 1,000 rows", "look up authors (a) by its primary key, rowid=?, about 1 row"],
        ),
        (
            "SELECT (SELECT name FROM authors WHERE id = books.author) FROM books",
            [
                "read all of books, 1,000 rows",
                "subquery 1, for each row anew",
                "  look up authors by its primary key, rowid=?, about 1 row",
            ],
        ),
        (
            "SELECT * FROM books WHERE year = 1 OR id = 2",
            [
                "one look-up for each side of OR",
                "  index 1",
                "    look up books with index books_by_year, year=?, about 10 rows",
                "  index 2",
                "    look up books by its primary key, rowid=?, about 1 row",
            ],
        ),
    ],
)
def test_plans_are_told_in_words(connection: apsw.Connection, sql: str, expected: list[str]) -> None:
    assert words(connection, sql, a="authors", b="books") == expected


def test_an_index_for_one_run_is_told(connection: apsw.Connection) -> None:
    found = words(connection, "SELECT count(*) FROM books b, books c WHERE b.author = c.author", b="books", c="books")
    assert any("build an index on books" in line and "author=?" in line for line in found)


def test_what_analyze_found_out_is_used(connection: apsw.Connection) -> None:
    connection.executemany("INSERT INTO books (title, year) VALUES (?, ?)", ((str(n), n % 4) for n in range(1_000)))
    connection.execute("ANALYZE")
    assert words(connection, "SELECT * FROM books WHERE year = 1")[0].endswith("about 250 rows")


SHAPES = [
    Shape("books", (("id", "INTEGER"), ("title", "TEXT"), ("author", "INTEGER"), ("year", "INTEGER")), (("id",),)),
    Shape("authors", (("id", "INTEGER"), ("name", "TEXT")), (("id",),)),
    Shape('or"der', (("sel ect", "TEXT"), ("order", "TEXT"))),
]


def possible(sql: str, *views: str) -> list[str]:
    found = candidates(open_scratch(Limits()), SHAPES, views, sql)
    assert found is not None
    return [str(candidate) for candidate in found]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM books WHERE year = 1999", ["books (year)"]),
        ("SELECT * FROM books WHERE id = 7", []),
        ("SELECT * FROM books WHERE year = ? AND title > ?", ["books (year)", "books (year, title)"]),
        ("SELECT * FROM books ORDER BY year DESC", ["books (year DESC)"]),
        ("SELECT author, count(*) FROM books GROUP BY author", ["books (author)"]),
        ("SELECT DISTINCT author FROM books", ["books (author)"]),
        (
            "SELECT * FROM books WHERE year IN (1, 2) ORDER BY title",
            ["books (year)", "books (year, title)", "books (title)"],
        ),
        ("SELECT * FROM books WHERE year = 1 OR author = 2", ["books (year)", "books (author)"]),
        ("SELECT * FROM books WHERE title = 'x' COLLATE NOCASE", ["books (title COLLATE NOCASE)"]),
        ("SELECT * FROM books b JOIN authors a ON a.name = b.title", ["books (title)", "authors (name)"]),
        ("UPDATE books SET year = 1 WHERE author = 5", ["books (author)"]),
        ("DELETE FROM books WHERE author IS NULL", ["books (author)"]),
        ("SELECT * FROM books WHERE upper(title) = 'X'", []),
        ("SELECT * FROM books", []),
    ],
)
def test_the_planner_says_which_indexes_could_serve(sql: str, expected: list[str]) -> None:
    assert sorted(possible(sql)) == sorted(expected)


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM nowhere WHERE a = 1", "SELECT soundslike(title) FROM books", "DELETE FROM books RETURNING id"],
)
def test_what_cannot_be_prepared_over_such_tables_is_told_apart(sql: str) -> None:
    assert candidates(open_scratch(Limits()), SHAPES, (), sql) is None


def test_views_and_subqueries_count_as_the_planner_sees_them() -> None:
    view = "CREATE VIEW recent AS SELECT * FROM books WHERE year > 2000"
    assert "books (author)" in possible("SELECT * FROM recent WHERE author = 3", view)
    found = possible("SELECT * FROM authors WHERE EXISTS (SELECT 1 FROM books WHERE books.author = authors.id)")
    assert "books (author)" in found


def test_names_are_quoted_where_they_must_be_and_not_taken_twice() -> None:
    sql = 'SELECT * FROM "or""der" WHERE "sel ect" = 1 AND "order" = 2'
    (found,) = candidates(apsw.Connection(":memory:"), SHAPES, (), sql, {"or_der_by_sel_ect_order"})
    assert found.sql == 'CREATE INDEX or_der_by_sel_ect_order_2 ON "or""der" ("sel ect", "order")'
    connection = apsw.Connection(":memory:")
    connection.execute('CREATE TABLE "or""der" ("sel ect", "order")')
    assert chosen(connection, [found], sql) == [found]


def test_of_all_candidates_the_planner_takes_the_best(connection: apsw.Connection) -> None:
    sql = "SELECT * FROM books WHERE author = ? AND title = ? ORDER BY year"
    found = candidates(apsw.Connection(":memory:"), SHAPES, (), sql)
    assert len(found) > 1
    assert [str(each) for each in chosen(connection, found, sql)] == ["books (author, title, year)"]


def test_a_step_whose_names_are_longer_than_a_value_may_be_is_there_without_them() -> None:
    connection, long = apsw.Connection(":memory:"), "n" * 600
    connection.execute(f'CREATE TABLE t (a); CREATE INDEX "{long}" ON t (a)')
    connection.limit(apsw.SQLITE_LIMIT_LENGTH, 500)
    assert [step.detail for step in plan.steps(connection, "SELECT a FROM t WHERE a = 1", ())] == ["…"]
