"""Questions to the catalogue that want more than their tenant's rows: each wall refuses them without the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from codemode import Limits, Settings, Worker
from codemode.catalog.asking import Question
from codemode.catalog.views import VIEWS
from codemode.database.execute import DatabaseError
from codemode.errors import StatementError, StatementTimeout
from codemode.guard.policy import FUNCTIONS
from codemode.guard.questions import Questions, ask
from tests.attacks.two_tenants import ROWS, SECRET, statements

_COLUMNS = "SELECT s.name, i.name FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS i WHERE s.type = 'table'"
# Tables that no view shows, each for a reason of its own.
HIDDEN = {
    "audit_horizon": "up to when the audit log is removed", "rates": "how fast a tenant may begin",
    "events": "what listeners are told, for a day", "messages_text": "an index over the messages of all tenants",
    "migrations": "what was done to the catalogue", "search_ranges": "which range of that index is whose",
    "messages_vocabulary": "the words of all tenants",
}  # fmt: skip


@pytest.fixture(scope="module", params=["", "memory"], ids=["file", "memory"])
def worker(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Worker]:
    settings = Settings(catalog=request.param)
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        columns: dict[str, list[str]] = {}
        for table, column in worker._catalog.run(_COLUMNS):
            columns.setdefault(table, []).append(column)
        for sql, values in statements(columns):
            worker._catalog.run(sql, *values)
        yield worker


def behind_the_guard(worker: Worker, sql: str) -> str:
    """What the catalogue itself answers, as if the guard had let the text pass."""
    limits = Limits()
    with worker._catalog.asking(limits) as asking:
        question = Question(
            tenant="mine", sql=sql, rows=1_000, result_bytes=limits.result_set_bytes, value_bytes=limits.value_bytes,
            until=time.monotonic() + 30,
        )  # fmt: skip
        return repr(asking.answer(question, FUNCTIONS).rows)


ATTACKS = (
    # tables by their own names, wherever a name may stand
    "SELECT * FROM main.sessions",
    "SELECT count(*) FROM main.sessions",
    'SELECT content FROM "MAIN".[messages]',
    "SELECT EXISTS (SELECT 1 FROM main.tokens)",
    "SELECT (SELECT hash FROM main.tokens LIMIT 1) FROM sessions",
    "SELECT 'theirs' IN main.tenants",
    "SELECT * FROM sessions UNION ALL SELECT * FROM main.sessions",
    "SELECT id FROM sessions AS s WHERE EXISTS (SELECT 1 FROM main.messages AS m WHERE m.session_id <> s.id)",
    "SELECT s.id FROM sessions AS s JOIN main.participants AS p ON 1",
    "SELECT count(*) FROM rates",
    "SELECT * FROM audit_horizon",
    "SELECT * FROM messages_text",
    "SELECT rowid FROM messages_text WHERE messages_text MATCH 'theirs'",
    "SELECT * FROM messages_text_data",
    "SELECT term FROM messages_vocabulary",
    "SELECT * FROM search_ranges",
    "SELECT * FROM events",
    # a common table expression that takes a view's name looks like that view to the authorizer
    "WITH sessions AS (SELECT * FROM main.sessions) SELECT * FROM sessions",
    "WITH sessions AS (SELECT * FROM main.sessions) SELECT count(*) FROM sessions",
    "WITH messages(a) AS (SELECT content FROM main.messages) SELECT a FROM messages",
    "WITH RECURSIVE users(a) AS (SELECT email FROM main.users UNION SELECT a FROM users) SELECT a FROM users",
    # the schema, which has the names of the inner views and the tenant's own
    "SELECT sql FROM sqlite_schema",
    "SELECT count(*) FROM sqlite_schema",
    "SELECT sql FROM temp.sqlite_master",
    "SELECT name FROM sqlite_temp_schema",
    "SELECT * FROM pragma_table_list",
    "SELECT * FROM pragma_table_info('tokens')",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_function_list",
    "PRAGMA table_info(sessions)",
    "PRAGMA writable_schema = 1",
    "SELECT * FROM dbstat",
    "SELECT count(*) FROM sqlite_dbpage",
    "SELECT * FROM sqlite_stmt",
    # other files, other verbs, other statements behind the first
    "ATTACH '/tmp/x.db' AS x",
    "ATTACH ':memory:' AS x",
    "DETACH temp",
    "VACUUM INTO '/tmp/x.db'",
    "BEGIN",
    "DELETE FROM sessions",
    "UPDATE main.sessions SET pinned = 1",
    "INSERT INTO main.tenants (id, created_at) VALUES ('new', 1)",
    "WITH gone AS (SELECT 1) DELETE FROM main.messages RETURNING content",
    "CREATE TEMP TABLE t AS SELECT * FROM main.messages",
    "CREATE TEMP VIEW t AS SELECT * FROM main.messages",
    "DROP VIEW sessions",
    "ANALYZE",
    "REINDEX",
    "SELECT 1; SELECT content FROM main.messages",
    "SELECT 1 /* ; */ ; -- \n SELECT hash FROM main.tokens",
    # functions that load, write or tell of the process
    "SELECT load_extension('/tmp/x.so')",
    "SELECT writefile('/tmp/x', 'x')",
    "SELECT readfile('/etc/passwd')",
    "SELECT fts3_tokenizer('x')",
    "SELECT sqlite_log(1, 'x')",
)


@pytest.mark.parametrize("sql", ATTACKS)
def test_a_question_reaches_nothing_but_the_views(worker: Worker, sql: str) -> None:
    with pytest.raises(StatementError) as refused:
        worker.ask(sql, tenant="mine")
    assert refused.value.hint or refused.value.available
    with pytest.raises((StatementError, DatabaseError)):
        behind_the_guard(worker, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "WITH sessions AS (SELECT 1 AS id) SELECT id FROM sessions UNION ALL SELECT id FROM messages",
        "SELECT s.id FROM sessions AS s LEFT JOIN messages AS m ON m.session_id = 'theirs-session'",
        "SELECT content FROM messages WHERE session_id = 'theirs-session' OR 1",
        "SELECT * FROM sessions -- WHERE tenant = 'mine'",
        "SELECT * FROM participants UNION SELECT session_id, user_id, 1, 1, 1, 1 FROM messages",
        "SELECT count(*) FROM messages, users, json_each('[1]') AS j",
        "SELECT max(content) OVER () FROM messages",
    ],
)
def test_whatever_a_question_asks_it_sees_its_own_tenant_alone(worker: Worker, sql: str) -> None:
    assert "theirs" not in repr(worker.ask(sql, tenant="mine"))
    assert "theirs" not in behind_the_guard(worker, sql)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_view_shows_the_rows_of_its_tenant_and_no_secret(worker: Worker, view: object) -> None:
    name = view.name  # type: ignore[attr-defined]
    rows = worker.ask(f"SELECT * FROM {name}", tenant="mine")
    assert rows.row_count == 1
    assert rows.columns == list(view.columns)  # type: ignore[attr-defined]
    told = repr(list(rows))
    assert not any(word in told for word in ("theirs", "hash-of", SECRET, "outcome of"))


def test_every_table_of_the_catalogue_is_shown_or_hidden_on_purpose(worker: Worker) -> None:
    sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
    tables = {name for (name,) in worker._catalog.run(sql) if not name.startswith("sqlite_")}
    shown = {view.table for view in VIEWS}
    assert tables - set(HIDDEN) == shown
    assert set(ROWS) | {"participants", "tenants", "counters"} == shown


def test_a_question_without_end_is_ended(worker: Worker) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with worker._catalog.asking(worker.limits) as asking, pytest.raises(StatementTimeout):
        ask(asking, "mine", sql, (), Limits(query_seconds=0.2))


def test_a_large_answer_is_cut_and_says_so(worker: Worker) -> None:
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    rows = worker.ask(many, max_rows=7)
    assert (rows.row_count, rows.truncated) == (7, True)
    assert worker.ask(many).row_count == worker.limits.rows
    wide = worker.ask(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(500000)) FROM n"
    )
    assert wide.truncated
    assert wide.row_count * 1_000_000 <= worker.limits.result_set_bytes


def test_an_error_names_what_there_is(worker: Worker) -> None:
    with pytest.raises(StatementError) as error:
        worker.ask("SELECT id FROM sesions")
    assert (error.value.code, error.value.did_you_mean[0]) == ("sql.no_such_table", "sessions")
    assert error.value.suggestion == "SELECT id FROM sessions"
    with pytest.raises(StatementError) as error:
        worker.ask("SELECT content, hash FROM messages")
    assert (error.value.code, "content" in error.value.available) == ("sql.no_such_column", True)


def test_the_guard_alone_refuses_what_is_no_question() -> None:
    with closing(Questions(VIEWS, Limits())) as questions:
        for sql in ("DELETE FROM sessions", "EXPLAIN SELECT 1", "PRAGMA user_version", "SELECT hash FROM tokens"):
            with pytest.raises(StatementError):
                questions.check(sql)
        assert questions.check("SELECT count(*) FROM sessions; -- all of them").kind == "select"
