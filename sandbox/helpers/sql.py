"""`helpers.sql`: the query builders, pure functions from arguments to a `Query` (SQL with its parameters)."""

from __future__ import annotations

from sandbox.helpers.analysis import histogram, moving_average, statistics, temporal
from sandbox.helpers.quoting import Query
from sandbox.helpers.search import full_text_search, multi_field_search, text_search
from sandbox.helpers.selection import (
    build_select_query,
    count_by,
    crosstab,
    distinct_values,
    find_duplicates,
    find_nulls,
    paginate,
    rank_by,
    top_n,
    where,
)
from sandbox.helpers.spelling import Spelled

__all__ = [
    "Builders",
    "Query",
    "build_select_query",
    "count_by",
    "crosstab",
    "distinct_values",
    "find_duplicates",
    "find_nulls",
    "full_text_search",
    "histogram",
    "moving_average",
    "multi_field_search",
    "paginate",
    "rank_by",
    "statistics",
    "temporal",
    "text_search",
    "top_n",
    "where",
]


class Builders(Spelled):
    """Build SQL from names and values: names are quoted, values are bound, nothing is pasted.

    Each builder answers a `Query`: text that also carries `.params`, to be passed to `helpers.db` as it is.
    """

    __slots__ = ()
    _label = "helpers.sql"
    _meant = {"select": "build_select_query"}

    build_select_query = staticmethod(build_select_query)
    count_by = staticmethod(count_by)
    crosstab = staticmethod(crosstab)
    distinct_values = staticmethod(distinct_values)
    find_duplicates = staticmethod(find_duplicates)
    find_nulls = staticmethod(find_nulls)
    full_text_search = staticmethod(full_text_search)
    histogram = staticmethod(histogram)
    moving_average = staticmethod(moving_average)
    multi_field_search = staticmethod(multi_field_search)
    paginate = staticmethod(paginate)
    rank_by = staticmethod(rank_by)
    statistics = staticmethod(statistics)
    temporal = staticmethod(temporal)
    text_search = staticmethod(text_search)
    top_n = staticmethod(top_n)
    where = staticmethod(where)
