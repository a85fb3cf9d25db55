"""Reads tests/cases/worst_statements.txt, and makes the tables that it speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent.parent / "cases" / "worst_statements.txt"
_REPEATED = re.compile(r"<<(\d+)((?:\\\||[^|<>])*)\|((?:(?!<<|>>).)*)>>", re.DOTALL)


class Worst(NamedTuple):
    """One statement: its name, its text, and what is bound to it."""

    name: str
    sql: str
    params: list[Any]


def worst_statements() -> Iterator[Worst]:
    """All of them, written out."""
    for part in re.split(r"^-- (?!params)", FILE.read_text(), flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        lines = [line for line in rest.splitlines() if line and not line.startswith("== ")]
        params = json.loads(written_out(lines.pop(0)[len("-- params: ") :])) if lines[0].startswith("-- ") else []
        yield Worst(name, written_out("\n".join(lines)), params)


def written_out(text: str) -> str:
    """`text` with every <<9, |x>> repeated, the innermost first."""
    while (found := _REPEATED.search(text)) is not None:
        join = found[2].replace("\\|", "|")
        times, pieces = int(found[1]), found[3].split("@")
        parts = pieces * times if len(pieces) == 1 else [str(number).join(pieces) for number in range(times)]
        text = text[: found.start()] + join.join(parts) + text[found.end() :]
    return text


def setup() -> Iterator[str]:
    """The statements that make the tables."""
    count = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s LIMIT {})"
    text = "replace(hex(zeroblob(240000)), '0', 'a')"
    likes = written_out("<<20, |(<<150 + |(x LIKE y)>>)>>")
    yield "CREATE TABLE big (id INTEGER PRIMARY KEY, x TEXT, y TEXT)"
    yield f"{count.format(20)} INSERT INTO big SELECT i, {text} || i, {text} || -i FROM s"
    yield "CREATE TABLE n (i INTEGER)"
    yield f"{count.format(100_000)} INSERT INTO n SELECT i FROM s"
    yield "CREATE VIRTUAL TABLE docs USING fts5(body)"
    yield "INSERT INTO docs VALUES (replace(hex(zeroblob(400000)), '00', 'a '))"
    yield "INSERT INTO docs SELECT 'a b ' || i FROM n WHERE i < 20000"
    yield "CREATE VIRTUAL TABLE words USING fts5vocab(docs, instance)"
    yield "CREATE VIEW searching AS SELECT count(*) FROM docs(replace(hex(zeroblob(150000)), '00', 'b '))"
    yield "CREATE TABLE searched (a)"
    yield "CREATE TRIGGER search AFTER INSERT ON searched BEGIN INSERT INTO searched SELECT * FROM searching; END"
    yield "CREATE VIRTUAL TABLE grams USING fts5(body, tokenize = 'trigram')"
    yield "INSERT INTO grams VALUES (replace(hex(zeroblob(400000)), '00', 'ab'))"
    yield "CREATE VIRTUAL TABLE boxes USING rtree(id, low, high)"
    yield "INSERT INTO boxes SELECT i, i, i + 1000 FROM n WHERE i < 5000"
    yield "CREATE TABLE pairs (a INTEGER PRIMARY KEY, b INTEGER)"
    yield "INSERT INTO pairs SELECT i, i FROM n WHERE i <= 1000"
    yield "CREATE TABLE bomb (a)"
    yield "CREATE TRIGGER bombs AFTER INSERT ON bomb BEGIN INSERT INTO bomb SELECT new.a FROM pairs; END"
    yield "CREATE TABLE liked AS SELECT 1 AS a"
    yield f"CREATE TRIGGER likes AFTER UPDATE ON liked BEGIN SELECT {likes} FROM big; END"
    yield "CREATE TABLE checked (a CHECK (a LIKE '%x%y%z%' OR length(printf('%.*c', 900000, 'a')) > 0))"
    yield "CREATE TABLE made (a, b AS (length(printf('%.*c', 900000, a))) STORED)"
    yield "CREATE TABLE given (i, a DEFAULT (length(hex(randomblob(450000)))))"
    for n in range(16):
        below = f"union_{n - 1}" if n else "pairs"
        yield f"CREATE VIEW union_{n} AS SELECT a FROM {below} UNION ALL SELECT a FROM {below}"
        below = f"nested_{n - 1}" if n else "pairs"
        yield f"CREATE VIEW nested_{n} AS SELECT (SELECT max(a) FROM {below}) + (SELECT min(a) FROM {below}) AS a"
    for n in range(14):
        below = f"paired_{n - 1}" if n else "pairs"
        yield f"CREATE VIEW paired_{n} AS SELECT x.a, x.b FROM {below} AS x JOIN {below} AS y ON x.a = y.a"
