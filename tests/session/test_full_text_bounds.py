"""A full-text search that nothing could stop is refused whichever call brings it, bound or written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codemode.errors import StatementLimit
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
