"""Checkpoints: named copies of a session, the way back to one, and sessions that begin with one."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from codemode import Limits, Session, Worker
from codemode.database import copies
from codemode.errors import (
    CheckpointExists,
    CheckpointLimit,
    CodemodeError,
    NoSuchCheckpoint,
    RequestInvalid,
    SessionDamaged,
    SessionExists,
    SessionExpired,
    SessionNewer,
)
from codemode.session.files import SessionFiles


def files(session: Session) -> SessionFiles:
    return session._registry.files((session.tenant, session.id))


def numbers(session: Session) -> list[int]:
    return [row["a"] for row in session.query("SELECT a FROM t ORDER BY a")]


def test_a_restore_brings_back_rows_schema_and_state(table: Session) -> None:
    table.exec("CREATE INDEX t_by_b ON t (b)")
    table.save_state("k", 1)
    made = table.checkpoint("before")
    assert (made.name, made.size_bytes) == ("before", table.metrics()["database_size"])
    table.script("DROP INDEX t_by_b; DELETE FROM t WHERE a = 1; ALTER TABLE t ADD COLUMN c; CREATE TABLE other (x)")
    table.save_state("k", 2)
    assert table.restore("before") == made
    assert table.query("SELECT * FROM t") == [{"a": n, "b": str(n)} for n in (1, 2, 3)]
    assert (table.get_tables(), table.get_state("k")) == (["t"], 1)
    assert [index["name"] for index in table.describe_table("t")["indexes"]] == ["t_by_b"]
    assert table.run("helpers.db.exec('INSERT INTO t VALUES (4, 4)')").ok
    assert table.checkpoints() == [made], "it stays, and can be restored again"
    table.restore("before")
    assert numbers(table) == [1, 2, 3]


@pytest.mark.parametrize(
    "ways", [["restore"], ["restore", "undo"], ["restore", "undo", "redo"]], ids=lambda ways: ways[-1]
)
def test_what_fails_after_the_way_back_was_committed_does_not_fail_it(
    table: Session, monkeypatch: pytest.MonkeyPatch, ways: list[str]
) -> None:
    class Faulty(apsw.Connection):
        def wal_checkpoint(self, *args: Any, **options: Any) -> tuple[int, int]:
            raise apsw.IOError("disk I/O error")

    def unlink(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EIO, "Input/output error")

    table.checkpoint("before")
    table.exec("DELETE FROM t")
    steps = {"restore": lambda: table.restore("before"), "undo": table.undo, "redo": table.redo}
    *first, last = ways
    for way in first:
        steps[way]()
    with monkeypatch.context() as patched:
        patched.setattr(copies.apsw, "Connection", Faulty)
        patched.setattr(Path, "unlink", unlink)
        steps[last]()
    assert numbers(table) == ([] if last == "undo" else [1, 2, 3])


def test_checkpoints_are_listed_replaced_and_deleted(table: Session) -> None:
    first, second = table.checkpoint("first"), table.checkpoint("second")
    assert table.checkpoints() == table.list_checkpoints() == [first, second]
    table.exec("DELETE FROM t")
    with pytest.raises(CheckpointExists, match="replace=True"):
        table.checkpoint("first")
    table.restore("first")
    assert numbers(table) == [1, 2, 3], "a refused one changes nothing"
    table.exec("DELETE FROM t")
    again = table.checkpoint("first", replace=True)
    assert table.checkpoints() == [second, again]
    table.restore("second")
    table.delete_checkpoint("second")
    assert table.checkpoints() == [again]
    with pytest.raises(NoSuchCheckpoint) as raised:
        table.restore("firsd")
    assert (raised.value.did_you_mean, raised.value.available) == (("first",), ("first",))
    with pytest.raises(NoSuchCheckpoint):
        table.delete_checkpoint("second")
    with pytest.raises(NoSuchCheckpoint):
        table.fork(checkpoint="second")


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "a\0b", "a b", "-a", ".a", "ä", "x" * 65, "new\n", 7, None, b"a"]
)
def test_a_name_is_no_path(table: Session, name: object) -> None:
    for call in (table.checkpoint, table.restore, table.delete_checkpoint):
        with pytest.raises(RequestInvalid, match="name of a checkpoint"):
            call(name)
    assert [path.name for path in files(table).checkpoints.rglob("*")] == []


def test_names_that_differ_in_case_are_two(table: Session) -> None:
    table.checkpoint("x" * 64)
    table.checkpoint("X" * 64)
    table.checkpoint("con.db")
    assert [found.name for found in table.checkpoints()] == ["x" * 64, "X" * 64, "con.db"]
    assert {path.suffix for path in files(table).checkpoints.iterdir()} == {".db"}


def test_a_snippet_checkpoints_what_is_committed(table: Session) -> None:
    outcome = table.run("return [helpers.db.checkpoint('one')['name'], helpers.db.listCheckpoints()]")
    assert outcome.result[0] == "one"
    assert [found["name"] for found in outcome.result[1]] == ["one"]
    refused = table.run("helpers.db.exec('DELETE FROM t')\nhelpers.db.checkpoint('two')")
    assert (refused.error.code, "commit()" in refused.error.hint) == ("request.invalid", True)
    assert numbers(table) == [1, 2, 3]
    outcome = table.run("helpers.db.exec('DELETE FROM t')\nhelpers.db.commit()\nhelpers.db.checkpoint('two')")
    assert outcome.ok, outcome.error
    assert table.run("helpers.db.exec('INSERT INTO t VALUES (9, 9)')\nhelpers.db.checkpoint('x')", atomic=False).ok
    assert [found.name for found in table.checkpoints()] == ["one", "two", "x"]
    table.restore("two")
    assert numbers(table) == []
    error = table.run("helpers.db.checkpoint('one')").error
    assert (error.code, error.line) == ("session.checkpoint_exists", 1)
    assert table.run("helpers.db.checkpoint('one', replace=True)").ok


def test_a_snippet_cannot_restore(table: Session) -> None:
    table.checkpoint("one")
    for name in ("restore", "undo", "fork", "delete_checkpoint"):
        error = table.run(f"helpers.db.{name}('one')").error
        assert error.code == "request.invalid", error
    for method in ("db.restore", "db.fork", "db.delete_checkpoint"):
        with table._turn() as calls, pytest.raises(RequestInvalid, match="no helper call"):
            calls.answer(method, ["one"])


@pytest.mark.parametrize("arguments", [[], [1], ["a", 1], ["a", True, 1], ["\ud800"]])
def test_arguments_of_a_hostile_child_are_refused(table: Session, arguments: list[object]) -> None:
    with table._turn() as calls, pytest.raises(RequestInvalid):
        calls.answer("db.checkpoint", arguments)
    assert table.checkpoints() == []


@pytest.mark.parametrize("options", [{"dry_run": True}, {"read_only": True}])
def test_what_keeps_nothing_keeps_no_checkpoint(table: Session, options: dict[str, bool]) -> None:
    assert table.run("helpers.db.checkpoint('x')", **options).error.code == "request.invalid"
    assert table.checkpoints() == []


def test_each_is_in_the_log(table: Session) -> None:
    table.checkpoint("one")
    table.restore("one")
    with pytest.raises(NoSuchCheckpoint):
        table.restore("two")
    target = table.fork().id
    table.delete_checkpoint("one")
    found = [(entry.kind, entry.statement, entry.error_code) for entry in reversed(table.logs(limit=5))]
    assert found == [
        ("checkpoint", "one", None),
        ("restore", "one", None),
        ("restore", "two", "session.no_such_checkpoint"),
        ("fork", target, None),
        ("delete_checkpoint", "one", None),
    ]


@pytest.mark.parametrize("owner", ["", 5, ["ann"], object()])
def test_a_fork_for_nobody_that_could_be_leaves_nothing(worker: Worker, table: Session, owner: object) -> None:
    there = sorted(worker.data_dir.glob("sessions/*"))
    with pytest.raises(RequestInvalid):
        table.fork("another", owner=owner)  # type: ignore[arg-type]
    assert sorted(worker.data_dir.glob("sessions/*")) == there


def test_a_fork_goes_its_own_way(worker: Worker, table: Session) -> None:
    table.checkpoint("three")
    table.exec("INSERT INTO t VALUES (4, 4)")
    fork = table.fork(f"{table.id}-fork")
    assert (fork.id, numbers(fork), fork.checkpoints()) == (f"{table.id}-fork", [1, 2, 3, 4], [])
    fork.exec("DELETE FROM t WHERE a < 4")
    assert (numbers(table), numbers(fork)) == ([1, 2, 3, 4], [4])
    assert [entry.kind for entry in fork.logs()][-1:] != ["fork"], "a log of its own"
    worker.remove(table.id)
    assert numbers(worker.session(fork.id, create=False)) == [4]
    with pytest.raises(SessionExists):
        fork.fork(fork.id)
    with pytest.raises(RequestInvalid):
        fork.fork("../x")


def test_a_fork_of_a_checkpoint(table: Session) -> None:
    table.checkpoint("three")
    table.exec("DELETE FROM t")
    assert numbers(table.fork(checkpoint="three")) == [1, 2, 3]


def test_a_fork_inherits_limits_and_refuses_the_id_of_an_expired_session(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        source = worker.session("a", limits=Limits(rows=5, idle_seconds=500))
        fork = source.fork("b")
        assert (fork.limits.rows, worker.session("b").limits.idle_seconds) == (5, 500)
        worker.session("old", limits=Limits(idle_seconds=0.001))
        with pytest.raises(SessionExists):
            source.fork("old")
        time.sleep(0.05)  # until its millisecond is over
        with pytest.raises(SessionExpired):
            worker.session("old")


def test_they_go_with_the_session(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        for name in ("removed", "expired"):
            session = worker.session(name)
            session.checkpoint("x")
            assert worker.info(name).size_bytes > 2 * session.checkpoints()[0].size_bytes - 1
        worker.session("expired", limits=Limits(idle_seconds=0.001))
        worker.remove("removed")
        time.sleep(0.05)
        assert worker.sweep() == ["expired"]
        assert list((tmp_path / "sessions").iterdir()) == []
        assert worker.session("removed").checkpoints() == []


def test_they_count_against_their_budget(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(checkpoints=2, checkpoint_bytes=150_000)) as worker:
        session = worker.session("s")
        session.checkpoint("a")
        session.checkpoint("b")
        with pytest.raises(CheckpointLimit, match=r"2 checkpoints.*delete one.*a, b"):
            session.checkpoint("c")
        session.checkpoint("b", replace=True)
        session.delete_checkpoint("b")
        session.exec("CREATE TABLE t AS SELECT zeroblob(90000) AS x")
        with pytest.raises(CheckpointLimit, match="checkpoint_bytes"):
            session.checkpoint("b")
        assert session.run("helpers.db.checkpoint('b')").error.code == "session.checkpoint_limit"
        session.delete_checkpoint("a")
        session.checkpoint("b")
        assert [found.name for found in session.checkpoints()] == ["b"]


def test_limits_that_were_lowered_since_hold_for_a_session_that_a_program_keeps(
    session: Session, worker: Worker
) -> None:
    worker.session(session.id, limits={"checkpoints": 1})
    session.checkpoint("a")
    with pytest.raises(CheckpointLimit):
        session.checkpoint("b")


def test_an_older_checkpoint_is_migrated_and_a_newer_one_refused(table: Session) -> None:
    table.checkpoint("old")
    table.checkpoint("new")
    for name, version, more in (("old", 0, "DROP TABLE session_state"), ("new", 99, "")):
        path = files(table).checkpoints / f"{name.encode().hex()}.db"
        connection = sqlite3.connect(path)
        connection.executescript(f"PRAGMA journal_mode = delete; PRAGMA user_version = {version}; {more}")
        connection.close()
    table.exec("DELETE FROM t")
    with pytest.raises(SessionNewer):
        table.restore("new")
    with pytest.raises(SessionNewer):
        table.fork(checkpoint="new")
    assert numbers(table) == []
    with pytest.raises(SessionDamaged):
        table.restore("old")  # version 0 is a file that was never made by this engine


@pytest.mark.parametrize("damage", ["emptied", "overwritten", "a page", "foreign"])
def test_a_damaged_checkpoint_leaves_the_session_as_it_is(table: Session, damage: str) -> None:
    table.batch_insert("t", [{"a": n, "b": "x" * 500} for n in range(10, 500)])
    table.checkpoint("one")
    path = next(files(table).checkpoints.glob("*.db"))
    content = path.read_bytes()
    changed = {
        "emptied": b"",
        "overwritten": b"this is no database" * 1000,
        "a page": content[: 4096 * 5] + b"\x7f" * 4096 + content[4096 * 6 :],
        "foreign": content[:60] + bytes(4) + content[64:],
    }
    path.write_bytes(changed[damage])
    table.exec("DELETE FROM t WHERE a > 1")
    with pytest.raises(SessionDamaged, match="checkpoint one is damaged"):
        table.restore("one")
    assert numbers(table) == [1]
    with pytest.raises(SessionDamaged):
        table.fork(checkpoint="one")
    assert sorted(left.name for left in files(table).checkpoints.iterdir()) == [path.name]


def test_a_checkpoint_mends_a_damaged_session_once_it_is_renewed(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t AS SELECT 1 AS a")
        session.checkpoint("good")
        database = files(session).database
    database.write_bytes(b"this is no database" * 1000)
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        with pytest.raises(SessionDamaged):
            session.restore("good")
        worker.session("s", renew=True).restore("good")
        assert numbers(session) == [1]


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.checkpoint("one")
        place = files(session).checkpoints
    for left in ("new-01.db", "new-01.db-wal", "new-01.db-journal"):
        (place / left).write_bytes(b"half")
    with Worker(data_dir=tmp_path) as worker:
        assert [found.name for found in worker.session("s").checkpoints()] == ["one"]
        worker.session("s").exec("CREATE TABLE t (x)")
        assert sorted(path.suffix for path in place.iterdir()) == [".db"]


def test_nobody_waits_for_a_checkpoint_and_a_reader_keeps_its_state(table: Session) -> None:
    table.batch_insert("t", [{"a": n, "b": "x" * 1000} for n in range(10, 20_000)])
    pages = table.pages("SELECT a FROM t", size=10)
    next(pages)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(table.query("SELECT count(*) AS n FROM t", read_only=True)[0]["n"])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        table.checkpoint("large")
        table.exec("DELETE FROM t")
        table.restore("large")
    finally:
        done.set()
        reader.join()
    assert set(seen) <= {0, 19_993}
    assert sum(len(page) for page in pages) == 19_983, "an open iterator goes on with the rows of its start"
    assert len(numbers(table.fork())) == 10_000  # the row limit; the fork is whole:
    assert table.value("SELECT count(*) FROM t") == 19_993


def test_another_process_sees_a_restore(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        one, two = here.session("s"), other.session("s")
        one.exec("CREATE TABLE t AS SELECT 1 AS a")
        one.checkpoint("one")
        two.script("CREATE TABLE u (x); DROP TABLE t")
        assert two.query("SELECT * FROM u", read_only=True) == []
        assert [found.name for found in two.checkpoints()] == ["one"]
        one.restore("one")
        assert two.get_tables() == ["t"]
        assert two.query("SELECT a FROM t", read_only=True) == [{"a": 1}]
        two.exec("INSERT INTO t VALUES (2)")
        assert numbers(one) == [1, 2]
        two.restore("one")
        assert numbers(one) == [1]


def test_it_ends_in_time(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t AS SELECT 1 AS a, zeroblob(1000000) AS b")
        session.checkpoint("one")
        hurried = worker.session("s", limits=Limits(execution_seconds=1e-9))
        for call in (lambda: hurried.checkpoint("two"), lambda: hurried.restore("one"), hurried.fork):
            with pytest.raises(CodemodeError) as raised:
                call()
            assert raised.value.code == "sql.timeout"
        assert not list(files(session).checkpoints.glob("new-*"))
        assert [info.id for info in worker.sessions()] == ["s"]
