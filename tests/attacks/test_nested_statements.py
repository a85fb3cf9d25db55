"""What virtual tables run inside a statement: its text may be longer than a value, and nothing ends by that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from patience import HANG_SECONDS

from codemode import Session
from codemode.errors import StatementRefused
from codemode.guard import schema
from codemode.guard.schema import MOST_VIRTUAL_TABLES

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from codemode import Limits, Worker

with Worker() as worker:
    made, snippet = sys.argv[2:]
    worker.session("s").run(made)
    session = worker.session("s", limits=Limits(value_bytes=int(sys.argv[1])))
    outcome = session.run(snippet)
    print(outcome.error or outcome.result)
    assert session.run("helpers.db.value('SELECT 7')").result == 7
"""
# SQLite hands a null pointer to whoever listens where a nested statement and three characters more are longer than a
# value may be. The guard shortens values to 31,592 bytes for a row of 404 LIKEs.
SHORTENED = """
likes = ", ".join([" OR ".join(["a LIKE ?1"] * 4)] * 101)
for length in range(31_500, 31_600, 10):
    name = "x" * length
    helpers.db.exec(f'CREATE VIRTUAL TABLE "{name}" USING fts5(a)')
    helpers.db.exec(f'INSERT INTO "{name}" VALUES (1)')
    helpers.db.exec(f'CREATE VIEW v AS SELECT a FROM "{name}"(1)')
    try:
        helpers.db.query(f"SELECT {likes} FROM v", ["x"])
    except helpers.Error as error:
        assert error.code == "sql.limit", error
    helpers.db.exec("DROP VIEW v")
    helpers.db.exec(f'DROP TABLE "{name}"')
return "it lives"
"""
MADE = """
for length in range(900, 1_000, 10):
    name = "x" * length
    helpers.db.exec(f'CREATE VIRTUAL TABLE "{name}" USING fts5(a)')
    helpers.db.exec(f'INSERT INTO "{name}" VALUES (1)')
"""
READ_BY_LESS = """
for length in range(900, 1_000, 10):
    name = "x" * length
    try:
        helpers.db.query(f'SELECT * FROM "{name}"(1)')
    except helpers.Error as error:
        assert error.code in ("sql.limit", "sql.runtime"), error
return "it lives"
"""


@pytest.mark.parametrize(
    ("value_bytes", "made", "snippet"),
    [(2_000_000, "", SHORTENED), (1_000, MADE, READ_BY_LESS)],
    ids=["shortened", "low"],
)
def test_a_nested_statement_longer_than_a_value_ends_nothing(value_bytes: int, made: str, snippet: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(value_bytes), made, snippet],
        capture_output=True, text=True, timeout=2 * HANG_SECONDS, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "it lives"), done.stderr[-2_000:]


# Each full-text table reads its content in the one before it, inside the statement that reads that one.
NESTED = """
import threading
import apsw

connection = apsw.Connection(":memory:")
connection.execute("CREATE TABLE c0 (a); INSERT INTO c0 VALUES ('x')")
for n in range(1, {depth} + 1):
    connection.execute(f"CREATE VIRTUAL TABLE c{{n}} USING fts5(a, content = 'c{{n - 1}}', columnsize = 0)")
threading.stack_size(1_048_576)
thread = threading.Thread(target=lambda: print(connection.execute("SELECT a FROM c{depth}").get))
thread.start()
thread.join()
"""


