"""No text takes the square of its length: Python's patterns hold the interpreter's lock, and no deadline ends them.

A megabyte of statement is allowed. What is looked for in it, in SQLite's error of it and in its plan is found in one
pass, or in a bounded part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import apsw
import pytest

from codemode import Limits
from codemode.database.appended import Appended
from codemode.database.percentiles import register_percentiles
from codemode.database.plan import steps
from codemode.errors import StatementError, StatementSyntaxError
from codemode.guard import scan
from codemode.guard.mending.rows import row_values
from codemode.guard.mending.suggest import suggested
from codemode.guard.parse import table_names
from codemode.guard.postgres_questions import PostgresQuestions
from codemode.guard.repair import explain_error
from codemode.guard.schema import ReservedSchema

LENGTH = 200_000


def repeated(text: str) -> str:
    return text * (LENGTH // len(text))


def explained(message: str) -> None:
    explain_error(apsw.SQLError(message), "", apsw.Connection(":memory:"))


def planned(alias: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (a)")
    steps(connection, f'SELECT a FROM t AS "{alias}"', ())


def asked(question: str) -> None:
    with suppress(StatementError):
        PostgresQuestions([], Limits()).check(question)


def mended(sql: str) -> None:
    def check(_sql: str) -> StatementError:
        return StatementSyntaxError("incomplete input")

    assert suggested(sql, check(sql), apsw.Connection(":memory:"), check) is None


def bound(question: str) -> None:
    pytest.importorskip("psycopg")
    from codemode.catalog.stores.postgres_asking import _PARTS

    _PARTS.sub("?", question)


def blamed(sql: str) -> None:
    row_values(sql, ["a"])


def taken_for_a_fraction(text: str) -> None:
    connection = apsw.Connection(":memory:")
    register_percentiles(connection)
    with suppress(apsw.SQLError):
        connection.execute("SELECT percentile_cont(1, ?)", (text,))


def declared(kind: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f'CREATE TABLE t (a "{kind}")')
    ReservedSchema(connection).remember()


def appended(cell: str) -> None:
    list(Appended({"a": "INTEGER"}).seen([("a", "TEXT")], [[cell]]))


@pytest.mark.parametrize(
    ("reads", "text"),
    [
        (scan.unfinished, repeated(":")),
        (scan.unfinished, repeated("$a:b")),
        (explained, repeated("no such column: ") + "\n x"),
        (explained, repeated("no such table: ") + "\n x"),
        (planned, repeated("x USING y (z) ")),
        (asked, "/**/" * 26 + "!"),  # 2^26 ways
        (asked, repeated("(-- a\n ") + "!"),
        (table_names, "SELECT * FROM t" + "".join(f" JOIN t AS x{number}" for number in range(18))),  # 2^18 ways
        (mended, "SELECT * FROM t WHERE " + "--\n" * 1_300),
        (mended, "SELECT" + "\n" * 3_800 + "information_schema.columns table_name = 'a'"),
        (mended, "SELECT convert(a" + " " * 3_800 + "a, b)"),
        (bound, "".join(f"$a{number}$ " for number in range(LENGTH // 8))),
        (blamed, "INSERT INTO t" + repeated(" ") + "/**/ VALUES (1)"),
        (blamed, "INSERT INTO t VALUES (1 " + "- " * 500_000 + "1)"),
        (taken_for_a_fraction, repeated("1") + "x"),
        (appended, repeated("1") + "x"),
        (declared, repeated("identity ") + "\n x"),
    ],
)
def test_a_text_is_read_in_one_pass(reads: Callable[[str], object], text: str) -> None:
    started = time.process_time()
    reads(text)
    assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("SELECT :a, $b, @c, #d, ::e, $f::g", None),
        ("SELECT $x(') /* '", "a parameter name with parentheses"),
        ("SELECT :a:b(1)", "a parameter name with parentheses"),
        ("SELECT $a$é::9(1)", "a parameter name with parentheses"),
        ("SELECT :a (1)", None),
    ],
)
def test_a_parameter_s_name_is_read_to_its_end(text: str, left: str | None) -> None:
    assert scan.unfinished(text) == left


def test_what_the_parser_cannot_read_has_no_names() -> None:
    assert table_names("CREATE VIRTUAL TABLE f USING fts5(DROP:x BY EXCEPT)") == {}
