"""What a session must hold, in plain Python: the model that the state machine compares real sessions with."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

Step = tuple[str, int]


@dataclass
class Data:
    """The rows of table t, the state, and the tables that snippets made."""

    rows: set[int] = field(default_factory=set)
    state: dict[str, int] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)


@dataclass
class Expected:
    """What the outcome of an execution must say; None where both answers are right."""

    ok: bool
    committed: bool
    rolled_back: bool | None


@dataclass
class Model:
    """One session that exists."""

    data: Data = field(default_factory=Data)
    checkpoints: dict[str, Data] = field(default_factory=dict)
    last_used: float = 0.0
    pinned: bool = False
    expired: bool = False


def source(steps: list[Step], ending: str) -> str:
    """The snippet that takes `steps` and then ends."""
    return "\n".join([*(_SOURCE[kind].format(n=n) for kind, n in steps), _ENDINGS[ending], ""])


def execute(data: Data, steps: list[Step], mode: str, ending: str) -> tuple[Data, Expected]:
    """What remains of `data`, and what the outcome says."""
    now, kept = copy.deepcopy(data), copy.deepcopy(data)
    committed = open_ = undone = failed = False
    for kind, n in [*steps, *([("doom", 0)] if ending == "doom" else [])]:
        if kind == "commit":
            if mode == "dry_run":
                failed = True  # refused, and nobody catches it
                break
            kept, committed, open_ = copy.deepcopy(now), True, False
            continue
        if kind == "read":
            continue
        open_ = True
        good = _apply(now, kind, n)
        if kind == "doom":
            undone, open_ = True, False
        elif mode == "each":
            open_, kept = False, copy.deepcopy(now)
            committed, undone = committed or good, undone or not good
    ok = not failed and ending == "ok"
    if mode == "dry_run":
        return data, Expected(ok, False, undone or open_)
    if ok:
        return now, Expected(True, True, False)  # what a call undid of its own is not the execution's
    return kept, Expected(False, committed, undone or open_)


def _apply(data: Data, kind: str, n: int) -> bool:
    """Change `data` as the step does; False where its statement fails (and is caught)."""
    match kind:
        case "insert" | "host":
            data.rows.add(n)
        case "delete":
            data.rows.discard(n)
        case "batch":
            data.rows |= {n, n + 100, n + 200}
        case "save":
            data.state[f"k{n}"] = n
        case "forget":
            data.state.pop(f"k{n}", None)
        case "make":
            data.tables.add(f"made_{n}")
        case "drop":
            data.tables.discard(f"made_{n}")
        case _:
            return False
    return True


_SOURCE = {
    "insert": "helpers.db.exec('INSERT OR IGNORE INTO t VALUES (?)', [{n}])",
    "delete": "helpers.db.exec('DELETE FROM t WHERE x = {n}')",
    "batch": "helpers.db.batch_insert('t', [{{'x': {n} + i}} for i in (0, 100, 200)], on_conflict='ignore')",
    "host": "helpers.db.exec('INSERT OR IGNORE INTO t VALUES (?)', [helpers.host.echo({n})])",
    "save": "helpers.db.save_state('k{n}', {n})",
    "forget": "helpers.db.delete_state('k{n}')",
    "make": "helpers.db.exec('CREATE TABLE IF NOT EXISTS made_{n} (a)')",
    "drop": "helpers.db.exec('DROP TABLE IF EXISTS made_{n}')",
    "read": "helpers.db.query('SELECT * FROM t')",
    "commit": "helpers.db.commit()",
    "failing": "try:\n    helpers.db.exec('INSERT INTO t VALUES (NULL)')\nexcept helpers.Error:\n    pass",
    "failing batch": (
        "try:\n    helpers.db.batch_insert('t', [{{'x': 900 + {n}}}, {{'x': None}}])\nexcept helpers.Error:\n    pass"
    ),
}
_ENDINGS = {
    "ok": "return 7",
    "raise": "raise ValueError('on purpose')",
    "refused": "helpers.db.exec('BEGIN')",
    "doom": "try:\n    helpers.db.exec('INSERT OR ROLLBACK INTO t VALUES (NULL)')\nexcept helpers.Error:\n    pass",
    "cancel": "print('in', flush=True)\nwhile True:\n    pass",
    "timeout": "while True:\n    pass",
}
STEPS, ENDINGS = tuple(_SOURCE), tuple(_ENDINGS)
