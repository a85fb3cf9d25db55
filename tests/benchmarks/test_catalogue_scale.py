"""The large catalogue, made small: it is what the triggers would have made, and every question finds its rows."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from benchmarks.catalogue.__main__ import run
from benchmarks.catalogue.generate import fill, generate
from benchmarks.catalogue.questions import QUESTIONS
from benchmarks.catalogue.recorded import decoded, encoded
from benchmarks.catalogue.shape import Shape
from codemode import Worker

_SHAPE = Shape(1_000, messages=2)


def _tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(apsw.Connection(str(folder / "catalog.db"))) as connection:
        names = connection.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'")
        found = {
            name: sorted((row for row in connection.execute(f'SELECT * FROM "{name}"') if row[0] != "local"), key=repr)
            for (name,) in names.fetchall()
            if not name.startswith(("sqlite_", "messages_text", "migrations"))
        }
        connection.execute("INSERT INTO messages_text (messages_text, rank) VALUES ('integrity-check', 1)")
        search = "SELECT rowid FROM messages_text WHERE messages_text MATCH 'topic7 OR case3 OR delay' ORDER BY rowid"
        return found | {"found": connection.execute(search).fetchall()}


def test_a_catalogue_made_at_once_is_the_one_that_its_triggers_would_have_made(tmp_path: Path) -> None:
    generate(tmp_path / "once", _SHAPE)
    with Worker(tmp_path / "row by row"):
        pass
    with closing(apsw.Connection(str(tmp_path / "row by row" / "catalog.db"))) as connection:
        connection.pragma("foreign_keys", True)
        fill(connection, _SHAPE)
        assert connection.execute("SELECT count(*) FROM events").get
        connection.execute("DELETE FROM events")  # they are kept for a day
    once, row_by_row = _tables(tmp_path / "once"), _tables(tmp_path / "row by row")
    for table, rows in once.items():
        assert rows == row_by_row[table], table
    assert once["found"]


def test_every_question_is_asked_of_a_tenant_of_each_size(tmp_path: Path) -> None:
    found = run(tmp_path, _SHAPE, 10, lambda _: None)
    assert {(each.question, each.tenant) for each in found.questions} == {
        (question.title, kind) for question in QUESTIONS for kind in ("large", "middle", "small")
    }
    assert [each.question for each in found.beside] == [question.title for question in QUESTIONS]
    assert decoded(encoded(found)) == found
