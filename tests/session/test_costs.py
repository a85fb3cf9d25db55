"""What executions cost: in their outcomes, in their session's totals, by day, and where statements are slow."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path

import apsw
import pytest

from codemode import Limits, Session, Settings, Worker
from codemode.database import usage
from codemode.database.journal import Journal
from codemode.session import notable
from codemode.values import Day, SizeAt, Totals, summed

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) "


def fill(session: Session, count: int) -> None:
    session.exec("CREATE TABLE n (i INTEGER, j INTEGER)")
    session.exec("INSERT INTO n " + NUMBERS.format(count=count) + "SELECT i, i % 7 FROM n")


def test_an_outcome_tells_every_figure(session: Session) -> None:
    fill(session, 5_000)
    outcome = session.run("""
print("x" * 100)
rows = helpers.db.query("SELECT j, count(*) AS n FROM n GROUP BY j ORDER BY n DESC, j")
helpers.db.query("SELECT count(*) FROM n AS a JOIN n AS b ON a.j = b.i WHERE a.i < 100")
helpers.db.exec("UPDATE n SET j = 0 WHERE i < 11")
return rows
""")
    db, used = outcome.db, outcome.usage
    assert (db.rows_read, db.rows_written) == (8, 10)
    assert db.auto_indexes > 0
    assert db.sorts >= 2
    assert db.scan_steps >= 10_000
    assert db.vm_steps > db.scan_steps
    assert (used.helper_calls, used.stdout_bytes) == (3, 101)
    assert used.result_bytes == outcome.result_info.bytes
    assert 0 < used.worker_cpu_ms <= used.duration_ms + 50
    assert used.cpu_ms >= 0
    assert used.peak_memory_bytes > 1_000_000


def test_a_session_adds_up_its_life_and_its_days(session: Session) -> None:
    first = session.run("return helpers.db.query('SELECT 1 AS a UNION SELECT 2')")
    second = session.run("helpers.db.query('SELECT * FROM missing')")
    session.exec("CREATE TABLE t (a)")
    session.batch_insert("t", [{"a": n} for n in range(5)])
    figures = session.metrics()["usage"]
    assert (figures["executions"], figures["failed"], figures["rows_read"], figures["rows_written"]) == (2, 1, 2, 5)
    assert figures["helper_calls"] == 2
    assert figures["vm_steps"] > first.db.vm_steps + second.db.vm_steps, "calls of the host count too"
    assert figures["duration_ms"] == pytest.approx(first.usage.duration_ms + second.usage.duration_ms)
    assert figures["peak_memory_bytes"] == max(first.usage.peak_memory_bytes, second.usage.peak_memory_bytes)
    days = session.usage_by_day()
    assert sum(day.executions for day in days) == 2
    assert days[-1].size_bytes == session.metrics()["database_size"]


def test_a_snippet_sees_its_own_use_so_far(session: Session) -> None:
    fill(session, 1_000)
    outcome = session.run("helpers.db.query('SELECT sum(j) FROM n')\nreturn helpers.db.get_metrics()['usage']")
    assert outcome.result["scan_steps"] >= 999
    assert outcome.result["rows_read"] == 1


def test_pages_that_are_given_up_cost_what_they_read(session: Session) -> None:
    fill(session, 20_000)
    code = "for page in helpers.db.pages('SELECT i FROM n', size=10_000):\n    break"
    assert session.run(code).db.scan_steps >= 9_000


def test_a_slow_statement_is_kept_with_its_plan(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(slow_statement_ms=0.001)) as worker:
        session = worker.session("s")
        fill(session, 1_000)
        outcome = session.run("return helpers.db.value('SELECT count(*) FROM n WHERE j = ?', [3])")
        newest = session.slow_statements()[0]
        assert newest.execution_id == outcome.execution_id
        assert newest.statement == "SELECT count(*) FROM n WHERE j = ?"
        assert newest.plan[0].startswith("SCAN n")
        assert newest.scan_steps == 999
        assert newest.vm_steps > 999
        assert session.metrics()["usage"]["slow_statements"] == len(session.slow_statements())
        for _ in range(3):
            session.run("for n in range(200): helpers.db.value('SELECT 1')")
        assert len(session.slow_statements(10_000)) <= 500
        assert session.metrics()["usage"]["slow_statements"] > 600


def test_long_names_do_not_fill_the_log_or_the_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notable, "SCAN_STEPS", 10)
    long = "n" * 50_000
    with Worker(data_dir=tmp_path, settings=Settings(slow_statement_ms=0.001)) as worker:
        session = worker.session("s")
        session.exec(f"CREATE TABLE {long} AS " + NUMBERS.format(count=100) + "SELECT i FROM n")
        outcome = session.run(f"helpers.db.query('SELECT * FROM {long}')")
        assert max(map(len, outcome.warnings)) < 500
        [slow] = session.slow_statements(1)
        assert len(slow.plan[0]) == 200
        assert len(slow.statement) < 5_000


def test_what_failed_may_have_been_slow(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(slow_statement_ms=100)) as worker:
        fill(worker.session("s"), 20_000)
        session = worker.session("s", limits=Limits(query_seconds=0.2))
        outcome = session.run("helpers.db.value('SELECT count(*) FROM n AS a, n AS b WHERE a.j + b.j = 100')")
        assert outcome.error.code == "sql.timeout"
        slow = session.slow_statements()[0]
        assert slow.duration_ms >= 150
        assert [line.split()[:2] for line in slow.plan] == [["SCAN", "a"], ["SCAN", "b"]]


def test_ordinary_statements_are_not_slow(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(slow_statement_ms=60_000)) as worker:
        session = worker.session("s")
        session.run("helpers.db.value('SELECT 1')")
        assert session.slow_statements() == []


def test_a_large_scan_warns_once_and_is_counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notable, "SCAN_STEPS", 4_000)
    fill(session, 5_000)
    outcome = session.run("for j in range(3): helpers.db.value('SELECT count(*) FROM n WHERE j = ?', [j])")
    [warning] = outcome.warnings
    assert "4,999 rows of n" in warning
    assert session.metrics()["usage"]["warnings"] == {"scan": 1}


def test_what_a_statement_can_hardly_mean_warns_in_every_call(session: Session) -> None:
    fill(session, 5)
    outcome = session.run("""
