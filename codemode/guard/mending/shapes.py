"""Queries that have to be built anew to mean the same in SQLite: levels, pivots, nested aggregates, DISTINCT ON.

Each answers the new tree, None where the query has no such thing, or raises NotExact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from codemode.guard.calls import PREFIX
from codemode.guard.mending.queries import Columns, NotExact, is_aggregate


def rollups_joined(tree: Any, columns: Columns) -> Any:
    """GROUP BY ROLLUP (a, b): one SELECT for each level, joined by UNION ALL."""
    group = tree.args.get("group") if isinstance(tree, exp.Select) else None
    rollups = [each for each in (group.expressions if group else []) if isinstance(each, exp.Rollup)]
    trailing = group.args.get("rollup") if group else None
    if group is None or not (rollups or trailing):
        return None
    keys = list(rollups[0].expressions) if rollups else list(group.expressions)
    if len(rollups) > 1 or (rollups and len(group.expressions) > 1) or tree.args.get("order") or tree.args.get("limit"):
        raise NotExact
    levels = []
    for kept in range(len(keys), -1, -1):
        level = tree.copy()
        level.set("group", exp.Group(expressions=[key.copy() for key in keys[:kept]]) if kept else None)
        level.set("expressions", [_null_for(each, keys[kept:]) for each in level.expressions])
        levels.append(level)
    joined = levels[0]
    for level in levels[1:]:
        joined = exp.Union(this=joined, expression=level, distinct=False)
    return joined


def _null_for(item: exp.Expr, dropped: list[exp.Expr]) -> exp.Expr:
    value = item.this if isinstance(item, exp.Alias) else item
    if value not in dropped:
        return item
    return exp.alias_(exp.null(), item.alias_or_name) if item.alias_or_name else exp.null()


def pivots_filtered(tree: Any, columns: Columns) -> Any:
    """SELECT * FROM (SELECT a, b, c …) PIVOT (count(c) FOR b IN ('x', 'y')): aggregates with FILTER."""
    source: Any = tree.args["from_"].this if isinstance(tree, exp.Select) and tree.args.get("from_") else None
    pivots = source.args.get("pivots") if source is not None else None
    if not pivots:
        return None
    pivot = pivots[0]
    fields = pivot.args.get("fields") or []
    alone = len(pivots) == len(fields) == len(pivot.expressions) == len(tree.expressions) == 1
    if not alone or pivot.args.get("unpivot") or not (isinstance(tree.expressions[0], exp.Star) and _lists(fields[0])):
        raise NotExact
    aggregate = pivot.expressions[0].unalias()
    used = {fields[0].this.name.lower(), *(column.name.lower() for column in aggregate.find_all(exp.Column))}
    kept = [name for name in _names(source, columns) if name.lower() not in used]
    bare = source.copy()
    bare.set("pivots", None)
    pivoted = exp.select(*map(exp.column, kept), *_cells(aggregate, fields[0])).from_(bare)
    return pivoted.group_by(*map(exp.column, kept)) if kept else pivoted


def _lists(field: Any) -> bool:
    return isinstance(field, exp.In) and all(isinstance(each, exp.Literal) for each in field.expressions)


def _names(source: Any, columns: Columns) -> list[str]:
    if not isinstance(source, exp.Subquery):
        return columns(source.name)
    names = [each.alias_or_name for each in source.this.expressions]
    if not all(names) or "*" in names:
        raise NotExact
    return names


def _cells(aggregate: Any, field: Any) -> list[exp.Expr]:
    cells = []
    for value in field.expressions:
        condition = exp.Where(this=exp.EQ(this=field.this.copy(), expression=value.copy()))
        cells.append(exp.alias_(exp.Filter(this=aggregate.copy(), expression=condition), value.name, quoted=True))
    return cells


def aggregates_nested(tree: Any, columns: Columns) -> Any:
    """max(count(*)) … GROUP BY: the outer one over a subquery."""
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or not tree.args.get("group"):
        return None
    item = tree.expressions[0]
    outer = item.unalias()
    if not is_aggregate(outer) or len(outer.expressions) != 1 or not is_aggregate(outer.expressions[0]):
        return None
    below = tree.copy()
    below.set("expressions", [exp.alias_(outer.expressions[0].copy(), "value")])
    over = exp.Anonymous(this=outer.name, expressions=[exp.column("value")])
    return exp.select(exp.alias_(over, item.alias) if item.alias else over).from_(below.subquery("groups"))


def distinct_on_numbered(tree: Any, columns: Columns) -> Any:
    """DISTINCT ON (a): row_number() in a subquery, in the order that was asked for where its columns are selected."""
    distinct = tree.args.get("distinct") if isinstance(tree, exp.Select) else None
    if distinct is None or not distinct.args.get("on"):
        return None
    order = tree.args["order"].expressions if tree.args.get("order") else []
    names = [each.alias_or_name for each in tree.expressions]
    if not all(names) or "*" in names or tree.args.get("limit"):
        raise NotExact
    inner = tree.copy()
    inner.set("distinct", None)
    inner.set("order", None)
    number = exp.Window(
        this=exp.Anonymous(this=f"{PREFIX}row_number"),
        partition_by=[key.copy() for key in distinct.args["on"].expressions],
        order=tree.args["order"].copy() if order else None,
    )
    inner.set("expressions", [*inner.expressions, exp.alias_(number, "_number")])
    outer = exp.select(*map(exp.column, names)).from_(inner.subquery("numbered")).where("_number = 1")
    if all(each.this.name.lower() in map(str.lower, names) for each in order):
        for each in order:
            each.this.set("table", None)
            outer.order_by(each.copy(), copy=False)
    return outer


Rebuild = Callable[[Any, Columns], Any]
REBUILDS: tuple[Rebuild, ...] = (pivots_filtered, rollups_joined, aggregates_nested, distinct_on_numbered)
