"""The statements of the five source systems and of models, run where they will run: in a whole session.

test_cases.py holds the guard's word on the same files; here every repair runs too, those that are helpers included.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_cases import FOLDER, Case, read_cases

from codemode import Session
from codemode.errors import CodemodeError

FILES = sorted([*FOLDER.glob("seeds_*.sql"), *FOLDER.glob("models_*.sql")])


def run(session: Session, sql: str, params: object = ()) -> CodemodeError | list[list[object]]:
    try:
        return [list(row.values()) for row in session.exec(sql, params).get("rows", [])]
    except CodemodeError as error:
        return error


def expect(session: Session, case: Case) -> None:
    for sql in case.after:
        assert isinstance(run(session, sql), list), sql
    answer = run(session, case.sql, case.params)
    if case.expected[0] == "allowed":
        assert isinstance(answer, list), f"{case.name}: {answer}"
        assert case.rows is None or answer == case.rows, case.name
        return
    assert isinstance(answer, CodemodeError), f"{case.name} ran"
    assert answer.code == ("sql.refused" if case.expected[0] == "refused" else case.expected[1]), case.name
    assert case.hint in (answer.hint or ""), f"{case.name}: {answer}"


def expect_repairs(session: Session, case: Case) -> None:
    for sql in case.repair:
        repaired = run(session, sql)
        assert isinstance(repaired, list), f"{case.name}: {sql}: {repaired}"
    for code in case.snippet:
        outcome = session.run(code)
        assert outcome.ok, f"{case.name}: {code}: {outcome.error}"
    for method in case.host:
        getattr(session, method)()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_source_system_runs_in_a_session(path: Path, session: Session) -> None:
    for case in read_cases(path):
        expect(session, case)
        expect_repairs(session, case)


def test_what_follows_retention_is_the_host_s_compaction(session: Session) -> None:
    session.exec("CREATE TABLE cache (id INTEGER PRIMARY KEY, body BLOB)")
    session.exec("INSERT INTO cache (body) SELECT zeroblob(100000) FROM json_each(?)", ["[1, 2, 3, 4, 5, 6, 7, 8, 9]"])
    session.exec("DELETE FROM cache WHERE id > 1")
    sizes = session.compact()
    assert sizes["after"] < sizes["before"]


def test_compaction_keeps_the_rows_numbers_that_a_full_text_index_refers_to(session: Session) -> None:
    session.exec("CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT)")
    session.exec("CREATE VIRTUAL TABLE notes_text USING fts5(body, content='notes', content_rowid='rowid')")
    session.exec("INSERT INTO notes VALUES ('a', 'first'), ('b', 'second'), ('c', 'third')")
    session.exec("DELETE FROM notes WHERE id = 'a'")
    session.exec("INSERT INTO notes_text (notes_text) VALUES ('rebuild')")
    session.compact()
    found = "SELECT n.id FROM notes_text f JOIN notes n ON n.rowid = f.rowid WHERE notes_text MATCH 'third'"
    assert session.value(found) == "c"


def test_there_are_enough_of_them() -> None:
    seeds = [case for path in FILES if path.stem.startswith("seeds_") for case in read_cases(path)]
    assert len(seeds) >= 150
    refused = [case for case in seeds if case.expected[0] != "allowed"]
    unrepaired = [case.name for case in refused if not (case.repair or case.snippet or case.host)]
    assert not unrepaired, "a refusal's way out is run here"