for _ in range(3):
    helpers.db.query("SELECT i FROM n WHERE j = NULL")
helpers.db.batch([("DELETE FROM n WHERE i = 7 OR 'x'", [])])
list(helpers.db.pages("SELECT date('2013-1-5') AS day FROM n"))
""")
    assert [warning.partition(":")[0] for warning in outcome.warnings] == [
        "j = NULL is never true",
        "'x' beside OR is compared with nothing, and false",
        "date('2013-1-5') is NULL",
    ]
    assert session.metrics()["usage"]["warnings"] == {"meaning": 3}
    assert session.run("return helpers.db.value('SELECT i FROM n WHERE j = NULL')").warnings == outcome.warnings[:1]


def test_what_a_host_s_statement_can_hardly_mean_is_in_its_answer(session: Session) -> None:
    fill(session, 5)
    warning = "j = NULL is never true: write j IS NULL"
    for read_only in (False, True):
        rows = session.query("SELECT i FROM n WHERE j = NULL", read_only=read_only)
        assert (rows, rows.warnings) == ([], [warning])
        assert session.query("SELECT i FROM n WHERE j IS NULL", read_only=read_only).warnings == []
    year = "SELECT i FROM n WHERE strftime('%Y', j || '-01-01') = ?"
    assert "Bind '2013'" in session.query(year, [2013]).warnings[0]
    assert session.query(year, ["2013"]).warnings == []
    assert session.exec("DELETE FROM n WHERE j = NULL")["warnings"] == [warning]
    deleted = session.exec("DELETE FROM n WHERE j = NULL RETURNING i")
    assert deleted["rows"].warnings == deleted["warnings"] == [warning]
    answers = session.script("DELETE FROM n WHERE j = NULL; DELETE FROM n WHERE j IS NULL")
    assert [answer.get("warnings") for answer in answers] == [[warning], None]


def test_what_a_statement_can_hardly_mean_is_told_to_the_snippet(session: Session) -> None:
    fill(session, 5)
    outcome = session.run("""
