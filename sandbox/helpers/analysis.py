"""Builders that compute: statistics, histogram, time series.

Numbers are values that SQLite stores as such (`typeof` integer or real); text in a numeric column is left out,
where SQLite's own aggregates would count it as 0.
"""

from __future__ import annotations

from typing import Any

from sandbox.helpers.conditions import SHAPES, clause
from sandbox.helpers.moments import between, period_text, seconds_of
from sandbox.helpers.quoting import Query, compose, listed, quote, source, whole
from sandbox.helpers.spelling import spelled

_MOST_BINS = 10_000
_BIN_START, _BIN_END = "2 * (lo / 2 + i * half)", "2 * (lo / 2 + (i + 1) * half)"
_LARGEST = "1.7976931348623157e308"  # an infinity has no place in bins of equal width


@spelled(where=SHAPES)
def statistics(table: Any, numeric_field: str, where: Any = None) -> Query:
    """One row that describes the numbers in `numeric_field`.

    Columns: `count`, `nulls`, `mean`, `median`, `stddev` (of a sample), `min`, `max`, `sum`, `q1`, `q3`
    (interpolated linearly). `count` counts numbers; NULLs are counted in `nulls`; text is left out of both.
    """
    column = quote(numeric_field, "numeric_field")
    numbers = compose(
        f"SELECT CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END AS x,",
        f"{column} IS NULL AS missing FROM",
        source(table),
        clause("WHERE", where),
    )
    # Every number with its place in the order: an interpolated quantile is then a sum of the two numbers beside
    # its place, each weighted by its nearness. The deviation is taken from the mean (two passes), since the
    # difference of two large sums would lose its digits; `size` keeps an integer sum from overflowing.
    placed = compose(
        "SELECT x, missing, row_number() OVER (ORDER BY x NULLS LAST) - 1 AS place, count(x) OVER () AS n,",
        "avg(x) OVER () AS mean, total(abs(x * 1.0)) OVER () AS size FROM (",
        numbers,
        ")",
    )
    return compose(
        'SELECT count(x) AS "count", coalesce(sum(missing), 0) AS "nulls", avg(x) AS "mean",',
        f'{_quantile(0.5)} AS "median", sqrt(sum((x - mean) * (x - mean)) / (max(n) - 1)) AS "stddev",',
        'min(x) AS "min", max(x) AS "max", sum(CASE WHEN size < 9e18 THEN x ELSE x * 1.0 END) AS "sum",',
        f'{_quantile(0.25)} AS "q1", {_quantile(0.75)} AS "q3" FROM (',
        placed,
        ")",
    )


def _quantile(share: float) -> str:
    return f"sum(x * max(0.0, 1.0 - abs(place - (n - 1) * {share})))"


@spelled()
def histogram(table: Any, field: str, bins: int = 10) -> Query:
    """Count the numbers of `field` in bins of equal width, empty ones too; columns: `bin_start`, `bin_end`, `count`.

    A bin holds its start and not its end, except the last, which holds the maximum. NULL, text and infinities
    are left out; where all numbers are equal there is one bin, and where there are none there is no row.
    """
    column = quote(field, "field")
    numbers = compose(
        f"SELECT {column} AS x FROM",
        source(table),
        f"WHERE typeof({column}) IN ('integer', 'real') AND {column} BETWEEN -{_LARGEST} AND {_LARGEST}",
    )
    wanted = Query("?", [whole(bins, "bins", 1, _MOST_BINS)])
    # The first guess of a bin comes from a division, and is then set right by the very bounds that are shown.
    # Halves, because the whole distance between two floats may be beyond the largest float.
    return compose(
        'WITH RECURSIVE "histogram.numbers" AS (',
        numbers,
        '), "histogram.bounds" AS (SELECT lo, hi, bins, (hi / 2 - lo / 2) / bins AS half FROM (',
        "SELECT min(x) * 1.0 AS lo, max(x) * 1.0 AS hi, CASE WHEN min(x) = max(x) THEN 1 ELSE",
        wanted,
        'END AS bins FROM "histogram.numbers" HAVING count(*) > 0)),',
        '"histogram.guesses" AS (SELECT x, lo, half, bins,',
        'coalesce(min(bins - 1, CAST((x / 2.0 - lo / 2) / half AS INTEGER)), 0) AS i FROM "histogram.numbers",',
        '"histogram.bounds"), "histogram.counts" AS (',
        f"SELECT i - (i > 0 AND x < {_BIN_START}) + (i < bins - 1 AND x >= {_BIN_END}) AS i,",
        'count(*) AS n FROM "histogram.guesses" GROUP BY 1),',
        '"histogram.bins"(i) AS (SELECT 0 FROM "histogram.bounds" UNION ALL',
        'SELECT i + 1 FROM "histogram.bins", "histogram.bounds" WHERE i + 1 < bins)',
        f'SELECT {_BIN_START} AS "bin_start", CASE WHEN i + 1 = bins THEN hi ELSE {_BIN_END} END AS "bin_end",',
        'coalesce(n, 0) AS "count" FROM "histogram.bins" JOIN "histogram.bounds"',
        'LEFT JOIN "histogram.counts" USING (i) ORDER BY i',
    )


@spelled()
def temporal(table: Any, date_field: str, period: str = "month", min_date: Any = None, max_date: Any = None) -> Query:
    """Count rows per period, earliest first; columns: `period`, `count`.

    `period`: year `2013`, quarter `2013-Q1`, month `2013-01`, week `2013-W01` (ISO), day `2013-01-31`, hour
    `2013-01-31 17:00`. Dates may be ISO text, Unix seconds, or milliseconds (numbers from 100,000,000,000 on), value
    by value. `min_date` and `max_date` are inclusive; a whole day, month or year as `max_date` includes all of it.
    Rows without a date are left out; text that is no date is counted under NULL.
    """
    column = quote(date_field, "date_field")
    bounds = [Query(f"moment {operator} ?", [seconds]) for operator, seconds in between(min_date, max_date)]
    return compose(
        "SELECT",
        period_text(period, "moment"),
        'AS "period", count(*) AS "count" FROM (',
        f"SELECT {seconds_of(column)} AS moment FROM",
        source(table),
        f"WHERE {column} IS NOT NULL)",
        compose("WHERE", listed(bounds, " AND ")) if bounds else None,
        "GROUP BY 1 ORDER BY 1",
    )


@spelled()
def moving_average(table: Any, date_field: str, field: str, window: int) -> Query:
    """The mean of `field` over each row and the `window` - 1 rows before it, in the order of `date_field`.

    Columns: date_field, field, `moving_average`. The first rows have fewer before them; rows without a date are
    left out; a NULL or text counts as a row but not in the mean.
    """
    moment, column = quote(date_field, "date_field"), quote(field, "field")
    number = f"CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} END"
    return compose(
        f"SELECT {moment}, {column}, avg({number}) OVER (ORDER BY {moment}",
        Query("ROWS BETWEEN ? PRECEDING AND CURRENT ROW)", [whole(window, "window", 1) - 1]),
        'AS "moving_average" FROM',
        source(table),
        f"WHERE {moment} IS NOT NULL ORDER BY {moment}",
    )
