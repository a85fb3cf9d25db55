"""What must be there after a kill: everything acknowledged, and of the rest all or nothing."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crash_workload import BATCH, EACH, LOADED, PARTS

from codemode import Limits, Session, Worker
from codemode.errors import CannotUndo, CodemodeError, SessionExpired, SessionNotFound


@dataclass
class Operation:
    """One operation as the harness heard of it."""

    n: int
    kind: str
    session: str
    done: bool = False
    parts: list[int] = field(default_factory=list)


@dataclass
class Findings:
    """What a check found; each a sentence."""

    lost: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


FIRST = (["t"], [], [{"a": "first" * 20, "n": LOADED}])
SECOND = (["t", "u"], ["t_by_a"], [{"a": "second", "n": LOADED}])


def _state_of(session: Session) -> tuple[Any, ...]:
    return (
        session.get_tables(),
        [index["name"] for index in session.describe_table("t")["indexes"]],
        session.query("SELECT a, count(*) AS n FROM t GROUP BY a"),
    )


class Check:
    """Looks at one data directory after a kill."""

    def __init__(self, data_dir: Path, operations: list[Operation], logged: dict[str, list[str]]) -> None:
        self.data_dir, self.operations, self.logged = data_dir, operations, logged
        self.findings = Findings()
        self.worker: Worker
        self.sessions: dict[str, Session] = {}
        self.tables: dict[str, set[str]] = {}
        self.objects: dict[str, Counter[str]] = {}

    def run(self) -> Findings:
        """Check everything."""
        with Worker(data_dir=self.data_dir, limits=Limits(queue_seconds=1)) as self.worker:
            for name in ("data", "life"):
                try:
                    self._open(name)
                except SessionNotFound:
                    continue  # killed before it was made
                except CodemodeError as error:
                    self.findings.other.append(f"session {name} cannot be used: {error}")
            for operation in self.operations:
                if operation.session in self.sessions or operation.done:
                    self._one(operation)
            self._counters()
            self._logs()
            self.worker.sweep()
        self._files()
        return self.findings

    def _open(self, name: str) -> None:
        session = self.worker.session(name, create=False)
        rows = session.query("SELECT name FROM sqlite_schema")
        self.sessions[name], self.tables[name] = session, {row["name"] for row in rows}

    def _one(self, operation: Operation) -> None:
        try:
            getattr(self, f"_{operation.kind}")(operation)
        except CodemodeError as error:
            self.findings.other.append(f"{operation}: {type(error).__name__}: {error}")

    def _count(self, operation: Operation, sql: str, *params: Any) -> int:
        return int(self.sessions[operation.session].value(sql, params))

    def _whole(self, operation: Operation, found: int, whole: int) -> None:
        if found not in (0, whole):
            self.findings.partial.append(f"{operation}: {found} of {whole}")
        elif operation.done and not found:
            self.findings.lost.append(str(operation))

    def _batched(self, operation: Operation) -> None:
        self._whole(operation, self._count(operation, "SELECT count(*) FROM batched WHERE n = ?", operation.n), BATCH)

    def _parts(self, operation: Operation) -> None:
        for part in range(PARTS):
            acknowledged = Operation(operation.n, "parts", operation.session, operation.done or part in operation.parts)
            sql = "SELECT count(*) FROM parts WHERE n = ? AND part = ?"
            self._whole(acknowledged, self._count(operation, sql, operation.n, part), 40)

    def _single(self, operation: Operation) -> None:
        rows = self.sessions[operation.session].query("SELECT i FROM single WHERE n = ? ORDER BY i", [operation.n])
        found = [row["i"] for row in rows]
        if found != list(range(len(found))):
            self.findings.partial.append(f"{operation}: {found}")
        if not set(range(EACH) if operation.done else operation.parts) <= set(found):
            self.findings.lost.append(f"{operation}: {found}")

    def _schema(self, operation: Operation) -> None:
        n = operation.n
        names = {f"made_{n}", f"made_{n}_by_a", f"seen_{n}"} & self.tables[operation.session]
        self._whole(operation, len(names), 3)
        if f"seen_{n}" in names:
            self._whole(operation, self._count(operation, f"SELECT count(*) FROM seen_{n} WHERE c = 7"), 100)

    def _dropped(self, operation: Operation) -> None:
        there = f"gone_{operation.n}" in self.tables[operation.session]
        if operation.done and there:
            self.findings.lost.append(f"{operation}: the table is still there")

    def _state(self, operation: Operation) -> None:
        key = self.sessions[operation.session].get_state(f"k{operation.n}") == operation.n
        row = self._count(operation, "SELECT count(*) FROM stated WHERE n = ?", operation.n)
        self._whole(operation, int(key) + row, 2)

    def _counted(self, operation: Operation) -> None:
        """All of them together, in `_counters`."""

    def _counters(self) -> None:
        for name, session in self.sessions.items():
            mine = [o for o in self.operations if o.kind == "counted" and o.session == name]
            done, found = sum(o.done for o in mine), session.value("SELECT x FROM counter") if mine else 0
            if not done <= found <= len(mine):
                self.findings.lost.append(f"counter of {name}: {found}, {done} acknowledged, {len(mine)} begun")

    def _failing(self, operation: Operation) -> None:
        if self._count(operation, "SELECT count(*) FROM failed WHERE n = ?", operation.n):
            self.findings.partial.append(f"{operation}: its write is there")

    def _loaded(self, operation: Operation) -> None:
        there = f"loaded_{operation.n}" in self.tables[operation.session]
        rows = self._count(operation, f"SELECT count(*) FROM loaded_{operation.n}") if there else 0
        self._whole(operation, rows, LOADED)
        if there and not rows:
            self.findings.partial.append(f"{operation}: an empty table")

    def _compacted(self, operation: Operation) -> None:
        """Loses nothing: what the others find."""

    def _tables_of(self, name: str) -> list[str] | None:
        """None where the session is not there, and says so."""
        try:
            return self.worker.session(name, create=False).get_tables()
        except (SessionNotFound, SessionExpired):
            return None

    def _created(self, operation: Operation) -> None:
        found = self._tables_of(f"new-{operation.n}")
        if operation.done and found != ["t"]:
            self.findings.lost.append(f"{operation}: {found}")

    def _removed(self, operation: Operation) -> None:
        found = self._tables_of(f"old-{operation.n}")
        if operation.done and found is not None:
            self.findings.lost.append(f"{operation}: the session is still there")
        if not operation.done and operation.parts and found == []:
            self.findings.partial.append(f"{operation}: the session is there, and empty")

    def _swept(self, operation: Operation) -> None:
        if operation.done and self._tables_of(f"over-{operation.n}") is not None:
            self.findings.lost.append(f"{operation}: the session is still there")

    def _renewed(self, operation: Operation) -> None:
        found = self._tables_of(f"again-{operation.n}")
        if operation.done and found != ["u"]:
            self.findings.lost.append(f"{operation}: {found}")
        if found == ["t", "u"]:
            self.findings.partial.append(f"{operation}: what had expired came back")

    def _restored(self, operation: Operation) -> None:
        """All of the first state or all of the second; the first one where the restore was acknowledged."""
        if not operation.parts:
            return
        session = self.worker.session(f"kept-{operation.n}", create=False)
        found = _state_of(session)
        if operation.done and found != FIRST:
            self.findings.lost.append(f"{operation}: {found}")
        if found not in (FIRST, SECOND):
            self.findings.partial.append(f"{operation}: {found}")
        if [checkpoint.name for checkpoint in session.checkpoints()] != ["first"]:
            self.findings.lost.append(f"{operation}: its checkpoint")

    def _undone(self, operation: Operation) -> None:
        """One state or the other, and from it the ways that its last acknowledged step promised, or an honest no."""
        if not operation.parts:
            return
        session = self.worker.session(f"undone-{operation.n}", create=False)
        found = _state_of(session)
        if operation.done and found != SECOND:
            self.findings.lost.append(f"{operation}: {found}")
        if found not in (FIRST, SECOND):
            self.findings.partial.append(f"{operation}: {found}")
        try:
            session.undo() if found == SECOND else session.redo()
        except CannotUndo:
            # Killed between a commit and what is kept of it, or before anything was undone: it says so.
            if operation.done or (2 in operation.parts and found == FIRST):
                self.findings.lost.append(f"{operation}: its way back")
            return
        there = _state_of(session)
        if there != (FIRST if found == SECOND else SECOND):
            self.findings.partial.append(f"{operation}: undone to {there}")
        session.redo() if found == SECOND else session.undo()

    def _forked(self, operation: Operation) -> None:
        found = self._tables_of(f"fork-{operation.n}")
        if operation.done and found != ["t"]:
            self.findings.lost.append(f"{operation}: {found}")
        if found is not None:
            rows = self.worker.session(f"fork-{operation.n}").value("SELECT count(*) FROM t") if found else 0
            self._whole(Operation(operation.n, "forked", "life", True), rows, LOADED)

    def _logs(self) -> None:
        for name, session in self.sessions.items():
            kept = {entry.execution_id for entry in session.logs(limit=10_000, kind="execution")}
            missing = [execution for execution in self.logged.get(name, []) if execution not in kept]
            if missing:
                self.findings.lost.append(f"{len(missing)} entries of the log of {name}")

    def _files(self) -> None:
        for left in self.data_dir.glob("sessions/removed-*"):
            self.findings.other.append(f"left behind: {left.name}")
        opened = [self.data_dir.glob(f"sessions/*/checkpoints/{name}") for name in ("*-journal", "*-wal", "*-shm")]
        for left in [path for found in opened for path in found if not path.name.startswith("new-")]:
            self.findings.other.append(f"left beside a checkpoint: {left.name}")
        for file in [path for path in self.data_dir.rglob("*.db") if not path.name.startswith("new-")]:
            connection = sqlite3.connect(file)
            answer = connection.execute("PRAGMA integrity_check").fetchall()
            connection.close()
            if answer != [("ok",)]:
                self.findings.other.append(f"{file}: {answer[:3]}")
        for damaged in self.data_dir.glob("sessions/*/*damaged*"):
            self.findings.other.append(f"set aside as damaged: {damaged}")