def read_nested(depth: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", NESTED.format(depth=depth)],
        capture_output=True, text=True, timeout=2 * HANG_SECONDS, cwd=ROOT,
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def test_full_text_tables_in_one_another_end_a_process_and_so_many_as_a_session_has_do_not() -> None:
    assert read_nested(4 * MOST_VIRTUAL_TABLES)[0] < 0, "the fact behind the bound"
    assert read_nested(MOST_VIRTUAL_TABLES) == (0, "x")


def test_a_session_has_so_many_virtual_tables_and_no_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MOST_VIRTUAL_TABLES", 3)
    for number in range(3):
        session.exec(f"CREATE VIRTUAL TABLE f{number} USING fts5(a)")
    with pytest.raises(StatementRefused, match="3 virtual tables at most"):
        session.exec("CREATE VIRTUAL TABLE f3 USING rtree(id, low, high)")
    session.exec("CREATE TABLE plain (a)")
    session.exec("DROP TABLE f0")
    session.exec("CREATE VIRTUAL TABLE f3 USING rtree(id, low, high)")


def test_definitions_have_so_many_bytes_and_no_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MOST_DEFINITION_BYTES", 20_000)
    session.exec(f"CREATE VIEW a AS SELECT '{'é' * 5_000}' AS x")
    for more in ("CREATE VIEW b AS SELECT '{}' AS x", "CREATE TABLE b (x DEFAULT '{}')"):
        with pytest.raises(StatementRefused, match="20,000 bytes of definitions"):
            session.exec(more.format("x" * 11_000))
    with pytest.raises(StatementRefused, match="20,000 bytes of definitions"):
        session.create_table("b", {"x": f"DEFAULT '{'x' * 11_000}'"})
    monkeypatch.setattr(schema, "MOST_DEFINITION_BYTES", 1_000)
    session.exec("DROP VIEW a")  # what was there before may go


LONG = {
    "CREATE VIEW long AS SELECT 1 AS x FROM t WHERE b IN ({})": "drop long,",
    "CREATE TRIGGER long AFTER INSERT ON t BEGIN SELECT 1 FROM t WHERE b IN ({}); END": "drop long,",
    "CREATE TABLE long (a, b, CHECK (b IN ({})))": "copy its rows",
}


@pytest.mark.parametrize("made", LONG)
def test_no_long_definition_is_searched_for_every_place_of_a_name(session: Session, made: str) -> None:
    """SQLite would look each of 60,000 names up among all of them, in one step: 20 s."""
    session.script("CREATE TABLE t (a, b); CREATE TABLE short (c)")
    session.exec(made.format(", ".join(["a"] * 60_000)))
    table = "long" if made.startswith("CREATE TABLE") else "t"
    for change in ("RENAME COLUMN a TO z", "RENAME TO u"):
        with pytest.raises(StatementRefused, match="more than 50,000 bytes") as refused:
            session.exec(f"ALTER TABLE {table} {change}")
        assert LONG[made] in refused.value.hint
    session.exec("ALTER TABLE t ADD COLUMN z")
    session.exec("ALTER TABLE t DROP COLUMN z")
    session.exec("DROP " + " ".join(made.split()[1:3]))
    session.exec("ALTER TABLE short RENAME COLUMN c TO d")


def test_a_table_has_so_many_indexes_and_no_more(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    session.exec("CREATE TABLE t (a, b, c, UNIQUE (a))")
    session.script("".join(f"CREATE INDEX i{n} ON t (b, a);" for n in range(schema.MOST_INDEXES - 1)))
    with pytest.raises(StatementRefused, match="t would have more than 64 indexes"):
        session.exec("CREATE INDEX more ON t (c)")
    session.exec("CREATE TABLE other (a UNIQUE, b UNIQUE)")
    monkeypatch.setattr(schema, "MOST_INDEXES", 1)
    session.exec("DROP INDEX i0")  # what was there before may go
    with pytest.raises(StatementRefused, match="more than 1 index"):
        session.script("CREATE INDEX i0 ON t (b, a); CREATE INDEX more ON t (c)")


def test_what_full_text_keeps_prepared_is_counted_once(session: Session) -> None:
    session.exec("CREATE VIRTUAL TABLE f USING fts5(a)")
    insert = "helpers.db.exec(\"INSERT INTO f VALUES ('a b')\")"
    one, hundred = (session.run(f"for n in range({count}): {insert}").db.vm_steps for count in (1, 100))
    assert one < hundred <= 110 * one


def test_costs_are_counted_again_after_a_statement_that_was_shortened() -> None:
    from codemode import Worker

    with Worker() as worker:
        session = worker.session()
        session.exec("CREATE VIRTUAL TABLE f USING fts5(a)")
        session.exec("CREATE TABLE t AS SELECT 1 AS x UNION SELECT 2")
        likes = ", ".join([" OR ".join(["a LIKE ?1"] * 4)] * 101)
        heavy = f'helpers.db.query("SELECT {likes} FROM f", ["x"])'
        outcome = session.run(f'{heavy}\nhelpers.db.query("SELECT * FROM t")')
        assert outcome.db.scan_steps > 0
