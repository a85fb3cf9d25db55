"""Which limits an execution came close to: figures in, warnings out."""

from __future__ import annotations

import pytest

from codemode.session.nearness import expires_soon, large_scan, near_expiry, near_limits

LIMITS = {"rows": 10_000, "memory_bytes": 512 * 2**20, "execution_seconds": 60.0, "database_bytes": 2**30}


def kinds(used: dict[str, float], error: str | None = None) -> list[str]:
    return [warned.kind for warned in near_limits(used, LIMITS, error)]


@pytest.mark.parametrize(("rows", "warned"), [(0, []), (7_999, []), (8_000, ["rows"]), (9_999, ["rows"]), (10_000, [])])
def test_near_is_eighty_percent_and_below_the_limit(rows: int, warned: list[str]) -> None:
    assert kinds({"rows": rows}) == warned


def test_each_limit_warns_for_itself_with_figures_and_a_way_out() -> None:
    [warned] = near_limits({"execution_seconds": 54.0, "rows": 3}, LIMITS)
    assert warned.kind == "execution_seconds"
    assert "54.0 s of 60.0 s" in warned.text
    assert "(90 %)" in warned.text
    assert "several executions" in warned.text


def test_an_error_that_names_the_limit_is_not_followed_by_a_warning_of_it() -> None:
    used = {"memory_bytes": 0.95 * 512 * 2**20, "database_bytes": 0.9 * 2**30}
    assert kinds(used, "code.memory") == ["database_bytes"]
    assert kinds(used, "sql.no_such_table") == ["memory_bytes", "database_bytes"]


@pytest.mark.parametrize(
    ("left", "idle", "says"),
    [
        (None, 86_400.0, None),
        (3_601.0, 86_400.0, None),
        (1_500.0, 86_400.0, "25 minutes from expiring with its data; now it has 24 hours again"),
        (600.0, 600.0, "expire when nobody uses it for 10 minutes"),
    ],
)
def test_expiry_within_an_hour(left: float | None, idle: float, says: str | None) -> None:
    found = [warned.text for warned in near_expiry(left, idle)]
    assert (says in found[0]) if says else not found


def test_looking_does_not_extend() -> None:
    [warned] = expires_soon(300.0)
    assert "expire in 5 minutes unless it is used" in warned.text
    assert not list(expires_soon(7_200.0))


def test_a_large_scan_names_tables_and_the_call_that_explains() -> None:
    text = large_scan(2_500_000, ["flights"], ["flights", "planes"]).text
    assert "2,500,000 rows of flights one by one" in text
    assert "helpers.db.explain" in text


def test_a_large_scan_names_the_tables_behind_other_names() -> None:
    assert "rows of a, b (flights, planes) one" in large_scan(1_000_001, ["a", "b"], ["flights", "planes"]).text
    assert "rows of flights one" in large_scan(1_000_001, [], ["flights"]).text, "a statement without a plan"
