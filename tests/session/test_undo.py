"""Undo: before the last change, exactly, or an error that says why not; never a mixture of two states."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codemode import Limits, Session, Worker
from codemode.database import ways
from codemode.errors import CannotUndo
from codemode.session.files import SessionFiles
from codemode.session.opened import OpenSession
from codemode.session.transaction import Transaction

Dump = list[Any]


def files(session: Session) -> SessionFiles:
    return session._registry.files((session.tenant, session.id))


def dump(session: Session) -> Dump:
    """Everything a user can see, and that SQLite finds the file in order."""
    with session._registry.turn(session._key, 10) as opened:
        assert opened.is_sound()
    found: Dump = session.query(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_codemode%' ESCAPE '\\' ORDER BY 2"
    )
    tables = [row["name"] for row in found if row["type"] == "table" and "_codemode" not in row["tbl_name"]]
    return [*found, *(session.query(f'SELECT * FROM "{table}" ORDER BY 1') for table in tables)]


def ok(session: Session, code: str, **options: Any) -> Any:
    outcome = session.run(code, **options)
    assert outcome.ok, outcome.error
    return outcome


def test_undo_brings_back_rows_schema_and_state(table: Session) -> None:
    before = dump(table)
    changed = ok(
        table,
        "helpers.db.exec('UPDATE t SET b = 0')\nhelpers.db.exec('ALTER TABLE t ADD COLUMN c DEFAULT 5')\n"
        "helpers.db.exec('CREATE INDEX t_by_c ON t (c)')\nhelpers.db.save_state('k', 1)\n"
        "helpers.db.batch_insert('u', [{'x': 'y' * 3000} for _ in range(50)], create=True)",
    )
    after = dump(table)
    undone = table.undo()
    assert (undone.what, undone.execution_id) == ("execution", changed.execution_id)
    assert dump(table) == before
    assert table.redo() == undone
    assert dump(table) == after
    table.undo()
    ok(table, "helpers.db.exec('DELETE FROM t')")
    with pytest.raises(CannotUndo, match="nothing to redo"):
        table.redo()
    table.undo()
    assert dump(table) == before


def test_it_goes_back_change_by_change(session: Session) -> None:
    states = [dump(session)]
    session.exec("CREATE TABLE t (a)")
    states.append(dump(session))
    ok(session, "helpers.db.exec('INSERT INTO t VALUES (1)')")
    states.append(dump(session))
    session.batch_insert("t", [{"a": n} for n in range(2000)])
    states.append(dump(session))
    session.load("loaded", [("x", "TEXT")], (("y" * 500,) for _ in range(500)))
    for state in reversed(states):
        session.undo()
        assert dump(session) == state
        if state is states[0]:
            break
    with pytest.raises(CannotUndo, match="nothing to undo"):
        session.undo()
    for state in states[1:]:
        session.redo()
        assert dump(session) == state


@pytest.mark.parametrize("options", [{"atomic": False}, {}])
def test_an_execution_of_many_commits_is_one(table: Session, options: dict[str, Any]) -> None:
    before = dump(table)
    commit = "\n    helpers.db.commit()" if not options else ""
    ok(
        table,
        f"for n in range(10, 60):\n    helpers.db.exec('INSERT INTO t VALUES (?, ?)', [n, 'x' * 900]){commit}",
        **options,
    )
    failed = table.run("helpers.db.exec('DELETE FROM t')\nhelpers.db.commit()\nhelpers.db.exec('DROP TABLE t')\n1/0")
    assert (failed.ok, failed.db.committed) == (False, True)
    assert table.undo().execution_id == failed.execution_id
    assert table.value("SELECT count(*) FROM t") == 53
    table.undo()
    assert dump(table) == before


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("helpers.db.exec('DELETE FROM t')\n1/0", {}),
        ("helpers.db.exec('DELETE FROM t')", {"dry_run": True}),
        ("return helpers.db.query('SELECT * FROM t')", {}),
        ("helpers.db.exec('DELETE FROM t WHERE a = 99')", {}),
        ("helpers.db.exec('CREATE TABLE IF NOT EXISTS t (x)')", {}),
        ('try:\n    helpers.db.exec("INSERT OR ROLLBACK INTO t VALUES (2, 2)")\nexcept helpers.Error:\n    pass', {}),
        ("helpers.db.commit()", {}),
    ],
)
def test_what_changed_nothing_is_passed_over(table: Session, code: str, options: dict[str, Any]) -> None:
    written = ok(table, "helpers.db.exec('UPDATE t SET b = 7')")
    table.run(code, **options)
    assert table.undo().execution_id == written.execution_id
    assert table.query("SELECT b FROM t") == [{"b": "1"}, {"b": "2"}, {"b": "3"}]


def test_a_restore_is_undone(table: Session) -> None:
    table.checkpoint("three")
    table.batch_insert("t", [{"a": n, "b": "x" * 2000} for n in range(10, 1000)])
    table.exec("CREATE INDEX t_by_b ON t (b)")
    before = dump(table)
    table.restore("three")
    assert table.undo().what == "restore three"
    assert dump(table) == before
    assert table.redo().what == "restore three"
    assert table.value("SELECT count(*) FROM t") == 3
    ok(table, "helpers.db.exec('DELETE FROM t')")
    table.undo()
    table.undo()
    assert dump(table) == before


def test_more_than_the_budget_says_so(tmp_path: Path) -> None:
    limits = Limits(undo_bytes=200_000)
    with Worker(data_dir=tmp_path, limits=limits) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        rows = [{"a": n, "b": "x" * 1000} for n in range(1000)]
        session.batch_insert("t", rows)
        session.undo()
        assert session.value("SELECT count(*) FROM t") == 0, "new rows cost nothing"
        session.redo()
        session.exec("UPDATE t SET b = 'y'")
        with pytest.raises(CannotUndo, match="more than the 200,000 bytes of limit undo_bytes") as raised:
            session.undo()
        assert "checkpoint" in raised.value.hint
        assert session.value("SELECT count(*) FROM t WHERE b = 'y'") == 1000
        session.exec("DELETE FROM t WHERE a = 5")
        session.undo()
        assert session.value("SELECT count(*) FROM t") == 1000
        with pytest.raises(CannotUndo, match="undo_bytes"):
            session.undo()
        session.checkpoint("large")
        session.exec("DROP TABLE t")
        session.restore("large")
        session.undo()
        assert session.get_tables() == [], "the way back from a restore is kept whatever its size"
        for n in range(300):
            session.exec("CREATE TABLE u AS SELECT zeroblob(40000)" if n % 2 == 0 else "DROP TABLE u")
        assert files(session).undo.stat().st_size <= 2 * limits.undo_bytes + 50_000


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, limits=Limits(undo_executions=3)) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (a)")
        for n in range(40):
            session.exec("INSERT INTO t VALUES (?)", [n])
        undone = 0
        with pytest.raises(CannotUndo, match="the last 3 changes are kept"):  # noqa: PT012 - how often is the question
            while True:
                session.undo()
                undone += 1
        assert 3 <= undone <= 12
        assert session.value("SELECT count(*) FROM t") == 40 - undone


def test_compaction_is_not_undone(table: Session) -> None:
    table.exec("DELETE FROM t WHERE a = 1")
    table.compact()
    with pytest.raises(CannotUndo, match="compacted"):
        table.undo()
    table.exec("DELETE FROM t WHERE a = 2")
    table.undo()
    with pytest.raises(CannotUndo, match="compacted"):
        table.undo()
    assert table.value("SELECT count(*) FROM t") == 2


def test_what_was_not_kept_is_never_guessed(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill between a commit and the way back from it."""
    table.exec("UPDATE t SET b = 'first'")
    with monkeypatch.context() as patched:

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(ways.Ways, "keep", full)
        ok(table, "helpers.db.exec('DELETE FROM t WHERE a = 1')")
    with pytest.raises(CannotUndo, match="did not live"):
        table.undo()
    table.exec("DELETE FROM t WHERE a = 2")
    table.undo()
    with pytest.raises(CannotUndo):
        table.undo()
    assert table.query("SELECT * FROM t") == [{"a": 2, "b": "first"}, {"a": 3, "b": "first"}]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "garbage"])
