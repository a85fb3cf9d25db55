"""A hundred thousand mutants of the cases: none crashes the guard, none changes what is the engine's."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import mutants
import pytest
from guard_desk import Desk, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import NAMES, WORDS, hunt, judged
from witness import Witness

from codemode.errors import CodemodeError

SEEDS = range(1, 9)
MUTANTS = 100_000
MOST_SECONDS = 120.0  # of processor time for each seed: the count is what has to be met


@pytest.mark.parametrize("seed", SEEDS)
def test_no_mutant_harms_the_engine_s_own(seed: int) -> None:
    counts, findings = hunt(MUTANTS // len(SEEDS), MOST_SECONDS, seed)
    assert not findings
    assert counts["mutants"] == MUTANTS // len(SEEDS), "time ran out"
    assert counts["allowed"] > 200, "mutants that are refused one and all show nothing"


def test_the_witness_tells_a_write_that_the_guard_calls_a_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    witness = Witness(desk)
    allowed = desk.submit("SELECT 1")
    assert witness.objections("SELECT 1", allowed) == []
    with desk.guard.engine():
        desk.connection.execute("INSERT INTO t (a) VALUES ('z')").fetchall()
        desk.connection.execute("CREATE TABLE more (x)").fetchall()
    told = " ".join(witness.objections("SELECT 1", allowed))
    assert all(part in told for part in ("read only", "leave the schema", "wrote main.t"))
    assert witness.objections("SELECT 2", Result(("error", "sql.syntax", "keyword"), [])) != []


def test_the_hunt_tells_a_change_of_what_is_the_engine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def harm(desk: Desk, *_: object) -> list[str]:
        with desk.guard.engine():
            desk.connection.execute("UPDATE session_state SET value = value || ' '").fetchall()
        return []

    monkeypatch.setattr(mutants, "judged", harm)
    _, findings = hunt(3, MOST_SECONDS, 1)
    assert len(findings) == 1
    assert "one of these changed what is the engine's" in findings[0]


def test_a_write_that_failed_is_not_held_against_the_next_statement(tmp_path: Path) -> None:
    desk, counts = Desk(tmp_path), Counter[str]()
    witness = Witness(desk)
    half_done = "INSERT INTO t (id) VALUES (77), (77)"
    assert judged(desk, witness, half_done, counts) == []
    assert judged(desk, witness, "SELECT 1", counts) == []
    assert (counts["error"], counts["allowed"]) == (1, 1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


PIECES = st.lists(st.sampled_from([*NAMES, *WORDS, ";", "(", ")", ",", "'x'", "1", "*", "=", "--", "/*", '"', "\x00"]))


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=300
)
@given(sql=st.text() | PIECES.map(" ".join) | PIECES.map("/**/".join))
def test_any_text_is_answered(desk: Desk, sql: str) -> None:
    result = desk.submit(sql)
    assert result.verdict[0] in ("allowed", "refused", "error")
    assert result.error is None or isinstance(result.error, CodemodeError)
    assert desk.engine_hash() == desk.before


@settings(deadline=None, max_examples=200)
@given(sql=st.none() | st.integers() | st.binary() | st.text(st.characters()) | st.lists(st.text()))
def test_anything_at_all_is_answered(desk: Desk, sql: object) -> None:
    with suppress(CodemodeError):
        desk.guard.check(sql)  # type: ignore[arg-type]
    assert desk.guard.authorizer.kind is None
