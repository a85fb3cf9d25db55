"""A few thousand mutants of the cases: none crashes the guard, none changes what is the engine's."""

from __future__ import annotations

from contextlib import suppress

import pytest
from guard_desk import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import NAMES, WORDS, hunt

from codemode.errors import CodemodeError


@pytest.mark.parametrize("seed", [1, 2])
def test_no_mutant_harms_the_engine_s_own(seed: int) -> None:
    verdicts, findings = hunt(12_000, 12.0, seed)
    assert not findings
    assert verdicts["allowed"] > 50, "mutants that are refused one and all show nothing"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


PIECES = st.lists(st.sampled_from([*NAMES, *WORDS, ";", "(", ")", ",", "'x'", "1", "*", "=", "--", "/*", '"', "\x00"]))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
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
