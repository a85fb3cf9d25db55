"""Builders that look for text: the term is taken literally, whatever it holds."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.helpers import sql
from sandbox.helpers.search import match_text

TEXTS = [
    "50% off",
    "500 off",
    "a_b",
    "axb",
    "back\\slash",
    "it's",
    'say "hi"',
    "two  blanks",
    "",
    None,
    123.5,
    "ÜBER",
    "über",
]

awkward = st.text(alphabet="ab%_\\'\"*? Aé", max_size=6)
# The case of ASCII is folded, so the law is stated for texts that Python folds in the same way.
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def found(engine, query):
    return [row["x"] for row in engine.rows(query)]


@pytest.fixture
def texts(engine):
    engine.table("t", ["x", "y"], [(text, "other") for text in TEXTS])
    return engine


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("50%", ["50% off"]),
        ("a_b", ["a_b"]),
        ("k\\s", ["back\\slash"]),
        ("'", ["it's"]),
        ('"', ['say "hi"']),
        ("  ", ["two  blanks"]),
        ("OFF", ["50% off", "500 off"]),
        ("3.5", [123.5]),
        (123, [123.5]),
        ("über", ["ÜBER", "über"]),
        ("ÜBER", ["ÜBER", "über"]),
        ("' OR 1=1 --", []),
        ("", [text for text in TEXTS if text is not None]),
    ],
)
def test_a_term_is_found_literally(texts, term, expected):
    assert found(texts, sql.text_search("t", "x", term)) == expected


def test_case_counts_when_asked(texts):
    assert found(texts, sql.text_search("t", "x", "OFF", case_sensitive=True)) == []
    assert found(texts, sql.text_search("t", "x", "off", case_sensitive=True, limit=1)) == ["50% off"]
    assert len(found(texts, sql.text_search("t", "x", "", case_sensitive=True))) == len(TEXTS) - 1


def test_a_term_longer_than_a_pattern_may_be(engine):
    engine.table("t", ["x"], [("ab" * 2000,), ("AB" * 700,), ("b",)])
    assert len(found(engine, sql.text_search("t", "x", "aB" * 700))) == 2


def test_a_term_with_nul(engine):
    engine.table("t", ["x"], [("a\0b",), ("a",)])
    assert found(engine, sql.text_search("t", "x", "A\0b")) == ["a\0b"]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150, deadline=None
)
@given(texts=st.lists(awkward, max_size=8), term=awkward)
def test_search_is_what_python_calls_in(engine, texts, term):
    engine.table("t", ["x"], [(text,) for text in texts])
    exact = [text for text in texts if term in text]
    assert found(engine, sql.text_search("t", "x", term, True)) == exact
    if term.isascii():
        loose = [text for text in texts if term.translate(_FOLD) in text.translate(_FOLD)]
        assert found(engine, sql.text_search("t", "x", term)) == loose


def test_any_of_several_fields(engine):
    engine.table("t", ["x", "first name"], [(1, "Ann"), (2, None), ("ann_", "Bo"), (4, "x")])
    assert found(engine, sql.multi_field_search("t", ["x", "first name"], "ann")) == [1, "ann_"]
    assert found(engine, sql.multi_field_search("t", ["x", "first name"], "ann", limit=1)) == [1]
    assert found(engine, sql.multi_field_search("t", "x", "n_")) == ["ann_"]


@pytest.mark.parametrize("term", [None, ["a"], True, b"a"])
def test_a_term_that_is_no_text_is_refused(refused, term):
    assert refused(sql.text_search, "t", "x", term).code == "request.invalid"


@pytest.fixture
def documents(engine):
    engine.connection.execute("CREATE VIRTUAL TABLE docs USING fts5(title, body)")
    engine.connection.executemany(
        "INSERT INTO docs VALUES (?, ?)",
        [
            ("rock and roll", "loud music music music"),
            ("the c++ book", "templates and music"),
            ("notes", 'AND is an operator, it\'s "quoted"'),
            ("über alles", "database-driven design"),
        ],
    )
    return engine


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("music", ["rock and roll", "the c++ book"]),  # best first: more often in a text of like length
        ("c++", ["the c++ book"]),
        ("AND", ["rock and roll", "the c++ book", "notes"]),
        ("it's", ["notes"]),
        ('"quoted', ["notes"]),
        ("rock & roll", ["rock and roll"]),
        ("database-driven", ["über alles"]),
        ("data*", ["über alles"]),
        ("title:", []),
        ("music NOT templates", ["rock and roll"]),
        ("(rock OR notes) AND (roll OR operator)", ["rock and roll", "notes"]),
        ('"rock and roll"', ["rock and roll"]),
        ("ÜBER", ["über alles"]),
        ("music AND", ["rock and roll", "the c++ book"]),
        ("*", []),
        ("NEAR(", []),
        ("NEAR(music loud, 3)", ["rock and roll"]),
        ("rock (roll)", ["rock and roll"]),
        ("(rock) roll", ["rock and roll"]),
    ],
)
def test_full_text_takes_what_people_type(documents, query, titles):
    answered = documents.rows(sql.full_text_search("docs", query))
    assert sorted(row["title"] for row in answered) == sorted(titles)
    scores = [row["score"] for row in answered]
    assert scores == sorted(scores, reverse=True)


def test_full_text_answers_best_first_with_all_columns(documents):
    best = documents.rows(sql.full_text_search("docs", "music", limit=1))
    assert [list(row) for row in best] == [["title", "body", "score"]]
    assert best[0]["title"] == "rock and roll"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300, deadline=None
)
@given(st.text(alphabet="aAND ORTNE()\"'*+-:^{}.~\\,#é\0", max_size=20).filter(lambda text: text.strip(" \0")))
def test_no_query_is_a_syntax_error(engine, query):
    engine.connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS empty USING fts5(title)")
    assert engine.rows(sql.full_text_search("empty", query)) == []


@pytest.mark.parametrize("query", ["", "   ", "\n", "\0"])
def test_no_words_is_an_error(refused, query):
    assert refused(match_text, query).code == "request.invalid"
