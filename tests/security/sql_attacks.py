"""Counts what is tried against the guard: the cases by the layer that stops them, mutants, and the corpora."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .line import Line

sys.path.insert(0, str(Path(__file__).parents[1] / "guard"))

from guard_desk import Desk
from sql_cases import FOLDER, Case, read_cases, shares_a_database
from test_cases import expect
from witness import Witness

TESTS = Path(__file__).parents[1]
SAMPLES = TESTS / "corpora" / "samples"
PROCESSES = 2
STATEMENT_SECONDS = 2.0
LIMITS = ("sql.limit", "sql.timeout")
LAYERS = {
    "gate": "the gate for texts",
    "keyword": "the first keywords",
    "sqlglot": "sqlglot",
    "authorizer": "the authorizer",
    "sqlite": "SQLite itself",
    "running": "the authorizer, while it runs",
    "schema": "the look at the schema",
}


@contextmanager
def _desk(*, user_tables: bool = True) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as directory:
        desk = Desk(Path(directory), user_tables=user_tables)
        try:
            yield desk
        finally:
            desk.close()


def cases() -> Iterator[Line]:
    """tests/cases: attacks by the layer that stopped them, and ordinary statements that have to run."""
    tried: Counter[str] = Counter()
    problems: dict[str, list[str]] = defaultdict(list)
    for path in sorted(FOLDER.glob("*.sql")):
        for case, problem in _judged(path):
            if (group := _group(case)) is not None:
                tried[group] += 1
                problems[group] += problem
    for group in sorted(tried):
        failed = problems[group]
        yield Line("SQL", group, tried[group], tried[group] - len(failed), problems=tuple(failed))


def _judged(path: Path) -> Iterator[tuple[Case, list[str]]]:
    if shares_a_database(path):
        with _desk(user_tables=False) as desk:
            for case in read_cases(path):
                yield case, _problem(desk, case)
        return
    for case in read_cases(path):
        with _desk() as desk:
            yield case, _problem(desk, case)


def _problem(desk: Desk, case: Case) -> list[str]:
    """Nothing, when verdict and layer are as expected and what is the engine's is unchanged."""
    try:
        expect(desk, case)
    except Exception as error:
        return [f"{case.file}: {case.name}: {type(error).__name__}: {error}"]
    return []


def _group(case: Case) -> str | None:
    verdict, name, *layer = case.expected
    if verdict == "allowed":
        return "ordinary statements that run"
    if verdict == "refused" or layer == ["gate"]:
        return f"stopped by {LAYERS[layer[0]]}"
    return "stopped by a limit" if name in LIMITS else None  # the other errors are honest mistakes, answered


def mutants(number: int) -> Iterator[Line]:
    """The differential fuzzer, with seeds that no run before had."""
    seeds = [random.SystemRandom().randrange(1, 10**6) for _ in range(PROCESSES)]
    program = str(TESTS / "guard" / "mutants.py")

    def hunt(seed: int) -> dict[str, Any]:
        options = ["--seconds=100000", f"--mutants={number // PROCESSES}", f"--seed={seed}"]
        done = subprocess.run([sys.executable, program, *options], capture_output=True, text=True)
        try:
            told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return {"counts": {}, "findings": [f"seed {seed} died: {done.stderr[-2_000:]}"]}
        return told

    with ThreadPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(hunt, seeds))
    counts = sum((Counter(each["counts"]) for each in found), Counter[str]())
    findings = tuple(finding for each in found for finding in each["findings"])
    note = f"{counts['allowed']:,} accepted, {counts['refused']:,} refused, {counts['error']:,} errors; seeds {seeds}"
    yield Line("SQL", "mutants, against SQLite's own report", counts["mutants"], counts["mutants"] - len(findings),
               note, findings)  # fmt: skip


def corpora(folders: list[Path]) -> Iterator[Line]:
    """Statements that others wrote: none refused without a rule of the policy, none accepted that does harm."""
    folders = folders or [SAMPLES]
    if not (TESTS / "corpora" / "__main__.py").exists() or not all(folder.exists() for folder in folders):
        yield Line("corpora", "statements", 0, 0, "no corpora here", absent=True)
        return
    from tests.corpora import reading, report

    scripts = [script for folder in folders for script in reading.scripts(folder)]
    told = report.run(scripts, listing=None)
    judged = sum(sum(counts.values()) for counts in told.verdicts.values())
    false = tuple(report.line(*refusal) for refusal in told.false)
    note = f"{told.total('ran'):,} ran, {told.total('named'):,} refused by policy, {len(false)} falsely"
    yield Line("corpora", "no false refusal", judged, judged - len(false), note, false)
    accepted, harmful = 0, []
    for script in scripts:
        taken, faults = _accepted([*script.schema, *(each.sql for each in script.statements)])
        accepted += taken
        harmful += [f"{script.file}: {fault}" for fault in faults]
    note = f"{accepted:,} accepted on a session's tables, {len(harmful)} falsely"
    yield Line("corpora", "no false acceptance", accepted, accepted - len(harmful), note, tuple(harmful))


def _accepted(statements: list[str]) -> tuple[int, list[str]]:
    """How many statements the guard of a session accepts, and where SQLite's report or the engine's tables differ."""
    accepted, faults = 0, []
    until = [0.0]
    with _desk(user_tables=False) as desk:
        witness = Witness(desk)
        desk.connection.set_progress_handler(lambda: time.thread_time() > until[0], 10_000, id="corpora")
        for sql in statements:
            until[0] = time.thread_time() + STATEMENT_SECONDS
            result = desk.submit(sql)
            if result.verdict[0] == "allowed":
                accepted += 1
                faults += [f"{fault}: {sql!r}" for fault in witness.objections(sql, result)]
            witness.begin()
            if desk.engine_hash() != desk.before:
                faults.append(f"changed what is the engine's: {sql!r}")
                break
        witness.close()
    return accepted, faults
