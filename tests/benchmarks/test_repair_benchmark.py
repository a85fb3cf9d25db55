"""The repair benchmark holds what its table claims: broken cases, and at least 90 % of them run after one repair."""

from __future__ import annotations

import pytest

from benchmarks.repair.__main__ import LEAST_SHARE, table
from benchmarks.repair.cases import every_case
from benchmarks.repair.repairer import repaired
from benchmarks.repair.run import Result, results
from codemode.values import Problem


@pytest.fixture(scope="module")
def done() -> list[Result]:
    return list(results(every_case()))


def test_there_are_enough_cases_and_their_names_differ():
    cases = every_case()
    assert sum(not case.held_out for case in cases) >= 150
    assert sum(case.held_out for case in cases) >= 40
    assert len({(case.kind, case.name) for case in cases}) == len(cases)


def test_every_case_is_broken(done: list[Result]):
    assert [each.case.name for each in done if not each.broken] == []


def test_nine_of_ten_run_after_one_repair_and_nearly_all_of_those_are_right(done: list[Result]):
    whole = next(row for row in table(done) if row["kind"] == "all")
    assert whole["run"] >= LEAST_SHARE * whole["cases"]
    assert whole["right"] >= 0.98 * whole["run"]


def test_what_is_suggested_for_a_statement_always_runs(done: list[Result]):
    suggested = [each for each in done if each.error is not None and each.error.suggestion and each.error.sql]
    assert len(suggested) > 150
    failed = [each.case.name for each in suggested if not each.runs]
    assert failed == []


def test_the_repairer_reads_nothing_but_the_error():
    error = Problem(code="x.y", message="there is no 'aple'", did_you_mean=("apple",), line=2)
    assert repaired("a = 1\nprint(aple)", error) == "a = 1\nprint(apple)"
    error = Problem(code="x.y", message="no", sql="ONE", suggestion="TWO", did_you_mean=("helpers.db.many",), line=1)
    assert repaired("helpers.db.one('ONE')", error) == "helpers.db.many('TWO')"
    assert repaired("anything", Problem(code="x.y", message="no", hint="do it otherwise")) is None
