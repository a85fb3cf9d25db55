"""Questions to a catalogue in PostgreSQL that want more than their tenant's rows: the guard, and the server alone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_cluster import Cluster

from codemode import Limits
from codemode.catalog.asking import Question
from codemode.catalog.opening import open_catalogue
from codemode.catalog.store import Store
from codemode.catalog.stores import postgres_asking
from codemode.catalog.views import VIEWS
from codemode.errors import CodemodeError, StatementError, StatementTimeout, WorkerUnavailable
from codemode.guard.questions import ask
from tests.attacks.two_tenants import SECRET, statements

_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"

_HELD = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND datname = current_database()
"""


@pytest.fixture(scope="module")
def store(postgres: Cluster) -> Iterator[Store]:
    address = postgres.database("migrated")
    store = open_catalogue(address, Path())
    columns: dict[str, list[str]] = {}
    for table, column in store.run(_COLUMNS):
        columns.setdefault(table, []).append(column)
    for sql, values in statements(columns):
        store.run(sql, *values)
    yield store
    store.close()


def asked(store: Store, sql: str, params: object = (), limits: Limits | None = None) -> list[tuple[object, ...]]:
    limits = limits or Limits()
    with store.asking(limits) as asking:
        return ask(asking, "mine", sql, params, limits).rows


def behind_the_guard(store: Store, sql: str) -> str:
    """What the server answers, as if the guard had let the text pass."""
    with store.asking(Limits()) as asking:
        question = Question(
            tenant="mine", sql=sql, rows=1_000, result_bytes=1_000_000, value_bytes=0, until=time.monotonic() + 30
        )
        return repr(asking.answer(question, ()).rows)


LOCK = "pg_advisory_lock(1668244581, 0)"  # which everybody who writes takes: postgres.py
REFUSED = (
    "SELECT * FROM public.sessions",
    "SELECT count(*) FROM public.messages",
    "WITH sessions AS (SELECT * FROM public.sessions) SELECT * FROM sessions",
    "SELECT id FROM sessions UNION ALL SELECT id FROM public.sessions",
    "SELECT (SELECT hash FROM public.tokens LIMIT 1)",
    "SELECT rolpassword FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT set_config('role', 'codemode', true), query_to_xml('SELECT * FROM public.tokens', true, false, '')",
    "SELECT set_config('role', 'codemode', true)",
    "SELECT set_config('session_authorization', 'codemode', true)",
    "SELECT set_config('transaction_read_only', 'off', true)",
    "SELECT query_to_xml('SELECT * FROM public.tokens', true, false, '')",
    "SELECT table_to_xml('public.tokens', true, false, '')",
    "SELECT * FROM ts_stat('SELECT words FROM public.messages')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a int)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT nextval('public.audit_id_seq')",
    "SELECT make_user('theirs', 'new', 1)",
    "SELECT * FROM sessions FOR UPDATE",
    "SELECT 1; DELETE FROM public.sessions",
    "SELECT 1) AS a; DELETE FROM public.sessions; SELECT (1",
    "SELECT id FROM sessions) AS a, (SELECT content FROM messages",
    "WITH gone AS (DELETE FROM public.messages RETURNING content) SELECT * FROM gone",
    "DELETE FROM sessions",
    "INSERT INTO public.tenants (id, created_at) VALUES ('new', 1)",
    "SELECT * INTO TEMP t FROM sessions",
    "CREATE TEMP TABLE t AS SELECT 1",
    "SET ROLE codemode",
    "RESET ROLE",
    "COPY public.sessions TO PROGRAM 'cat'",
    "DO $$ BEGIN END $$",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT set_config('codemode.tenant', 'theirs', true), id FROM sessions",
    "SELECT set_config('codemode.tenant', '*', true), content FROM messages",
    "SELECT usename, query FROM pg_stat_activity WHERE query LIKE '%theirs%'",
    "SELECT relname, reltuples FROM pg_class",
    # What holds up whoever writes; the last ones are texts that sqlglot does not read.
    f"SELECT {LOCK}",
    f"SELECT {LOCK}, 1 / (id <> id)::int FROM users",
    f"SELECT (SELECT {LOCK})",
    f"SELECT 1 FROM users ORDER BY {LOCK}",
    f"SELECT * FROM {LOCK}",
    f"SELECT * FROM ROWS FROM ({LOCK}) AS a",
    "SELECT pg_advisory_xact_lock(1836016741, hashtext('theirs')), pg_sleep(20)",
    f"SELECT query_to_xml('SELECT {LOCK}', true, false, '')",
    f"SELECT @ -5, {LOCK}",
    f"SELECT @ -5, {LOCK}, 1 / (id <> id)::int FROM users",
    f"SELECT {'(' * 20}1{')' * 20}, {LOCK}",
    f"/*{' ' * 20_000}*/ SELECT {LOCK}",
    f"SELECT 1) AS a, (SELECT @ -5, {LOCK}",
    "SELECT @ -5, relname FROM pg_class",
    # What tells how much others have.
    "SELECT @ -5, pg_stat_get_live_tuples('public.sessions'::regclass)",
    "SELECT @ -5, table_to_xml('pg_class'::regclass, true, false, '')",
    "SELECT @ -5, schema_to_xml('pg_catalog', true, false, '')",
    "SELECT @ -5, txid_current()",
)


