"""open_session: the settings it makes, the walls they are, and what it says of files that are none."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest

from codemode.database import connection as settings
from codemode.database.connection import READ_ONLY_SETTINGS, SETTINGS, open_session
from codemode.errors import SessionBusy, SessionDamaged, StorageFull
from codemode.guard.repair import explain_error
from codemode.limits import Limits

LIMITS = Limits()
ENDLESS = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s)"


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return open_session(tmp_path / "session.db", LIMITS)


PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 1,
    "foreign_keys": 1,
    "recursive_triggers": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    "temp_store": 1,
    "journal_size_limit": 16 * 1024 * 1024,
    "max_page_count": LIMITS.database_bytes // 4096,
    "wal_autocheckpoint": 1000,
}


@pytest.mark.parametrize("name", PRAGMAS)
def test_a_new_file_gets_every_pragma(connection: apsw.Connection, name: str) -> None:
    assert connection.pragma(name) == PRAGMAS[name]


def test_what_the_library_is_told_to_refuse(connection: apsw.Connection) -> None:
    options = {name: connection.config(getattr(apsw, f"SQLITE_DBCONFIG_{name}"), -1) for name in (
        "DEFENSIVE", "DQS_DDL", "DQS_DML", "ENABLE_ATTACH_CREATE", "ENABLE_ATTACH_WRITE", "TRUSTED_SCHEMA",
        "ENABLE_LOAD_EXTENSION", "ENABLE_FTS3_TOKENIZER", "WRITABLE_SCHEMA",
    )}  # fmt: skip
    assert options == {name: int(name == "DEFENSIVE") for name in options}


def test_every_limit_is_set(connection: apsw.Connection) -> None:
    limits = {name: connection.limit(getattr(apsw, f"SQLITE_LIMIT_{name}")) for name in (
        "LENGTH", "SQL_LENGTH", "COLUMN", "EXPR_DEPTH", "COMPOUND_SELECT", "VDBE_OP", "FUNCTION_ARG", "ATTACHED",
        "LIKE_PATTERN_LENGTH", "VARIABLE_NUMBER", "TRIGGER_DEPTH", "WORKER_THREADS",
    )}  # fmt: skip
    assert limits == {
        "LENGTH": 2_000_000, "SQL_LENGTH": 1_000_000, "COLUMN": 200, "EXPR_DEPTH": 200, "COMPOUND_SELECT": 50,
        "VDBE_OP": 250_000, "FUNCTION_ARG": 127, "ATTACHED": 0, "LIKE_PATTERN_LENGTH": 250,
        "VARIABLE_NUMBER": 32_766, "TRIGGER_DEPTH": 10, "WORKER_THREADS": 0,
    }  # fmt: skip


def test_every_setting_says_its_reason() -> None:
    for setting in {*SETTINGS, *READ_ONLY_SETTINGS}:
        assert setting.__doc__, setting.__name__


def test_the_heap_of_the_process_is_bounded(connection: apsw.Connection) -> None:
    assert apsw.hard_heap_limit(-1) == settings.HEAP_BYTES


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_or_missing_file_becomes_a_database(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "new.db"
    if content is not None:
        path.write_bytes(content)
    connection = open_session(path, LIMITS)
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    again = open_session(path, LIMITS)
    assert again.execute("SELECT name FROM sqlite_schema").fetchall() == [("t",)]
    again.close()


@pytest.mark.parametrize(
    "content",
    [b"not a database at all" * 100, b"\x00" * 4096, b"SQLite format 3\x00" + b"\xff" * 4080],
    ids=["text", "zeros", "header only"],
)
def test_a_file_that_is_no_database_is_damaged_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.db"
    path.write_bytes(content)
    with pytest.raises(SessionDamaged) as raised:
        open_session(path, LIMITS)
    assert raised.value.hint
    assert path.read_bytes() == content


def test_a_directory_in_its_place_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "session.db").mkdir()
    with pytest.raises(SessionDamaged, match="a directory stands where a file should be"):
        open_session(tmp_path / "session.db", LIMITS)


def test_a_missing_directory_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="does not exist"):
        open_session(tmp_path / "gone" / "session.db", LIMITS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_directory_that_cannot_be_written_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir(mode=0o500)
    with pytest.raises(StorageFull):
        open_session(tmp_path / "sealed" / "session.db", LIMITS)


def test_a_file_that_another_holds_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BUSY_MS", 50)
    path = tmp_path / "session.db"
    holder = apsw.Connection(str(path))
    holder.execute("PRAGMA locking_mode = exclusive; CREATE TABLE t (a); BEGIN EXCLUSIVE").fetchall()
    with pytest.raises(SessionBusy):
        open_session(path, LIMITS)
    holder.close()


def test_read_only_reads_and_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    writer = open_session(path, LIMITS)
    writer.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)").fetchall()
    reader = open_session(path, LIMITS, read_only=True)
    assert reader.execute("SELECT a FROM t").fetchall() == [(1,)]
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("DELETE FROM t")
    reader.close()
    writer.close()


def test_read_only_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        open_session(tmp_path / "session.db", LIMITS, read_only=True)
    assert not (tmp_path / "session.db").exists()


def test_the_quota_holds_and_the_session_goes_on(tmp_path: Path) -> None:
    connection = open_session(tmp_path / "session.db", Limits(database_bytes=200_000))
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(apsw.FullError):
        connection.execute("INSERT INTO t SELECT randomblob(100000) FROM (VALUES (1), (2), (3))").fetchall()
    connection.execute("INSERT INTO t VALUES (1)")
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
    connection.close()


def test_nothing_can_be_attached(connection: apsw.Connection, tmp_path: Path) -> None:
    with pytest.raises(apsw.SQLError, match="too many attached"):
        connection.execute("ATTACH ? AS other", (str(tmp_path / "other.db"),)).fetchall()
    assert not (tmp_path / "other.db").exists()


def test_an_aggregate_beyond_the_heap_ends_and_the_memory_comes_back(connection: apsw.Connection) -> None:
    # Out of memory, SQLite still reads the rest of the rows: an endless one would go on to its deadline.
    bomb = f"{ENDLESS} SELECT json_group_array(hex(zeroblob(900000))) FROM (SELECT i FROM s LIMIT 1000)"
    before = apsw.memory_used()
    with pytest.raises(apsw.NoMemError) as raised:
        connection.execute(bomb).fetchall()
    assert explain_error(raised.value, bomb, connection).code == "sql.limit"
    assert apsw.memory_used() < before + 10_000_000
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
