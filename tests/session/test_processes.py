"""Two processes on one data directory, and processes that die: nothing acknowledged is lost, nothing else is there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from types import FrameType
from typing import Any

import pytest

from codemode import Worker
from codemode.catalog.sessions import SessionRecord
from codemode.database import copies, directory
from codemode.database.directory import _taken
from codemode.errors import SessionBusy, SessionNotFound, StatementError, StorageFull
from codemode.session.files import SessionFiles
from codemode.session.opened import Reader

WRITER = """
import sys
from codemode import Worker
with Worker(data_dir=sys.argv[1]) as worker:
    session = worker.session("shared")
    for n in range(int(sys.argv[2]), 10**9):
        code = f'''
helpers.db.batch_insert("pairs", ({{"n": {n}, "half": half}} for half in range(700)))
'''
        outcome = session.run(code)
        if outcome.ok:
            print(n, flush=True)
"""


def start(data_dir: Path, first: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(data_dir), str(first)], stdout=subprocess.PIPE)


def test_two_workers_take_turns_on_one_session(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here:
        session = here.session("shared")
        session.exec("CREATE TABLE pairs (n, half)")
        there = start(tmp_path, 1_000_000)
        try:
            assert there.stdout.readline() == b"1000000\n"
            for n in range(10):
                assert session.run(f"helpers.db.exec('INSERT INTO pairs VALUES ({n}, 0)')").ok
        finally:
            there.kill()
            there.wait()
            there.stdout.close()
        assert session.value("SELECT count(*) FROM pairs WHERE n < 1000000") == 10
        assert (
            session.value(
                "SELECT count(*) FROM (SELECT n FROM pairs WHERE n >= 1000000 GROUP BY n HAVING count(*) <> 700)"
            )
            == 0
        )


def test_a_session_made_anew_while_another_process_removes_it_stays(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        here.session("s").exec("CREATE TABLE old (x)")
        time.sleep(0.002)  # the records tell sessions apart by the millisecond in which they were made

        def make_anew(key: tuple[str, str]) -> None:  # its data is gone, and its record is not yet
            other.session("s", renew=True).exec("CREATE TABLE fresh (x)")

        here.registry.ending.on_gone = make_anew
        here.remove("s")
        for worker in (here, other):
            assert worker.session("s", create=False).get_tables() == ["fresh"]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_session_made_anew_while_it_is_looked_for_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session, looked = here.session("s"), here.registry.record
        steps = [lambda: other.session("s")]
        if read_only:  # which looks for the record first, and then for the file
            steps.insert(0, lambda: other.remove("s"))
        else:
            other.remove("s")

        def meanwhile(key: tuple[str, str]) -> SessionRecord:
            if len(steps) == 1:
                steps.pop()()
            found = looked(key)
            if steps:
                steps.pop(0)()
            return found

        monkeypatch.setattr(here.registry, "record", meanwhile)
        assert session.query("SELECT 1 AS one", read_only=read_only) == [{"one": 1}]
        assert not steps


def test_a_session_removed_before_a_reader_opens_it_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session = here.session("s")

        def too_late(*args: Any, **options: Any) -> Any:  # its record was found
            other.remove("s")
            return Reader(*args, **options)

        monkeypatch.setattr("codemode.session.registry.Reader", too_late)
        with pytest.raises(SessionNotFound):
            session.query("SELECT 1", read_only=True)


def test_a_session_is_not_found_while_another_process_removes_it(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session = here.session("s")
        asked: list[type[BaseException] | None] = []

        def ask(key: tuple[str, str]) -> None:  # its data is gone, and its record is not yet
            for question in (
                lambda: session.query("SELECT 1", read_only=True),
                lambda: session.export_file(tmp_path / "s.db"),
                lambda: here.session("s", create=False),
                lambda: here.info("s"),
            ):
                try:
                    asked.append(question())
                except SessionNotFound as error:
                    asked.append(type(error))

        other.registry.ending.on_gone = ask
        other.remove("s")
        assert asked == [SessionNotFound] * 4


def replacing(other: Worker, real: Any, anew: bool) -> Any:
    """What fails at its first call, as SQLite does whose file is removed under it."""
    calls: list[None] = []

    def failing(*args: Any, **options: Any) -> Any:
        calls.append(None)
        if len(calls) > 1:
            return real(*args, **options)
        other.remove("s")
        if anew:
            time.sleep(0.002)  # the records tell sessions apart by the millisecond in which they were made
            other.session("s").exec("CREATE TABLE fresh (x)")
        raise StorageFull("disk I/O error")

    return failing


def test_a_session_made_anew_before_a_reader_opens_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session = here.session("s")

        def too_late(*args: Any, **options: Any) -> Any:  # its record was found
            monkeypatch.undo()
            other.remove("s")
            other.session("s").exec("CREATE TABLE fresh (x)")
            return Reader(*args, **options)

        monkeypatch.setattr("codemode.session.registry.Reader", too_late)
        assert session.query("SELECT name FROM pragma_table_list WHERE name = 'fresh'", read_only=True)


def read(worker: Worker) -> None:
    worker.registry.new_reader(("local", "s")).close()


@pytest.mark.parametrize(("step", "use"), [
    ("codemode.database.connection.wait_for_others", read),  # the file is open, and its log is not yet
    ("codemode.session.opened.Journal.close", Worker.close),  # the file is closed, and the log of what ran is not yet
    ("codemode.database.usage.days", Worker.usage_by_day),
], ids=["opens", "closes", "counts"])  # fmt: skip
def test_a_removal_waits_for_who_opens_or_closes_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, use: Callable[[Worker], object]
) -> None:
    """SQLite finds a file's log by its path: it would read the new file's with the old one, or delete it."""
    waits, over, seen = threading.Event(), threading.Event(), []

    def taken(handle: int) -> bool:
        found = _taken(handle)
        if not found:
            waits.set()
        return found

    def remove() -> None:
        other.remove("s")
        over.set()
        waits.set()

    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        here.session("s").exec("CREATE TABLE t (x)")
        removal, real = threading.Thread(target=remove), resolve_name(step)

        def meanwhile(*args: Any, **options: Any) -> Any:
            monkeypatch.undo()
            monkeypatch.setattr("codemode.database.directory._taken", taken)
            removal.start()
            assert waits.wait(60)
            seen.append(over.is_set())
            return real(*args, **options)

        monkeypatch.setattr(step, meanwhile)
        use(here)
        removal.join()
        assert seen == [False]
        with pytest.raises(SessionNotFound):
            other.session("s", create=False)


def test_ctrl_c_at_any_step_of_a_hold_keeps_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "_MOVING_SECONDS", 0.1)
    tracing, left, steps = sys.gettrace(), 0, 0

    def interrupt(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        names = frame.f_code.co_name, frame.f_back.f_code.co_name if frame.f_back else ""
        if frame.f_code.co_filename != directory.__file__ or "__del__" in names:
            return None
        if event in ("call", "return"):  # where Python looks for signals
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return interrupt

    while True:
        left = steps
        sys.settrace(interrupt)
        try:
            with directory.staying(tmp_path):
                pass
        except KeyboardInterrupt:
            steps += 1
        else:
            break
        finally:
            sys.settrace(tracing)
        with directory.moving(tmp_path):
            pass
    assert steps > 4


def test_a_directory_removed_while_it_is_made_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, real = SessionFiles(tmp_path / "s"), Path.mkdir

    def by_another(path: Path, *args: Any, **options: Any) -> None:
        monkeypatch.undo()
        real(path)
        try:
            real(path, *args, **options)
        finally:
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", by_another)
    files.prepare()
    assert files.directory.is_dir()


@pytest.mark.parametrize(("anew", "error"), [(False, SessionNotFound), (True, SessionBusy)])
def test_an_export_of_a_session_that_goes_meanwhile_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: bool, error: type[Exception]
) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session = here.session("s")
        monkeypatch.setattr(copies, "take", replacing(other, copies.take, anew))
        with pytest.raises(error):
            session.export_file(tmp_path / "s.db")
        assert not (tmp_path / "s.db").exists()


def test_a_session_removed_by_another_process_is_not_found(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session = here.session("s")
        session.exec("CREATE TABLE t (x)")
        other.remove("s")
        with pytest.raises(Exception, match="no session s"):
            session.value("SELECT 1")
        again = other.session("s")
        assert again.get_tables() == []
        again.exec("CREATE TABLE fresh (x)")
        assert session.get_tables() == ["fresh"], "the new file is opened, not the deleted one"


DEEP = "WHEN NEW.n < 500 BEGIN {} UPDATE t SET n = NEW.n + 1; END"
LONG = "UPDATE t SET n = " + " + ".join([f"coalesce({', '.join(['NEW.n'] * 100)})"] * 20) + ";"
LIKES = "SELECT " + " + ".join(f"(text LIKE '%{'_%' * 120}{n}')" for n in range(60)) + " AS n FROM long"


@pytest.mark.parametrize(("kept", "ask", "changed", "refusal"), [
    (f"CREATE TRIGGER deep AFTER UPDATE ON t {DEEP.format('')}", "UPDATE t SET n = 1",
     f"CREATE TRIGGER deep AFTER UPDATE ON t {DEEP.format(LONG)}", "triggers nested too deep"),
    ("CREATE VIEW deep AS SELECT text LIKE '%a' AS n FROM long", "SELECT n FROM deep",
     f"CREATE VIEW deep AS {LIKES}", "longer than it may be"),
], ids=["of triggers", "of values"])  # fmt: skip
def test_bounds_that_were_found_for_a_schema_hold_for_what_others_make_of_it(
    tmp_path: Path, kept: str, ask: str, changed: str, refusal: str
) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        session, there = here.session("s"), other.session("s")
        session.script("CREATE TABLE t (n); INSERT INTO t VALUES (1); CREATE TABLE long (text);")
        session.exec("INSERT INTO long VALUES (?)", ["b" * 1_000_000])
        session.exec(kept)
        session.exec(ask)
        there.script(f"DROP {kept.split()[1]} deep; {changed};")
        with pytest.raises(StatementError, match=refusal):
            session.exec(ask)


def test_bounds_of_a_reader_hold_for_what_the_writer_made_of_the_schema(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.script("CREATE TABLE long (text); CREATE VIEW deep AS SELECT text LIKE '%a' AS n FROM long;")
        session.exec("INSERT INTO long VALUES (?)", ["b" * 1_000_000])
        assert session.query("SELECT n FROM deep", read_only=True) == [{"n": 0}]
        session.script(f"DROP VIEW deep; CREATE VIEW deep AS {LIKES};")
        with pytest.raises(StatementError, match="longer than it may be"):
            session.query("SELECT n FROM deep", read_only=True)


def deleted_files(data_dir: Path) -> set[str]:
    """The names of what this process holds open below `data_dir` although it is deleted."""
    names = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which they are listed
            names.add(str(each.readlink()))
    return {Path(each.split()[0]).name for each in names if each.startswith(str(data_dir)) and "(deleted)" in each}


def test_a_sweep_gives_back_the_room_of_what_another_process_removed(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as there:
        for name in ("gone", "again", "busy", "stays"):
            session = here.session(name)
            session.exec("CREATE TABLE t AS SELECT 1 AS x")
            session.query("SELECT x FROM t", read_only=True)
        for name in ("gone", "again", "busy"):
            there.remove(name)
        made = there.session("again")
        made.exec("CREATE TABLE t AS SELECT 2 AS x")
        with here.registry.slots.turn(("local", "busy"), 0.0):
            here.sweep()
            assert "session.db" in deleted_files(tmp_path)
        here.sweep()
        assert deleted_files(tmp_path) == set()
        assert len(here.registry.slots) == 1
        assert here.session("again").query("SELECT x FROM t") == [{"x": 2}]
        assert here.session("stays").query("SELECT x FROM t") == [{"x": 1}]
        assert made.query("SELECT x FROM t") == [{"x": 2}]


def test_a_sweep_waits_for_nobody_who_reads_what_another_process_removed(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as there:
        here.session("s").exec("CREATE TABLE t AS SELECT 1 AS x")
        with here.registry.reading(("local", "s")) as reader:
            there.remove("s")
            sweep = threading.Thread(target=here.sweep)
            sweep.start()
            sweep.join(30)
            assert not sweep.is_alive()
            assert not reader.closed
        here.sweep()
        assert deleted_files(tmp_path) == set()


def test_readers_do_not_wait_for_another_process(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("shared").exec("CREATE TABLE pairs (n, half)")
    code = "print('in', flush=True)\nhelpers.db.exec('INSERT INTO pairs VALUES (1, 1)')\nimport time\ntime.sleep(30)"
    script = f"""
from codemode import Worker
with Worker(data_dir={str(tmp_path)!r}) as worker:
    worker.session("shared").run({code!r}, on_output=lambda text: print(text, flush=True))
"""
    there = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    try:
        assert there.stdout.readline() == b"in\n"
        with Worker(data_dir=tmp_path) as worker:
            session = worker.session("shared")
            assert session.query("SELECT count(*) AS n FROM pairs", read_only=True) == [{"n": 0}]
            assert session.metrics()["tables"][0]["name"] == "pairs"
            assert "CREATE TABLE" in session.logs()[0].statement
            assert list(session.pages("SELECT * FROM pairs")) == []
    finally:
        there.kill()
        there.wait()
        there.stdout.close()
