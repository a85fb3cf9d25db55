"""Storage that is damaged, missing, read-only or of the future: a clear error, and nothing else is harmed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw
import pytest

from codemode import Limits, Worker
from codemode.errors import SessionDamaged, SessionNewer, SessionNotFound, StorageFull
from codemode.session.turn import file_lock


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data directory with the sessions `broken` and `sound`; the path of `broken`'s database."""
    with Worker(data_dir=tmp_path) as worker:
        for name in ("broken", "sound"):
            worker.session(name).exec("CREATE TABLE t (x)")
        return worker.registry.files(("local", "broken")).database


def data_dir(database: Path) -> Path:
    return database.parent.parent.parent


def test_a_damaged_file_is_reported_and_kept(place: Path) -> None:
    place.write_bytes(b"\x00garbage" * 1000)
    with Worker(data_dir=data_dir(place)) as worker:
        session = worker.session("broken")
        for _ in range(2):
            with pytest.raises(SessionDamaged):
                session.run("1")
            with pytest.raises(SessionDamaged):
                session.get_tables()
        assert worker.session("sound").get_tables() == ["t"]
    assert place.read_bytes() == b"\x00garbage" * 1000


def test_renewing_a_damaged_session_sets_its_file_aside(place: Path) -> None:
    place.write_bytes(b"\x00garbage" * 1000)
    with Worker(data_dir=data_dir(place)) as worker:
        assert worker.session("broken", renew=True).get_tables() == []
    (aside,) = place.parent.glob("session.db.damaged-*")
    assert aside.read_bytes() == b"\x00garbage" * 1000


def test_a_damaged_session_that_is_made_anew_has_the_limits_that_were_asked_for(place: Path) -> None:
    place.write_bytes(b"\x00garbage" * 1000)
    with Worker(data_dir=data_dir(place)) as worker:
        assert worker.session("broken", renew=True, limits=Limits(rows=5)).limits.rows == 5


def test_renewing_a_sound_session_changes_nothing(place: Path) -> None:
    with Worker(data_dir=data_dir(place)) as worker:
        assert worker.session("sound", renew=True).get_tables() == ["t"]


@pytest.mark.parametrize("gone", ["file", "directory"])
def test_a_missing_database_is_damage_and_no_empty_session(
    place: Path, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    place.unlink() if gone == "file" else place.parent.rename(place.parent.with_name("elsewhere"))
    with Worker(data_dir=data_dir(place)) as worker:
        session = worker.session("broken")
        with pytest.raises(SessionDamaged, match="missing"):
            session.run("1")
        assert worker.session("sound").get_tables() == ["t"]
    assert not place.exists()
    assert f"{place} is missing" in caplog.text


def test_a_file_of_a_newer_codemode_is_refused(place: Path) -> None:
    connection = apsw.Connection(str(place))
    connection.pragma("user_version", 99)
    connection.close()
    with Worker(data_dir=data_dir(place)) as worker, pytest.raises(SessionNewer, match="99"):
        worker.session("broken").run("1")


def test_a_lost_catalogue_does_not_empty_its_sessions(place: Path) -> None:
    for file in data_dir(place).glob("catalog.db*"):
        file.unlink()
    with Worker(data_dir=data_dir(place)) as worker:
        with pytest.raises(SessionNotFound):
            worker.session("sound", create=False)
        assert worker.session("sound").get_tables() == ["t"]


def test_a_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The catalogue has messages, results and hashes of tokens, also where the directory is shared."""
    before = os.umask(0o022)
    try:
        (tmp_path / "shared").mkdir()
        for data_dir in (tmp_path / "made", tmp_path / "shared"):
            with Worker(data_dir=data_dir) as worker:
                worker.session("s").exec("CREATE TABLE t (x)")
                open_to = {path for path in data_dir.rglob("*") if path.stat().st_mode & 0o077}
                assert not {path for path in open_to if path.parent == data_dir}
        assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755, "what was there is left as it is"
    finally:
        os.umask(before)


def test_a_file_where_the_data_directory_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFull, match="cannot be written"):
        Worker(data_dir=tmp_path / "file")


def test_a_read_only_data_directory() -> None:
    """As a user without rights, since root may write anywhere; what is beside the directory that user may write."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o777)
        (place / "locked").mkdir(mode=0o555)
        code = f"""
import os, sys
from codemode import Limits, Worker
from codemode.errors import StorageFull
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
os.mkdir({str(place / "open")!r})
try:
    Worker(data_dir={str(place / "locked" / "data")!r})
except StorageFull as error:
    print(error.code, error.hint)
"""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
        )
        assert done.stdout == "storage.full check the directory's owner and permissions\n", done.stderr
        assert (place / "open").is_dir()


def test_an_empty_directory_of_a_making_that_was_cut_short_is_swept_once_it_is_old(place: Path) -> None:
    old, young = (place.parent.with_name(letter * 64) for letter in "ab")
    for directory in (old, young):
        directory.mkdir()
    os.utime(old, (0, time.time() - 7_200))
    os.utime(place.parent, (0, time.time() - 7_200))
    with Worker(data_dir=data_dir(place)) as worker:
        worker.sweep()
    assert (old.exists(), young.exists(), place.exists()) == (False, True, True)


def test_what_a_cut_short_fork_or_making_left_is_swept_once_it_is_old_and_nobody_has_it(place: Path) -> None:
    fork, making, kept, held, young = (place.parent.with_name(letter * 64) for letter in "abcde")
    for directory in (fork, making, kept, held, young):
        (directory / "checkpoints").mkdir(parents=True)
        (directory / "lock").touch()
        (directory / "checkpoints" / "new-01ABC.db").write_bytes(b"x")
    (making / "checkpoints" / "new-01ABC.db").unlink()
    (making / "checkpoints").rmdir()
    (making / "new-01ABC.db").write_bytes(b"x")
    (kept / "checkpoints" / "61.db").write_bytes(b"x")  # of a session whose database was taken away
    for directory in (fork, making, kept, held):
        os.utime(directory, (0, time.time() - 7_200))
    with file_lock(held / "lock", 0.0), Worker(data_dir=data_dir(place)) as worker:
        worker.sweep()
        assert [each.exists() for each in (fork, making, kept, held, young)] == [False, False, True, True, True]
        assert [each.name for each in (kept / "checkpoints").iterdir()] == ["61.db"]
        assert (held / "checkpoints" / "new-01ABC.db").exists()
        assert worker.session("sound").get_tables() == ["t"]


def test_a_leftover_of_a_cut_short_removal_is_swept(place: Path) -> None:
    rubbish = place.parent.with_name("removed-01ABC")
    rubbish.mkdir()
    (rubbish / "session.db").write_bytes(b"x")
    with Worker(data_dir=data_dir(place)) as worker:
        worker.sweep()
    assert not rubbish.exists()
