"""One statement under its caps: rows, bytes, names, counters, time."""

from __future__ import annotations

import itertools
import time

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.database.execute import Deadline, Meter, run, unique_names
from codemode.database.taking import row_bytes, take_columns, take_rows

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) SELECT i FROM n"


@pytest.fixture
def connection() -> apsw.Connection:
    return apsw.Connection(":memory:")


@given(st.lists(st.sampled_from(["id", "id_2", "id_3", "name", "ID"]), max_size=8))
def test_names_become_unique_and_first_ones_stay(columns: list[str]) -> None:
    names = unique_names(tuple(columns))
    assert len(set(names)) == len(names) == len(columns)
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        if column not in columns[:number]:
            assert name == column


@given(st.integers(0, 60), st.integers(1, 40))
def test_rows_are_cut_exactly(have: int, most: int) -> None:
    rows, truncated = take_rows(iter([(n,) for n in range(have)]), most, 10**9)
    assert rows == [(n,) for n in range(min(have, most))]
    assert truncated is (have > most)


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 3000))
def test_bytes_are_cut_at_a_row(sizes: list[int], most: int) -> None:
    source = [("x" * size,) for size in sizes]
    rows, truncated = take_rows(iter(source), 10**6, most)
    assert rows == source[: len(rows)]
    assert sum(map(row_bytes, rows)) <= most
    assert truncated is (len(rows) < len(source))
    if truncated:
        assert sum(map(row_bytes, source[: len(rows) + 1])) > most


cells = st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.binary(max_size=9)


@given(st.lists(st.tuples(cells, cells), max_size=40), st.integers(1, 12), st.integers(1, 400), st.booleans())
def test_nothing_is_lost_between_what_is_kept_and_what_is_taken(
    source: list[tuple[object, object]], most: int, most_bytes: int, at_least_one: bool
) -> None:
    left = iter(source)
    columns, rest = take_columns(left, most, most_bytes, at_least_one=at_least_one)
    rows = list(zip(*columns, strict=True))
    assert [*rows, *rest, *left] == source
    assert len(rows) <= most
    assert sum(map(row_bytes, rows)) <= most_bytes or (at_least_one and len(rows) == 1)
    if rest:
        assert len(rows) == most or sum(map(row_bytes, [*rows, rest[0]])) > most_bytes
    assert len(rows) >= (at_least_one and bool(source))


def test_wide_rows_that_follow_narrow_ones_are_not_taken_by_hundreds() -> None:
    rows = iter([(1, "", "", "", "")] * 3_000 + [(1, *["x" * 100_000] * 4)] * 3_000)
    columns, rest = take_columns(rows, 10_000, 1_000_000)
    assert len(columns[0]) in range(3_000, 3_003)
    assert len(rest) <= 512 // 5


def test_a_statement_without_rows_still_has_its_columns(connection: apsw.Connection) -> None:
    result = run(connection, "SELECT 1 AS one, 2 AS two WHERE 0", (), rows=10, result_bytes=1000)
    assert (result.columns, result.rows, result.truncated) == (("one", "two"), [], False)


def test_changes_are_those_of_this_statement(connection: apsw.Connection) -> None:
    def changes(sql: str) -> int:
        return run(connection, sql, (), rows=10, result_bytes=1000).changes

    assert changes("CREATE TABLE t (x)") == 0
    assert changes("INSERT INTO t VALUES (1), (2), (3)") == 3
    assert changes("SELECT * FROM t") == 0
    assert changes("CREATE INDEX i ON t (x)") == 0
    assert changes("UPDATE t SET x = 0 WHERE x > 5") == 0
    assert changes("DELETE FROM t WHERE x > 1") == 2


def test_a_cut_returning_changes_everything(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE t (x)")
    result = run(connection, f"INSERT INTO t {NUMBERS.format(100)} RETURNING x", (), rows=5, result_bytes=10**6)
    assert (len(result.rows), result.truncated, result.changes) == (5, True, 100)
    assert connection.execute("SELECT count(*) FROM t").get == 100


def test_a_statement_ends_at_its_deadline_and_the_next_works(connection: apsw.Connection) -> None:
    deadline = Deadline(connection)
    started = time.monotonic()
    with pytest.raises(apsw.InterruptError), deadline.until(started + 0.2):
        run(connection, f"SELECT count(*) FROM ({NUMBERS.format(10**12)})", (), rows=1, result_bytes=100)
    assert time.monotonic() - started < 10
    assert run(connection, "SELECT 1", (), rows=1, result_bytes=100).rows == [(1,)]


def test_an_inner_deadline_never_outlasts_the_outer_one(connection: apsw.Connection) -> None:
    deadline = Deadline(connection)
    with (
        deadline.until(time.monotonic() + 0.1),
        pytest.raises(apsw.InterruptError),
        deadline.until(time.monotonic() + 60),
    ):
        run(connection, f"SELECT count(*) FROM ({NUMBERS.format(10**12)})", (), rows=1, result_bytes=100)


def test_the_meter_counts_only_while_it_is_on(connection: apsw.Connection) -> None:
    connection.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, 1_000_000)  # below that of values, as in a session
    meter = Meter(connection)
    connection.execute("CREATE TABLE t (x)")
    connection.execute(f"INSERT INTO t {NUMBERS.format(100)}")
    assert meter.take().vm_steps == 0
    with meter.counting():
        run(connection, "SELECT * FROM t ORDER BY x", (), rows=1000, result_bytes=10**6)
    cost = meter.take()
    assert cost.scan_steps == 99
    assert cost.sorts == 1
    assert cost.vm_steps > 100
    assert meter.take().vm_steps == 0


@pytest.mark.parametrize("kept", [0, 100])  # statements that stay prepared: none, so that others take their places
def test_what_triggers_run_is_counted_once(kept: int) -> None:
    metered, raw = (apsw.Connection(":memory:", statementcachesize=kept) for _ in range(2))
    metered.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, 1_000_000)
    meter, told = Meter(metered), []
    # No statement runs inside another one here, so that SQLite's counters of each are what it cost.
    raw.trace_v2(apsw.SQLITE_TRACE_PROFILE, lambda event: told.append(event["stmt_status"]))
    for connection in (metered, raw):
        connection.execute("CREATE TABLE t (x); CREATE TABLE log (x);")
        connection.execute("CREATE TRIGGER told AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.x); END")
    for name, rows in itertools.product(("t", "main.t"), (500, 1, 2, 3, 1, 900, 1)):
        inserted = f"INSERT INTO {name} {NUMBERS.format('?')}"
        for sql, params in ((inserted, (rows,)), (f"SELECT * FROM {name} ORDER BY x", ())):
            with meter.counting():
                run(metered, sql, params, rows=10_000, result_bytes=10**6)
            run(raw, sql, params, rows=10_000, result_bytes=10**6)
            cost, counters = meter.take(), told[-1]
            names = ("FULLSCAN_STEP", "VM_STEP", "SORT")
            assert [cost.scan_steps, cost.vm_steps, cost.sorts] == [counters[f"SQLITE_STMTSTATUS_{n}"] for n in names]