@pytest.mark.parametrize("sql", REFUSED)
def test_a_question_reaches_nothing_but_the_views(store: Store, sql: str) -> None:
    with pytest.raises(StatementError) as refused:
        asked(store, sql)
    assert refused.value.hint or refused.value.available or refused.value.code == "sql.syntax"
    with pytest.raises(CodemodeError):
        behind_the_guard(store, sql)
    assert store.run("SELECT count(*) FROM sessions") == [(2,)]
    assert store.run(_HELD) == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM messages, users WHERE 'theirs' <> content /* ; */ -- the end",
        "SELECT content FROM messages WHERE content LIKE '%theirs%' OR true",
        "SELECT current_setting('codemode.tenant')",
    ],
)
def test_the_server_alone_shows_the_tenant_s_rows(store: Store, sql: str) -> None:
    assert "said by theirs" not in (told := behind_the_guard(store, sql))
    assert "theirs-" not in told


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_each_view_shows_the_rows_of_its_tenant_and_no_secret(store: Store, view: object) -> None:
    (row,) = asked(store, f"SELECT * FROM {view.name}")  # type: ignore[attr-defined]
    assert len(row) == len(view.columns)  # type: ignore[attr-defined]
    assert not any(word in repr(row) for word in ("theirs", "hash-of", SECRET, "outcome of"))


def test_values_are_bound_and_rows_bounded(store: Store) -> None:
    sql = "SELECT :word AS word, id, metadata::json ->> 'of', '?' FROM sessions WHERE id <> :word AND pinned = :n"
    assert asked(store, sql, {"word": "it's", "n": 0}) == [("it's", "mine-session", "mine", "?")]
    assert asked(store, "SELECT id FROM users WHERE id = ?", ["mine-user"]) == [("mine-user",)]
    limits = Limits(rows=5)
    with store.asking(limits) as asking:
        many = "SELECT a.a FROM generate_series(1, 10) AS a, generate_series(1, 10) AS b"
        found = ask(asking, "mine", many, (), limits)
        assert (found.count, found.truncated) == (5, True)
        assert ask(asking, "mine", many, (), Limits(result_set_bytes=90)).truncated
        wide = "SELECT repeat('ä', 30) FROM generate_series(1, 9)"
        cut = ask(asking, "mine", wide, (), Limits(result_set_bytes=150))
        assert (cut.count, cut.truncated) == (2, True), "bytes, which the server counts, and not characters"
        empty = ask(asking, "mine", "SELECT id, id FROM users WHERE false", (), limits)
        assert (empty.columns, empty.rows) == (("id", "id_2"), [])


def test_what_only_computes_may_be_called(store: Store) -> None:
    sql = "SELECT random() < 1, clock_timestamp() >= now(), @ -5, count(*), string_agg(upper(id), ',') FROM users"
    assert asked(store, sql) == [(True, True, 5, 1, "MINE-USER")]


def test_a_question_without_end_is_ended(store: Store) -> None:
    with pytest.raises(StatementTimeout):
        asked(store, "SELECT count(*) FROM generate_series(1, 100000000000) AS n", (), Limits(query_seconds=0.3))


def test_an_error_names_what_there_is(store: Store) -> None:
    with pytest.raises(StatementError) as error:
        asked(store, "SELECT id FROM sesions")
    assert (error.value.code, error.value.did_you_mean[0]) == ("sql.no_such_table", "sessions")
    with pytest.raises(StatementError) as error:
        asked(store, "SELECT contents FROM messages")
    assert (error.value.code, error.value.did_you_mean[0]) == ("sql.no_such_column", "content")
    with pytest.raises(StatementError) as error:
        asked(store, "SELECT FROM WHERE")
    assert error.value.code == "sql.syntax"


def test_a_server_without_the_role_says_how_to_make_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_asking, "ROLE", "nobody_made_it")
    with pytest.raises(WorkerUnavailable, match="CREATE ROLE nobody_made_it"):
        asked(store, "SELECT 1")


def test_a_role_that_was_not_granted_is_told_as_one(
    store: Store, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"ungranted_{os.getpid()}"
    postgres.sql(f"CREATE ROLE {role} NOLOGIN")
    monkeypatch.setattr(postgres_asking, "ROLE", role)
    try:
        with pytest.raises(WorkerUnavailable, match="not granted") as raised:
            asked(store, "SELECT 1")
        assert raised.value.hint == f"as a superuser: GRANT {role} TO the role that codemode connects as"
    finally:
        postgres.sql(f"DROP ROLE {role}")
