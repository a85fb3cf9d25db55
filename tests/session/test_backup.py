"""Backups: each session as of one moment while it is written to, read back before the file has its name."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import apsw
import pytest
from patience import HANG_SECONDS, soon

from codemode import Session, Worker
from codemode.errors import BackupDamaged, RequestInvalid, SessionBusy, SessionExpired, SessionNotFound, StorageFull
from codemode.limits import Limits
from codemode.session import turn
from codemode.session.archive import ArchiveReader, Manifest
from codemode.session.turn import file_lock, moments_lock

WRITER = """
import sys
from codemode import Worker
with Worker(data_dir=sys.argv[1]) as worker:
    session = worker.session("s")
    for n in range(1, 10**9):
        code = f'''
helpers.db.exec("INSERT INTO before VALUES ({n})")
helpers.db.save_state("n", {n})
helpers.db.exec("INSERT INTO after VALUES ({n})")
'''
        assert session.run(code).ok
        print(n, flush=True)
"""


def manifest(path: Path) -> Manifest:
    with ArchiveReader(path) as reader:
        return reader.manifest


def extracted(path: Path, place: Path) -> dict[str, Path]:
    """The databases of a backup of one session, by their last names."""
    place.mkdir()
    with ArchiveReader(path) as reader:
        copy = reader.manifest.sessions[0]
        reader.extract(copy.database, place / "session.db", lambda size: None)
        reader.extract(copy.log, place / "log.db", lambda size: None)
        if reader.manifest.records is not None:
            reader.extract(reader.manifest.records, place / "records.db", lambda size: None)
    return {each.name: each for each in place.iterdir()}


def rows(path: Path, sql: str) -> list[Any]:
    connection = apsw.Connection(str(path))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_copies_hold_what_executions_left_while_another_process_writes(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        session = worker.session("s")
        session.script("CREATE TABLE before (n); CREATE TABLE after (n)")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "data"], stdout=subprocess.PIPE)
    seen: list[int] = []
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        with Worker(data_dir=tmp_path / "data") as worker:
            for number in range(8):
                made = worker.backup(tmp_path / f"{number}.zip", "s")
                assert (made.sessions, made.left_out) == (1, ())
                seen.append(newest_of(tmp_path / f"{number}.zip", tmp_path / str(number)))
                # Lines wait in the pipe: the writer has gone on when it tells of one that the copy does not hold.
                while int(writer.stdout.readline()) <= seen[-1]:
                    pass
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert sorted(set(seen)) == seen, "each holds more than the one before"


def newest_of(archive: Path, place: Path) -> int:
    """The newest number in a copy that holds what an execution left, all of it and nothing else."""
    assert manifest(archive).sessions[0].between_executions
    files = extracted(archive, place)
    [(count, newest)] = rows(files["session.db"], "SELECT count(*), max(n) FROM before")
    assert rows(files["session.db"], "SELECT count(*), max(n) FROM after") == [(count, newest)]
    assert rows(files["session.db"], "SELECT value FROM session_state") == [(str(newest),)]
    assert count == newest
    assert rows(files["log.db"], "SELECT count(*) FROM execution_logs WHERE kind = 'execution'") == [(count,)]
    return int(newest)


def test_a_running_execution_is_waited_for_but_not_for_ever(session: Session, worker: Worker, tmp_path: Path) -> None:
    session.exec("CREATE TABLE t (x)")
    printed = threading.Event()
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nimport time\ntime.sleep(1)"
    running = threading.Thread(target=session.run, args=(code,), kwargs={"on_output": lambda text: printed.set()})
    running.start()
    assert printed.wait(HANG_SECONDS)
    worker.backup(tmp_path / "waited.zip", session.id)
    running.join()
    assert manifest(tmp_path / "waited.zip").sessions[0].between_executions
    assert rows(extracted(tmp_path / "waited.zip", tmp_path / "w")["session.db"], "SELECT x FROM t") == [(1,)]


def test_a_session_that_stays_busy_is_copied_as_it_was_committed(
    session: Session, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codemode.session.snapshots.LOCK_SECONDS", 0.05)
    session.exec("CREATE TABLE t (x)")
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nimport time\ntime.sleep(30)"
    printed = threading.Event()
    running = threading.Thread(target=session.run, args=(code,), kwargs={"on_output": lambda text: printed.set()})
    running.start()
    try:
        assert printed.wait(HANG_SECONDS)
        made = worker.backup(tmp_path / "busy.zip", session.id)
    finally:
        session.cancel()
        running.join()
    assert "log may be behind" in made.notes[0]
    assert not manifest(tmp_path / "busy.zip").sessions[0].between_executions
    assert rows(extracted(tmp_path / "busy.zip", tmp_path / "b")["session.db"], "SELECT x FROM t") == []


def test_what_a_backup_holds(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("a").checkpoint("first")
        worker.session("b", tenant="local")
        secret, _ = worker.create_token("other")
        worker.session("c", tenant="other", owner="ada", stateful=True)
        everything = worker.backup(tmp_path / "all.zip")
        assert worker.backup(tmp_path / "local.zip", tenant="local").sessions == 2
        assert worker.backup(tmp_path / "a.zip", "a").sessions == 1
        assert worker.backup(tmp_path / "c.zip", "c", tenant="other").sessions == 1
    assert (everything.sessions, everything.left_out, everything.notes) == (3, (), ())
    assert stat.S_IMODE((tmp_path / "all.zip").stat().st_mode) == 0o600
    found = {copy.id: copy for copy in manifest(tmp_path / "all.zip").sessions}
    assert [each.name for each in found["a"].checkpoints] == ["first"]
    assert (found["c"].tenant, found["c"].owner, found["c"].stateful) == ("other", "ada", True)
    assert manifest(tmp_path / "local.zip").catalog is None, "tokens of others are not a tenant's"
    records = extracted(tmp_path / "c.zip", tmp_path / "c")["records.db"]
    for table, expected in (("sessions", [("c",)]), ("tokens", []), ("audit", [])):
        assert rows(records, f"SELECT id FROM {table}") == expected
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert not any(secret.encode() in archive.read(name) for name in archive.namelist())
        assert not any("undo" in name or "-wal" in name for name in archive.namelist())
        assert archive.infolist()[-1].filename == "manifest.json"


def test_a_backup_is_no_use_of_a_session(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        before, logged = worker.info("s"), len(worker.session("s").logs())
        time.sleep(0.01)
        worker.backup(tmp_path / "s.zip", "s")
        assert worker.info("s").last_activity == before.last_activity
        assert len(worker.session("s").logs()) == logged


def test_a_damaged_session_is_told_of_and_the_rest_goes_on(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        for name in ("broken", "gone", "nolog", "sound", "torn"):
            session = worker.session(name)
            session.exec("CREATE TABLE t (x)")
            session.batch_insert("t", [{"x": "y" * 500} for _ in range(200)])
            session.checkpoint("c")
            files = {name: worker.registry.files(("local", name)) for name in ("broken", "gone", "nolog", "torn")}
    files["broken"].database.write_bytes(b"\0garbage" * 1000)
    files["gone"].database.unlink()
    files["nolog"].log.write_bytes(b"\0garbage" * 1000)
    [checkpoint] = files["nolog"].checkpoints.glob("*.db")
    checkpoint.write_bytes(b"\0garbage" * 1000)
    page = bytearray(files["torn"].database.read_bytes())
    page[-4096:] = b"\xff" * 4096
    files["torn"].database.write_bytes(page)
    with Worker(data_dir=tmp_path / "data") as worker:
        made = worker.backup(tmp_path / "all.zip")
        assert not made.complete
        assert {(each.id, each.code) for each in made.left_out} == {
            ("broken", "session.damaged"), ("gone", "session.damaged"), ("torn", "session.damaged"),
        }  # fmt: skip
        assert [note.partition(":")[0] for note in made.notes] == ["nolog", "nolog"]
        assert {copy.id for copy in manifest(tmp_path / "all.zip").sessions} == {"nolog", "sound"}
        with pytest.raises(Exception, match=r"damaged|cannot be read"):
            worker.backup(tmp_path / "one.zip", "broken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "data"]


def test_a_session_that_goes_meanwhile_is_noted(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        for name in ("a", "b", "c"):
            worker.session(name)
        removed = []

        def progress(done: int, total: int) -> None:
            if done and not removed:
                removed.append(worker.remove("b"))

        made = worker.backup(tmp_path / "all.zip", progress=progress)
    assert [(each.id, each.code) for each in made.left_out] == [("b", "session.not_found")]
    assert made.complete


def test_what_cannot_be_backed_up_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data", limits=Limits(idle_seconds=0.001)) as worker:
        worker.session("old")
        time.sleep(0.01)
        with pytest.raises(SessionExpired):
            worker.backup(tmp_path / "x.zip", "old")
        with pytest.raises(SessionNotFound):
            worker.backup(tmp_path / "x.zip", "none")
        with pytest.raises(RequestInvalid, match="not a session id"):
            worker.backup(tmp_path / "x.zip", "../x")
        with pytest.raises(RequestInvalid, match="no such directory"):
            worker.backup(tmp_path / "none" / "x.zip")
        with pytest.raises(RequestInvalid, match="too long"):
            worker.backup(tmp_path / ("x" * 300))
        (tmp_path / "there.zip").write_text("mine")
        with pytest.raises(RequestInvalid, match="exists"):
            worker.backup(tmp_path / "there.zip")
    assert (tmp_path / "there.zip").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "there.zip"]


class _Interrupt(Exception):
    pass


def test_one_that_is_given_up_leaves_nothing(table: Session, worker: Worker, tmp_path: Path) -> None:
    calls = 0

    def count(done: int, total: int) -> None:
        nonlocal calls
        calls += 1

    worker.backup(tmp_path / "whole.zip", table.id, progress=count)
    for at in range(1, calls + 1):
        left = at

        def stop(done: int, total: int) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise _Interrupt

        with pytest.raises(_Interrupt):
            worker.backup(tmp_path / "x.zip", table.id, progress=stop)
        assert [path.name for path in tmp_path.iterdir()] == ["whole.zip"]


def test_what_is_not_read_back_as_it_was_written_gets_no_name(
    table: Session, worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codemode.session.archive import ArchiveWriter

    finish = ArchiveWriter.finish

    def fail(self: ArchiveWriter, told: Manifest) -> None:
        finish(self, told)
        self._file.seek(200)
        self._file.write(b"\0\0\0\0")
        self._file.flush()

    monkeypatch.setattr(ArchiveWriter, "finish", fail)
    with pytest.raises(BackupDamaged):
        worker.backup(tmp_path / "x.zip", table.id)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What was left where a backup, a restore of what is not there and one of what is were killed, at many steps."""
    place = tmp_path_factory.mktemp("killed")
    with Worker(data_dir=place / "template") as worker:
        session = worker.session("s")
        session.script("CREATE TABLE t (a); CREATE TABLE u (b)")
        session.batch_insert("t", [{"a": 1} for _ in range(3000)])
        session.save_state("k", "then")
        session.checkpoint("c")
        worker.backup(place / "all.zip")
        session.script("DELETE FROM t; INSERT INTO u VALUES (1), (2)")
        session.save_state("k", "now")
    script = [sys.executable, Path(__file__).with_name("kill_steps.py"), place / "template", place / "work", "15"]
    done = subprocess.run([str(each) for each in script], capture_output=True, check=True, timeout=500)
    return [json.loads(line) for line in done.stdout.splitlines()]


