"""A full-text search that nothing could stop is refused whichever call brings it, bound or written out."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codemode import Limits, Worker
from codemode.errors import StatementLimit, StatementRefused
from codemode.session.session import Session

NEAR = f"NEAR({'a ' * 40})"
Ask = Callable[[Session, str, list[str], Path], Any]


def run(code: str) -> Ask:
    def ask(session: Session, sql: str, params: list[str], _path: Path) -> None:
        outcome = session.run(code, inputs={"sql": sql, "params": params})
        assert outcome.error is not None
        raise StatementLimit(outcome.error.message) if outcome.error.code == "sql.limit" else AssertionError(outcome)

    return ask


CALLS: dict[str, Ask] = {
    "query": lambda session, sql, params, _: session.query(sql, params),
    "query, read only": lambda session, sql, params, _: session.query(sql, params, read_only=True),
    "value": lambda session, sql, params, _: session.value(sql, params),
    "pages": lambda session, sql, params, _: list(session.pages(sql, params)),
    "export": lambda session, sql, params, path: session.export(sql, path / "out.csv", params),
    "exec": lambda session, sql, params, _: session.exec(f"INSERT INTO kept {sql}", params),
    "run": run("return helpers.db.query(sql, params)"),
    "run, pages": run("return list(helpers.db.pages(sql, params))"),
    "run, batch": run("helpers.db.batch([(f'INSERT INTO kept {sql}', params)])"),
    "run, as a subquery": run("return helpers.db.query(f'SELECT * FROM ({sql})', params)"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("query", "params"), [("?", [NEAR]), (f"'{NEAR}'", [])], ids=["bound", "literal"])
def test_it_is_refused(session: Session, tmp_path: Path, call: str, query: str, params: list[str]) -> None:
    session.exec("CREATE VIRTUAL TABLE docs USING fts5(body)")
    session.exec("CREATE TABLE kept (body)")
    with pytest.raises(StatementLimit, match="NEAR"):
        CALLS[call](session, f"SELECT body FROM docs WHERE docs MATCH {query}", params, tmp_path)
    assert session.value("SELECT count(*) FROM kept") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX i ON f_data (id)",
        "CREATE INDEX i ON F_DATA (block) WHERE id = 7",
        "CREATE UNIQUE INDEX i ON f_content (c0)",
        "CREATE TABLE child (id REFERENCES f_data (id) ON DELETE CASCADE)",
        "CREATE TABLE child (id REFERENCES 'F_data')",
        "ALTER TABLE notes ADD COLUMN part REFERENCES f_data (id)",
        "CREATE VIRTUAL TABLE later USING fts5 (text)",
        "ALTER TABLE f RENAME TO later",
    ],
)
def test_nothing_sits_on_what_a_full_text_table_keeps_its_words_in(tmp_path: Path, statement: str) -> None:
    """An index on FTS5's `data`, or a key that refers to it, ended the process at the next write."""
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        session.script("CREATE VIRTUAL TABLE f USING fts5 (text); CREATE TABLE notes (id REFERENCES later_data (id))")
        with pytest.raises(StatementRefused, match="keeps its words"):
            session.exec(statement)
        session.exec("INSERT INTO f VALUES ('word')")
        assert session.query("SELECT text FROM f WHERE f MATCH 'word'") == [{"text": "word"}]


def test_tables_beside_a_full_text_table_are_indexed_and_referred_to(session: Session) -> None:
    session.script(
        "CREATE VIRTUAL TABLE notes USING fts5 (text); CREATE TABLE notes_by_day (id INTEGER PRIMARY KEY, day);"
        "CREATE INDEX by_day ON notes_by_day (day); CREATE TABLE child (id REFERENCES notes_by_day (id));"
        "CREATE TABLE notes_parent (id UNIQUE); CREATE TABLE other (id REFERENCES notes_parent (id));"
        "CREATE TABLE plain_data (id INTEGER PRIMARY KEY); CREATE INDEX i ON plain_data (id)"
    )
    session.exec("DROP INDEX by_day")


ENDS = {
    "the end of the execution": "helpers.db.exec(UPDATE)",
    "a commit": "helpers.db.exec(UPDATE)\nhelpers.db.commit()",
    "the next batch": "helpers.db.exec(UPDATE)\nhelpers.db.batch([('SELECT 1', ())])",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_is_written_at_the_end_of_a_transaction_has_the_time_of_a_statement(worker: Worker, end: str) -> None:
    """With 'secure-delete' and small pages these rows take 12 s, of which nothing is left."""
    session = worker.session()
    session.exec("CREATE TABLE kept AS SELECT 1 AS n")
    session.exec("CREATE VIRTUAL TABLE slow USING fts5(a, b)")
    for option, value in (("secure-delete", 1), ("pgsz", 64), ("hashsize", 1_000_000_000)):
        session.exec("INSERT INTO slow (slow, rank) VALUES (?, ?)", [option, value])
    session.exec("INSERT INTO slow (a) VALUES (replace(hex(randomblob(450000)), '0', ' '))")
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
    session.exec(f"{count} INSERT INTO slow SELECT hex(randomblob(200)), i || ' x y z' FROM n")
    session = worker.session(session.id, limits=Limits(query_seconds=1))
    update = "helpers.db.exec('UPDATE kept SET n = 2')\nUPDATE = \"UPDATE slow SET b = b || ' more'\"\n"
    used = time.thread_time()
    error = session.run(update + ENDS[end]).error
    assert time.thread_time() - used < 5
    assert (error.code, "query_seconds (1 s)" in error.message) == ("sql.timeout", True)
    session = worker.session(session.id, limits=Limits())  # a look at all of it takes longer on a busy machine
    assert session.value("SELECT n FROM kept") == 1
    assert session.value("SELECT count(*) FROM slow WHERE slow MATCH 'more'") == 0
    session.exec("INSERT INTO slow (slow) VALUES ('integrity-check')")
