"""What SQLite has no syntax for in a query, written with what it has: functions from tree to tree, changed in place.

Each raises NotExact where the meaning would change.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from codemode.guard.calls import PREFIX, called

Columns = Callable[[str], list[str]]
_AGGREGATES = frozenset({"avg", "count", "group_concat", "max", "median", "min", "percentile", "percentile_cont",
    "percentile_disc", "string_agg", "sum", "total", "json_group_array", "json_group_object"})  # fmt: skip


class NotExact(Exception):
    """SQLite has nothing that means the same."""


def is_aggregate(node: exp.Expr) -> bool:
    """Whether `node` is an aggregate over rows: max and min of one argument only, and nothing with OVER."""
    if isinstance(node.parent, exp.Window) or (
        isinstance(node.parent, exp.Filter) and isinstance(node.parent.parent, exp.Window)
    ):
        return False
    name = called(node)
    return name in _AGGREGATES and (name not in ("max", "min") or len(node.expressions) == 1)


def has(node: exp.Expr | None, test: Callable[[exp.Expr], bool]) -> bool:
    """Whether `test` holds for a node of the tree below, subqueries left out."""
    if node is None:
        return False
    return any(test(each) for each in node.walk(prune=lambda each: isinstance(each, exp.Query)))


def _is_window(node: exp.Expr) -> bool:
    return isinstance(node, exp.Window)


def stars_without(tree: Any, columns: Columns) -> None:
    """`* EXCEPT (a)`: the other columns by name."""
    for star in list(tree.find_all(exp.Star)):
        left_out = star.args.get("except_") or star.args.get("except") or []
        if star.args.get("replace") or star.args.get("rename"):
            raise NotExact
        select = star.find_ancestor(exp.Select)
        if not left_out or select is None:
            continue
        source = select.args["from_"].this if select.args.get("from_") else None
        if not isinstance(source, exp.Table) or select.args.get("joins"):
            raise NotExact
        names = {each.name.lower() for each in left_out}
        kept = [exp.column(name, quoted=_odd(name)) for name in columns(source.name) if name.lower() not in names]
        place = next(at for at, each in enumerate(select.expressions) if star in each.walk())
        select.set("expressions", [*select.expressions[:place], *kept, *select.expressions[place + 1 :]])


def _odd(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*", name) is None


def all_named(tree: Any, columns: Columns) -> None:
    """GROUP BY ALL: what is selected and no aggregate, by number. ORDER BY ALL: what is selected."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is not None and [each.this.name.upper() for each in order.expressions] == ["ALL"]:
            places = range(1, len(select.expressions) + 1)
            select.set("order", exp.Order(expressions=[exp.Ordered(this=exp.Literal.number(at)) for at in places]))
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            plain = [at for at, each in enumerate(select.expressions, 1) if not has(each, is_aggregate)]
            select.set("group", exp.Group(expressions=[exp.Literal.number(at) for at in plain]))


def conditions_in_their_place(tree: Any, columns: Columns) -> None:
    """Aggregates in WHERE go to HAVING, window functions to QUALIFY, HAVING without groups to WHERE."""
    for select in list(tree.find_all(exp.Select)):
        aliases = {each.alias.lower(): each.this for each in select.expressions if isinstance(each, exp.Alias)}
        for clause in ("where", "having"):
            _sort_out(select, clause, aliases)
        having = select.args.get("having")
        grouped = select.args.get("group") or any(has(each, is_aggregate) for each in [*select.expressions, having])
        if having is not None and not grouped:
            select.set("having", None)
            select.where(having.this, copy=False)


def _sort_out(select: exp.Select, clause: str, aliases: dict[str, exp.Expr]) -> None:
    node = select.args.get(clause)
    if node is None:
        return
    kept = []
    for term in node.this.flatten() if isinstance(node.this, exp.And) else [node.this]:
        named = [
            aliases[column.name.lower()]
            for column in term.find_all(exp.Column)
            if column.name.lower() in aliases and not column.table
        ]
        if has(term, _is_window) or any(has(each, _is_window) for each in named):
            old = select.args.get("qualify")
            select.set("qualify", exp.Qualify(this=exp.and_(old.this, term) if old else term.copy()))
        elif clause == "where" and (has(term, is_aggregate) or any(has(each, is_aggregate) for each in named)):
            select.having(term.copy(), copy=False)
        else:
            kept.append(term.copy())
    select.set(clause, type(node)(this=exp.and_(*kept)) if kept else None)


def parts_wrapped(tree: Any, columns: Columns) -> None:
    """`(SELECT … LIMIT 2) UNION ALL (…)`: each part as a subquery of its own."""
    for joined in list(tree.find_all(exp.SetOperation)):
        for side in ("this", "expression"):
            part = joined.args[side]
            if isinstance(part, exp.Subquery) and not part.alias:
                joined.set(side, exp.select("*").from_(part.copy()))


