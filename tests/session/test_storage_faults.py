"""Storage that fails under a worker: a clear error of the tree, nothing else harmed, set aside or kept, and logged."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from codemode import Limits, Worker
from codemode.database import clock
from codemode.errors import (
    CatalogDamaged,
    CodemodeError,
    SessionDamaged,
    SessionExpired,
    SessionNotFound,
    StorageFull,
    WorkerError,
    WorkerUnavailable,
)
from codemode.session.files import SessionFiles

Fault = Callable[[SessionFiles], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sessions `broken` and `sound`, each with 300 rows over many pages."""
    place = tmp_path_factory.mktemp("whole")
    with Worker(data_dir=place) as worker:
        for name in ("broken", "sound"):
            session = worker.session(name)
            session.exec("CREATE TABLE t (x)")
            session.batch_insert("t", [{"x": "y" * 1000} for _ in range(300)])
            for _ in range(3):
                session.run(f"# {'z' * 3000}")
    return place


@pytest.fixture
def files(whole: Path, tmp_path: Path) -> SessionFiles:
    """The files of `broken` in a data directory of the test's own."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    return SessionFiles.of(tmp_path, "local", "broken")


def data_dir(files: SessionFiles) -> Path:
    return files.directory.parent.parent


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def scribble(path: Path, start: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * (path.stat().st_size - start))


def another(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE z (a)")
    connection.close()


def replaced_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("x")


USES: dict[str, Callable[[Worker], object]] = {
    "run": lambda worker: worker.session("broken").run("helpers.db.value('SELECT max(x) FROM t')"),
    "host": lambda worker: worker.session("broken").value("SELECT max(x) FROM t"),
    "reader": lambda worker: worker.session("broken").query("SELECT max(x) FROM t", read_only=True),
    "tables": lambda worker: worker.session("broken").get_tables(),
    "metrics": lambda worker: worker.session("broken").metrics(),
    "logs": lambda worker: worker.session("broken").logs(),
    "pages": lambda worker: list(worker.session("broken").pages("SELECT * FROM t")),
    "compact": lambda worker: worker.session("broken").compact(),
    "sessions": lambda worker: worker.sessions(),
    "sweep": lambda worker: worker.sweep(),
}
UNUSABLE: dict[str, tuple[Fault, type[CodemodeError]]] = {
    "database cut in half": (lambda files: cut(files.database, 0.5), SessionDamaged),
    "database cut to nothing": (lambda files: cut(files.database, 0), SessionDamaged),
    "database of somebody else": (lambda files: another(files.database), SessionDamaged),
    "database overwritten": (lambda files: scribble(files.database, 0), SessionDamaged),
    "database is a directory": (lambda files: replaced_by_directory(files.database), SessionDamaged),
    "database gone": (lambda files: files.database.unlink(), SessionDamaged),
    "WAL is a directory": (lambda files: beside(files.database, "-wal").mkdir(), SessionDamaged),
    "lock is a directory": (lambda files: replaced_by_directory(files.lock), StorageFull),
    "directory gone": (lambda files: shutil.rmtree(files.directory), SessionDamaged),
    "directory is a file": (lambda files: replaced_by_file(files.directory), StorageFull),
}
HARMLESS: dict[str, Fault] = {
    "WAL of garbage": lambda files: beside(files.database, "-wal").write_bytes(b"\xa5" * 100_000),
    "index of the WAL of garbage": lambda files: beside(files.database, "-shm").write_bytes(b"\xa5" * 32_768),
    "log overwritten": lambda files: scribble(files.log, 0),
    "log overwritten behind its header": lambda files: scribble(files.log, 4096),
    "log cut in half": lambda files: cut(files.log, 0.5),
    "log cut to nothing": lambda files: cut(files.log, 0),
    "log of somebody else": lambda files: another(files.log),
    "log is a directory": lambda files: replaced_by_directory(files.log),
    "log gone": lambda files: files.log.unlink(),
    "WAL of the log of garbage": lambda files: beside(files.log, "-wal").write_bytes(b"\xa5" * 100_000),
    "leftover of a new database": lambda files: (files.directory / "new-01X.db").write_bytes(b"x"),
    "lock gone": lambda files: files.lock.unlink(),
}


def error_of(use: Callable[[Worker], object], worker: Worker) -> CodemodeError | None:
    try:
        use(worker)
    except CodemodeError as error:
        return error
    return None


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_says_so_and_harms_nothing_else(files: SessionFiles, name: str) -> None:
    fault, kind = UNUSABLE[name]
    fault(files)
    before = files.database.read_bytes() if files.database.is_file() else None
    with Worker(data_dir=data_dir(files)) as worker:
        with pytest.raises(kind) as raised:
            USES["run"](worker)
        assert raised.value.hint
        errors = [error for use in USES.values() if (error := error_of(use, worker))]
        assert errors
        assert {type(error) for error in errors} == {kind}, errors
        sound = worker.session("sound")
        assert sound.value("SELECT count(*) FROM t") == 300
        assert sound.run("helpers.db.exec('INSERT INTO t VALUES (1)')").ok
    assert before is None or files.database.read_bytes() == before, "kept as it is"


@pytest.mark.parametrize("name", [name for name, (_, kind) in UNUSABLE.items() if kind is SessionDamaged])
def test_renewing_makes_a_damaged_session_anew_and_keeps_what_was_there(
    files: SessionFiles, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    UNUSABLE[name][0](files)
    before = files.database.read_bytes() if files.database.is_file() else None
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken", renew=True)
        assert session.get_tables() == []
        assert session.run("helpers.db.exec('CREATE TABLE u (a)')").ok
    assert "made anew" in caplog.text
    kept = list(files.directory.glob("session.db.damaged-*[0-9]"))
    assert before is None or [path.read_bytes() for path in kept] == [before]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_can_be_mended_is_and_the_session_works(
    files: SessionFiles, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    HARMLESS[name](files)
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        for _ in range(2):
            outcome = session.run("helpers.db.exec('INSERT INTO t VALUES (1)')")
            assert (outcome.ok, outcome.warnings) == (True, ()), outcome
        for use in USES.values():
            use(worker)
        assert session.value("SELECT count(*) FROM t") == 302
        assert session.value("SELECT count(*) FROM execution_logs WHERE kind = 'execution'") >= 2
        assert session.logs(limit=1)
    aside = list(files.directory.glob("log.db.damaged-*"))
    assert bool(aside) == ("is set aside" in caplog.text)
    if name in ("log overwritten", "log overwritten behind its header", "log is a directory"):
        assert aside


def test_damaged_pages_fail_what_reads_them_and_renewing_sets_them_aside(
    files: SessionFiles, caplog: pytest.LogCaptureFixture
) -> None:
    scribble(files.database, 40_960)
    before = files.database.read_bytes()
    with Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        outcome = session.run("helpers.db.value('SELECT max(x) FROM t')")
        assert (outcome.ok, outcome.error.code) == (False, "sql.runtime")
        assert "malformed" in outcome.error.message
        assert "restore" in str(outcome.error.hint)
        assert f"{files.database}, or of its log, are damaged" in caplog.text, "an operator learns of it too"
        assert worker.session("broken", renew=True).get_tables() == []
    (aside,) = files.directory.glob("session.db.damaged-*[0-9]")
    assert aside.read_bytes() == before


def test_a_log_that_is_damaged_while_open_is_set_aside(files: SessionFiles, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        session.value("SELECT 1")
        scribble(files.log, 0)
        beside(files.log, "-wal").write_bytes(b"")
        # The session's own connection reads the log too, so one execution may meet the damage; it keeps nothing then.
        outcomes = [session.run("helpers.db.exec('INSERT INTO t VALUES (1)')") for _ in range(4)]
        assert all(outcome.ok for outcome in outcomes[1:])
        assert session.value("SELECT count(*) FROM t") == 300 + sum(outcome.ok for outcome in outcomes)
        assert session.logs()
    assert "is set aside" in caplog.text


def test_a_log_that_is_deleted_while_open_is_begun_anew(files: SessionFiles) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        session.run("1")
        for path in files.directory.glob("log.db*"):
            path.unlink()
        session.run("2")
        assert [entry.statement for entry in session.logs(kind="execution")] == ["2"]


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_write_ahead_log_that_is_cut_while_open_takes_no_more_writes(files: SessionFiles, share: float) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        session.exec("INSERT INTO t VALUES ('kept')")
        cut(beside(files.database, "-wal"), share)
        for use in (session.exec, session.query):
            with pytest.raises(SessionDamaged, match="write-ahead log"):
                use("INSERT INTO t VALUES ('late') RETURNING x")
        with pytest.raises(SessionDamaged, match="write-ahead log"):
            session.run("helpers.db.exec('DELETE FROM t')")
        assert worker.session("sound").value("SELECT count(*) FROM t") == 300


def test_a_directory_that_is_replaced_while_open_is_opened_anew(files: SessionFiles) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        session, sound = worker.session("broken"), worker.registry.files(("local", "sound"))
        worker.session("sound").exec("CREATE TABLE only_there (x)")
        session.exec("INSERT INTO t VALUES (1)")
        session.query("SELECT 1", read_only=True)
        moved = files.directory.with_name("moved")
        files.directory.rename(moved)
        shutil.copytree(sound.directory, files.directory)
        assert session.get_tables() == ["only_there", "t"]
        assert session.query("SELECT count(*) AS n FROM t", read_only=True) == [{"n": 300}]
        assert session.run("helpers.db.exec('INSERT INTO t VALUES (2)')").ok
        assert session.value("SELECT count(*) FROM t") == 301
        shutil.rmtree(files.directory)
        with pytest.raises(SessionDamaged, match="missing"):
            session.run("1")
        moved.rename(files.directory)
        assert session.value("SELECT count(*) FROM t") == 301, "what was acknowledged before is there"


CATALOGUE: dict[str, Callable[[Path], object]] = {
    "overwritten": lambda path: scribble(path, 0),
    "overwritten behind its header": lambda path: scribble(path, 4096),
    "cut": lambda path: os.truncate(path, 4096),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_damaged_catalogue_stops_the_worker_and_says_what_to_do(files: SessionFiles, name: str) -> None:
    catalogue = data_dir(files) / "catalog.db"
    CATALOGUE[name](catalogue)
    before = catalogue.read_bytes()
    with pytest.raises(CatalogDamaged, match=r"catalog\.db") as raised, Worker(data_dir=data_dir(files)) as worker:
        worker.sessions()
    assert (raised.value.code, "move it away" in raised.value.hint) == ("worker.catalog", True)
    assert catalogue.read_bytes() == before, "not touched"
    catalogue.rename(catalogue.with_name("aside"))
    with Worker(data_dir=data_dir(files)) as worker:
        assert worker.session("sound").value("SELECT count(*) FROM t") == 300


def test_a_catalogue_of_somebody_else_is_not_used(files: SessionFiles) -> None:
    catalogue = data_dir(files) / "catalog.db"
    another(catalogue)
    connection = sqlite3.connect(catalogue)
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with pytest.raises(CatalogDamaged, match="no such table"), Worker(data_dir=data_dir(files)) as worker:
        worker.session("sound")
    connection = sqlite3.connect(catalogue)
    made = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('sessions', 'usage_by_day')")
    assert made.fetchone() == (0,), "nothing of ours is in it"
    connection.close()


@pytest.mark.parametrize("again", [False, True])
def test_a_catalogue_that_is_deleted_while_open_is_not_written_into_the_void(files: SessionFiles, again: bool) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("sound")
        (data_dir(files) / "catalog.db").unlink()
        if again:
            Worker(data_dir=data_dir(files)).close()
        with pytest.raises(CatalogDamaged, match="removed or replaced"):
            worker.session("fresh")
        with pytest.raises(CatalogDamaged):
            session.run("1")
    with Worker(data_dir=data_dir(files)) as worker:
        assert worker.session("sound").value("SELECT count(*) FROM t") == 300


def test_a_catalogue_out_of_reach_is_not_called_removed(files: SessionFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that may not be entered: moving the catalogue away, as for one that was lost, would lose it."""
    with Worker(data_dir=data_dir(files)) as worker:
        path, stat = str(data_dir(files) / "catalog.db"), os.stat

        def refused(asked: object, *args: object, **options: object) -> os.stat_result:
            if str(asked) == path:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return stat(asked, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "stat", refused)  # root, who runs tests, is refused nothing
        with pytest.raises(StorageFull, match="out of reach: Permission denied"):
            worker.sessions()
        monkeypatch.undo()
        assert len(worker.sessions()) == 2


