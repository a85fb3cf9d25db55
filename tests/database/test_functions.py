"""The bounded functions answer what SQLite's own do, and in bounded time where those take minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemode.database.connection import open_session
from codemode.database.functions import _HEX, _unhex_text, both_sides, register_functions
from codemode.limits import Limits

MB = 1_000_000
ORIGINAL = apsw.Connection(":memory:")
BOUNDED = apsw.Connection(":memory:")
BOUNDED.limit(apsw.SQLITE_LIMIT_LENGTH, 2 * MB)
register_functions(BOUNDED, 2 * MB)

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("ab xé\U0001f600", max_size=12)
VALUES = TEXTS | st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\é', max_size=4),
    lambda inner: st.dictionaries(st.text("abc", max_size=2), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=8,
).map(json.dumps)


def answer(connection: apsw.Connection, sql: str, values: tuple[Any, ...]) -> Any:
    try:
        return next(connection.execute(sql, values))
    except (apsw.Error, UnicodeDecodeError) as error:
        return type(error)


def same(function: str, *values: Any) -> None:
    call = f"{function}({', '.join('?' * len(values))})"
    sql = f"SELECT {call}, typeof({call})"
    assert answer(BOUNDED, sql, values * 2) == answer(ORIGINAL, sql, values * 2)


@pytest.mark.parametrize("function", ["trim", "ltrim", "rtrim"])
@settings(deadline=None)
@given(value=VALUES, characters=VALUES)
def test_trims_answer_the_same(function: str, value: Any, characters: Any) -> None:
    if not isinstance(value, bytes):  # a blob that is no UTF-8 has no text to trim: SQLite makes an unreadable one
        same(function, value, characters)


@settings(deadline=None)
@given(value=VALUES, part=VALUES)
def test_instr_answers_the_same(value: Any, part: Any) -> None:
    same("instr", value, part)


@settings(deadline=None)
@given(
    value=TEXTS | st.integers().filter(lambda n: abs(n) < 2**63) | st.none(),
    part=TEXTS | st.none(),
    new=TEXTS | st.none(),
)
def test_replace_answers_the_same(value: Any, part: Any, new: Any) -> None:
    same("replace", value, part, new)


@settings(deadline=None)
@given(value=st.text("0123456789abcdefABCDEF- é", max_size=20) | VALUES, skipped=st.text("- é0a", max_size=4) | VALUES)
def test_unhex_answers_the_same(value: Any, skipped: Any) -> None:
    same("unhex", value, skipped)


@pytest.mark.parametrize("function", ["json_patch", "jsonb_patch"])
@settings(deadline=None)
@given(target=JSON | VALUES, change=JSON | VALUES)
def test_patches_answer_the_same(function: str, target: Any, change: Any) -> None:
    same(function, target, change)


@settings(deadline=None)
@given(text=st.text("0123456789abcdefABCDEF- é", max_size=40), skipped=st.text("- é0a", max_size=4))
def test_the_long_way_of_unhex_answers_the_same(text: str, skipped: str) -> None:
    assert (_unhex_text(text, frozenset(skipped) - _HEX),) == answer(ORIGINAL, "SELECT unhex(?, ?)", (text, skipped))


@settings(deadline=None)
@given(text=st.text("abcé\U0001f600", max_size=30), characters=st.text("abcé\U0001f600x", min_size=1, max_size=40))
def test_the_long_way_of_trim_answers_the_same(text: str, characters: str) -> None:
    stripped = both_sides(True, True)(text, frozenset(characters))
    assert (stripped,) == answer(ORIGINAL, "SELECT trim(?, ?)", (text, characters))


def worst() -> Iterator[tuple[str, tuple[Any, ...]]]:
    long = "a" * (2 * MB - 10)
    many = "".join(chr(0x10000 + n) for n in range(200_000))
    keys = "{" + ",".join(f'"k{n}":1' for n in range(150_000)) + "}"
    yield "instr", (long, "a" * MB + "b")
    yield "instr", (long.encode(), b"a" * MB + b"b")
    yield "instr", (long, b"a" * MB + b"b")
    yield "replace", (long, "a" * MB + "b", "")
    yield "replace", (long, "a", "b" * MB)
    yield "trim", (long, "b" * (MB - 1) + "a")
    yield "trim", (many + many, many)
    yield "rtrim", (long, "".join(chr(n) for n in range(32, 2000)))
    yield "unhex", ("-" * (2 * MB - 10), "b" * MB + "-")
    yield "unhex", ("ab" * (MB - 10), "-" * 100)
    yield "json_patch", (keys, keys.replace("k", "j"))
    yield "jsonb_patch", (keys, keys.replace("k", "j"))


WORST = list(worst())


@pytest.mark.parametrize(("function", "values"), WORST, ids=[f"{name} {n}" for n, (name, _) in enumerate(WORST)])
def test_the_worst_arguments_take_seconds_at_most(function: str, values: tuple[Any, ...]) -> None:
    started = time.thread_time()
    answer(BOUNDED, f"SELECT length({function}({', '.join('?' * len(values))}))", values)
    assert time.thread_time() - started < 5  # at most 0.5 s on a quiet machine; SQLite's own take 17 s to minutes


def test_an_answer_beyond_the_limit_is_refused_before_it_is_built() -> None:
    before = apsw.memory_used()
    assert answer(BOUNDED, "SELECT replace(?, 'a', ?)", ("a" * MB, "b" * MB)) is apsw.TooBigError
    assert apsw.memory_used() < before + 5 * MB


def test_indexes_and_views_may_use_them(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits())
    connection.execute(
        "CREATE TABLE t (a TEXT, b AS (replace(a, 'x', 'y')) STORED, CHECK (instr(a, '!') = 0));"
        "CREATE INDEX i ON t (trim(a, 'x'), unhex(a, ' '));"
        "CREATE VIEW v AS SELECT json_patch('{}', '{}'), rtrim(a, 'x') AS r FROM t;"
        "INSERT INTO t (a) VALUES ('xax')"
    ).fetchall()
    assert connection.execute("SELECT r FROM v").fetchall() == [("xa",)]
    assert connection.execute("SELECT b FROM t WHERE trim(a, 'x') = 'a'").fetchall() == [("yay",)]
    connection.close()
