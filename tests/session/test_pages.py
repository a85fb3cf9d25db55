"""Page iterators: the whole result, as of their start, whatever is written meanwhile."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import pytest

from codemode import Limits, Session, Worker


@pytest.fixture
def many(session: Session) -> Session:
    session.exec("CREATE TABLE n (i INTEGER)")
    session.batch_insert("n", ({"i": i} for i in range(5000)))
    return session


def test_all_rows_come_although_there_are_more_than_a_query_answers(worker: Worker) -> None:
    session = worker.session(limits=Limits(rows=100))
    session.exec("CREATE TABLE n (i)")
    session.batch_insert("n", ({"i": i} for i in range(1000)))
    outcome = session.run("sum(len(page) for page in helpers.db.pages('SELECT i FROM n', size=100))")
    assert outcome.result == 1000


def test_pages_are_cut_by_bytes_and_go_on(worker: Worker) -> None:
    session = worker.session(limits=Limits(result_set_bytes=1_000))
    session.exec("CREATE TABLE n (i, t TEXT)")
    session.batch_insert("n", ({"i": i, "t": "x" * (5_000 if i == 7 else 300)} for i in range(20)))
    outcome = session.run("return [[row['i'] for row in page] for page in helpers.db.pages('SELECT i, t FROM n')]")
    assert [i for page in outcome.result for i in page] == list(range(20))
    assert [7] in outcome.result
    assert max(map(len, outcome.result)) == 3


WRITES = {
    "an update under itself": "helpers.db.exec('UPDATE n SET i = i + 100000')",
    "an insert": "helpers.db.batch_insert('n', [{'i': -1}] * 10)",
    "a delete": "helpers.db.exec('DELETE FROM n')",
    "a drop": "helpers.db.exec('DROP TABLE n')",
    "a rollback to a mark": "\n".join(
        ["try:", "    helpers.db.batch(['DELETE FROM n', 'SELECT nothing'])", "except helpers.Error:", "    pass"]
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_a_write_meanwhile_changes_nothing_of_what_is_read(many: Session, write: str) -> None:
    code = f"""
seen = []
pages = helpers.db.pages("SELECT i FROM n ORDER BY i", size=700)
seen += [row["i"] for row in next(pages)]
{write}
for page in pages:
    seen += [row["i"] for row in page]
seen == list(range(5000))
"""
    outcome = many.run(code)
    assert outcome.ok, outcome.error
    assert outcome.result is True


def test_several_iterators_and_a_write(many: Session) -> None:
    code = """
a = helpers.db.pages("SELECT i FROM n WHERE i < 10", size=3)
b = helpers.db.pages("SELECT i FROM n WHERE i >= 4990", size=3)
first = [row["i"] for row in next(a)]
helpers.db.exec("DELETE FROM n")
rest = [row["i"] for page in a for row in page] + [row["i"] for page in b for row in page]
[first, len(rest), helpers.db.value("SELECT count(*) FROM n")]
"""
    assert many.run(code).result == [[0, 1, 2], 17, 0]


def test_commit_is_refused_while_one_is_open(many: Session) -> None:
    outcome = many.run("pages = helpers.db.pages('SELECT i FROM n')\nnext(pages)\nhelpers.db.commit()")
    assert outcome.error.code == "request.invalid"
    assert "close()" in outcome.error.hint


def test_too_many_open_iterators_are_refused(many: Session) -> None:
    outcome = many.run("kept = [helpers.db.pages('SELECT i FROM n') for _ in range(40)]")
    assert outcome.error.code == "request.invalid"


def test_an_iterator_reads_only(many: Session) -> None:
    outcome = many.run("helpers.db.pages('DELETE FROM n RETURNING i')")
    assert outcome.error.code == "sql.refused"
    assert outcome.error.message.endswith("in pages and for an export, and DELETE writes")
    assert many.value("SELECT count(*) FROM n") == 5000


def test_what_is_left_of_an_iterator_is_bounded(worker: Worker) -> None:
    session = worker.session(limits=Limits(database_bytes=2_000_000))
    session.exec("CREATE TABLE one (x)")
    code = """
pages = helpers.db.pages(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT hex(randomblob(100)) FROM n")
next(pages)
helpers.db.exec("INSERT INTO one VALUES (1)")
"""
    outcome = session.run(code)
    assert outcome.error.code == "sql.limit"
    assert "database_bytes" in outcome.error.message


def test_what_is_left_of_wide_rows_is_moved_a_little_at_a_time(session: Session) -> None:
    session.exec("CREATE TABLE one (x)")
    wide = ", ".join(["zeroblob(100000)"] * 20)
    code = f"""
pages = helpers.db.pages(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) SELECT {wide} FROM n", size=1)
next(pages)
helpers.db.exec("INSERT INTO one VALUES (1)")
sum(len(page) for page in pages)
"""
    tracemalloc.start()
    try:
        assert session.run(code).result == 49
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # of 100 MB
    finally:
        tracemalloc.stop()


def test_what_is_left_of_several_iterators_is_bounded_together(worker: Worker) -> None:
    session = worker.session(limits=Limits(database_bytes=2_000_000))
    session.exec("CREATE TABLE one (x)")
    code = """
kept = [helpers.db.pages("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 15) "
    "SELECT zeroblob(100000) FROM n", size=1) for _ in range(count)]
for pages in kept:
    next(pages)
helpers.db.exec("INSERT INTO one VALUES (1)")
"""
    assert session.run(code, inputs={"count": 1}).ok  # 1.4 MB of 2
    outcome = session.run(code, inputs={"count": 2})
    assert (outcome.ok, outcome.error and outcome.error.code) == (False, "sql.limit")


def test_the_host_reads_while_a_writer_works(many: Session) -> None:
    pages = many.pages("SELECT i FROM n ORDER BY i", size=1000)
    first = next(pages)
    many.exec("DELETE FROM n")
    assert len(first) + sum(len(page) for page in pages) == 5000


FORGOTTEN = """
import gc, sys
from codemode import Worker

def forget():
    worker = Worker()
    session = worker.session("s")
    session.exec("CREATE TABLE t (a)")
    session.batch_insert("t", [{"a": 1}, {"a": 2}])
    class Reader:
        pass
    reader = Reader()
    reader.itself, reader.pages = reader, session.pages("SELECT a FROM t", size=1)
    next(reader.pages)
    return reader

kept = forget() if sys.argv[1] == "at the end" else None
forget()
gc.collect()
print("goes on")
"""


@pytest.mark.parametrize("collected", ["at once", "at the end"])
def test_an_iterator_that_is_left_to_the_garbage_collector_ends_no_process(collected: str) -> None:
    command = [sys.executable, "-c", FORGOTTEN, collected]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


def test_pages_have_no_more_rows_than_the_limit_of_rows(worker: Worker) -> None:
    """Whose query was cut is told to read all of it with pages(sql)."""
    session = worker.session(limits=Limits(rows=50))
    session.exec(
        "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 120) SELECT i FROM n"
    )
    assert session.run("[len(page) for page in helpers.db.pages('SELECT i FROM t')]").result == [50, 50, 20]
    assert [len(page) for page in session.pages("SELECT i FROM t")] == [50, 50, 20]
