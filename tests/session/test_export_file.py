"""A session as one plain SQLite file: what is in it, what is not, and that nobody waits."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from patience import HANG_SECONDS

from codemode import Limits, Session, Worker
from codemode.database.template import MAKING
from codemode.errors import RequestInvalid, SessionNotFound, StatementTimeout
from codemode.session.files import EXPORTING


def read(path: Path, sql: str) -> list[Any]:
    """What Python's own SQLite answers: another library, with none of our functions."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def names(path: Path) -> list[str]:
    sql = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'words_%' ORDER BY 1"
    return [row[0] for row in read(path, sql)]


def test_tables_indexes_views_and_triggers_are_in_it(session: Session, tmp_path: Path) -> None:
    session.script(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT CHECK (length(b) < 9), c AS (upper(b)));"
        "CREATE INDEX by_lower ON t (lower(b)); CREATE VIEW v AS SELECT b, group_concat(a) AS all_a FROM t GROUP BY b;"
        "CREATE TRIGGER tr AFTER INSERT ON t WHEN new.a > 100 BEGIN DELETE FROM t WHERE a = new.a; END;"
        "CREATE TABLE posts (body TEXT); CREATE VIRTUAL TABLE words USING fts5 (body, content='posts')"
    )
    session.batch_insert("t", [{"a": n, "b": f"x{n % 3}"} for n in range(9)])
    session.batch_insert("posts", [{"body": f"post number{n}"} for n in range(50)])
    session.exec("DELETE FROM posts WHERE rowid < 20")
    session.exec("INSERT INTO words (words) VALUES ('rebuild')")
    size = session.export_file(tmp_path / "s.db")
    assert size == (tmp_path / "s.db").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]
    assert names(tmp_path / "s.db") == ["by_lower", "posts", "t", "tr", "v", "words"]
    assert read(tmp_path / "s.db", "SELECT c, count(*) FROM t GROUP BY 1") == [("X0", 3), ("X1", 3), ("X2", 3)]
    assert read(tmp_path / "s.db", "SELECT * FROM v LIMIT 1") == [("x0", "0,3,6")]
    assert read(tmp_path / "s.db", "SELECT body FROM words WHERE words MATCH 'number25'") == [("post number25",)]
    assert read(tmp_path / "s.db", "PRAGMA integrity_check") == [("ok",)]
    assert read(tmp_path / "s.db", "PRAGMA user_version") == [(0,)]
    assert read(tmp_path / "s.db", "PRAGMA journal_mode") == [("delete",)]


def test_state_and_kept_results_are_data(session: Session, tmp_path: Path) -> None:
    session.exec("CREATE TABLE t (x)")
    session.export_file(tmp_path / "bare.db")
    assert names(tmp_path / "bare.db") == ["t"]
    session.save_state("k", [1])
    session.run("return ['y' * 100] * 30_000")
    session.export_file(tmp_path / "full.db")
    assert names(tmp_path / "full.db") == ["_result_1", "session_state", "t"]
    assert read(tmp_path / "full.db", "SELECT key, value FROM session_state") == [("k", "[1]")]


def test_what_was_deleted_and_what_the_engine_knows_is_not_in_it(session: Session, tmp_path: Path) -> None:
    session.exec("CREATE TABLE t (x)")
    session.exec("INSERT INTO t VALUES ('deleted-secret')")
    session.exec("DELETE FROM t")
    session.run("helpers.db.exec('INSERT INTO t VALUES (1)')\nreturn 'kept-outcome'", idempotency_key="the-key")
    session.export_file(tmp_path / "s.db")
    data = (tmp_path / "s.db").read_bytes()
    assert not any(word in data for word in (b"deleted-secret", b"kept-outcome", b"the-key", b"_codemode"))


def test_it_waits_for_no_execution_and_shows_none_of_its_writes(session: Session, tmp_path: Path) -> None:
    session.exec("CREATE TABLE t (x)")
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nprint('in', flush=True)\nimport time\ntime.sleep(30)"
    printed = threading.Event()
    running = threading.Thread(target=session.run, args=(code,), kwargs={"on_output": lambda text: printed.set()})
    running.start()
    try:
        assert printed.wait(HANG_SECONDS)
        session.export_file(tmp_path / "s.db")
        assert running.is_alive()
    finally:
        session.cancel()
        running.join()
    assert read(tmp_path / "s.db", "SELECT count(*) FROM t") == [(0,)]


def test_a_file_that_is_there_is_replaced_on_purpose_only(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_text("mine")
    with pytest.raises(RequestInvalid, match="exists"):
        session.export_file(path)
    assert path.read_text() == "mine"
    session.export_file(path, force=True)
    assert read(path, "PRAGMA integrity_check") == [("ok",)]
    with pytest.raises(RequestInvalid, match="no such directory"):
        session.export_file(tmp_path / "none" / "s.db")


def test_a_device_keeps_its_name_and_a_link_its_target(session: Session, tmp_path: Path) -> None:
    pipe, link, target = (tmp_path / name for name in ("pipe", "link.db", "s.db"))
    os.mkfifo(pipe)
    with pytest.raises(RequestInvalid, match="device or pipe"):
        session.export_file(pipe, force=True)
    assert pipe.is_fifo()
    target.write_text("mine")
    link.symlink_to(target)
    session.export_file(link, force=True)
    assert (link.is_symlink(), read(target, "PRAGMA integrity_check")) == (True, [("ok",)])
    target.unlink()
    target.symlink_to(link)
    with pytest.raises(RequestInvalid, match="exists"):
        session.export_file(link)
    with pytest.raises(RequestInvalid, match="exists"):
        session.export("SELECT 1", link, file_format="csv")


def test_one_that_takes_too_long_leaves_nothing(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path / "data") as worker:
        worker.session("s").exec("CREATE TABLE t (x)")
        worker.session("s").batch_insert("t", ({"x": "y" * 900} for _ in range(20_000)))
    with Worker(data_dir=tmp_path / "data", limits=Limits(execution_seconds=0.001)) as worker:
        with pytest.raises(StatementTimeout):
            worker.session("s").export_file(tmp_path / "s.db")
        session = worker.session("gone")
        worker.remove("gone")
        with pytest.raises(SessionNotFound):
            session.export_file(tmp_path / "s.db")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("making", [EXPORTING, MAKING])
def test_what_a_killed_process_was_making_is_swept(tmp_path: Path, making: str) -> None:
    with Worker(tmp_path) as worker:
        left, going_on = tmp_path / f"{making}left", tmp_path / f"{making}going-on"
        for place in (left, going_on):
            place.mkdir()
            (place / "session.db").write_bytes(b"somebody's data")
        hours_ago = left.stat().st_mtime - 7_300
        os.utime(left, (hours_ago, hours_ago))
        worker.sweep()
        assert (left.exists(), going_on.exists()) == (False, True)