def columns_named_first(tree: Any, columns: Columns) -> None:
    """`(VALUES …) AS v(a, b)`: a common table expression, whose columns SQLite lets one name."""
    root = tree if isinstance(tree, exp.Query) else None
    for source in list(tree.find_all(exp.Values, exp.Subquery)):
        alias = source.args.get("alias")
        if not isinstance(alias, exp.TableAlias) or not alias.args.get("columns"):
            continue
        if root is None:
            raise NotExact
        inner = source.copy()
        inner.set("alias", None)
        body = inner.this if isinstance(inner, exp.Subquery) else inner
        table = exp.to_table(alias.name)
        source.replace(table)
        cte = exp.CTE(
            this=body,
            alias=exp.TableAlias(this=exp.to_identifier(alias.name), columns=[c.copy() for c in alias.args["columns"]]),
        )
        with_ = root.args.get("with_") or exp.With(expressions=[])
        with_.set("expressions", [*with_.expressions, cte])
        root.set("with_", with_)


def lists_read(tree: Any, columns: Columns) -> None:
    """UNNEST(ARRAY[…]) AS x: the values of a JSON array."""
    for unnest in list(tree.find_all(exp.Unnest)):
        array = unnest.expressions[0] if len(unnest.expressions) == 1 else None
        alias = unnest.args.get("alias")
        if not isinstance(array, exp.Array) or alias is None or unnest.args.get("offset"):
            raise NotExact
        names = alias.args.get("columns") or []
        name = names[0].name if names else alias.name
        values = exp.Anonymous(this=f"{PREFIX}json_array", expressions=[each.copy() for each in array.expressions])
        rows = exp.select(exp.alias_(exp.column("value"), name)).from_(
            exp.Table(this=exp.Anonymous(this=f"{PREFIX}json_each", expressions=[values]))
        )
        unnest.replace(rows.subquery(alias.name or name))


def samples_filtered(tree: Any, columns: Columns) -> None:
    """TABLESAMPLE BERNOULLI (10): each row with that chance."""
    for table in list(tree.find_all(exp.Table)):
        sample = table.args.get("sample")
        if sample is None:
            continue
        share = sample.args.get("percent") or sample.args.get("size")
        if share is None or str(sample.args.get("method") or "BERNOULLI").upper() not in ("BERNOULLI", "SYSTEM"):
            raise NotExact
        alias = table.alias_or_name
        plain = table.copy()
        plain.set("sample", None)
        plain.set("alias", None)
        chance = exp.Mod(this=exp.Anonymous(this=f"{PREFIX}random"), expression=exp.Literal.number(100))
        lower = exp.LT(this=exp.Anonymous(this=f"{PREFIX}abs", expressions=[chance]), expression=share.copy())
        table.replace(exp.select("*").from_(plain).where(lower).subquery(alias))


def nothing_lost(tree: Any, columns: Columns) -> None:
    """Lateral joins, samples and lists that nothing above has rewritten: SQLite would be given something else."""
    lost = (exp.Lateral, exp.Pivot, exp.TableSample, exp.Unnest, exp.IgnoreNulls, exp.RespectNulls)
    if tree.find(*lost, exp.Cube, exp.GroupingSets):
        raise NotExact


Change = Callable[[Any, Columns], None]
_AFFINITIES = re.compile(r"\bINT(?!ERVAL)|INT\b|CHAR|CLOB|TEXT|BLOB|REAL|FLOA|DOUB|NUMERIC|DECIMAL", re.IGNORECASE)


def casts_known(tree: Any, columns: Columns) -> None:
    """CAST(x AS JSONB): to SQLite every type that it does not know is a number, and a text becomes 0."""
    for cast in tree.find_all(exp.Cast):
        if not _AFFINITIES.search(cast.to.sql("sqlite")) or cast.to.is_type("boolean"):
            raise NotExact


# What SQLite has as syntax, and functions that it has by another class: no name that sqlglot would write as another.
_SYNTAX = (
    exp.Anonymous, exp.Cast, exp.Case, exp.If, exp.Connector, exp.Exists, exp.Array, exp.Unnest, exp.JSONExtract,
    exp.JSONExtractScalar, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp,
)  # fmt: skip


def functions_kept(tree: Any, columns: Columns) -> None:
    """A function that sqlglot knows: it would write another, `STRFTIME('%b', x)`, that is NULL or something else."""
    if any(not isinstance(each, _SYNTAX) for each in tree.find_all(exp.Func)):
        raise NotExact


CHANGES: tuple[Change, ...] = (
    functions_kept,
    casts_known,
    stars_without,
    all_named,
    conditions_in_their_place,
    parts_wrapped,
    columns_named_first,
    lists_read,
    samples_filtered,
    nothing_lost,
)
