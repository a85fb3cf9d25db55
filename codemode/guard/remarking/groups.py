"""Remarks on aggregates, groups, orders and windows."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from codemode.database.names import folded
from codemode.guard.calls import called
from codemode.guard.remarking.tree import CONDITIONS, Named, is_number, plain, said, text_of, within

_NUMERIC = frozenset({"sum", "avg", "total", "median"})
_AGGREGATES = frozenset({"count", "sum", "avg", "total", "group_concat", "string_agg", "median", "json_group_array",
    "json_group_object"})  # fmt: skip
_RANKS = frozenset({"rank", "dense_rank", "percent_rank", "cume_dist"})


def counted_whether_true_or_not(node: Any, _named: Named) -> str | None:
    """`count(x > 5)` and `count(CASE … ELSE 0 END)`, which count 0 too."""
    if called(node) != "count" or len(node.expressions) != 1:
        return None
    inner = plain(node.expressions[0])
    if isinstance(inner, CONDITIONS):
        return f"{said(node)} counts what is false too: write count(*) FILTER (WHERE {said(inner)})"
    if not isinstance(inner, exp.Case) or inner.args.get("default") is None:
        return None
    values = [plain(each.args["true"]) for each in inner.args["ifs"]] + [plain(inner.args["default"])]
    if not all(is_number(each) or text_of(each) is not None for each in values):
        return None
    return f"{said(node)} counts every row, those of ELSE too: leave ELSE out, or write sum in the place of count"


def name_in_single_quotes(node: Any, _named: Named) -> str | None:
    """`sum('x')`."""
    if called(node) not in _NUMERIC or len(node.expressions) != 1:
        return None
    text = text_of(plain(node.expressions[0]))
    if text is None or text[:1].isdigit():
        return None
    return f"{said(node)} is about the text '{text}': names stand without quotes, or in double ones"


def by_a_constant(node: Any, _named: Named) -> str | None:
    """`ORDER BY 'x'`, `GROUP BY ?`: the same for every row."""
    parts = node.expressions
    word = "ORDER BY" if isinstance(node, exp.Order) else "GROUP BY"
    for each in parts:
        value = plain(each.this) if isinstance(each, exp.Ordered) else plain(each)
        if text_of(value) is not None:
            return f"{word} {said(value)} is the same text for every row: names stand without quotes, or in double ones"
        if isinstance(value, exp.Placeholder | exp.Parameter):
            return f"{word} {said(value)} is the same value for every row: a column's name is never bound, write it out"
    return None


def any_row_s(node: Any, named: Named) -> str | None:
    """`SELECT carrier, count(*) FROM flights`: one row, with any row's carrier."""
    args, source = node.args, node.args.get("from_")
    if any(args.get(each) for each in ("group", "where", "joins", "limit", "distinct")) or source is None:
        return None
    columns = named.columns(source.this.name) if isinstance(source.this, exp.Table) else []
    if not columns:
        return None
    parts = [each for expression in node.expressions for each in within(expression)]
    names = {called(each) for each in parts if not isinstance(each.parent, exp.Window | exp.Filter)}
    if not names & _AGGREGATES or names & {"min", "max"}:
        return None
    own = {*map(folded, columns)}
    bare = next((each for each in node.expressions if _is_of(each.unalias(), own, source.this)), None)
    if bare is None:
        return None
    return f"without GROUP BY there is one row, and {said(bare)} in it is that of any row: add GROUP BY"


def _is_of(node: Any, columns: set[str], table: Any) -> bool:
    if not isinstance(node, exp.Column):
        return isinstance(node, exp.Star)
    if node.table and folded(node.table) != folded(table.alias_or_name):  # of the row around it, `new.x` of a trigger
        return False
    return node.is_star or folded(node.name) in columns


def window_of_its_own_row(node: Any, _named: Named) -> str | None:
    """`last_value(x) OVER (ORDER BY y)` and `rank() OVER ()`."""
    name = called(node.this)
    if node.args.get("alias") is not None or node.args.get("spec") is not None:
        return None
    if name == "last_value" and node.args.get("order") is not None:
        return (
            f"{said(node)} is the row's own: its frame ends there. Write ROWS BETWEEN UNBOUNDED PRECEDING AND"
            " UNBOUNDED FOLLOWING behind its ORDER BY"
        )
    if name in _RANKS and node.args.get("order") is None:
        return f"{said(node)} is the same for every row: write what it ranks by, OVER (ORDER BY x DESC)"
    return None


def join_of_a_name(node: Any, _named: Named) -> str | None:
    """`a ANTI JOIN b`, where ANTI is a name for `a`."""
    kind = str(node.args.get("kind") or node.args.get("side") or "").upper()
    if kind not in ("ANTI", "SEMI"):
        return None
    exists = "NOT EXISTS" if kind == "ANTI" else "EXISTS"
    return f"{kind} is a name here, and the rows of both tables are joined: write WHERE {exists} of {said(node.this)}"


REMARKS = (
    (join_of_a_name, (exp.Join,)),
    (counted_whether_true_or_not, (exp.Anonymous,)),
    (name_in_single_quotes, (exp.Anonymous,)),
    (by_a_constant, (exp.Order, exp.Group)),
    (any_row_s, (exp.Select,)),
    (window_of_its_own_row, (exp.Window,)),
)
