"""Every limit, as a snippet meets it: what is refused, what is cut and said, and that the session goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codemode import Limits, Session, Settings, Worker
from codemode.errors import CodemodeError, DiskQuotaExceeded, RequestInvalid, StatementLimit
from codemode.limits import least_of, most_of
from codemode.service.places import changed
from codemode.session import opened

MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT {} AS x FROM n"


def small(worker: Worker, **limits: float) -> Session:
    return worker.session(limits=Limits(**limits))


def test_rows_are_cut_and_said(worker: Worker) -> None:
    session = small(worker, rows=10)
    outcome = session.run(f"rows = helpers.db.query('{MANY.format(50, 'i')}')\n[len(rows), rows.truncated]")
    assert outcome.result == [10, True]
    assert any("pages" in warning for warning in outcome.warnings)


def test_exactly_as_many_rows_as_allowed_are_not_cut(worker: Worker) -> None:
    session = small(worker, rows=10)
    outcome = session.run(f"rows = helpers.db.query('{MANY.format(10, 'i')}')\n[len(rows), rows.truncated]")
    assert (outcome.result, outcome.warnings) == ([10, False], ())


def test_a_byte_cap_cuts_like_the_row_cap(worker: Worker) -> None:
    session = small(worker, result_set_bytes=100_000)
    outcome = session.run(
        f"rows = helpers.db.query('{MANY.format(50, 'hex(zeroblob(5000))')}')\n[len(rows), rows.truncated]"
    )
    assert outcome.result == [9, True]


def test_a_cut_answer_never_cuts_the_change(worker: Worker) -> None:
    session = small(worker, rows=10)
    session.exec("CREATE TABLE t (x)")
    outcome = session.run(f"helpers.db.exec('INSERT INTO t {MANY.format(50, 'i')} RETURNING x')")
    assert outcome.ok, outcome.error
    assert (len(outcome.result["rows"]), outcome.result["changes"], outcome.result["truncated"]) == (10, 50, True)
    assert "cut at 10 rows" in outcome.warnings[0]
    assert session.value("SELECT count(*) FROM t") == 50


def test_a_statement_ends_at_its_time(worker: Worker) -> None:
    session = small(worker, query_seconds=0.3)
    outcome = session.run(f"helpers.db.value('SELECT count(*) FROM ({MANY.format(10**12, 'i')})')")
    assert (outcome.status, outcome.error.code) == ("error", "sql.timeout")
    assert session.value("SELECT 1") == 1


def test_a_row_of_values_that_are_short_enough_may_be_too_long(worker: Worker) -> None:
    session = small(worker, value_bytes=2_000)
    session.exec("CREATE TABLE t (a, b)")
    assert session.value("SELECT length(?)", ["x" * 2_000]) == 2_000
    with pytest.raises(StatementLimit, match=r"or a row of them is longer than it may be here \(2,000 bytes\)"):
        session.exec("INSERT INTO t VALUES (?, ?)", ["x" * 1_000, "y" * 1_000])


def test_a_sort_of_few_long_rows_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codemode.database.temporary.MOST_BYTES", 20_000_000)
    sort = f"SELECT count(*) FROM (SELECT randomblob(500000) AS b FROM ({MANY.format(250, 'i')}) ORDER BY 1)"
    with Worker(data_dir=tmp_path, limits=Limits(database_bytes=1_000_000)) as bounded:
        session = bounded.session("s")
        with pytest.raises(StatementLimit, match="temporary disk space"):
            session.value(f"{sort} WHERE length(b) > 1")


def test_memory_is_bounded(worker: Worker) -> None:
    session = small(worker, memory_bytes=128 * 1024 * 1024)
    outcome = session.run("x = 'x' * 10**9")
    assert outcome.error.code == "code.memory"
    assert session.run("1").result == 1


def test_the_interpreters_own_memory_is_not_near_the_limit(worker: Worker) -> None:
    near = worker.session(limits=Limits(memory_bytes=64 * 1024 * 1024))
    assert small(worker, memory_bytes=28 * 1024 * 1024).run("return 1").warnings == ()
    assert near.run("x = bytearray(40_000_000); x[::4096] = bytes(len(x[::4096]))").warnings == ()
    [warning] = near.run("x = bytearray(67_000_000); x[::4096] = bytes(len(x[::4096]))").warnings
    assert warning.startswith("memory_bytes is near its limit")


def test_helper_calls_are_counted(worker: Worker) -> None:
    session = small(worker, helper_calls=20)
    outcome = session.run("for _ in range(21): helpers.db.value('SELECT 1')")
    assert outcome.error.code == "code.call_limit"
    assert "20" in outcome.error.message


def test_pages_beyond_their_own_count_are_told_by_it(worker: Worker) -> None:
    session = small(worker, helper_calls=2)
    code = "return len([page for page in helpers.db.pages('{}', size=1)])"
    assert session.run(code.format(MANY.format(200, "i"))).result == 200
    outcome = session.run(code.format(MANY.format(201, "i")))
    assert outcome.error.code == "code.call_limit"
    assert outcome.error.message == "more than 200 pages and chunks of batches in one execution"


def test_a_stream_of_records_is_not_many_calls(worker: Worker) -> None:
    session = small(worker, helper_calls=20)
    session.exec("CREATE TABLE t (x)")
    outcome = session.run("helpers.db.batch_insert('t', ({'x': n} for n in range(20_000)))")
    assert outcome.ok, outcome.error


def test_a_result_too_large_to_be_kept_says_what_to_do(worker: Worker) -> None:
    session = small(worker, result_bytes=10_000)
    assert session.run("'x' * 20_000").result_info.handle == "_result_1"
    outcome = session.run("'x' * 70_000_000")
    assert (outcome.ok, outcome.result, outcome.error.code) == (False, None, "code.output_limit")
    assert "table" in outcome.error.hint


def test_output_keeps_head_and_tail(worker: Worker) -> None:
    session = small(worker, stdout_bytes=2_000)
    outcome = session.run("for n in range(5000): print('line', n)")
    assert outcome.ok
    assert outcome.stdout_truncated
    assert outcome.stdout.startswith("line 0\n")
    assert outcome.stdout.endswith("line 4999\n")
    assert len(outcome.stdout) < 2_500


def test_sql_text_is_bounded(worker: Worker) -> None:
    session = small(worker, sql_bytes=1_000)
    outcome = session.run("helpers.db.query('SELECT 1 --' + 'x' * 2000)")
    assert outcome.error.code in {"sql.limit", "sql.refused"}
    assert "1,000" in outcome.error.message


def test_one_value_is_bounded(worker: Worker) -> None:
    session = small(worker, value_bytes=100_000)
    session.exec("CREATE TABLE t (x)")
    outcome = session.run("helpers.db.exec('INSERT INTO t VALUES (?)', ['x' * 200_000])")
    assert outcome.error.code == "sql.limit"


def test_the_database_is_bounded(worker: Worker) -> None:
    session = small(worker, database_bytes=1_000_000)
    session.exec("CREATE TABLE t (x)")
    outcome = session.run("helpers.db.batch_insert('t', ({'x': 'y' * 10_000} for _ in range(200)))")
    assert outcome.error.code == "sql.disk_quota"
    assert session.value("SELECT count(*) FROM t") == 0
    assert session.batch_insert("t", [{"x": 1}])["rows_written"] == 1


def test_state_is_bounded(worker: Worker) -> None:
    session = small(worker, state_bytes=1_000)
    outcome = session.run("helpers.db.save_state('k', 'x' * 2_000)")
    assert outcome.error.code == "sql.limit"
    assert "state_bytes" in outcome.error.message


def test_code_is_bounded(worker: Worker) -> None:
    session = small(worker, code_bytes=100)
    with pytest.raises(RequestInvalid, match="code_bytes"):
        session.run("#" * 200)


def test_a_longer_timeout_is_lowered_and_said(worker: Worker) -> None:
    outcome = small(worker, execution_seconds=5).run("1", timeout=500)
    assert any("lowered to 5 s" in warning for warning in outcome.warnings)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "1", True])
def test_a_timeout_that_is_none_is_invalid(session: Session, timeout: object) -> None:
    with pytest.raises(RequestInvalid, match="timeout"):
        session.run("1", timeout=timeout)


@pytest.mark.parametrize("name", ["limits", "settings"])
@pytest.mark.parametrize("given", [{}, {"rows": 5}, 5])
def test_a_worker_takes_no_dict_for_its_limits_or_settings(name: str, given: Any) -> None:
    with pytest.raises(RequestInvalid, match=f"{name} must be {name.title()}, not {type(given).__name__}"):
        Worker(**{name: given})


@pytest.mark.parametrize(
    ("limits", "code", "told"),
    [
        ({"query_seconds": 0.2}, f"helpers.db.value('SELECT count(*) FROM ({MANY.format(10**12, 'i')})')", "(0.2 s)"),
        (
            {"query_seconds": 0.1},
            (
                "more = ''.join(f', c{n} AS (SELECT 1)' for n in range(1, 20_000))\n"
                "helpers.db.query(f'WITH c0 AS (SELECT 1){more} SELECT 1')"
            ),
            "(0.1 s) to prepare",
        ),
        ({"execution_seconds": 0.2}, "while True: pass", "0.2 s"),
        ({"memory_bytes": 64 << 20}, "x = bytearray(100 << 20)", ""),
        ({"helper_calls": 5}, "for _ in range(6): helpers.db.list_state()", "5 helper calls"),
        ({"sql_bytes": 2_000}, "helpers.db.value('SELECT 1' + ' ' * 2_000)", "(2,000 bytes)"),
        ({"value_bytes": 2_000}, "helpers.db.value('SELECT ?', ['x' * 2_001])", "(2,000 bytes)"),
        ({"state_bytes": 1_000}, "helpers.db.save_state('k', 'x' * 1_000)", "state_bytes is 1,000"),
        (
            {"database_bytes": 100_000},
            "helpers.db.exec('CREATE TABLE t (a)')\nhelpers.db.exec('INSERT INTO t VALUES (zeroblob(200000))')",
            "(100,000 bytes)",
        ),
    ],
)
def test_an_error_names_the_limit_that_was_met_and_its_value(
    worker: Worker, limits: dict[str, Any], code: str, told: str
) -> None:
    error = small(worker, **limits).run(code).error
    assert told in error.message
    (name,) = limits
    assert name.replace("helper_calls", "helper calls") in f"{error.message} {error.hint}"


def test_inputs_and_answers_name_the_limit_of_their_bytes(worker: Worker) -> None:
    session = small(worker, result_set_bytes=100_000)
    with pytest.raises(RequestInvalid, match="result_set_bytes is 100,000"):
        session.run("1", inputs={"text": "x" * 100_000})
    outcome = session.run(f"len(helpers.db.query('{MANY.format(50, 'hex(zeroblob(5000))')}'))")
    assert "cut at 9 rows, by result_set_bytes" in outcome.warnings[0]


def test_limits_only_go_downwards(tmp_path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(rows=50)) as worker:
        assert worker.session("a", limits=Limits(rows=500)).limits.rows == 50
        assert worker.session("b", limits=Limits(rows=5)).limits.rows == 5
        assert worker.session("b").limits.rows == 5, "a session keeps what it lowered"


def test_metrics_of_a_kept_session_have_the_limits_that_were_lowered_since(worker: Worker) -> None:
    kept = worker.session("a")
    before = kept.metrics()["limits"]
    worker.session("a", limits={"rows": 5})
    assert kept.metrics()["limits"] == {**before, "rows": 5}
    assert kept.run("return helpers.db.get_metrics()['limits']['rows']").result == 5


def test_limits_are_lowered_while_an_execution_has_the_session(tmp_path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(queue_seconds=0.05)) as worker:
        session = worker.session("s")
        with worker.registry.turn(("local", "s"), 1.0):
            assert worker.session("s", limits={"rows": 5}).limits.rows == 5
        rows = session.query("SELECT value FROM json_each('[1, 2, 3, 4, 5, 6]')")
        assert (len(rows), rows.truncated) == (5, True)


def test_limits_that_another_process_lowers_hold_from_the_next_use_on(tmp_path) -> None:
    with Worker(data_dir=tmp_path) as worker, Worker(data_dir=tmp_path) as other:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.query("SELECT 1")
        other.session("s", limits=Limits(sql_bytes=2_000))
        for call in (session.exec, session.query):  # by its writer, by its reader
            with pytest.raises(CodemodeError) as refused:
                call(f"SELECT '{'x' * 2_000}'")
            assert refused.value.code == "sql.limit"


RAISED = Limits(rows=100_000, query_seconds=90.0)  # of a worker, above the defaults


@pytest.mark.parametrize(
    ("asked", "rows", "query_seconds"),
    [
        (None, 100_000, 90.0),
        ({}, 100_000, 90.0),
        ({"rows": 10_000}, 10_000, 90.0),
        ({"query_seconds": 5.0}, 100_000, 5.0),
        ({"query_seconds": 5.0, "rows": None}, 100_000, 5.0),
        (Limits(), 10_000, 30.0),
        (Limits(rows=50_000), 50_000, 30.0),
        (Limits(rows=200_000, query_seconds=90.0), 100_000, 90.0),
    ],
    ids=str,
)
def test_what_was_asked_for_holds_below_limits_above_the_defaults(tmp_path, asked, rows, query_seconds) -> None:
    with Worker(data_dir=tmp_path, limits=RAISED) as worker:
        session = worker.session("s", limits=asked)
        assert (session.limits.rows, session.limits.query_seconds) == (rows, query_seconds)
        session.fork("fork")
        worker.backup(tmp_path / "b.zip")
        worker.remove("s")
        worker.restore(tmp_path / "b.zip", "s")
    with Worker(data_dir=tmp_path, limits=RAISED) as worker:
        for kept in ("s", "fork"):
            limits = worker.session(kept).limits
            assert (limits.rows, limits.query_seconds) == (rows, query_seconds)


def test_limits_that_were_not_named_follow_the_worker(tmp_path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("some", limits={"query_seconds": 5.0})
        worker.session("all", limits=Limits(query_seconds=5.0))
    with Worker(data_dir=tmp_path, limits=RAISED) as worker:
        assert [worker.session(each).limits.rows for each in ("some", "all")] == [100_000, 10_000]


def test_records_of_before_are_read_as_they_were_and_changed_by_name(tmp_path) -> None:
    with Worker(data_dir=tmp_path, limits=RAISED) as worker:
        worker.session("s")
        worker.registry.catalog.set_limits("local", "s", {"query_seconds": 5.0}, 86_400_000)
        for change, rows in (({}, 10_000), ({"sql_bytes": 9_000}, 10_000), ({"rows": None}, 100_000)):
            changed(worker, "local", "s", bounds=change)
            limits = worker.session("s").limits
            assert (limits.rows, limits.query_seconds) == (rows, 5.0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rows", 0, "above zero"),
        ("query_seconds", float("nan"), "above zero"),
        ("rows", 2**53 + 1, "at most 9,007,199,254,740,992"),
        ("value_bytes", 3_000_000_000, "at most 1,000,000,000"),
        ("sql_bytes", 2**31, "at most 1,000,000,000"),
        ("idle_seconds", 1e12, "at most 3,155,760,000"),
        ("queue_seconds", float("inf"), "at most 3,155,760,000"),
        ("sql_bytes", 999, "at least 1,000"),
        ("value_bytes", -1, "at least 1,000"),
        ("rows", 1.5, "a whole number, not 1.5"),
        ("database_bytes", 1e9, "a whole number, not 1000000000.0"),
        ("rows", True, "a whole number, not True"),
        ("query_seconds", "5", "seconds, not '5'"),
    ],
)
def test_what_no_limit_can_be_is_refused(name: str, value: Any, words: str) -> None:
    with pytest.raises(RequestInvalid, match=f"{name} must be {words}"):
        Limits(**{name: value})


def test_a_session_works_with_the_highest_limits(tmp_path) -> None:
    highest = Limits(**{name: most_of(name) for name in Limits.__struct_fields__})
    with Worker(data_dir=tmp_path, limits=highest, settings=Settings(children=1)) as worker:
        session = worker.session("s")
        assert session.run("helpers.db.exec('CREATE TABLE t (a)'); return [1]").result == [1]
        session.checkpoint("c")
        assert session.metrics()["expires_at"][:2] == "21" == worker.info("s").expires_at[:2]
        worker.backup(tmp_path / "b.zip")
        assert worker.restore(tmp_path / "b.zip", "s", new_id="again").sessions[0].done == "made"


@pytest.mark.parametrize("name", ["sql_bytes", "value_bytes"])
def test_a_session_works_with_the_lowest_limits_of_sqlite(worker: Worker, name: str) -> None:
    session = small(worker, **{name: least_of(name)})
    assert session.run("helpers.db.exec('CREATE TABLE t (a)'); helpers.db.save_state('k', 1)").ok
    session.checkpoint("c")
    assert session.undo().what == "execution"
    session.restore("c")
    assert (session.get_tables(), len(session.logs()) > 0) == (["t"], True)


@pytest.mark.parametrize("code", ["return None", "return b'abc'", "return {'a': 1}", "return 'x' * 5_000"])
def test_a_result_that_may_have_no_byte_is_kept_elsewhere_or_nothing(worker: Worker, code: str) -> None:
    outcome = small(worker, result_bytes=1).run(code)
    assert outcome.ok, outcome.error


def test_a_record_of_limits_that_none_can_have_any_more_is_read(tmp_path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s")
        worker.registry.catalog.set_limits("local", "s", {"rows": 2**70, "sql_bytes": 30, "query_seconds": 5.0}, 2**52)
        worker.backup(tmp_path / "b.zip")
        worker.restore(tmp_path / "b.zip", "s", new_id="restored")
        changed(worker, "local", "s", bounds={"sql_bytes": 9_000})
        for each in ("s", "restored"):
            limits = worker.session(each).limits
            assert (limits.rows, limits.query_seconds) == (10_000, 5.0)
        assert worker.info("restored").expires_at == "9999-12-31T23:59:59.999Z"


def test_chunks_of_a_batch_fit_into_the_bound_of_a_statement(worker: Worker) -> None:
    session = small(worker, sql_bytes=1_000)
    session.exec("CREATE TABLE t (a, b)")
    outcome = session.run("helpers.db.batch_insert('t', [{'a': n, 'b': n} for n in range(1000)])")
    assert outcome.ok, outcome.error
    assert session.load("u", [("a", "INTEGER")], ((n,) for n in range(1000))) == 1000


@pytest.mark.parametrize("rows", [[(1,), (2, 3, 4)], [(1, 2)] * 600 + [(1, 2, 3), (1,)]])
def test_a_row_of_another_width_is_never_taken_for_its_neighbours_values(session: Session, rows) -> None:
    with pytest.raises(RequestInvalid, match=rf"row {len(rows) - 2} has \d values?, and there are 2 columns"):
        session.load("u", [("a", "INTEGER"), ("b", "INTEGER")], rows)
    assert session.get_tables() == []


def test_a_batch_of_too_many_statements_says_what_to_use(session: Session) -> None:
    outcome = session.run("helpers.db.batch(['SELECT 1'] * 200_000)")
    assert outcome.error.code == "request.invalid"
    assert "batch_insert" in outcome.error.hint


WORTH = [
    ("while True: pass", 0.3, True),  # the cause may pass
    ("helpers.db.query('SELECT bb FROM t')", 30, True),  # the error says what to change
    ("raise ValueError('no')", 30, False),
]


@pytest.mark.parametrize(("code", "timeout", "worth"), WORTH)
def test_an_error_says_whether_trying_again_is_worth_it(table: Session, code: str, timeout: float, worth: bool) -> None:
    assert table.run(code, timeout=timeout).error.retryable is worth


def test_a_session_keeps_no_more_prepared_than_it_may(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_PREPARED_BYTES", 500_000)
    session.exec("CREATE TABLE t (a)")
    large = ", ".join("+".join(f"a * {100 * column + number}" for number in range(50)) for column in range(100))
    session.exec(f"CREATE VIEW v AS SELECT {large} FROM t")
    session.query("SELECT * FROM t")
    place = session._registry.slots.find(session._key)
    assert place.opened is not None
    session.query("SELECT * FROM v")
    assert place.opened is None
    session.query("SELECT * FROM t", read_only=True)
    reader = session._registry.slots.find(session._key).reader
    assert not reader.closed
    session.query("SELECT * FROM v", read_only=True)
    assert reader.closed
    assert session.query("SELECT count(*) AS n FROM v", read_only=True) == [{"n": 0}]
    assert session.run("helpers.db.query('SELECT * FROM v')").ok
    assert session.value("SELECT count(*) FROM t") == 0


def test_a_reader_that_stays_lets_the_log_grow_to_its_bound(worker: Worker) -> None:
    session = worker.session(limits=Limits(database_bytes=1_000_000))
    session.exec("CREATE TABLE t AS SELECT zeroblob(400000) AS a UNION ALL SELECT 1")
    pages = session.pages("SELECT a FROM t", size=1)
    next(pages)
    change = "UPDATE t SET a = zeroblob(400000 + ?) WHERE rowid = 1"
    for number in range(3):
        session.exec(change, [number])
    with pytest.raises(DiskQuotaExceeded, match="write-ahead log"):
        all(session.exec(change, [number]) for number in range(20))
    log = Path(session._registry.files(session._key).database).with_name("session.db-wal")
    assert log.stat().st_size < 3_500_000
    outcome = session.run("helpers.db.exec('DELETE FROM t')")
    assert (outcome.error.code, outcome.db.committed) == ("sql.disk_quota", False)
    assert session.value("SELECT count(*) FROM t") == 2
    pages.close()
    session.exec(change, [1])
    session.exec(change, [2])
    assert log.stat().st_size < 3_500_000


def test_triggers_that_set_off_one_another_go_ten_deep_where_each_is_another(worker: Worker) -> None:
    session = worker.session()
    for n in range(12):
        session.exec(f"CREATE TABLE t{n} (a)")
    for n in range(11):
        session.exec(f"CREATE TRIGGER g{n} AFTER INSERT ON t{n} BEGIN INSERT INTO t{n + 1} VALUES (new.a); END")
    session.exec("INSERT INTO t1 VALUES (1)")
    assert session.value("SELECT count(*) FROM t11") == 1
    with pytest.raises(StatementLimit, match="different ones 10"):
        session.exec("INSERT INTO t0 VALUES (1)")
