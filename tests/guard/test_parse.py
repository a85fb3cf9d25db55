"""The scanner and sqlglot's advice: bounded in time whatever the text, and of one mind with SQLite's tokenizer."""

from __future__ import annotations

import importlib.metadata
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sql_cases import FOLDER, read_cases

from codemode.guard import parse, rules, scan

BOMBS = [
    "SELECT * FROM a" + " JOIN t" * 40,
    "SELECT * FROM a" + " LEFT JOIN t JOIN t" * 20,
    "SELECT " + "OBJECT(" * 30,
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT " + "NOT " * 4_000 + "1",
    "SELECT " + "- " * 9_000 + "1",
    "SELECT " + "CASE WHEN 1 THEN " * 900 + "1" + " END" * 900,
    "SELECT 1" + " UNION SELECT 1" * 1_200,
    "SELECT " + "1+" * 9_000 + "1",
    "SELECT a" + ".b" * 9_000,
    "SELECT a" + "::int" * 3_000,
    "SELECT " + "[" * 9_000,
    "SELECT " + "x:" * 9_000,
    "SELECT " + "'" * 19_999,
    "SELECT " + "/*" * 9_000,
    "WITH a AS (" * 1_500 + "SELECT 1" + ") SELECT 1" * 1_500,
]


@pytest.mark.parametrize("sql", BOMBS, ids=lambda sql: sql[:24])
def test_no_text_keeps_the_parser_busy(sql: str) -> None:
    started = time.process_time()
    parse.read(sql)
    scan.heading(sql)
    scan.unfinished(sql)
    assert time.process_time() - started < 20  # without the bounds: hours


@pytest.mark.parametrize("size", [1_000_000])
@pytest.mark.parametrize("unit", ["(", "'", "/*", "--\n", "[", "a ", "''", "$x(", "/**/", "\\", '"', "((a", ";", "é"])
def test_the_scanner_reads_a_megabyte_in_no_time(unit: str, size: int) -> None:
    text = "SELECT " + unit * (size // len(unit))
    started = time.process_time()
    scan.unfinished(text)
    scan.heading(text)
    scan.only_blanks(text)
    scan.depth(text)
    assert time.process_time() - started < 20


def test_the_tokens_say_what_the_tree_would() -> None:
    sqlglot, settled = parse._sqlglot(), 0
    for text in (case.sql for path in FOLDER.glob("*.sql") for case in read_cases(path)):
        try:
            tokens = sqlglot.tokenizer.tokenize(text)
            if not parse.may_be_read(text) or (root := sqlglot.root_of(tokens)) is None:
                continue
            trees = [type(tree).__name__ for tree in sqlglot.parser.parse(tokens, text)]
        except Exception:
            continue
        heading = scan.heading(text)
        by_tokens, by_tree = (
            rules.first_violation(rules.Candidate(heading, parse.Reading((name,)))) for name in (root, trees[0])
        )
        assert by_tokens == by_tree, text
        assert not {*trees[1:]} - {"Semicolon", "NoneType"}, text
        settled += 1
    assert settled > 400, settled


@given(st.text())
def test_any_text_has_a_reading(text: str) -> None:
    assert isinstance(parse.read(text), parse.Reading)
    assert isinstance(scan.heading(text), scan.Heading)
    assert scan.unfinished(text) is None or isinstance(scan.unfinished(text), str)
    assert isinstance(scan.only_blanks(text), bool)


@pytest.mark.parametrize(
    ("text", "deep"),
    [("", 0), ("(1)", 1), ("((1) + (2))", 2), ("'((('", 0), ("(/*(((*/)", 1), ('(["(("])', 1), (")(", 1)],
)
def test_depth_counts_what_is_code(text: str, deep: int) -> None:
    assert scan.depth(text) == deep or text.count("(") < 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("WITH RECURSIVE a AS (SELECT 1), b(c, d) AS NOT MATERIALIZED (SELECT ')') INSERT INTO t SELECT 1", "insert"),
        ('WITH "a b" AS (SELECT 1) DELETE FROM t', "delete"),
        ("with replace as (select 1) update t set a = 1", "update"),
        ("EXPLAIN/**/QUERY--\nPLAN SELECT 1", "select"),
        ("CREATE UNIQUE INDEX i ON t (a)", "create_index"),
        ("create/**/virtual\ttable f using fts5(a)", "create_virtual_table"),
        ("DROP TRIGGER IF EXISTS x", "drop_trigger"),
        (";;VALUES(1)", "select"),
        ("ALTER TABLE t ADD c", "alter_table"),
        ("WITH a AS (SELECT 1", None),
        ("SELECT\u00a01", None),
        ("", None),
    ],
)
def test_the_heading_names_the_kind(text: str, kind: str | None) -> None:
    assert scan.heading(text).kind == kind


def test_the_compiled_parser_cannot_be_of_another_version_than_the_parser():
    """Releases before 30.11 did not say so: `pip install -U sqlglot` left compiled files of the old one behind."""
    wanted = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {each for each in wanted if each.startswith("sqlglot")} == {"sqlglot>=30.11,<31", "sqlglotc>=30.11,<31"}
    version = importlib.metadata.version("sqlglotc")
    assert f"sqlglot=={version}" in (importlib.metadata.requires("sqlglotc") or [])
