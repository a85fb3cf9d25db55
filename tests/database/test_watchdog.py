"""The watchdog ends what the progress handler reaches too late, and leaves alone what ended in time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from codemode.database.connection import open_session
from codemode.database.watchdog import Watchdog, watchdog
from codemode.limits import Limits

ENDLESS = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s) SELECT sum(i) FROM s"
SLOW_ROWS = """
    WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s),
        long AS MATERIALIZED (SELECT replace(hex(zeroblob(990000)), '0', 'a') AS x)
    SELECT sum(x LIKE ?) FROM s, long
"""


@contextmanager
def interrupting(connection: apsw.Connection, at: float) -> Iterator[None]:
    number = watchdog.watch(connection, at)
    try:
        yield
    finally:
        watchdog.forget(number)


def test_rows_of_slow_functions_end_soon_after_their_time(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits())
    used = time.thread_time()  # of this thread alone: a busy machine takes its time
    with pytest.raises(apsw.InterruptError), interrupting(connection, time.monotonic() + 0.5):
        connection.execute(SLOW_ROWS, ("%" + "a" * 240 + "b%",)).fetchall()
    assert time.thread_time() - used < 2.5
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.close()


def test_where_no_thread_can_be_had_the_next_statement_has_one_started(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, interrupted = Watchdog(), threading.Event()
    connection = SimpleNamespace(interrupt=interrupted.set)
    with monkeypatch.context() as patched:
        patched.setattr("threading.Thread.start", _no_thread)
        with pytest.raises(RuntimeError):
            fresh.watch(connection, 0.0)
    number = fresh.watch(connection, 0.0)
    assert interrupted.wait(10)
    fresh.forget(number)


def _no_thread(_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_a_statement_that_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits())
    for seconds in (0.05, 0.5, 5.0):  # more where a busy machine leaves it too little
        at = time.monotonic() + seconds
        try:
            with interrupting(connection, at):
                assert connection.execute("SELECT 1").fetchall() == [(1,)]
            break
        except apsw.InterruptError:
            assert time.monotonic() >= at
    else:
        pytest.fail("no statement ends in time")
    time.sleep(seconds + 0.1)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchall() == [(0,)]
    connection.close()


def test_each_connection_has_its_own_time(tmp_path: Path) -> None:
    late, soon = (open_session(tmp_path / name, Limits()) for name in ("late.db", "soon.db"))
    now = time.monotonic()
    with interrupting(late, now + 60):
        used = time.thread_time()
        with pytest.raises(apsw.InterruptError), interrupting(soon, now + 0.1):
            soon.execute(ENDLESS).fetchall()
        assert time.thread_time() - used < 2
        assert late.execute("SELECT 2").fetchall() == [(2,)]
    late.close()
    soon.close()


def test_a_connection_closed_under_it_does_no_harm(tmp_path: Path) -> None:
    closed = open_session(tmp_path / "closed.db", Limits())
    with interrupting(closed, time.monotonic() + 0.05):
        closed.close()
        time.sleep(0.15)
    connection = open_session(tmp_path / "session.db", Limits())
    with pytest.raises(apsw.InterruptError), interrupting(connection, time.monotonic() + 0.05):
        connection.execute(ENDLESS).fetchall()
    connection.close()


def test_a_forked_process_has_a_watchdog_of_its_own(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits())
    with interrupting(connection, time.monotonic() + 0.01):
        time.sleep(0.05)  # the thread runs from here on
    connection.close()
    child = os.fork()
    if child == 0:  # a thread is not copied by a fork
        ended = 1
        try:
            own = open_session(tmp_path / "child.db", Limits())
            with suppress(apsw.InterruptError), interrupting(own, time.monotonic() + 0.1):
                own.execute(ENDLESS.replace("FROM s)", "FROM s LIMIT 300000000)")).fetchall()
                os._exit(2)  # it ran to its end
            ended = 0
        finally:
            os._exit(ended)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
