"""UPDATE, DELETE, INSERT and MERGE of other databases with SQLite's syntax: functions from tree to tree."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from codemode.guard.mending.queries import NotExact


def _joins(table: Any) -> list[exp.Join]:
    joins = list(table.args.get("joins") or [])
    table.set("joins", None)
    return joins


def _with_the_rest(made: Any, tree: Any, *read: str) -> Any:
    """`made`, for which these arguments of `tree` were read, with its WITH and RETURNING; NotExact of anything more."""
    for name, value in tree.args.items():
        if value and name not in read:
            if name not in ("with_", "returning"):
                raise NotExact
            made.set(name, value)
    return made


def update_joined(tree: Any) -> Any:
    """UPDATE a JOIN b ON … SET, and UPDATE x SET … FROM a AS x JOIN b: UPDATE a SET … FROM b WHERE."""
    if not isinstance(tree, exp.Update):
        return None
    target, source = tree.this, tree.args.get("from_")
    if source is not None and source.this.alias_or_name.lower() == target.name.lower():
        target = source.this
    elif source is not None or not target.args.get("joins"):
        return None
    joins, name = _joins(target), target.alias_or_name
    if any(join.side or join.kind not in ("", "INNER") or not join.args.get("on") for join in joins):
        raise NotExact
    for each in tree.expressions:
        if each.this.table and each.this.table.lower() != name.lower():
            raise NotExact
        each.this.set("table", None)
    changed = exp.Update(this=target, expressions=tree.expressions)
    if joins:
        changed.set("from_", exp.From(this=joins[0].this))
        joins[0].this.set("joins", [exp.Join(this=join.this) for join in joins[1:]])
    where = tree.args.get("where")
    conditions = [join.args["on"] for join in joins] + ([where.this] if where else [])
    if conditions:
        changed.set("where", exp.Where(this=exp.and_(*conditions)))
    return _with_the_rest(changed, tree, "this", "expressions", "from_", "where")


def assigned_alone(tree: Any) -> Any:
    """UPDATE a AS x SET x.b = …: SET takes the column alone."""
    named = [each.this for each in tree.expressions if each.this.text("table")] if isinstance(tree, exp.Update) else []
    if not named or any(column.table.lower() != tree.this.alias_or_name.lower() for column in named):
        return None
    for column in named:
        column.set("table", None)
    return tree


def delete_joined(tree: Any) -> Any:
    """DELETE a FROM a JOIN b, DELETE FROM a USING b: the rows by a subquery."""
    if not isinstance(tree, exp.Delete):
        return None
    table, using, tables = tree.this, tree.args.get("using") or [], tree.args.get("tables") or []
    joins = _joins(table)
    if not (joins or using):
        return None
    if len(tables) > 1:
        raise NotExact
    if tables and tables[0].name.lower() != table.alias_or_name.lower():
        raise NotExact
    rows = exp.select(exp.column("rowid", table=table.alias_or_name)).from_(table.copy())
    for join in joins:
        rows = rows.join(join)
    for other in using:
        rows = rows.join(other, join_type="cross")
    if where := tree.args.get("where"):
        rows = rows.where(where.this)
    return _with_the_rest(_delete(table, rows), tree, "this", "using", "tables", "where")


def _delete(table: exp.Expr, rows: exp.Select) -> exp.Delete:
    return exp.Delete(
        this=exp.to_table(table.name), where=exp.Where(this=exp.In(this=exp.column("rowid"), query=rows.subquery()))
    )


def limited(tree: Any) -> Any:
    """DELETE and UPDATE with ORDER BY and LIMIT: the rows by a subquery."""
    if not isinstance(tree, exp.Delete | exp.Update) or not tree.args.get("limit"):
        return None
    if tree.args.get("from_"):
        raise NotExact
    rows = exp.select("rowid").from_(tree.this.copy())
    for clause in ("where", "order", "limit"):
        if tree.args.get(clause):
            rows.set(clause, tree.args[clause].copy())
    if isinstance(tree, exp.Delete):
        return _with_the_rest(_delete(tree.this, rows), tree, "this", "where", "order", "limit")
    tree.set("where", exp.Where(this=exp.In(this=exp.column("rowid"), query=rows.subquery())))
    tree.set("order", None)
    tree.set("limit", None)
    return tree


def duplicates_updated(tree: Any) -> Any:
    """ON DUPLICATE KEY UPDATE a = VALUES(a): ON CONFLICT DO UPDATE SET a = excluded.a."""
    conflict = tree.args.get("conflict") if isinstance(tree, exp.Insert) else None
    if conflict is None or not conflict.args.get("duplicate"):
        return None
    conflict.set("duplicate", False)
    conflict.set("action", exp.var("DO UPDATE"))
    for call in list(conflict.find_all(exp.Anonymous)):
        if call.name.upper() == "VALUES" and len(call.expressions) == 1:
            call.replace(exp.column(call.expressions[0].name, table="excluded"))
    if isinstance(tree.expression, exp.Select) and not tree.expression.args.get("where"):
        tree.expression.where(exp.true(), copy=False)  # else ON would belong to the SELECT's FROM
    return tree


def merged(tree: Any) -> Any:
    """MERGE with one of each WHEN and equal keys: INSERT … SELECT … ON CONFLICT (key) DO UPDATE."""
    if not isinstance(tree, exp.Merge):
        return None
    target, source, on = tree.this.alias_or_name, tree.args["using"], tree.args["on"]
    whens = tree.args["whens"].expressions
    matched = next((each.args["then"] for each in whens if each.args.get("matched")), None)
    missing = next((each.args["then"] for each in whens if not each.args.get("matched")), None)
    plain = all(not each.args.get("condition") for each in whens) and len(whens) == 2
    if not (plain and isinstance(matched, exp.Update) and isinstance(missing, exp.Insert) and isinstance(on, exp.EQ)):
        raise NotExact
    keys = [
        side.name
        for side in (on.left, on.right)
        if isinstance(side, exp.Column) and side.table.lower() == target.lower()
    ]
    columns, values = list(missing.this.expressions), list(missing.expression.expressions)
    inserted = {value.sql(): column.name for column, value in zip(columns, values, strict=True)}
    if len(keys) != 1 or any(each.expression.sql() not in inserted for each in matched.expressions):
        raise NotExact
    updates = [
        exp.EQ(
            this=exp.column(each.this.name), expression=exp.column(inserted[each.expression.sql()], table="excluded")
        )
        for each in matched.expressions
    ]
    conflict = exp.OnConflict(
        conflict_keys=[exp.to_identifier(keys[0])], action=exp.var("DO UPDATE"), expressions=updates
    )
    rows = exp.select(*values).from_(source).where(exp.true())
    names = [exp.to_identifier(column.name) for column in columns]
    made = exp.Insert(
        this=exp.Schema(this=exp.to_table(tree.this.name), expressions=names), expression=rows, conflict=conflict
    )
    return _with_the_rest(made, tree, "this", "using", "on", "whens")


REBUILDS = (update_joined, assigned_alone, delete_joined, limited, duplicates_updated, merged)
