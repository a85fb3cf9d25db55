"""Full-text searches: what a statement looks for is found wherever it stands, and judged before FTS5 has it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from guard_desk import Desk

from codemode.database.fulltext import (
    NEAR_PHRASES,
    PATTERN_BYTES,
    PHRASE_CHARACTERS,
    QUERY_CHARACTERS,
    RANKED_PHRASES,
    check_query,
)
from codemode.errors import NoSuchFunction, StatementLimit, StatementRefused
from codemode.guard.searches import Search, check_search


def near(words: int) -> str:
    return f"NEAR({'a ' * words}, 10)"


WIDE = near(NEAR_PHRASES + 1)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("docs WHERE docs MATCH ?", [(1,)]),
        ("docs WHERE docs MATCH :q", [(1,)]),
        ("docs WHERE docs = ?", [(1,)]),
        ("docs(?)", [(1,)]),
        ("docs WHERE docs MATCH ? || '*'", [(1, "*")]),
        ("docs WHERE docs MATCH '\"' || ?2 || '\" ' || ?1", [('"', 2, '" ', 1)]),
        ("docs WHERE docs MATCH coalesce(?, 'b')", [(1,)]),
        ("docs WHERE docs MATCH ? AND rank MATCH 'bm25(2)' AND rowid = (SELECT max(id) FROM t)", [(1,)]),
        ("docs, t WHERE docs.rowid = t.id AND docs MATCH ?", [(1,)]),
        # SQLite uses a register for one thing after another: what holds the query here holds lower(title) later.
        ("t JOIN docs ON docs.rowid = t.id WHERE docs MATCH '\"' || ? || '\"' AND lower(title) = ?", [('"', 1, '"')]),
        (
            "t LEFT JOIN docs ON docs.rowid = t.id AND docs MATCH ? || '*' WHERE EXISTS (SELECT note FROM u LIMIT ?)",
            [(1, "*")],
        ),
        ("docs WHERE docs MATCH 'a'", []),
        ("docs WHERE docs MATCH 5", []),
        ("docs, json_each(docs.body) WHERE docs MATCH 'a'", []),
        ("docs WHERE rowid = ?", []),
        ("docs WHERE body LIKE ?", []),
    ],
)
def test_what_a_statement_searches_for_is_known(desk: Desk, search: str, found: list[tuple[Any, ...]]) -> None:
    statement = desk.guard.check(f"SELECT body FROM {search}")
    assert sorted(str(search.text) for search in statement.searches) == sorted(map(str, found))
    assert statement.longest_value is None


@pytest.mark.parametrize(
    "search",
    [
        "docs WHERE docs MATCH upper(?)",
        "docs WHERE docs MATCH (SELECT a FROM t)",
        "docs, t WHERE docs MATCH t.a",
        "docs WHERE docs = printf('%s', ?)",
        "docs(upper(?))",
        "docs WHERE docs MATCH 'a' AND docs MATCH lower(?)",
        "docs WHERE docs MATCH ?1 || ?1 || ?1 || ?1 || ?1 || ?1",
        # A text that joins itself in a loop is as long as the loop.
        "(WITH RECURSIVE c(q) AS (SELECT 'a' UNION ALL SELECT q || ' a' FROM c LIMIT 9) SELECT q FROM c), docs(q)",
    ],
)
def test_a_query_that_sql_computes_is_refused(desk: Desk, search: str) -> None:
    with pytest.raises(StatementRefused, match="that SQL computes") as refused:
        desk.guard.check(f"SELECT body FROM {search}")
    assert "MATCH ?" in (refused.value.hint or "")


@pytest.mark.parametrize(
    "search", [f"docs WHERE docs MATCH '{WIDE}'", f"docs WHERE docs = '{WIDE}'", f"docs('{WIDE}')"]
)
def test_a_literal_that_nothing_could_stop_is_refused_before_it_runs(desk: Desk, search: str) -> None:
    with pytest.raises(StatementLimit, match="NEAR"):
        desk.guard.check(f"SELECT body FROM {search}")


@pytest.mark.parametrize("name", ["ÉTUDES", "Δ", "İ", "\u212a", "Ünder_Score 1"])
def test_a_name_beyond_ascii_hides_no_search(desk: Desk, name: str) -> None:
    """SQLite folds ASCII letters alone: lower() of Python made another table of each of these, which nobody judged."""
    desk.submit(f'CREATE VIRTUAL TABLE "{name}" USING fts5(body)')
    with pytest.raises(StatementLimit, match="NEAR"):
        desk.guard.check(f"""SELECT body FROM "{name}" WHERE body MATCH '{WIDE}'""")
    assert desk.guard.check(f'SELECT body FROM "{name}" WHERE body MATCH ?').searches == (Search((1,)),)


MANY = " OR ".join("a" * (RANKED_PHRASES + 1))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT body FROM docs WHERE docs MATCH ? ORDER BY rank",
        "SELECT body FROM docs(?) ORDER BY bm25(docs, 2)",
        'SELECT body, "RANK" FROM docs WHERE docs MATCH ?',
        "SELECT 1 FROM docs JOIN (SELECT 0.5 AS rank) USING (rank) WHERE docs MATCH ?",
        "SELECT good FROM ranked WHERE body MATCH ?",
    ],
)
def test_many_phrases_are_refused_where_rows_are_ranked(desk: Desk, sql: str) -> None:
    plain = desk.guard.check("SELECT body FROM docs WHERE docs MATCH ?").searches
    check_search(plain[0], (None,), [MANY])
    desk.submit("CREATE VIEW ranked AS SELECT body, rank AS good FROM docs")
    (search,) = desk.guard.check(sql).searches
    check_search(search, (None,), [MANY.removesuffix(" OR a")])
    with pytest.raises(StatementLimit, match="ranked"):
        check_search(search, (None,), [MANY])


def test_what_fts5_joins_to_one_ranked_query_shares_its_phrases(grams: Desk) -> None:
    conditions = " AND ".join([*["grams MATCH ?1"] * 5, *["body LIKE ?2"] * 5])
    found = grams.guard.check(f"SELECT rank FROM grams WHERE {conditions}").searches
    assert {search.phrases for search in found} == {RANKED_PHRASES // 10}
    for search, text in zip(sorted(found, key=lambda each: each.is_pattern), ["abc " * 21, "%abc" * 21], strict=True):
        with pytest.raises(StatementLimit, match="ranked"):
            check_search(search, (None, None), [text, text])


LONG = "%" + "abc%" * (PATTERN_BYTES // 3)


@pytest.fixture
def grams(desk: Desk) -> Desk:
    desk.submit("CREATE VIRTUAL TABLE grams USING fts5(body, tokenize = 'trigram')")
    desk.submit("INSERT INTO grams VALUES ('hello world'), ('good day')")
    return desk


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("body LIKE ?", [(1,)]),
        ("body GLOB :g", [(1,)]),
        ("body LIKE '%' || ?1 || '%'", [("%", 1, "%")]),
        ("body LIKE '%hello%'", []),
        ("+body LIKE upper(?)", []),
    ],
)
def test_a_pattern_on_trigrams_is_known(grams: Desk, condition: str, found: list[tuple[Any, ...]]) -> None:
    statement = grams.guard.check(f"SELECT body FROM grams WHERE {condition}")
    assert statement.searches == tuple(Search(text, True) for text in found)


def test_a_query_and_a_pattern_are_each_judged_as_what_they_are(grams: Desk) -> None:
    statement = grams.guard.check("SELECT body FROM grams WHERE grams MATCH ?1 AND body LIKE ?2")
    assert set(statement.searches) == {Search((1,)), Search((2,), True)}
    assert grams.submit("SELECT body FROM grams WHERE grams MATCH 'ell' AND body LIKE '%WORLD'").rows == [
        ("hello world",)
    ]


@pytest.mark.parametrize("operator", ["LIKE", "GLOB"])
def test_a_pattern_on_trigrams_that_nothing_could_stop_is_refused(grams: Desk, operator: str) -> None:
    with pytest.raises(StatementLimit, match="250 bytes"):
        grams.guard.check(f"SELECT body FROM grams WHERE body {operator} '{LONG}'")
    with pytest.raises(StatementLimit, match="250 bytes"):
        check_search(Search((1,), True), (None,), [LONG])
    with pytest.raises(StatementRefused, match="pattern that SQL computes") as refused:
        grams.guard.check(f"SELECT body FROM grams WHERE body {operator} upper(?)")
    assert "LIKE ?" in (refused.value.hint or "")


def test_what_a_view_or_a_trigger_searches_for_is_judged_where_it_is_used(desk: Desk) -> None:
    desk.submit(f"CREATE VIEW seen AS SELECT body FROM docs('{WIDE}')")
    desk.submit("CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM docs WHERE docs = new.a; END")
    with pytest.raises(StatementLimit, match="NEAR"):
        desk.guard.check("SELECT * FROM seen")
    with pytest.raises(StatementRefused, match="that SQL computes"):
        desk.guard.check("INSERT INTO t (a) VALUES ('b')")


def test_a_view_with_match_says_what_to_write(desk: Desk) -> None:
    desk.submit("CREATE VIEW seen AS SELECT body FROM docs WHERE docs MATCH 'a'")
    with pytest.raises(NoSuchFunction) as failed:
        desk.guard.check("SELECT * FROM seen")
    assert "docs('words')" in (failed.value.hint or "")


@pytest.mark.parametrize(
    ("text", "names", "params"),
    [
        ((1,), (None,), [WIDE]),
        ((1,), ("q",), {"q": WIDE}),
        ((1,), (None,), [WIDE.encode()]),
        ((1, 2), (None, None), [WIDE[:3], WIDE[3:]]),
        (("NE", 1), (None,), [WIDE[2:]]),
        (("NEAR(", 1, 1, ")"), (None,), ["a " * 13]),
    ],
)
def test_parameters_are_judged_as_the_text_that_they_make(text: Any, names: Any, params: Any) -> None:
    with pytest.raises(StatementLimit, match="NEAR"):
        check_search(Search(text), names, params)


@pytest.mark.parametrize("distance", ["", ", 10"])
def test_a_distance_is_no_word_of_a_near(distance: str) -> None:
    check_query(f"NEAR({'a ' * NEAR_PHRASES}{distance})")
    with pytest.raises(StatementLimit, match=f"NEAR.* takes {NEAR_PHRASES} words"):
        check_query(f"NEAR({'a ' * (NEAR_PHRASES + 1)}{distance})")


def test_parameters_that_are_not_there_are_left_to_sqlite() -> None:
    for params in ([], {}, {"other": "a"}, [None], [5], [1.5]):
        check_search(Search((1, "*")), ("q",), params)


@pytest.mark.parametrize(
    "text",
    [
        near(NEAR_PHRASES),
        near(NEAR_PHRASES).replace(", 10)", ")"),
        'NEAR("one two three four" "five", 3) OR ' * 50 + "a",
        "near(" + "a " * 100 + ")",  # to FTS5 that is a word: only capitals begin one
        '"NEAR(' + "a " * 100 + ')"',
        "NEAR AND (" + "a " * 100 + ")",
        '"said ""NEAR(' + "a " * 100 + ')"" to me"',
        "a " * 10_000,
        '"' + "a " * (PHRASE_CHARACTERS // 2) + '"',
        '"a b c" + d ' * 100,
        " OR ".join(['"' + "a " * 100 + '"'] * 100),
    ],
)
def test_what_can_be_stopped_may_run(text: str) -> None:
    check_query(text)


@pytest.mark.parametrize(
    "text",
    [
        WIDE,
        f"a OR ({WIDE})",
        "NEAR \n (" + "a " * 30 + ")",
        "NEAR(" + 'a"b"' * 15 + ")",  # words and phrases need no space between them
        "NEAR(" + "é€ " * 30 + ")",
        "NEAR(" + "a + " * 30 + "a)",
        "NEAR(" + "a " * 30,
        "b " * (QUERY_CHARACTERS // 2 + 1),
        '"' + "a " * (PHRASE_CHARACTERS // 2) + 'a"',
        'a OR b : "' + "a " * 500,
        "a + " * PHRASE_CHARACTERS + "a",
        'NEAR("' + "a " * 150 + '" "' + "a " * 150 + '")',
    ],
)
def test_what_nothing_could_stop_may_not(text: str) -> None:
    with pytest.raises(StatementLimit):
        check_query(text)


def test_near_takes_the_square_of_its_words(desk: Desk) -> None:
    """The fact behind the bound: four times as many words take some twenty times as long, on the same document."""

    def seconds(words: int) -> float:
        started = time.process_time()
        desk.connection.execute("SELECT count(*) FROM docs WHERE docs MATCH ?", [near(words)]).fetchall()
        return time.process_time() - started

    with desk.guard.engine():
        desk.connection.execute("INSERT INTO docs (body) VALUES (?)", ["a " * 20_000])
        assert seconds(100) > 5 * min(seconds(25) for _ in range(3))


def test_a_rank_takes_the_square_of_the_phrases(desk: Desk) -> None:
    """The fact behind that bound: five times as many words take some twenty times as long, on the same document."""

    def seconds(words: int) -> float:
        started = time.process_time()
        desk.connection.execute("SELECT rank FROM docs WHERE docs MATCH ?", ["a " * words]).fetchall()
        return time.process_time() - started

    with desk.guard.engine():
        desk.connection.execute("INSERT INTO docs (body) VALUES (?)", ["a " * 2_000])
        assert seconds(1_000) > 5 * min(seconds(200) for _ in range(3))
