"""Expiry by inactivity: refused at once, removed by the sweep, never silently empty."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from codemode import Limits, Settings, Worker
from codemode.catalog.sessions import REMEMBER_MS
from codemode.database.clock import now_ms
from codemode.errors import SessionExpired, SessionNotFound

SHORT = Limits(idle_seconds=0.4)


def directories(data_dir: Path) -> list[Path]:
    return list((data_dir / "sessions").iterdir())


def test_an_expired_session_says_so_until_it_is_renewed(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s", limits=SHORT)
        session.exec("CREATE TABLE t (x)")
        session.save_state("k", 1)
        time.sleep(0.6)
        with pytest.raises(SessionExpired, match="renew"):
            session.value("SELECT 1")
        with pytest.raises(SessionExpired):
            worker.session("s")
        assert worker.info("s").state == "expired"
        assert directories(tmp_path) == [], "its database, log and spills went together"
        renewed = worker.session("s", renew=True)
        assert (renewed.get_tables(), renewed.list_state()) == ([], [])
        assert len(renewed.logs()) <= 1


def test_who_names_no_session_gets_one_that_nobody_else_has() -> None:
    """The original had one default session, which everybody shared."""
    with Worker() as worker:
        first, second = worker.session(), worker.session()
        first.exec("CREATE TABLE mine (a)")
        assert first.id != second.id
        assert second.get_tables() == []


def test_use_keeps_a_session_alive(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s", limits=Limits(idle_seconds=1.0))
        for _ in range(6):
            time.sleep(0.3)
            assert session.value("SELECT 1") == 1


def test_the_sweeper_removes_what_is_over_and_only_that(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(sweep_seconds=0.1)) as worker:
        worker.session("old", limits=SHORT).exec("CREATE TABLE t (x)")
        worker.session("pinned", limits=SHORT).exec("CREATE TABLE t (x)")
        worker.session("young").exec("CREATE TABLE t (x)")
        worker.pin("pinned")
        until = time.monotonic() + 10
        while len(directories(tmp_path)) > 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert {info.id: info.state for info in worker.sessions()} == {
            "old": "expired",
            "pinned": "active",
            "young": "active",
        }
        assert worker.session("pinned").get_tables() == ["t"]
        assert worker.info("pinned").expires_at is None


def test_a_session_in_use_is_not_swept(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session().run("1")  # starting the sandbox may take longer than the session lives
        session = worker.session("s", limits=Limits(idle_seconds=0.3))
        session.exec("CREATE TABLE t (x)")
        outcome = session.run(
            "import time\ntime.sleep(0.2)\nhelpers.db.exec('INSERT INTO t VALUES (1)')\ntime.sleep(0.6)"
        )
        assert outcome.ok, outcome.error
        assert session.value("SELECT count(*) FROM t") == 1


def test_sweep_answers_which_sessions_ended(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("a", limits=SHORT)
        worker.session("b")
        assert worker.sweep() == []
        time.sleep(0.6)
        assert worker.sweep() == ["a"]
        assert worker.sweep() == []


def test_an_expired_id_is_forgotten_after_its_days(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s")
        worker.registry.catalog.expire("local", "s", now_ms() - REMEMBER_MS + 60_000)
        worker.sweep()
        assert worker.info("s").state == "expired"
        worker.registry.catalog.file.run("UPDATE sessions SET expired_at = ?1", now_ms() - REMEMBER_MS - 1)
        worker.sweep()
        with pytest.raises(SessionNotFound):
            worker.info("s")


def test_a_clock_set_back_never_shortens_a_life(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s")
        before = worker.registry.catalog.get("local", "s").last_activity
        worker.registry.catalog.touch("local", "s", before - 10**9)
        assert worker.registry.catalog.get("local", "s").last_activity == before


def test_only_so_many_sessions_are_open(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(open_sessions=3)) as worker:
        sessions = [worker.session(f"s{n}") for n in range(8)]
        for number, session in enumerate(sessions):
            session.exec(f"CREATE TABLE t{number} (x)")
        assert len(worker.registry.slots) <= 3
        for number, session in enumerate(sessions):
            assert session.get_tables() == [f"t{number}"]


def test_without_a_directory_everything_goes_with_the_worker() -> None:
    with Worker() as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        place = worker.data_dir
        assert place.exists()
    assert not place.exists()


def test_a_session_that_is_being_made_is_never_expired_for_its_missing_directory(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        record = worker.registry.catalog.get("local", session.id)
        assert record is not None
        (directory,) = directories(tmp_path)
        directory.rename(tmp_path / "aside")  # as between two steps of another worker's removal
        assert not worker.registry.expire(record)
        (tmp_path / "aside").rename(directory)
        assert session.value("SELECT 1") == 1