def test_a_catalogue_that_another_process_holds_is_not_called_full(files: SessionFiles) -> None:
    path = str(data_dir(files) / "catalog.db")
    with Worker(data_dir=data_dir(files)) as worker, closing(apsw.Connection(path)) as other:
        worker.tokens._catalog._connection.set_busy_timeout(1)  # and not ten seconds
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkerUnavailable, match="another process has held the catalogue"):
            worker.session("fresh")
        other.execute("ROLLBACK")
        worker.session("fresh")


def test_an_empty_catalogue_beside_sessions_is_logged(files: SessionFiles, caplog: pytest.LogCaptureFixture) -> None:
    cut(data_dir(files) / "catalog.db", 0)
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=data_dir(files)) as worker:
        assert worker.session("sound").value("SELECT count(*) FROM t") == 300
    assert "catalog.db was missing or empty" in caplog.text


@pytest.mark.parametrize("name", ["sessions", "catalog.db"])
def test_a_file_or_directory_in_the_wrong_place_is_said_plainly(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.write_text("x") if name == "sessions" else place.mkdir()
    with pytest.raises(StorageFull, match="stands where a"):
        Worker(data_dir=tmp_path)


def test_a_closed_worker_says_so(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
    for use in (lambda: session.run("1"), session.get_tables, lambda: worker.session("t"), worker.sessions):
        with pytest.raises(WorkerError, match="closed"):
            use()


FORKED = """
import os, sys
from codemode import Worker
with Worker() as worker:
    worker.session("s").exec("CREATE TABLE t (x)")
    if not (pid := os.fork()):
        if sys.argv[1] == "closes":
            worker.close()
        sys.exit()
    os.waitpid(pid, 0)
    print(worker.session("s").get_tables())
print(worker.data_dir.exists())
"""


@pytest.mark.parametrize("ending", ["exits", "closes"])
def test_a_forked_process_leaves_a_temporary_data_directory_to_the_one_that_made_it(ending: str) -> None:
    command = [sys.executable, "-c", FORKED, ending]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout == "['t']\nFalse\n"


STARVED = """
import os, resource, sys, time
from codemode import Worker
from codemode.errors import CodemodeError
with Worker(data_dir=sys.argv[1]) as worker:
    session = worker.session("s")
    session.exec("CREATE TABLE t (x)")
    session.run("1")
    descriptors = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors + 60, descriptors + 60))
    acknowledged, refused, taken, fresh = 0, 0, [], 0
    for room in (0, 1, 3, 4, 5, 6, 7, 8, 9, 11, 14):
        while True:
            try:
                taken.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                break
        for _ in range(room):
            os.close(taken.pop())
        uses = [
            lambda: session.exec("INSERT INTO t VALUES (1)"),
            lambda: session.query("SELECT * FROM t", read_only=True),
            lambda: session.metrics(),
            lambda: worker.session(f"new-{room}").exec("CREATE TABLE t (x)"),
            worker.sessions,
            worker.sweep,
            session.compact,
        ]
        uses.append(lambda: session.run("helpers.db.exec('INSERT INTO t VALUES (1)')"))
        for use in uses:
            try:
                answer = use()
                acknowledged += use in (uses[0], uses[-1]) and use is not session.compact
            except CodemodeError as error:
                refused += 1
                assert error.code in ("storage.full", "worker.unavailable"), (room, error.code, error)
                assert "open files" in str(error), (room, error.code, error)
    for descriptor in taken:
        os.close(descriptor)
    assert session.run("helpers.db.exec('INSERT INTO t VALUES (1)')").ok
    print(refused, acknowledged + 1, session.value("SELECT count(*) FROM t"), len(worker.sessions()) > 1)
"""


def test_exhausted_descriptors_refuse_what_needs_them_and_nothing_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARVED, str(tmp_path)], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    refused, acknowledged, found, others = done.stdout.split()
    assert int(refused) > 5
    assert acknowledged == found
    assert others == "True"


AS_NOBODY = """
import os, sys
from codemode import Worker
from codemode.errors import CodemodeError
with Worker() as worker:  # imports what is imported late: nobody may not be able to read the interpreter's files
    worker.session("s").exec("CREATE TABLE t AS SELECT 1 AS x")
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
place = sys.argv[1]
with Worker(data_dir=place) as worker:
    worker.session("s").exec("CREATE TABLE t AS SELECT 1 AS x")
    os.chmod(place + "/sessions", 0o500)
    for use in (lambda: worker.session("other"), lambda: worker.remove("s")):
        try:
            use()
        except CodemodeError as error:
            print(error.code)
    os.chmod(place + "/sessions", 0o700)
    print(worker.session("third").value("SELECT 1"))
with Worker(data_dir=place) as worker:
    worker.session("kept").exec("CREATE TABLE t AS SELECT 1 AS x")
    directory = worker.registry.files(("local", "kept")).directory
for path in (*directory.iterdir(), directory):
    path.chmod(0o500 if path.is_dir() else 0o400)
with Worker(data_dir=place) as worker:
    for use in (lambda: worker.session("kept").get_tables(), lambda: worker.session("kept").exec("DELETE FROM t")):
        try:
            use()
        except CodemodeError as error:
            print(error.code)
    directory.chmod(0o700)
    for path in directory.iterdir():
        path.chmod(0o600)
    print(worker.session("kept").value("SELECT x FROM t"))
"""


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every user may write: below pytest's own, root's tests keep others out."""
    with tempfile.TemporaryDirectory(prefix="codemode-place-") as place:
        Path(place).chmod(0o777)
        yield Path(place)


def test_directories_that_become_read_only(open_place: Path) -> None:
    """As a user without rights, since root may write anywhere."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(open_place / "data")],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stdout.split() == [
        "storage.full", "storage.full", "1", "storage.full", "storage.full", "1"
    ], done.stdout + done.stderr  # fmt: skip


