"""Builders that pick rows: select, count, rank, page, find."""

from __future__ import annotations

from typing import Any

from sandbox.helpers.conditions import SHAPES, clause
from sandbox.helpers.conditions import conditions as fragment
from sandbox.helpers.quoting import (
    MOST,
    Query,
    columns,
    compose,
    expression,
    expressions,
    invalid,
    limited,
    listed,
    ordering,
    quote,
    source,
    whole,
)
from sandbox.helpers.spelling import spelled


@spelled(select=SHAPES, where=SHAPES, having=SHAPES, order_by=SHAPES)
def build_select_query(
    table: Any,
    select: Any = None,
    where: Any = None,
    group_by: Any = None,
    having: Any = None,
    order_by: Any = None,
    limit: int | None = None,
    offset: int | None = None,
) -> Query:
    """Build a SELECT from its parts.

    `select`: a column or expression, a list of them, or a dict of alias → expression; all columns by default.
    A plain identifier is quoted as a column, anything else is SQL: `"count(*) as n"`, `'"first name"'`.
    `where` and `having`: conditions, see `where`. `order_by`: `"name desc"`, `"-name"`, a list, or
    `{"name": "desc"}`.
    """
    chosen = "*" if select is None else expressions(select, "select")
    groups = None if group_by is None else expressions(group_by, "group_by")
    return compose(
        "SELECT",
        chosen or "*",
        "FROM",
        source(table),
        clause("WHERE", where),
        compose("GROUP BY", groups) if groups else None,
        clause("HAVING", having, expression),
        ordering(order_by),
        limited(limit, offset),
    )


@spelled()
def count_by(
    table: Any, field: str, limit: int | None = None, min_count: int | None = None, include_nulls: bool = False
) -> Query:
    """Count rows per value of `field`, most frequent first; columns: field, `count`.

    `min_count` leaves out rarer values; NULL is counted as a value only with `include_nulls=True`.
    """
    column = quote(field, "field")
    rare = None if min_count is None else Query("HAVING count(*) >= ?", [whole(min_count, "min_count")])
    return compose(
        f'SELECT {column}, count(*) AS "count" FROM',
        source(table),
        None if include_nulls else f"WHERE {column} IS NOT NULL",
        "GROUP BY 1",
        rare,
        "ORDER BY 2 DESC, 1",
        limited(limit),
    )


@spelled()
def top_n(table: Any, score_field: str, n: int, fields: Any = None) -> Query:
    """The `n` rows with the highest `score_field`, highest first; columns: `fields`, or all.

    Rows whose score is NULL are left out.
    """
    score = quote(score_field, "score_field")
    chosen = "*" if fields is None else ", ".join(columns(fields))
    return compose(
        f"SELECT {chosen} FROM",
        source(table),
        f"WHERE {score} IS NOT NULL ORDER BY {score} DESC",
        limited(whole(n, "n")),
    )


@spelled(where=SHAPES)
def distinct_values(table: Any, field: str, where: Any = None, limit: int | None = None) -> Query:
    """The different values of `field` in ascending order, without NULL; column: field."""
    column = quote(field, "field")
    wanted = fragment(where)
    return compose(
        f"SELECT DISTINCT {column} FROM",
        source(table),
        f"WHERE {column} IS NOT NULL",
        compose("AND", wanted) if wanted else None,
        "ORDER BY 1",
        limited(limit),
    )


@spelled(order_by=SHAPES, where=SHAPES)
def paginate(table: Any, page: int, page_size: int, order_by: Any = None, where: Any = None) -> Query:
    """One page of rows, all columns; `page` counts from 1.

    Without `order_by` the rows come in the order in which the table keeps them (its rowid or primary key).
    To go through a whole table, `helpers.db.pages` is faster: it does not skip over earlier rows each time.
    """
    size = whole(page_size, "page_size", 1)
    skipped = (whole(page, "page", 1) - 1) * size
    if skipped > MOST:
        raise invalid(f"page {page:,} of {size:,} rows lies beyond any table")
    return compose("SELECT * FROM", source(table), clause("WHERE", where), ordering(order_by), limited(size, skipped))


@spelled()
def find_nulls(table: Any, fields: Any, limit: int | None = None) -> Query:
    """Rows in which any of `fields` is NULL; all columns."""
    tests = " OR ".join(f"{column} IS NULL" for column in columns(fields))
    return compose("SELECT * FROM", source(table), f"WHERE {tests}", limited(limit))


@spelled()
def find_duplicates(table: Any, fields: Any) -> Query:
    """Combinations of `fields` that occur more than once, most frequent first; columns: fields, `count`.

    Rows in which all of `fields` are NULL are no duplicates of each other.
    """
    names = columns(fields)
    present = " OR ".join(f"{column} IS NOT NULL" for column in names)
    places = ", ".join(str(place) for place in range(1, len(names) + 1))
    return compose(
        f'SELECT {", ".join(names)}, count(*) AS "count" FROM',
        source(table),
        f"WHERE {present} GROUP BY {places} HAVING count(*) > 1 ORDER BY {len(names) + 1} DESC, {places}",
    )


@spelled()
def crosstab(table: Any, row_field: str, col_field: str, aggregate: str | None = None) -> Query:
    """One row per combination of two fields; columns: row_field, col_field, `value`.

    `value` is the number of rows, or `aggregate`: an expression such as `"sum(amount)"`. Rows in which either
    field is NULL are left out.
    """
    row, col = quote(row_field, "row_field"), quote(col_field, "col_field")
    value = "count(*)" if aggregate is None else expression(aggregate)
    if value.startswith('"'):
        raise invalid(f"aggregate {aggregate!r} is no expression", hint=f'say what to do with it: "sum({aggregate})"')
    return compose(
        listed([f"SELECT {row}", col, compose(value, 'AS "value"')]),
        "FROM",
        source(table),
        f"WHERE {row} IS NOT NULL AND {col} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
    )


@spelled()
def rank_by(table: Any, field: str, fields: Any = None, limit: int | None = None) -> Query:
    """Rank rows by `field`, highest first; columns: fields, field, `rank`, `percentile`.

    Equal values share a rank, and the next rank is skipped. `percentile`: the share of the other rows that are
    lower, from 0 to 100. Rows whose field is NULL are left out.
    """
    column = quote(field, "field")
    others = [] if fields is None else [name for name in columns(fields) if name != column]
    return compose(
        f"SELECT {', '.join([*others, column])},",
        f'rank() OVER (ORDER BY {column} DESC) AS "rank",',
        f'100.0 * percent_rank() OVER (ORDER BY {column}) AS "percentile" FROM',
        source(table),
        f"WHERE {column} IS NOT NULL ORDER BY {column} DESC",
        limited(limit),
    )


@spelled(conditions=SHAPES)
def where(conditions: Any) -> Query:
    """Conditions as a fragment of SQL to stand behind WHERE, with its parameters in `.params`.

    `{"a": 1, "b": [1, 2], "c": {">": 3, "<=": 9}, "d": None, "e": {"like": "x%"}}` is joined by AND;
    `{"or": [...]}`, `{"and": [...]}`, `{"not": ...}`; text is an SQL expression, `("price > ?", [3])` one with
    values. Operators: = != > >= < <=, is, is not, in, not in, between, like, glob, contains, starts with, ends
    with. No conditions at all are met by every row.
    """
    return fragment(conditions) or Query("1")
