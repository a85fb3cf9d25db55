"""Every case of tests/cases: the verdict, the rule and the layer expected, and nothing of the engine's changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from guard_desk import Desk
from sql_cases import FOLDER, Case, read_cases, shares_a_database

FILES = sorted(FOLDER.glob("*.sql"))
ALONE = [case for path in FILES if not shares_a_database(path) for case in read_cases(path)]
IN_ORDER = [path for path in FILES if shares_a_database(path)]


def expect(desk: Desk, case: Case) -> None:
    for sql in case.after:
        assert desk.submit(sql).verdict[0] == "allowed", sql
    result = desk.submit(case.sql, case.params)
    assert result.verdict == case.expected, f"{case.name}: {case.sql!r} {result.error}"
    if case.rows is not None:
        assert [list(row) for row in result.rows] == case.rows, case.name
    if case.expected[0] == "refused":
        assert result.error is not None
        assert result.error.hint or "idle" in case.expected, f"{case.name}: a refusal names the way out"
    if case.hint:
        assert result.error is not None
        assert case.hint in (result.error.hint or ""), f"{case.name}: {result.error}"
    for sql in case.repair:
        repaired = desk.submit(sql)
        assert repaired.verdict[0] == "allowed", f"{case.name}: {sql}: {repaired.error}"
    assert desk.engine_hash() == desk.before, f"{case.name}: something of the engine's changed"


@pytest.mark.parametrize("case", ALONE, ids=lambda case: f"{case.file}: {case.name}")
def test_a_case_gets_its_verdict_and_harms_nothing(case: Case, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    expect(desk, case)
    desk.close()


@pytest.mark.parametrize("path", IN_ORDER, ids=lambda path: path.stem)
def test_a_script_of_cases_runs_as_a_whole(path: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, user_tables=False)
    for case in read_cases(path):
        expect(desk, case)
    desk.close()


def test_there_are_cases_of_every_layer_and_kind() -> None:
    everything = ALONE + [case for path in IN_ORDER for case in read_cases(path)]
    layers = {case.expected[2] for case in everything if case.expected[0] == "refused"}
    kinds = {case.expected[1] for case in everything if case.expected[0] == "allowed"}
    assert {"keyword", "sqlglot", "authorizer", "running", "schema"} <= layers
    assert len(kinds) == 16
    assert len({(case.file, case.name) for case in everything}) == len(everything), "two cases share a name"
