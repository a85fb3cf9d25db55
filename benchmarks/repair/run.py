"""Runs the cases on the flights tables, repairs each once, runs it again, and compares its answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.repair.cases import Case
from benchmarks.repair.repairer import repaired
from codemode import Outcome, Session, Worker
from codemode.cli.demo import SAMPLE, TABLES


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    case: Case
    broken: bool  # it failed at first
    runs: bool  # it ran after one repair
    right: bool  # and did what it should, where the case says what
    error: Any = None  # of the first run
    code: str | None = None  # the repaired snippet
    last: Outcome | None = None


def results(cases: Iterable[Case]) -> Iterator[Result]:
    """The result of each case; those that write get a session of their own."""
    with Worker() as worker:
        desk = _Desk(worker)
        for case in cases:
            yield desk.run(case)


class _Desk:
    def __init__(self, worker: Worker) -> None:
        self._worker, self._count = worker, 0
        self._untouched = _imported(worker.session("untouched"))
        self._session = self._fresh()
        self._schema = _schema(self._session)

    def _fresh(self) -> Session:
        self._count += 1
        return self._untouched.fork(f"repair-{self._count}")

    def run(self, case: Case) -> Result:
        """Run, repair once, run again."""
        session = self._session
        for sql in case.setup:
            session.exec(sql)
        before = _rows(session, case.told["equals"]) if "equals" in case.told else None
        first = session.run(case.code)
        code = repaired(case.code, first.error) if first.error is not None else None
        last = session.run(code) if code is not None else first
        right = last.ok and _is_right(session, case, last, before)
        if last.db.tables_changed or first.db.tables_changed or _schema(session) != self._schema:
            self._worker.remove(f"repair-{self._count}")
            self._session = self._fresh()
        return Result(case, not first.ok, last.ok, right, first.error, code, last)


def _imported(session: Session) -> Session:
    for file in TABLES:
        session.import_file(SAMPLE / file, null="NA")
    return session


def _schema(session: Session) -> Any:
    return session.value("SELECT group_concat(sql, ';' ORDER BY name) FROM sqlite_schema")


def _rows(session: Session, sql: str) -> list[list[Any]]:
    return [list(row.values()) for row in session.query(sql)]


def _is_right(session: Session, case: Case, outcome: Outcome, before: list[list[Any]] | None) -> bool:
    told = case.told
    if "value" in told and outcome.result != case.json("value"):
        return False
    if "stdout" in told and outcome.stdout.strip() != told["stdout"]:
        return False
    if "after" in told:
        wanted = case.json("shows") if before is None else before
        if _rows(session, told["after"]) != wanted:
            return False
    if "answer" not in told:
        return True
    return _same(_rows(session, told["answer"]), _values(outcome.result, told.get("columns")), told)


def _values(result: Any, columns: str | None) -> list[list[Any]]:
    """A result as rows of values, whatever shape the snippet gave it."""
    if isinstance(result, dict) and "rows" in result:
        result = result["rows"]
    if not isinstance(result, list):
        return [[result]]
    kept = columns.split() if columns else None
    return [
        [value for name, value in row.items() if kept is None or name in kept] if isinstance(row, dict) else [row]
        for row in result
    ]


def _same(wanted: list[list[Any]], found: list[list[Any]], told: dict[str, str]) -> bool:
    """Rows in any order, unless the right statement orders them; numbers to `about`."""
    if len(wanted) != len(found):
        return False
    if "ORDER BY" not in told["answer"]:
        wanted, found = sorted(wanted, key=repr), sorted(found, key=repr)
    return all(len(a) == len(b) and all(map(_equal, a, b, [told] * len(a))) for a, b in zip(wanted, found, strict=True))


def _equal(one: Any, other: Any, told: dict[str, str]) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        numbers = isinstance(one, int | float) and isinstance(other, int | float)
        return numbers and math.isclose(one, other, rel_tol=float(told.get("about", "1e-12")))
    return bool(one == other)