def test_a_damaged_file_is_noticed(table: Session, damage: str) -> None:
    table.exec("UPDATE t SET b = 'x'")
    before = dump(table)
    path = files(table).undo
    content = path.read_bytes()
    flipped = content[:-2000] + bytes([content[-2000] ^ 1]) + content[-1999:]
    path.write_bytes({"cut": content[:-1], "flipped": flipped, "emptied": b"", "garbage": b"x" * 5000}[damage])
    with pytest.raises(CannotUndo):
        table.undo()
    assert dump(table) == before
    table.exec("DELETE FROM t")
    table.undo()
    assert dump(table) == before


def test_what_was_kept_among_the_checkpoints_is_found(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t AS SELECT 1 AS a")
        before = dump(session)
        session.exec("DELETE FROM t")
        place = files(session)
    place.checkpoints.mkdir()
    place.undo.rename(place.checkpoints / "undo.ways")
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.undo()
        assert dump(session) == before


def test_two_processes_take_turns(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as here, Worker(data_dir=tmp_path) as other:
        one, two = here.session("s"), other.session("s")
        one.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        one.batch_insert("t", [{"a": n, "b": "x" * 100} for n in range(2000)])
        states = []
        for n in range(8):
            states.append(dump(one))
            (one, two)[n % 2].exec("UPDATE t SET b = ? WHERE a % 97 = ?", [n, n])
        for n, state in enumerate(reversed(states)):
            (two, one)[n % 2].undo()
            assert dump(one) == dump(two) == state


def test_a_long_execution_keeps_its_log_short(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        session.batch_insert("t", [{"a": n, "b": "x" * 3000} for n in range(300)])
        before = dump(session)
        ok(
            session,
            "for n in range(3000):\n"
            "    helpers.db.exec('UPDATE t SET b = ? WHERE a = ?', [str(n) * 600, n * 7 % 300])\n"
            "    helpers.db.exec('INSERT INTO t (b) VALUES (?)', ['y' * 3000])\n",
            atomic=False,
        )
        session.undo()
        assert dump(session) == before
        session.redo()
        log = files(session).database.with_name("session.db-wal").stat().st_size
        assert log < 25_000_000, "some 50 MB were written"
        for n in range(1500):
            session.exec("UPDATE t SET b = 'z' WHERE a = ?", [n % 300])
        assert files(session).database.with_name("session.db-wal").stat().st_size <= max(log, 8_000_000)


def test_only_what_begins_a_write_ahead_log_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    def waits(opened: OpenSession) -> bool:
        with opened.guard.engine():
            return bool(opened.connection.pragma("synchronous"))

    with Worker(tmp_path) as worker:
        worker.session("s")
        for keep, waited in ((False, False), (True, False), (True, True)):  # what is rolled back leaves it empty
            with worker.registry.turn(("local", "s"), 1) as opened:
                with opened.history.recording("", "host"):
                    opened.history.begin()
                    transaction = Transaction(opened, "atomic")
                    transaction.begin()
                    assert waits(opened) is waited
                    transaction.finish(keep=keep)
                    assert waits(opened) is keep, "before a commit in the same turn could go into the file"
                assert waits(opened)


def test_readers_and_iterators_of_before_go_on(table: Session) -> None:
    table.batch_insert("t", [{"a": n, "b": "x" * 500} for n in range(10, 3000)])
    pages = table.pages("SELECT a FROM t", size=10)
    next(pages)
    before = dump(table)
    for _ in range(3):
        ok(table, "helpers.db.exec('UPDATE t SET b = b || 1')")
    for _ in range(3):
        table.undo()
    assert dump(table) == before
    assert sum(len(page) for page in pages) == 2983


def test_nobodys_locks_are_lost(table: Session) -> None:
    """The pages of before are read from the database file; a plain file, closed, would drop SQLite's locks on it."""
    ok(table, "helpers.db.exec('UPDATE t SET b = 1')")
    table.compact()
    ok(table, "helpers.db.exec('UPDATE t SET b = 2')")
    script = (
        "import sqlite3, sys\nconnection = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "try:\n    print(connection.execute('PRAGMA journal_mode = delete').fetchone()[0])\n"
        "except sqlite3.OperationalError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, files(table).database], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("database is locked", "wal")
    table.undo()


def test_what_belongs_to_the_session_is_not_undone(table: Session) -> None:
    code = "helpers.db.exec('DELETE FROM t')\nreturn 7"
    table.checkpoint("three")
    first = ok(table, code, idempotency_key="once")
    table.undo()
    assert table.value("SELECT count(*) FROM t") == 3
    assert ok(table, code, idempotency_key="once").execution_id == first.execution_id
    assert table.value("SELECT count(*) FROM t") == 3, "the key is known: nothing runs"
    table.undo()
    assert table.value("SELECT count(*) FROM t") == 0, "the insert of the rows"
    table.redo()
    table.redo()
    assert table.value("SELECT count(*) FROM t") == 0
    table.restore("three")
    assert ok(table, code, idempotency_key="once").execution_id == first.execution_id
    fork = table.fork()
    assert ok(fork, code, idempotency_key="once").execution_id != first.execution_id


def test_each_is_in_the_log(table: Session) -> None:
    table.exec("DELETE FROM t")
    table.undo()
    table.redo()
    with pytest.raises(CannotUndo):
        table.redo()
    found = [(entry.kind, entry.error_code) for entry in table.logs(limit=3)]
    assert found == [("redo", "session.cannot_undo"), ("redo", None), ("undo", None)]


def test_no_way_leads_into_the_session_of_before_a_renewal(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.exec("CREATE TABLE secret (a)")
        session.undo()
        database = files(session).database
    database.write_bytes(b"this is no database" * 1000)
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s", renew=True)
        for call in (session.redo, session.undo):
            with pytest.raises(CannotUndo):
                call()
        assert session.get_tables() == []


def test_changes_of_another_form_are_not_undone(table: Session) -> None:
    table.exec("DELETE FROM t")
    path = files(table).undo
    path.write_bytes(path.read_bytes().replace(b'"form":', b'"form":1'))
    with pytest.raises(CannotUndo):
        table.undo()


def test_a_file_of_the_first_form_is_migrated_after_a_restore(table: Session) -> None:
    table.checkpoint("old")
    connection = sqlite3.connect(files(table).checkpoints / f"{b'old'.hex()}.db")
    connection.execute("PRAGMA journal_mode = delete")
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE tbl_name LIKE '!_codemode%' ESCAPE '!'"
    ).fetchall():
        if not name.startswith("sqlite_"):
            connection.execute(f"DROP {'INDEX' if name.endswith('_by_age') else 'TABLE'} IF EXISTS {name}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    table.exec("DELETE FROM t")
    table.restore("old")
    assert table.value("SELECT count(*) FROM t") == 3
    ok(table, "helpers.db.exec('DELETE FROM t WHERE a = 1')", idempotency_key="k")
    table.undo()
    table.undo()
    assert table.value("SELECT count(*) FROM t") == 0


ACTIONS = (
    "INSERT INTO t (b) SELECT hex(randomblob(400)) FROM t LIMIT 40",
    "INSERT INTO t (b) VALUES (zeroblob(30000))",
    "UPDATE t SET b = upper(b) || a WHERE a % 3 = 1",
    "DELETE FROM t WHERE a % 4 = 2",
    "DELETE FROM t WHERE a > 20",
    "CREATE TABLE IF NOT EXISTS u AS SELECT * FROM t",
    "DROP TABLE IF EXISTS u",
    "CREATE INDEX IF NOT EXISTS t_by_b ON t (b)",
    "DROP INDEX IF EXISTS t_by_b",
    "DROP TABLE IF EXISTS f; CREATE VIRTUAL TABLE f USING fts5 (body); INSERT INTO f SELECT b FROM t",
    "DROP TABLE IF EXISTS f",
    "CREATE VIEW IF NOT EXISTS v AS SELECT count(*) AS n FROM t",
    "DROP VIEW IF EXISTS v",
)


@pytest.mark.parametrize("seed", range(6))
def test_any_sequence_comes_back_page_by_page(tmp_path: Path, seed: int) -> None:
    """Against a model that keeps every state whole: two workers, executions, host calls, checkpoints, undo and redo."""
    chosen = random.Random(seed)
    with Worker(data_dir=tmp_path) as one, Worker(data_dir=tmp_path) as two:
        sessions = [worker.session("s", limits=Limits(undo_executions=1000)) for worker in (one, two)]
        sessions[0].script("CREATE TABLE t (a INTEGER PRIMARY KEY, b); INSERT INTO t (b) VALUES ('x'), ('y')")
        past, future, kept = [], [], {}
        for step in range(45):
            session, dice = chosen.choice(sessions), chosen.random()
            before = dump(session)
            if dice < 0.22 and past:
                session.undo()
                future.append(before)
                assert dump(session) == past.pop(), (seed, step)
                continue
            if dice < 0.32 and future:
                session.redo()
                past.append(before)
                assert dump(session) == future.pop(), (seed, step)
                continue
            if dice < 0.40:
                kept[name := f"c{len(kept)}"] = before
                session.checkpoint(name) if len(kept) < 15 else kept.pop(name)
                continue
            if dice < 0.47 and kept:
                name = chosen.choice(list(kept))
                session.restore(name)
                assert dump(session) == kept[name], (seed, step)
                past.append(before)
                future.clear()
                continue
            statements = "; ".join(chosen.choices(ACTIONS, k=chosen.randint(1, 3))).split("; ")
            statements.append(f"INSERT INTO t (b) VALUES ('step {step}')")
            if dice < 0.7:
                session.script(";".join(statements))
            else:
                ok(session, f"for sql in {statements!r}:\n    helpers.db.exec(sql)", atomic=dice < 0.9)
            past.append(before)
            future.clear()
        while past:
            session = chosen.choice(sessions)
            session.undo()
            assert dump(session) == past.pop()