def test_a_read_only_disk(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with Worker(data_dir=place / "data") as worker:
            worker.session("s").exec("CREATE TABLE t AS SELECT 1 AS x")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with pytest.raises(StorageFull):
            Worker(data_dir=place / "data")
        subprocess.run(["mount", "-o", "remount,rw", place], check=True)
        with Worker(data_dir=place / "data") as worker:
            assert worker.session("s").value("SELECT x FROM t") == 1
    finally:
        subprocess.run(["umount", "-l", place], check=True)


DAY = 86_400.0


def test_a_clock_set_forward_deletes_nothing(
    tmp_path: Path, set_clock: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        set_clock(wall=3 * DAY)
        assert worker.sweep() == []
        assert session.run("helpers.db.exec('INSERT INTO t VALUES (1)')").ok
        set_clock(wall=0.0)
        assert worker.sweep() == []
        assert session.value("SELECT count(*) FROM t") == 1
    assert "the clock was set forward" in caplog.text


def test_a_clock_that_stays_ahead_is_believed_after_an_hour(tmp_path: Path, set_clock: Callable[..., None]) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        set_clock(wall=3 * DAY)
        assert worker.sweep() == []
        set_clock(wall=3 * DAY + 3_700, boot=3_700.0)
        worker.sweep()
        assert worker.info("s").state == "expired"


def test_time_that_passes_expires_sessions(tmp_path: Path, set_clock: Callable[..., None]) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s", limits=Limits(idle_seconds=60))
        set_clock(wall=61.0, boot=61.0)
        with pytest.raises(SessionExpired):
            session.run("1")


def test_a_clock_set_back_harms_nothing(tmp_path: Path, set_clock: Callable[..., None]) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (x)")
        set_clock(wall=-400 * DAY)
        assert session.run("helpers.db.exec('INSERT INTO t VALUES (1)')").ok
        fresh = worker.session("fresh")
        fresh.exec("CREATE TABLE u (x)")
        assert worker.sweep() == []
        set_clock(wall=0.0)
        assert worker.sweep() == []
        assert fresh.get_tables() == ["u"]
        assert session.value("SELECT count(*) FROM t") == 1
        assert len(session.logs()) >= 2


def test_a_write_ahead_log_without_its_database_is_not_replayed_into_a_new_one(files: SessionFiles) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        worker.session("broken").exec("INSERT INTO t VALUES ('only in the WAL')")
        kept = {path: beside(path, "-wal").read_bytes() for path in (files.database, files.log)}
    for path, frames in kept.items():
        path.unlink()
        beside(path, "-wal").write_bytes(frames)
    (data_dir(files) / "catalog.db").unlink()
    with Worker(data_dir=data_dir(files)) as worker:
        session = worker.session("broken")
        assert session.get_tables() == []
        assert session.run("helpers.db.exec('CREATE TABLE u (x)')").ok
        assert [entry.id for entry in session.logs()] == [2, 1], "nor that of its log into the new log"
    assert len(list(files.directory.glob("session.db.orphan-*"))) == 1


def test_what_a_killed_removal_left_is_swept_and_never_comes_back(files: SessionFiles) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        catalogue = worker.registry.catalog
        catalogue.expire("local", "broken", clock.now_ms())  # as `remove` does, killed before it went on
        with pytest.raises(SessionNotFound):
            worker.session("broken", create=False)
        assert worker.sweep() == []
        assert not files.directory.exists()
        assert worker.session("broken").get_tables() == []


def test_what_a_killed_removal_left_is_not_in_what_is_made_anew(files: SessionFiles) -> None:
    with Worker(data_dir=data_dir(files)) as worker:
        worker.registry.catalog.expire("local", "broken", clock.now_ms())
        assert worker.session("broken").get_tables() == []


def test_one_session_that_cannot_be_removed_does_not_keep_the_others(
    files: SessionFiles, set_clock: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    replaced_by_directory(files.lock)
    with caplog.at_level(logging.WARNING, "codemode"), Worker(data_dir=data_dir(files)) as worker:
        set_clock(wall=2 * DAY, boot=2 * DAY)
        assert worker.sweep() == ["sound"]
    assert "session broken is over and cannot be removed" in caplog.text
