"""Compaction gives pages back, keeps everything else, and ends in time whatever the session's indexes compute."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from codemode import Limits, Session, Worker
from codemode.errors import StatementTimeout


def test_free_pages_go_back_to_the_disk(session: Session) -> None:
    session.exec("CREATE TABLE t (x)")
    session.exec("CREATE INDEX i ON t (trim(x, 'y'))")
    session.batch_insert("t", ({"x": "y" * 1000 + str(n)} for n in range(2000)))
    session.exec("DELETE FROM t WHERE rowid > 10")
    sizes = session.compact()
    assert sizes["after"] < sizes["before"] / 10
    assert session.value("SELECT count(*) FROM t WHERE trim(x, 'y') = '5'") == 1
    assert session.metrics()["database_size"] == sizes["after"]
    assert session.logs()


def test_compaction_has_a_deadline(worker: Worker) -> None:
    session = worker.session(limits=Limits(execution_seconds=0.005))
    session.exec("CREATE TABLE t (x)")
    session.load("u", [("x", "TEXT")], ((f"{n:0500d}",) for n in range(60_000)))
    with pytest.raises(StatementTimeout):
        session.compact()
    assert session.value("SELECT count(*) FROM u") == 60_000


def test_full_text_indexes_over_other_tables_stay_in_step(session: Session) -> None:
    session.script(
        "CREATE TABLE posts (body TEXT);"
        "CREATE VIRTUAL TABLE found USING fts5 (body, content='posts');"
        "CREATE VIRTUAL TABLE quoted USING/**/[fts5] (body, content='posts');"
        "CREATE VIRTUAL TABLE bare USING fts5 (body, content='');"
        "CREATE VIRTUAL TABLE own USING fts5 (body);"
        "INSERT INTO posts VALUES ('first'), ('second'), ('third');"
        "INSERT INTO found (found) VALUES ('rebuild');"
        "INSERT INTO quoted (quoted) VALUES ('rebuild');"
        "INSERT INTO bare (rowid, body) VALUES (7, 'kept');"
        "INSERT INTO own VALUES ('mine');"
        "DELETE FROM posts WHERE rowid = 1;"
        "INSERT INTO found (found, rowid, body) VALUES ('delete', 1, 'first')"
    )
    session.compact()
    for index in ("found", "quoted"):
        assert session.query(f"SELECT body FROM {index} WHERE {index} MATCH 'third'") == [{"body": "third"}]
    assert session.value("SELECT rowid FROM bare WHERE bare MATCH 'kept'") == 7
    assert session.value("SELECT body FROM own WHERE own MATCH 'mine'") == "mine"


def test_a_full_text_index_finds_the_same_rows_after_a_compaction_that_was_too_late(worker: Worker) -> None:
    session = worker.session(limits=Limits(execution_seconds=1.0))
    session.script(
        "CREATE TABLE posts (body TEXT); CREATE TABLE pace (slow INTEGER); INSERT INTO pace VALUES (0);"
        "CREATE VIEW seen AS SELECT posts.rowid AS rowid, body FROM posts, pace WHERE slow = 0 OR"
        " (WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n) > 0;"
        "CREATE VIRTUAL TABLE found USING fts5 (body, content='seen');"
        "INSERT INTO posts VALUES ('first'), ('second'), ('third'); INSERT INTO found (found) VALUES ('rebuild');"
        "DELETE FROM posts WHERE rowid = 1; INSERT INTO found (found, rowid, body) VALUES ('delete', 1, 'first');"
        "UPDATE pace SET slow = 1"
    )
    with pytest.raises(StatementTimeout):
        session.compact()
    session = worker.session(session.id, limits=Limits())  # one that is not too late, however busy the disk is
    session.exec("UPDATE pace SET slow = 0")
    search = "SELECT body FROM found WHERE found MATCH 'second'"
    assert session.query(search) == [{"body": "second"}]
    assert session.compact()["after"] > 0
    assert session.query(search) == [{"body": "second"}]
    assert [path.name for path in worker.registry.files((session.tenant, session.id)).checkpoints.iterdir()] == []


def test_a_compaction_waits_for_no_reader(session: Session) -> None:
    session.exec("CREATE TABLE t (x)")
    session.batch_insert("t", ({"x": "y" * 1000} for _ in range(2000)))
    pages = session.pages("SELECT x FROM t", size=10)
    assert len(next(pages)) == 10
    session.exec("DELETE FROM t WHERE rowid > 10")
    sizes = session.compact()
    assert sizes["after"] < sizes["before"] / 10
    assert len(next(pages)) == 10
    pages.close()


def test_what_made_a_table_may_say_anything(session: Session, tmp_path: Path) -> None:
    session.exec("CREATE TABLE said (x /* " + "using fts5 " * 2_000 + "*/)")
    session.exec("CREATE VIRTUAL TABLE boxes USING rtree (boxes, low, high)")
    session.exec("CREATE TABLE boxes_config (x)")
    assert session.compact()["after"] > 0
    assert session.export_file(tmp_path / "s.db") > 0
    assert session.query("SELECT * FROM boxes") == []


def test_a_full_text_index_whose_table_is_gone_stays_as_it_is(session: Session, tmp_path: Path) -> None:
    session.script(
        "CREATE TABLE posts (body TEXT); CREATE VIRTUAL TABLE found USING fts5 (body, content='posts');"
        "INSERT INTO found (rowid, body) VALUES (7, 'kept'); DROP TABLE posts; CREATE TABLE t AS SELECT 1 AS x"
    )
    assert session.compact()["after"] > 0
    assert session.value("SELECT rowid FROM found WHERE found MATCH 'kept'") == 7
    assert session.export_file(tmp_path / "s.db") > 0
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        assert connection.execute("SELECT x FROM t").fetchall() == [(1,)]
