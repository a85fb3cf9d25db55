"""median() and its kin answer as SQLite's own do, and do not take the square of the number of values."""

from __future__ import annotations

import random
import time
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemode.database import percentiles
from codemode.database.connection import open_session
from codemode.limits import Limits

NUMBER = st.integers(-5, 5) | st.floats(-9, 9)
VALUES = st.lists(st.none() | NUMBER | st.sampled_from(["a", "1", b"", 1e999]), max_size=12)
NUMBERS = st.lists(st.none() | NUMBER, min_size=1, max_size=12)
FRACTIONS = st.sampled_from([0, 1, 0.5, "0.25", 50, " 75 ", 100, 33.3, 101, -1, None, "x", b"1", "1_0", "nan"])
CALLS = st.sampled_from(["median(a)", "percentile(a, ?2)", "percentile_cont(a, ?2)", "percentile_disc(a, ?2)"])
FRAMES = st.sampled_from(
    ["1 PRECEDING AND 1 FOLLOWING", "UNBOUNDED PRECEDING AND CURRENT ROW", "2 PRECEDING AND 1 PRECEDING"]
)


@pytest.fixture(scope="module")
def both() -> tuple[apsw.Connection, apsw.Connection]:
    ours, plain = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    percentiles.register_percentiles(ours)
    return ours, plain


def answer(connection: apsw.Connection, sql: str, values: list[object], fraction: object) -> object:
    rows = ", ".join(f"({number}, ?{number + 3})" for number in range(len(values))) or "(0, NULL)"
    try:
        return connection.execute(f"WITH t(i, a) AS (VALUES {rows}) {sql}", (None, fraction, *values)).fetchall()
    except apsw.Error as error:
        return str(error)


@given(call=CALLS, values=VALUES, fraction=FRACTIONS)
def test_the_answers_and_the_errors_are_sqlite_s_own(both, call, values, fraction) -> None:
    ours, plain = (answer(each, f"SELECT {call}, ?2 IS NULL FROM t", values, fraction) for each in both)
    assert ours == plain


@given(call=CALLS, values=NUMBERS, fraction=st.sampled_from([0, 0.4, 1]), frame=FRAMES)
def test_windows_answer_as_sqlite_s_own(both, call, values, fraction, frame) -> None:
    sql = f"SELECT {call} OVER (ORDER BY i ROWS BETWEEN {frame}), ?2 IS NULL FROM t"
    ours, plain = (answer(each, sql, values, fraction) for each in both)
    assert ours == plain


@settings(max_examples=30)
@given(
    call=CALLS,
    values=st.lists(NUMBER, min_size=9, max_size=60),
    fraction=st.floats(0, 1),
)
def test_values_in_many_runs_are_one_order(both, call, values, fraction) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(percentiles, "_RUN", 4)
        patch.setattr(percentiles, "_LOOK", 2)
        ours, plain = (answer(each, f"SELECT {call}, ?2 IS NULL FROM t", values, fraction) for each in both)
    assert ours == plain


def killer(count: int) -> list[float]:
    """An order for which SQLite's own sort takes a pivot that is the second smallest, again and again."""
    values, places = [0.0] * count, list(range(count))
    smallest, start = 0, 0
    while count - start > 3:
        middle = start + (count - start) // 2
        for place in (start, middle):
            values[places[place]] = float(smallest)
            smallest += 1
        places[start + 1], places[middle] = places[middle], places[start + 1]
        start += 2
    for place in range(start, count):
        values[places[place]] = float(smallest)
        smallest += 1
    return values


def seconds(connection: apsw.Connection, values: list[float]) -> float:
    connection.execute("CREATE TABLE IF NOT EXISTS v (a); DELETE FROM v")
    connection.executemany("INSERT INTO v VALUES (?)", ((value,) for value in values))
    taken = []
    for _ in range(3):
        started = time.process_time()
        assert connection.execute("SELECT median(a) FROM v").get == (len(values) - 1) / 2
        taken.append(time.process_time() - started)
    return min(taken)


def test_no_order_of_the_values_takes_the_square_of_their_number(both) -> None:
    worst = killer(20_000)
    shuffled = random.Random(1).sample(worst, len(worst))
    ours, plain = both
    assert seconds(plain, worst) > 10 * seconds(plain, shuffled)  # what these are for
    assert seconds(ours, worst) < 4 * seconds(ours, shuffled)


def test_what_they_hold_is_bounded(both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(percentiles, "_MOST", 20_000)
    ours, _ = both
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT"
    assert ours.execute(numbers.format(9_000) + " median(i), percentile(i, 50) FROM n").get == (4500.5, 4500.5)
    with pytest.raises(apsw.NoMemError):
        ours.execute(numbers.format(30_000) + " median(i), percentile(i, 50) FROM n").fetchall()
    assert ours.execute(numbers.format(9_000) + " median(i), percentile(i, 50) FROM n").get == (4500.5, 4500.5)
    monkeypatch.setattr(percentiles, "_FRAME", 10)
    with pytest.raises(apsw.TooBigError, match="median"):
        ours.execute(numbers.format(20) + " median(i) OVER (ORDER BY i) FROM n").fetchall()


def test_views_may_use_them(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits())
    connection.execute("CREATE VIEW v AS SELECT median(x) AS m FROM (SELECT 1 AS x UNION SELECT 2)")
    assert connection.execute("SELECT m FROM v").get == 1.5
