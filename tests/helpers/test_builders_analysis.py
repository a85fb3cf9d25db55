"""Builders that compute, beside Python's own statistics."""

from __future__ import annotations

import datetime
import math
import statistics as reference

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.helpers import sql

once = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150, deadline=None
)
# No squares of numbers that are too small for their squares.
floats = st.floats(-1e12, 1e12).filter(lambda value: value == 0 or abs(value) > 1e-100)
numbers = st.one_of(st.integers(-(2**40), 2**40), floats)
mixed = st.lists(st.one_of(st.none(), numbers, st.sampled_from(["n/a", "12", b"x"])), max_size=40)


def close(got, wanted, scale):
    return got is None if wanted is None else math.isclose(got, wanted, rel_tol=1e-9, abs_tol=1e-9 * scale)


@once
@given(mixed)
def test_statistics_agree_with_python(engine, values):
    engine.table("t", ["x"], [(value,) for value in values])
    [row] = engine.rows(sql.statistics("t", "x"))
    found = [value for value in values if isinstance(value, (int, float))]
    scale = max(map(abs, found), default=1) or 1
    assert row["count"] == len(found)
    assert row["nulls"] == values.count(None)
    assert row["min"] == min(found, default=None)
    assert row["max"] == max(found, default=None)
    assert close(row["sum"], math.fsum(found) if found else None, scale)
    assert close(row["mean"], reference.fmean(found) if found else None, scale)
    assert close(row["median"], reference.median(found) if found else None, scale)
    assert close(row["stddev"], reference.stdev(map(float, found)) if len(found) > 1 else None, scale)
    if len(found) > 1:
        q1, _, q3 = reference.quantiles(found, n=4, method="inclusive")
        assert close(row["q1"], q1, scale)
        assert close(row["q3"], q3, scale)


def test_statistics_have_the_columns_of_the_contract(engine):
    engine.table("t", ["x"], [])
    names = [name for name, *_ in engine.columns(sql.statistics("t", "x"))]
    assert names == ["count", "nulls", "mean", "median", "stddev", "min", "max", "sum", "q1", "q3"]


def test_statistics_keep_the_digits_of_small_spreads_around_large_means(engine):
    values = [1e9 + n / 10 for n in range(10)]
    engine.table("t", ["x"], [(value,) for value in values])
    [row] = engine.rows(sql.statistics("t", "x"))
    assert row["stddev"] == pytest.approx(reference.stdev(values), rel=1e-6)


def test_a_sum_beyond_64_bits_is_no_error(engine):
    engine.table("t", ["x"], [(2**62,), (2**62,), (2**62,), (-(2**63),)])
    [row] = engine.rows(sql.statistics("t", "x", "x > 0"))
    assert row["sum"] == pytest.approx(3 * 2.0**62)
    assert engine.rows(sql.statistics("t", "x"))[0]["min"] == -(2**63)


def test_an_integer_sum_is_exact(engine):
    engine.table("t", ["x"], [(2**53 + 1,), (2,)])
    assert engine.rows(sql.statistics("t", "x"))[0]["sum"] == 2**53 + 3


def test_statistics_under_a_condition(engine):
    engine.table("t", ["x", "kind"], [(1, "a"), (3, "a"), (100, "b")])
    assert engine.rows(sql.statistics("t", "x", {"kind": "a"}))[0]["mean"] == 2.0


@once
@given(mixed, st.integers(1, 40))
def test_bins_cover_every_number_once(engine, values, bins):
    engine.table("t", ["x"], [(value,) for value in values])
    rows = engine.rows(sql.histogram("t", "x", bins))
    found = [value for value in values if isinstance(value, (int, float))]
    assert sum(row["count"] for row in rows) == len(found)
    if not found:
        assert rows == []
        return
    assert len(rows) == (bins if min(found) != max(found) else 1)
    assert rows[0]["bin_start"] == min(found)
    assert rows[-1]["bin_end"] == max(found)
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        if following is not None:
            assert row["bin_end"] == following["bin_start"]
        inside = [v for v in found if row["bin_start"] <= v and (following is None or v < row["bin_end"])]
        assert row["count"] == len(inside)


def test_empty_bins_are_there_and_the_maximum_is_in_the_last(engine):
    engine.table("t", ["x"], [(0,), (1,), (10,), (10,), (None,), ("text",), (math.inf,)])
    rows = engine.rows(sql.histogram("t", "x", 5))
    assert [row["count"] for row in rows] == [2, 0, 0, 0, 2]
    assert [row["bin_start"] for row in rows] == [0, 2, 4, 6, 8]


def test_numbers_that_are_all_equal_make_one_bin(engine):
    engine.table("t", ["x"], [(7,), (7.0,)])
    assert engine.rows(sql.histogram("t", "x")) == [{"bin_start": 7.0, "bin_end": 7.0, "count": 2}]


def test_bins_over_the_whole_range_of_floats(engine):
    engine.table("t", ["x"], [(-1.7e308,), (1.7e308,), (0.0,)])
    rows = engine.rows(sql.histogram("t", "x", 4))
    assert [row["count"] for row in rows] == [1, 0, 1, 1]


@pytest.mark.parametrize("bins", [0, -1, 1.5, "10", 10**9])
def test_bins_that_cannot_be(refused, bins):
    assert refused(sql.histogram, "t", "x", bins).code == "request.invalid"


