"""A script is cut where SQLite would cut it."""

from __future__ import annotations

import re
import time

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.database.script import statements

CASES = [
    ("", []),
    (" ; ;; \n", []),
    ("-- only a comment", []),
    ("/* only; a comment */", []),
    ("SELECT 1", ["SELECT 1"]),
    ("SELECT 1; SELECT 2;", ["SELECT 1;", "SELECT 2;"]),
    ("SELECT ';'; SELECT \";\" FROM t", ["SELECT ';';", 'SELECT ";" FROM t']),
    ("SELECT [;], `;`; SELECT 1", ["SELECT [;], `;`;", "SELECT 1"]),
    ("SELECT 'it''s;' -- no; end\n; SELECT 2", ["SELECT 'it''s;' -- no; end\n;", "SELECT 2"]),
    ("SELECT 1 /* ; */; SELECT 2", ["SELECT 1 /* ; */;", "SELECT 2"]),
    (
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3;",
        ["CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;", "SELECT 3;"],
    ),
    (
        "/* ; */ create temp trigger x begin select 1;; -- END;\n END ; SELECT 3",
        ["create temp trigger x begin select 1;; -- END;\n END ;", "SELECT 3"],
    ),
    (
        "CREATE TRIGGERS; END; CREATE TRIGGER x; ENDED; END",
        ["CREATE TRIGGERS;", "END;", "CREATE TRIGGER x; ENDED; END"],
    ),
    ("SELECT 'unfinished; SELECT 2", ["SELECT 'unfinished; SELECT 2"]),
]

NOTHING = re.compile(r"(?:\s|;|--[^\n]*|/\*.*?(?:\*/|\Z))*+", re.DOTALL)


@pytest.mark.parametrize(("script", "expected"), CASES)
def test_cutting(script: str, expected: list[str]) -> None:
    assert list(statements(script)) == expected


@given(st.text("ab;'\"-/*[]` \n", max_size=40))
def test_nothing_is_lost_or_made_up(script: str) -> None:
    position = 0
    for statement in [*statements(script), ""]:
        found = script.index(statement, position) if statement else len(script)
        assert NOTHING.fullmatch(script[position:found]), (script[position:found], statement)
        position = found + len(statement)


@given(
    st.lists(
        st.sampled_from(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (';')", "-- c;\nDELETE FROM t WHERE 0"])
    )
)
def test_a_script_does_what_sqlite_does_with_it(parts: list[str]) -> None:
    script = ";\n".join(parts)
    counts = []
    for texts in ([script], statements(script)):
        connection = apsw.Connection(":memory:")
        connection.execute("CREATE TABLE t (x)")
        for text in texts:
            connection.execute(text)
        counts.append(connection.execute("SELECT count(*), group_concat(x) FROM t").get)
    assert counts[0] == counts[1]


def cut_by_sqlite(script: str) -> list[str]:
    """The same with SQLite's own word on whether a text is complete."""
    found, start = [], 0
    for position, character in enumerate(script):
        if character == ";" and apsw.complete(script[start : position + 1]):
            found.append(script[start : position + 1].strip())
            start = position + 1
    found.append(script[start:].strip())
    return [text for text in found if text.strip("; \n")]


@given(st.lists(st.sampled_from(["CREATE", "TEMP", "TRIGGER", "END", "BEGIN", ";", "';'", '"a;"', "x", "CASE"])))
def test_a_script_is_cut_where_sqlite_would(words: list[str]) -> None:
    script = " ".join(words)
    assert [text.lstrip("; ") for text in statements(script)] == [text.lstrip("; ") for text in cut_by_sqlite(script)]


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TRIGGER t AFTER INSERT ON x BEGIN " + ";" * 300_000,
        "CREATE TRIGGER t AFTER INSERT ON x BEGIN " + "SELECT 1;" * 100_000,
        "CREATE TRIGGER t AFTER INSERT ON x BEGIN " + ";/**/" * 100_000,
        "/*" * 300_000,
        "SELECT [" * 100_000,
    ],
)
def test_no_script_takes_more_than_one_look_at_each_character(script: str) -> None:
    started = time.process_time()
    list(statements(script))
    assert time.process_time() - started < 3