THEN = ({"t": 3000, "u": 0}, "then")
NOW = ({"t": None, "u": 2}, "now")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "before", "after", "again"),
    [("new", None, THEN, ("made", "replaced")), ("live", NOW, THEN, ("replaced",))],
)
def test_a_restore_that_is_killed_leaves_the_old_or_the_new(
    killed: list[dict[str, Any]], case: str, before: Any, after: Any, again: tuple[str, ...]
) -> None:
    found = [each for each in killed if each["case"] == case and "at" in each]
    assert sum(each["killed"] for each in found) > 10
    states = []
    for each in found:
        assert each["stages"] == 0, "what was prepared is swept"
        state = (each["rows"], each["state"]) if "rows" in each else None
        assert state in (before, after), each
        assert each.get("check", 1) == 1
        assert each["again"] in again
        states.append(state == after)
    assert states == sorted(states), "from one step on it is the new one"
    assert {True, False} == set(states)


@pytest.mark.slow
def test_a_backup_that_is_killed_has_no_name_or_is_whole(killed: list[dict[str, Any]]) -> None:
    found = [each for each in killed if each["case"] == "backup" and "at" in each]
    assert {each["target"] for each in found} == {False, "whole"}
    assert all((each["rows"], each["state"]) == NOW for each in found)