rows = [helpers.db.query(f"SELECT i FROM n WHERE j {compared}") for compared in ("= NULL", "= NULL", "IS NULL")]
return [each.warnings for each in rows], helpers.db.exec("DELETE FROM n WHERE j = NULL")["warnings"]
""")
    [warning] = outcome.warnings
    assert outcome.result == [[[warning], [warning], []], [warning]]


@pytest.mark.parametrize(
    ("condition", "params", "is_told"),
    [
        ("strftime('%Y', j || '-01-01') = ?", [2013], True),
        ("strftime('%Y', j || '-01-01') = ?", ["2013"], False),
        ("strftime('%Y', j || '-01-01') IN ('2012', :year)", {"year": 2013}, True),
        ("i = ? AND strftime('%Y', j || '-01-01') = :year", [1, 2013], True),
        ("i = ? AND strftime('%Y', j || '-01-01') = ?", [1, None], False),
    ],
)
def test_a_number_that_is_bound_beside_a_text_warns(
    session: Session, condition: str, params: object, is_told: bool
) -> None:
    session.exec("CREATE TABLE n AS SELECT 1 AS i, 2013 AS j")
    code = "return [helpers.db.value(sql, params), [len(page) for page in helpers.db.pages(sql, params)]]"
    outcome = session.run(code, inputs={"sql": f"SELECT j FROM n WHERE {condition}", "params": params})
    assert [("Bind '2013'" in warning) for warning in outcome.warnings] == [True] * is_told
    assert outcome.result == ([2013, [1]] if params == ["2013"] else [None, []])


def test_a_limit_that_is_near_warns_and_is_counted(worker: Worker) -> None:
    session = worker.session(limits=Limits(rows=10, helper_calls=5, state_bytes=100, stdout_bytes=1_000))
    before = worker.metrics()["usage"]["warnings"]
    outcome = session.run("""
print("x" * 900)
helpers.db.save_state("k", "x" * 85)
for _ in range(3):
    rows = helpers.db.query("VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9)")
""")
    assert [text.split()[0] for text in outcome.warnings] == ["rows", "helper_calls", "state_bytes", "stdout_bytes"]
    assert "9 of 10 of one answer (90 %)" in outcome.warnings[0]
    counted = worker.metrics()["usage"]["warnings"]
    assert all(counted[kind] == before.get(kind, 0) + 1 for kind in session.metrics()["usage"]["warnings"])
    assert session.run("return 1").warnings == ()


def test_chunks_and_pages_are_not_near_the_limit_of_calls(worker: Worker) -> None:
    session = worker.session(limits=Limits(helper_calls=10))
    outcome = session.run("""
