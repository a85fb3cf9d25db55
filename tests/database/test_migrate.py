"""The engine's own files come to their newest form step by step, once, whoever comes first."""

from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from codemode.database.engine_file import open_engine_file
from codemode.database.migrate import LOG, SESSION, migrate, migrations
from codemode.errors import SessionNewer, StorageFull
from codemode.guard.foreign import CATALOG

STEPS = ("CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y; INSERT INTO a VALUES (1, 2)")


def test_every_folder_of_migrations_is_numbered() -> None:
    for kind in (SESSION, LOG, CATALOG):
        steps = migrations(*kind)
        connection = apsw.Connection(":memory:")
        assert migrate(connection, steps) == len(steps) == connection.pragma("user_version")


def test_steps_run_once_and_in_order() -> None:
    connection = apsw.Connection(":memory:")
    assert migrate(connection, STEPS[:1]) == 1
    assert migrate(connection, STEPS) == 2
    assert migrate(connection, STEPS) == 2
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]


def test_a_step_that_fails_leaves_the_form_before_it() -> None:
    connection = apsw.Connection(":memory:")
    with pytest.raises(apsw.SQLError):
        migrate(connection, (*STEPS, "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)"))
    assert connection.pragma("user_version") == 0
    assert not connection.table_exists("main", "a")


def test_a_step_that_the_disk_has_no_room_for_says_so() -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("max_page_count", 4)
    with pytest.raises(apsw.FullError):  # for which SQLite itself ends the transaction
        migrate(connection, (*STEPS, "INSERT INTO a VALUES (zeroblob(100000), 1)"))
    assert connection.pragma("user_version") == 0


def test_a_file_of_the_future_is_refused() -> None:
    connection = apsw.Connection(":memory:")
    connection.pragma("user_version", 3)
    with pytest.raises(SessionNewer, match="format 3"):
        migrate(connection, STEPS)


def test_two_at_once_migrate_once(tmp_path: Path) -> None:
    path, failures = tmp_path / "x.db", []

    def opening() -> None:
        try:
            open_engine_file(path, STEPS).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=opening) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert open_engine_file(path, STEPS).execute("SELECT count(*) FROM a").get == 1


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageFull):
        open_engine_file(tmp_path / "missing" / "x.db", STEPS)
