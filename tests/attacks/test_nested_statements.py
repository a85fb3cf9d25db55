"""What virtual tables run inside a statement: its text may be longer than a value, and nothing ends by that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from patience import HANG_SECONDS

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