def test_the_moment_between_two_turns_is_found_however_short_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    stop = threading.Event()
    turns: list[None] = []

    def hog() -> None:
        while not stop.is_set():
            with file_lock(path, HANG_SECONDS):
                turns.append(None)
                time.sleep(0.005)
            os.sched_yield()  # no moment where the processor is free; where it is not, the other one's turn to run

    hogging = threading.Thread(target=hog)
    hogging.start()
    missed = 0
    try:
        for _ in range(10):
            before = len(turns)
            assert soon(lambda before=before: len(turns) > before)
            before = len(turns)
            with moments_lock(path, HANG_SECONDS):
                missed += len(turns) - before
        assert missed < 50  # who polls every 10 ms finds one moment of 200
        with file_lock(path, HANG_SECONDS), pytest.raises(SessionBusy), moments_lock(path, 0.05):
            pass
    finally:
        stop.set()
        hogging.join()
    with file_lock(path, HANG_SECONDS):
        pass  # whoever gave up lets go of it
    path.unlink()
    with moments_lock(path, HANG_SECONDS):
        assert path.exists()


def test_a_wait_for_a_moment_that_is_interrupted_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    class Waiter(turn._Waiter):
        def __init__(self, handle: int) -> None:
            super().__init__(handle)
            self._granted = Interrupted()

    monkeypatch.setattr(turn, "_Waiter", Waiter)
    path = tmp_path / "lock"
    with file_lock(path, HANG_SECONDS), pytest.raises(KeyboardInterrupt), moments_lock(path, HANG_SECONDS):
        pass
    assert soon(lambda: all(thread.name != "codemode-lock" for thread in threading.enumerate()))  # it has got the lock
    with file_lock(path, 1.0):
        pass


def test_a_disk_that_is_full_to_the_last_byte_of_a_backup_is_told_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def full(path: Path, flags: int, *mode: int, **options: int) -> int:
        if Path(path).name == "archive":
            return real("/dev/full", os.O_RDWR)
        return real(path, flags, *mode, **options)

    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s")
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", full)
            with pytest.raises(StorageFull, match="the disk is full"):
                worker.backup(tmp_path / "b.zip")
        assert [each.name for each in tmp_path.iterdir()] == ["data"]
