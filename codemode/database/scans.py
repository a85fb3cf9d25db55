"""Which tables a statement reads whole: what an error about time has to say."""

from __future__ import annotations

import re

import apsw

_SCAN = re.compile(r"SCAN (\S+)")


def scanned(connection: apsw.Connection, sql: str) -> list[str]:
    """The tables, by their names in the statement, that its plan reads whole, in the plan's order; nothing is run."""
    try:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {sql}", apsw._null_bindings, can_cache=False)  # type: ignore[attr-defined]
        found = [_SCAN.match(detail) for *_, detail in steps]
    except apsw.Error:
        return []
    return list(dict.fromkeys(step[1] for step in found if step is not None and step[1] != "CONSTANT"))
