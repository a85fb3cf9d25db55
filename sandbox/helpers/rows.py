"""What the calls answer with: `Rows` for queries, `Answer` for everything that answers one dict."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import repeat
from typing import Any

from sandbox.helpers.error import UnknownHelper, UnknownKey
from sandbox.helpers.spelling import closest, did_you_mean, snake

_THEMSELVES = frozenset({"rows", "data", "results", "records", "fetchall"})  # what other libraries call them
_WAYS = {
    **dict.fromkeys(("head", "limit"), "rows are a list: rows[:5]"),
    "tail": "rows are a list: rows[-5:]",
    **dict.fromkeys(("iloc", "loc"), "rows are a list of dicts: rows[0]['name']"),
    **dict.fromkeys(
        (
            "groupby",
            "group_by",
            "agg",
            "mean",
            "sum",
            "describe",
            "merge",
            "join",
            "pivot",
            "pivot_table",
            "sort_values",
        ),
        "rows are a list of dicts, no data frame: group, join, sort and average in SQL",
    ),
    **dict.fromkeys(
        ("to_dict", "to_list", "tolist", "to_json"), "rows are a list of dicts already: use them as they are"
    ),
    "shape": "len(rows), and len(rows.columns)",
}
_ROWS_ATTRIBUTES = ("columns", "row_count", "rows_read", "truncated", "warnings")


def as_dicts(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """One dict per row, keys in the order of the columns."""
    return list(map(dict, map(zip, repeat(columns), rows)))  # twice as fast as a comprehension


async def _one_by_one(rows: Iterable[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    for row in rows:
        yield row


class Rows(list[dict[str, Any]]):
    """The rows of a query: a list of dicts with `.columns .row_count .truncated .rows_read .warnings`.

    `truncated`: there were more rows than `limits.rows` or `limits.result_set_bytes` allow. `warnings`: what the
    statement can hardly mean. Slices and copies are plain lists.
    """

    __slots__ = (*_ROWS_ATTRIBUTES, "source")
    columns: list[str]
    row_count: int
    rows_read: int
    truncated: bool
    warnings: list[str]
    source: tuple[str, Any] | None  # the statement and its parameters, where its answer was truncated

    def __init__(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        truncated: bool = False,
        rows_read: int = 0,
        source: tuple[str, Any] | None = None,
        warnings: Iterable[str] = (),
    ) -> None:
        super().__init__(as_dicts(columns, rows))
        fill = super().__setattr__
        fill("columns", list(columns))
        fill("row_count", len(self))
        fill("truncated", truncated)
        fill("rows_read", rows_read or len(self))
        fill("warnings", list(warnings))
        fill("source", source if truncated else None)

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return _one_by_one(self)  # `async for row in …`, where a model awaits everything

    def __getattr__(self, name: str) -> Any:
        alias = snake(name)
        if alias != name and alias in _ROWS_ATTRIBUTES:
            return getattr(self, alias)
        meant = [] if alias in _THEMSELVES or alias in _WAYS else closest(name, _ROWS_ATTRIBUTES)
        raise UnknownHelper(
            "request.invalid",
            f"rows have no {name!r}; they are a list of dicts with {', '.join(_ROWS_ATTRIBUTES)}",
            hint=did_you_mean(meant) or _WAYS.get(alias) or "iterate over the rows themselves",
            did_you_mean=meant,
            available=_ROWS_ATTRIBUTES,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnknownHelper("request.invalid", f"rows cannot be given attributes: {name!r} is not set")

    def __reduce__(self) -> tuple[Any, ...]:
        return (list, (list(self),))  # a copy is a plain list: the attributes describe the query's own answer


class Answer(dict[str, Any]):
    """A dict whose keys can be read as attributes too, in snake_case and camelCase."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except UnknownKey as error:
            raise UnknownHelper(
                error.code,
                error.message,
                hint=error.hint,
                did_you_mean=error.did_you_mean,
                available=error.available,
            ) from None

    def __missing__(self, key: Any) -> Any:
        alias = snake(key) if isinstance(key, str) else key
        if alias in self.keys():
            return self[alias]
        meant = closest(str(key), self)
        rows = "rows are what helpers.db.query answers, a list of dicts" if str(alias).startswith("fetch") else None
        raise UnknownKey(
            "request.invalid",
            f"the answer has no {key!r}; it has {', '.join(self)}",
            hint=did_you_mean(meant) or rows,
            did_you_mean=meant,
            available=tuple(self),
        )


def exec_answer(answer: dict[str, Any], source: tuple[str, Any] | None = None) -> Answer:
    """An exec's answer as the worker sent it, with its rows, where it has any, as Rows of `source`."""
    if "rows" in answer:
        truncated, said = bool(answer.get("truncated")), answer.get("warnings", ())
        read = answer.get("rows_read", 0)
        shaped = Rows(
            answer["columns"], answer["rows"], truncated=truncated, rows_read=read, source=source, warnings=said
        )
        return Answer({**answer, "rows": shaped})
    return Answer(answer)
