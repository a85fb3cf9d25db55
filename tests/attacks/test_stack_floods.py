"""Calls that cost the worker, not the child: each ends in its time, holds little, and leaves the session working."""

from __future__ import annotations

import resource
import time

import pytest

from codemode import Limits, Session, Worker

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)"
SHUFFLED = """
import random
random.seed(1)
letters = [random.choice([chr(0x4e00 + i) for i in range(150)]) for _ in range(60_000)]
name = ''.join(letters)
random.shuffle(letters)
other = ''.join(letters)
"""
FLOODS = {
    "a trigger of semicolons": "helpers.db.script('CREATE TRIGGER t AFTER INSERT ON x BEGIN ' + ';' * 300_000)",
    "statements that never look at the clock": "helpers.db.script('SELECT 1;' * 90_000)",
    "more statements than calls": "helpers.db.script('SELECT 1;' * 300_000)",
    "names that are compared": SHUFFLED
    + "helpers.db.exec(f'CREATE TABLE t (\"{name}\")')\nhelpers.schema.find_column('t', other)",
    "a table's name that is compared": SHUFFLED
    + "helpers.db.exec(f'CREATE TABLE \"{name}\" (a)')\nhelpers.schema.get_columns(other)",
    "a name in a statement that is compared": SHUFFLED
    + "helpers.db.exec(f'CREATE TABLE t (\"{name}\")')\nhelpers.db.query(f'SELECT \"{other}\" FROM t')",
    "a name that reads like an error": "helpers.db.exec('CREATE TABLE t (a)')\n"
    "helpers.db.query('SELECT \"' + 'no such column: ' * 20_000 + '\\n x\" FROM t')",
    "brackets in a text": "helpers.db.exec('CREATE TABLE t (a)')\n"
    "helpers.db.query(\"SELECT nope FROM t WHERE '\" + '[' * 900_000 + \"'\")",
    "verbs of other databases": "helpers.db.query('SELECT ' * 140_000 + ')')",
    "words that fit a column": "helpers.db.exec('CREATE TABLE t (a_b_c)')\n"
    "helpers.schema.find_column('t', ' '.join(f'a{i}' for i in range(300_000)))",
}


@pytest.fixture
def bounded(worker: Worker) -> Session:
    return worker.session(limits=Limits(query_seconds=1, execution_seconds=2))


@pytest.mark.parametrize("flood", FLOODS)
def test_no_call_outlives_the_execution(bounded: Session, flood: str) -> None:
    started = time.process_time()
    bounded.run(FLOODS[flood])
    assert time.process_time() - started < 4
    assert bounded.run("helpers.db.value('SELECT 1')").result == 1


def test_the_statements_of_a_batch_share_one_answer(worker: Worker) -> None:
    session = worker.session(limits=Limits(result_set_bytes=1_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = session.run(
        f"answers = helpers.db.batch(['{NUMBERS} SELECT i, hex(zeroblob(400)) FROM n'] * 100)\n"
        "[len(answers), sum(len(a['rows']) for a in answers), answers[0]['truncated'], answers[-1]['truncated']]"
    )
    assert outcome.result == [100, pytest.approx(1_220, abs=20), True, True]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # of 100 answers 80 MB in bytes alone


@pytest.mark.parametrize("function", ["snippet(0, ''['', '']'', ''..'', 64)", "highlight(0, ''['', '']'')"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT rank FROM f WHERE f MATCH 'a' AND rank MATCH '{}'",
        "INSERT INTO f (f, rank) VALUES ('rank', '{}')",
    ],
)
def test_full_text_ranks_by_no_function_that_cannot_be_stopped(session: Session, query: str, function: str) -> None:
    session.exec("CREATE VIRTUAL TABLE f USING fts5(x)")
    session.exec("INSERT INTO f VALUES ('a b c')")
    outcome = session.run(
        f"helpers.db.exec({query.format(function)!r})\nhelpers.db.value(\"SELECT rank FROM f WHERE f MATCH 'a'\")"
    )
    assert not outcome.ok
    assert "cannot be stopped" in outcome.error.message


def test_rows_of_slow_calls_end_with_the_statement(worker: Worker) -> None:
    made = worker.session()
    made.exec("CREATE TABLE j (x)")
    made.exec("INSERT INTO j VALUES (?)", ["[" + "1," * 900_000 + "1]"])
    session = worker.session(made.id, limits=Limits(query_seconds=1))
    paths = ", ".join(f"'$[#-{n}]'" for n in range(1, 61))
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000)"
    started = time.process_time()
    outcome = session.run(f'helpers.db.exec("{numbers} SELECT json_extract(x, {paths}) FROM n, j")')
    assert outcome.error.code == "sql.timeout"
    assert time.process_time() - started < 3.5


LONG_SEARCHES = {
    "a parameter": "helpers.db.query('SELECT count(*) FROM f WHERE f MATCH ?', ['a ' * 100_000])",
    "the statement": "helpers.db.query(\"SELECT count(*) FROM f WHERE f MATCH '\" + 'a OR ' * 100_000 + \"a'\")",
    "a page iterator": "list(helpers.db.pages('SELECT x FROM f(?)', ['a ' * 100_000]))",
    "through a view": "helpers.db.exec('CREATE VIEW v AS SELECT f, x FROM f')\n"
    "helpers.db.query('SELECT count(*) FROM v WHERE f MATCH :q', {'q': 'a ' * 100_000})",
    "under a DELETE": "helpers.db.exec('DELETE FROM f WHERE f MATCH ?', ['a ' * 100_000])",
}


@pytest.mark.parametrize("search", LONG_SEARCHES)
def test_no_full_text_query_is_longer_than_its_time(worker: Worker, search: str) -> None:
    session = worker.session()
    session.exec("CREATE VIRTUAL TABLE f USING fts5(x)")
    session.exec("INSERT INTO f VALUES (?)", ["a b " * 400_000])  # a document may be long
    bounded = worker.session(session.id, limits=Limits(query_seconds=1, execution_seconds=2))
    started = time.process_time()
    outcome = bounded.run(LONG_SEARCHES[search])
    assert time.process_time() - started < 4
    assert outcome.error.code == "sql.limit"
    assert bounded.value("SELECT count(*) FROM f WHERE f MATCH 'a AND b'") == 1
