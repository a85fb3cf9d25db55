"""A full disk: a clear error, nothing acknowledged is lost, and it goes on when there is space again.

On a small file system of its own where this process may mount one.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from codemode import Limits, Worker
from codemode.errors import SessionExpired, SessionNotFound, StorageFull


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


LARGE = "helpers.db.batch_insert('t', ({'x': 'y' * 10_000} for _ in range(2000)))"


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_disk_that_takes_nothing_is_told_as_what_it_is(small_disk: Path) -> None:
    data = small_disk / "data"
    with Worker(data_dir=data) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.exec("INSERT INTO t VALUES (zeroblob(900000))")
        fill(small_disk / "fill")
        with pytest.raises(StorageFull, match="the copy cannot be written: the disk is full"):
            session.checkpoint("c")
        with pytest.raises(StorageFull, match="the disk is full"):
            session.compact()
    fill(small_disk / "more")
    with pytest.raises(StorageFull, match="the disk is full"):
        Worker(data_dir=data)


def test_a_read_only_disk_is_told_as_what_it_is(small_disk: Path) -> None:
    data = small_disk / "data"
    Worker(data_dir=data).close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StorageFull, match="the file system is read-only"):
        Worker(data_dir=data)


def test_a_full_disk(small_disk: Path) -> None:
    with Worker(data_dir=small_disk / "data") as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.exec("INSERT INTO t VALUES ('kept')")
        (small_disk / "ballast").write_bytes(b"x" * 1_500_000)
        outcome = session.run(LARGE)
        assert (outcome.ok, outcome.error.code) == (False, "storage.full"), outcome.error
        assert outcome.db.rolled_back
        assert session.value("SELECT count(*) FROM t") == 1

        fill(small_disk / "fill")
        read = session.run("helpers.db.value('SELECT x FROM t')")
        assert (read.ok, read.result) == (True, "kept")
        assert any("log" in warning for warning in read.warnings)
        assert session.run(LARGE).error.code == "storage.full"
        with pytest.raises(StorageFull, match="free space"):
            worker.session("other")

        (small_disk / "fill").unlink()
        (small_disk / "ballast").unlink()
        assert session.run("helpers.db.exec('UPDATE t SET x = 1')").ok
        assert session.value("SELECT x FROM t") == 1
        assert worker.session("other").get_tables() == []
        assert session.logs(limit=1)[0].statement == "SELECT x FROM t"


def test_a_checkpoint_and_a_restore_that_do_not_fit(small_disk: Path) -> None:
    with Worker(data_dir=small_disk / "data") as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.exec("INSERT INTO t VALUES ('small')")
        session.checkpoint("small")
        session.exec("INSERT INTO t VALUES (zeroblob(250000))")
        session.checkpoint("large")
        fill(small_disk / "fill")
        for call in (lambda: session.checkpoint("next"), lambda: session.restore("large"), session.fork):
            with pytest.raises(StorageFull, match="free space"):
                call()
        assert session.value("SELECT count(*) FROM t") == 2
        assert [found.name for found in session.checkpoints()] == ["small", "large"]
        assert [info.id for info in worker.sessions()] == ["s"]
        with pytest.raises(StorageFull, match="free space"):
            session.undo()
        assert session.value("SELECT count(*) FROM t") == 2
        (small_disk / "fill").unlink()
        session.undo()
        assert session.value("SELECT count(*) FROM t") == 1
        session.redo()
        session.restore("small")
        assert session.value("SELECT count(*) FROM t") == 1
        assert session.fork().get_tables() == ["t"]


def test_a_backup_that_does_not_fit_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        session.batch_insert("t", [{"x": os.urandom(100_000)} for _ in range(20)])
        for free in (
            4_096,
            400_000,
            2_300_000,
        ):  # for the directory, a part of the copy, a part of the archive beside it
            fill(small_disk / "fill")
            with (small_disk / "fill").open("r+b") as file:
                file.truncate(file.seek(0, 2) - free)
            with pytest.raises(StorageFull, match="free space"):
                worker.backup(small_disk / "b.zip")
            assert [path.name for path in small_disk.iterdir()] == ["fill"]
        (small_disk / "fill").unlink()
        assert session.value("SELECT count(*) FROM t") == 20


def test_a_restore_that_does_not_fit_changes_nothing(small_disk: Path, tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        large = worker.session("s")
        large.exec("CREATE TABLE t (x)")
        large.batch_insert("t", [{"x": os.urandom(100_000)} for _ in range(18)])
        worker.backup(tmp_path / "b.zip")
    with Worker(data_dir=small_disk / "data") as worker:
        here = worker.session("s")
        here.exec("CREATE TABLE here (x)")
        worker.restore(tmp_path / "b.zip", "s", new_id="first")
        for existing, new_id in (("replace", None), ("error", "second")):
            with pytest.raises(StorageFull, match="free space"):
                worker.restore(tmp_path / "b.zip", "s", existing=existing, new_id=new_id)
            assert here.get_tables() == ["here"]
            assert sorted(info.id for info in worker.sessions()) == ["first", "s"]
            assert list((small_disk / "data" / "sessions").glob("restoring-*")) == []
        worker.remove("first")
        worker.restore(tmp_path / "b.zip", "s", new_id="second")
        assert worker.session("second").value("SELECT count(*) FROM t") == 18


@pytest.mark.parametrize("way", ["remove", "sweep"])
def test_ending_a_session_makes_room_on_a_disk_without_any(small_disk: Path, way: str) -> None:
    """The catalogue finds no room for what it has to note before; who deletes a session there must get anywhere."""
    with Worker(data_dir=small_disk / "data") as worker:
        kept = worker.session("kept")
        kept.exec("CREATE TABLE t AS SELECT 1 AS x")
        worker.session("over").exec("CREATE TABLE t AS SELECT zeroblob(200000) AS x")
        if way == "sweep":
            worker.session("over", limits=Limits(idle_seconds=0.01))
            time.sleep(0.03)
        worker.audit.add(at=0, tenant="local", actor="local", action="old", resource="s", outcome="ok")
        fill(small_disk / "fill")
        with pytest.raises(StorageFull):
            worker.pin("kept")
        if way == "remove":
            worker.remove("over")
        else:
            assert worker.sweep() == ["over"]
            assert worker.audit.count(1) == 0, "what else a sweep does is done too"
        with pytest.raises(SessionNotFound if way == "remove" else SessionExpired):
            worker.session("over", create=False)
        assert kept.run("helpers.db.exec('INSERT INTO t VALUES (2)')").warnings == ()
