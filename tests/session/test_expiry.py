"""Expiry by inactivity: refused at once, removed by the sweep, never silently empty."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from patience import soon

from codemode import Limits, Session, Settings, Worker
from codemode.catalog.sessions import REMEMBER_MS
from codemode.database.clock import now_ms
from codemode.errors import SessionExpired, SessionNotFound

SHORT = Limits(idle_seconds=0.01)


def shorten(worker: Worker, name: str) -> None:
    """Have a session expire a moment after its last use, whose data was made in peace."""
    worker.session(name, limits=SHORT)
    time.sleep(0.03)


def directories(data_dir: Path) -> list[Path]:
    return list((data_dir / "sessions").iterdir())


def test_an_expired_session_says_so_until_it_is_renewed(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.save_state("k", 1)
        shorten(worker, "s")
        with pytest.raises(SessionExpired, match="renew"):
            session.value("SELECT 1")
        with pytest.raises(SessionExpired):
            worker.session("s")
        assert worker.info("s").state == "expired"
        assert directories(tmp_path) == [], "its database, log and spills went together"
        renewed = worker.session("s", limits=Limits(idle_seconds=60), renew=True)
        assert (renewed.get_tables(), renewed.list_state()) == ([], [])
        assert len(renewed.logs()) <= 1


def test_when_a_session_expired_is_told_alike_before_and_after_it_was_swept(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s")
        shorten(worker, "s")
        told = []
        for _ in range(2):  # the first of them sweeps it
            with pytest.raises(SessionExpired) as failed:
                worker.session("s")
            told.append(failed.value.message)
            time.sleep(0.01)
        assert told == [f"session s expired {worker.info('s').expires_at}; its data is gone"] * 2


def test_who_names_no_session_gets_one_that_nobody_else_has() -> None:
    """The original had one default session, which everybody shared."""
    with Worker() as worker:
        first, second = worker.session(), worker.session()
        first.exec("CREATE TABLE mine (a)")
        assert first.id != second.id
        assert second.get_tables() == []


USES: dict[str, Callable[[Session, Path], object]] = {
    "a turn": lambda session, _: session.value("SELECT 1"),
    "a query beside it": lambda session, _: session.query("SELECT 1", read_only=True),
    "pages": lambda session, _: list(session.pages("SELECT 1")),
    "an export of rows": lambda session, path: session.export("SELECT 1", path / "rows.csv", force=True),
    "an export of all": lambda session, path: session.export_file(path / "all.db", force=True),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_use_keeps_a_session_alive(
    tmp_path: Path, set_clock: Callable[..., None], use: Callable[[Session, Path], object]
) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s", limits=Limits(idle_seconds=1_000))
        for tenth in range(6):
            set_clock(wall=tenth * 600, boot=tenth * 600)
            use(session, tmp_path)
            assert worker.sweep() == []


def test_the_sweeper_removes_what_is_over_and_only_that(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(sweep_seconds=0.1)) as worker:
        for name in ("old", "pinned", "young"):
            worker.session(name).exec("CREATE TABLE t (x)")
        worker.pin("pinned")
        shorten(worker, "pinned")
        shorten(worker, "old")
        assert soon(lambda: len(directories(tmp_path)) == 2)
        assert {info.id: info.state for info in worker.sessions()} == {
            "old": "expired",
            "pinned": "active",
            "young": "active",
        }
        assert worker.session("pinned").get_tables() == ["t"]
        assert worker.info("pinned").expires_at is None


def test_a_session_in_use_is_not_swept(tmp_path: Path, set_clock: Callable[..., None]) -> None:
    with Worker(data_dir=tmp_path) as worker:

        def long_after() -> list[str]:
            set_clock(wall=10_000, boot=10_000)
            return worker.sweep()

        session = worker.session("s", limits=Limits(idle_seconds=1_000))
        session.exec("CREATE TABLE t (x)")
        worker.session("idle", limits=Limits(idle_seconds=1_000))
        code = "swept = helpers.host.long_after()\nhelpers.db.exec('INSERT INTO t VALUES (1)')\nreturn swept"
        outcome = session.run(code, functions={"long_after": long_after})
        assert outcome.ok, outcome.error
        assert outcome.result == ["idle"]
        assert session.value("SELECT count(*) FROM t") == 1


def test_sweep_answers_which_sessions_ended(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("a")
        worker.session("b")
        assert worker.sweep() == []
        shorten(worker, "a")
        assert worker.sweep() == ["a"]
        assert worker.sweep() == []


def test_of_workers_that_sweep_at_once_one_tells_that_a_session_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="codemode")
    with Worker(data_dir=tmp_path) as worker, Worker(data_dir=tmp_path) as other:
        shorten(worker, "s")
        over = other.registry.catalog.over(now_ms())
        monkeypatch.setattr(other.registry.catalog, "over", lambda now: over)  # both look before one of them ends it
        assert (worker.sweep(), other.sweep()) == (["s"], [])
    assert [record.message for record in caplog.records] == ["session s expired and was removed"]


def test_a_session_that_expires_at_its_next_use_is_on_the_log_as_one_that_is_swept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="codemode")
    with Worker(data_dir=tmp_path) as worker:
        shorten(worker, "s")
        with pytest.raises(SessionExpired):
            worker.session("s")
        assert worker.sweep() == []
    assert [record.message for record in caplog.records] == ["session s expired and was removed"]


def test_an_expired_id_is_forgotten_after_its_days(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s")
        worker.registry.catalog.file.run("UPDATE sessions SET last_activity = 0")
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
        assert not worker.registry.ending.expire(record)
        (tmp_path / "aside").rename(directory)
        assert session.value("SELECT 1") == 1