MOMENTS = [
    "2013-01-31",
    "2013-01-31 23:59:59",
    "2013-02-01T00:00:00Z",
    "2012-12-31",
    "2012-12-31T23:30:00-01:00",
    "2013-02-30",
    "2013-04-31 12:00",
    1359676800,  # 2013-02-01
    1359676800.5,
    1359676800000,  # the same in milliseconds
    None,
    "no date",
    "2013",
    "12:00",
    b"2013-01-01",
]


@pytest.mark.parametrize(
    ("period", "counts"),
    [
        ("year", {None: 6, "2012": 1, "2013": 7}),
        ("quarter", {None: 6, "2012-Q4": 1, "2013-Q1": 7}),
        ("month", {None: 6, "2012-12": 1, "2013-01": 3, "2013-02": 4}),
        ("week", {None: 6, "2013-W01": 2, "2013-W05": 6}),
        ("day", {None: 6, "2012-12-31": 1, "2013-01-01": 1, "2013-01-31": 2, "2013-02-01": 4}),
        (
            "hour",
            {
                None: 6,
                "2012-12-31 00:00": 1,
                "2013-01-01 00:00": 1,
                "2013-01-31 00:00": 1,
                "2013-01-31 23:00": 1,
                "2013-02-01 00:00": 4,
            },
        ),
    ],
)
def test_periods_of_iso_text_and_unix_seconds(engine, period, counts):
    engine.table("t", ["when"], [(moment,) for moment in MOMENTS])
    rows = engine.rows(sql.temporal("t", "when", period))
    assert {row["period"]: row["count"] for row in rows} == counts
    assert [row["period"] for row in rows] == list(counts)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2013-01-31", "2013-01-31", 2),
        ("2013-01", "2013-01", 3),
        ("2013", None, 7),
        (None, "2012", 1),
        ("2013-01-31 12:00", "2013-02-01 00:00:00", 4),
        (datetime.date(2013, 2, 1), datetime.date(2013, 2, 1), 4),
        (datetime.datetime(2013, 2, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), None, 4),
        (1359676800, 1359676800, 3),
        ("2014", None, 0),
        ("2013", "9999-12-31", 7),
        ("2013", "9999-12", 7),
        ("2013", "9999", 7),
        ("0001", "2012-12", 1),
        ("2012-02", "2012-12", 1),
    ],
)
def test_bounds_are_inclusive(engine, first, last, count):
    engine.table("t", ["when"], [(moment,) for moment in MOMENTS])
    rows = engine.rows(sql.temporal("t", "when", "year", first, last))
    assert sum(row["count"] for row in rows) == count


@pytest.mark.parametrize("bound", ["yesterday", "2013-13", "2013-02-30", "99999", ["2013"], True, ""])
def test_a_bound_that_is_no_date_is_refused(refused, bound):
    assert refused(sql.temporal, "t", "when", "day", bound).code == "request.invalid"
    assert refused(sql.temporal, "t", "when", "day", max_date=bound).code == "request.invalid"


def test_an_unknown_period_is_answered_with_the_one_that_was_meant(refused):
    assert refused(sql.temporal, "t", "when", "monthly").did_you_mean == ("month",)


@once
@given(st.lists(st.dates(datetime.date(1, 1, 1), datetime.date(9998, 12, 31)), max_size=20))
def test_days_and_weeks_agree_with_python(engine, days):
    engine.table("t", ["d"], [(day.isoformat(),) for day in days])
    by_week = {}
    for day in days:
        year, week, _ = day.isocalendar()
        by_week[f"{year:04}-W{week:02}"] = by_week.get(f"{year:04}-W{week:02}", 0) + 1
    assert {row["period"]: row["count"] for row in engine.rows(sql.temporal("t", "d", "week"))} == by_week
    by_day = {day.isoformat(): days.count(day) for day in days}
    assert {row["period"]: row["count"] for row in engine.rows(sql.temporal("t", "d", "day"))} == by_day


@once
@given(st.lists(st.one_of(st.none(), st.integers(-100, 100)), max_size=20), st.integers(1, 6))
def test_a_moving_average_looks_back_over_the_window(engine, values, window):
    engine.table("t", ["day", "x"], enumerate(values))
    rows = engine.rows(sql.moving_average("t", "day", "x", window))
    assert [row["x"] for row in rows] == values
    for place, row in enumerate(rows):
        seen = [value for value in values[max(0, place - window + 1) : place + 1] if value is not None]
        assert row["moving_average"] == (pytest.approx(reference.fmean(seen)) if seen else None)


def test_a_moving_average_leaves_rows_without_a_date_out(engine):
    engine.table("t", ["day", "x"], [("2013-01-02", 4), (None, 100), ("2013-01-01", 2), ("2013-01-03", "n/a")])
    rows = engine.rows(sql.moving_average("t", "day", "x", 2))
    assert [row["moving_average"] for row in rows] == [2.0, 3.0, 4.0]


@pytest.mark.parametrize("window", [0, -1, 1.5, "3", None])
def test_a_window_that_cannot_be(refused, window):
    assert refused(sql.moving_average, "t", "day", "x", window).code == "request.invalid"