return [page[0]["value"] for page in helpers.db.pages("SELECT value FROM json_each('[1,2,3,4,5,6,7,8]')", size=1)]
""")
    assert (outcome.usage.helper_calls, len(outcome.result), outcome.warnings) == (9, 8, ())
    assert "8 of 10" in session.run("for _ in range(8): helpers.db.get_state('k')").warnings[0]


def test_a_session_that_expires_within_the_hour_says_so(worker: Worker) -> None:
    session = worker.session(limits=Limits(idle_seconds=1_800))
    assert "30 minutes" in session.run("return 1").warnings[0]
    [standing] = session.metrics()["warnings"]
    assert "expire in 30 minutes unless it is used" in standing
    worker.pin(session.id)
    assert session.run("return 1").warnings == ()
    assert session.metrics()["warnings"] == []


def test_the_size_is_kept_where_it_changed(session: Session) -> None:
    first = session.size_history()
    fill(session, 20_000)
    session.value("SELECT 1")
    after = session.size_history()
    assert [point.size_bytes for point in after][-1] == session.metrics()["database_size"]
    assert len({point.size_bytes for point in after}) == len(after)
    assert len(after) > len(first)
    assert session.metrics()["size_history"][-1]["size_bytes"] == after[-1].size_bytes


def test_the_history_of_sizes_covers_a_whole_life_in_few_points(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log.db", entries=10, size_bytes=10**9)
    for size in range(1, 3_001):
        journal.write([], Totals(), size)
    sizes = [point.size_bytes for point in journal.sizes()]
    assert len(sizes) <= usage.KEPT_SIZES
    assert (sizes[0], sizes[-1]) == (1, 3_000)
    gaps = [late - early for early, late in pairwise(sizes)]
    assert max(gaps) <= 64, "no stretch of its life is missing"
    assert gaps[-1] < gaps[0], "what is recent is known more exactly"
    journal.close()


def test_thinned_keeps_both_ends() -> None:
    points = [SizeAt(timestamp=str(n), size_bytes=n) for n in range(100)]
    kept = [point.size_bytes for point in usage.thinned(points, 5)]
    assert kept == [0, 24, 49, 74, 99]
    assert usage.thinned(points[:3], 5) == points[:3]


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "log.db"))
    Journal(tmp_path / "log.db", 10, 10**9).close()
    for day in ("2024-01-01", "2025-12-31", "2026-01-01"):
        usage.add(connection, day, Totals(executions=1, warnings={"scan": 2}), 4_096)
    usage.forget_old_days(connection, "2026-01-01")
    assert [day.day for day in usage.days(connection)] == ["2025-12-31", "2026-01-01"]
    assert usage.life(connection) == Totals(executions=3, warnings={"scan": 6}), "its whole life is kept"
    connection.close()


def test_totals_of_an_older_log_are_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    steps = Path(usage.__file__).parent / "migrations" / "log"
    old = sqlite3.connect(path)
    old.executescript((steps / "0001_execution_logs.sql").read_text("utf-8"))
    old.execute("UPDATE totals SET executions = 7, rows_read = 8, rows_written = 9")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    journal = Journal(path, 10, 10**9)
    journal.write([], Totals(1, 1, 1), 0)
    assert journal.totals() == Totals(8, 9, 10)
    journal.close()


def test_a_tenant_adds_up_its_sessions_also_those_that_are_gone(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        for name in ("a", "b", "c"):
            worker.session(name).run("return helpers.db.value('SELECT 1')")
        before = worker.usage_by_day()
        assert sum(day.executions for day in before) == 3
        worker.remove("a")
        worker.registry.catalog.touch("local", "b", 10**15)  # far in the future: only "c" expires below
        worker.registry.catalog._catalog.run("UPDATE sessions SET last_activity = 1 WHERE id = 'c'")
        assert worker.sweep() == ["c"]
        worker.remove("c")
        after = worker.usage_by_day()
        assert [(day.day, day.executions, day.vm_steps) for day in after] == [
            (day.day, day.executions, day.vm_steps) for day in before
        ]
        assert worker.usage_by_day("nobody") == []


def test_a_log_that_cannot_be_read_costs_only_its_own_days(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("a").value("SELECT 1")
        worker.session("b").value("SELECT 1")
    for log in list(tmp_path.glob("sessions/*/log.db"))[:1]:
        log.write_bytes(b"no database" * 1_000)
    with Worker(data_dir=tmp_path) as worker:
        assert sum(day.rows_read for day in worker.usage_by_day()) == 1


def test_days_of_several_sessions_add_up() -> None:
    monday, tuesday = Day(day="2026-01-05", executions=1, size_bytes=10), Day(day="2026-01-06", executions=2)
    both = summed([tuesday, monday, Day(day="2026-01-05", executions=1, size_bytes=10)])
    assert [(day.day, day.executions, day.size_bytes) for day in both] == [("2026-01-05", 2, 20), ("2026-01-06", 2, 0)]


def test_a_worker_counts_what_ran_in_it(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("a").run("return 1")
        worker.session("b").run("1 / 0")
        figures = worker.metrics()
        assert (figures["sessions"], figures["usage"]["executions"], figures["usage"]["failed"]) == (2, 2, 1)
    with Worker(data_dir=tmp_path) as worker:
        assert worker.metrics()["usage"]["executions"] == 0
        assert sum(day.executions for day in worker.usage_by_day()) == 2


def test_sums_of_milliseconds_have_no_more_digits_than_what_was_measured():
    assert Totals(duration_ms=2.333).plus(Totals(duration_ms=8.082)).duration_ms == 10.415
