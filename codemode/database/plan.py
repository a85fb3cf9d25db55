"""EXPLAIN QUERY PLAN in words: what a statement reads whole, what it sorts, and which index would help."""

from __future__ import annotations

import re
from typing import Any

import apsw

from codemode.database.execute import Parameters
from codemode.database.names import quoted

_AUTOMATIC = re.compile(r"SEARCH (\S+) USING AUTOMATIC (?:PARTIAL )?COVERING INDEX \(([^)]*)\)")
_SCAN = re.compile(r"SCAN (\S+)(?! USING)")
_SORT = re.compile(r"USE TEMP B-TREE FOR (.+)")


def explain(connection: apsw.Connection, sql: str, params: Parameters) -> dict[str, Any]:
    """The plan of `sql` as SQLite chose it, without running it.

    `plan` has one line a step, indented by depth; `scans` names what is read whole; `sorts` what is sorted;
    `advice` says what to do where SQLite itself built an index for this one run, or reads a table whole.
    """
    steps: list[Any] = connection.execute(f"EXPLAIN QUERY PLAN {sql}", params, can_cache=False).fetchall()
    depth: dict[int, int] = {0: -1}
    plan, scans, sorts, advice = [], [], [], []
    for number, parent, _, detail in steps:
        depth[number] = depth.get(parent, -1) + 1
        plan.append("  " * depth[number] + detail)
        if found := _SORT.match(detail):
            sorts.append(found[1])
        if found := _AUTOMATIC.match(detail):
            advice.append(_index_advice(found[1], found[2]))
        elif (found := _SCAN.match(detail)) and found[1] != "CONSTANT":
            scans.append(found[1])
    if scans:
        names = ", ".join(dict.fromkeys(scans))
        advice.append(
            f"{names}: read whole; an index on the columns compared in WHERE or ON lets SQLite search instead"
        )
    return {"plan": plan, "scans": list(dict.fromkeys(scans)), "sorts": sorts, "advice": advice}


def _index_advice(table: str, terms: str) -> str:
    names = re.findall(r"(\w+)[=<>]", terms)
    listed = ", ".join(quoted(name) for name in names)
    return (
        f"SQLite builds an index on {table} ({', '.join(names)}) for this one run; keep it with "
        f"CREATE INDEX {quoted(f'{table}_by_' + '_'.join(names))} ON {quoted(table)} ({listed})"
    )
