"""Guard.suggest: what it shows, SQLite prepares; nothing runs; nothing is guessed that destroys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from guard_desk import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from codemode.database.script import statements
from codemode.errors import CodemodeError


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


def advised(desk: Desk, sql: str) -> CodemodeError:
    error = desk.submit(sql).error
    assert error is not None, sql
    desk.guard.suggest(error, sql)
    return error


def suggestion(desk: Desk, sql: str) -> str | None:
    return advised(desk, sql).suggestion


def test_a_list_that_is_bound_as_one_value_is_read_as_one(shared: Desk) -> None:
    mended = "SELECT * FROM t WHERE a IN (SELECT value FROM json_each(:x))"
    assert suggestion(shared, "SELECT * FROM t WHERE a IN :x") == mended


@pytest.mark.parametrize(
    "write",
    [
        "DELETE t FROM t JOIN u ON u.t_id = t.id",
        "DELETE FROM T USING u WHERE u.t_id = t.id",
        "DELETE FROM t ORDER BY id LIMIT 1",
        "UPDATE t SET a = 1 ORDER BY id LIMIT 1",
        "UPDATE t JOIN u ON u.t_id = t.id SET a = 1",
    ],
)
def test_of_a_table_that_its_with_hides_no_rows_are_chosen(shared: Desk, write: str) -> None:
    assert suggestion(shared, f"WITH t AS (SELECT 1 AS id) {write}") is None
    assert suggestion(shared, f"WITH w AS (SELECT 1 AS id) {write}") is not None


@pytest.mark.parametrize("call", ["a REGEXP 'x'", "a RLIKE 'x'", "a ~ 'x'", "REGEXP_LIKE(a, 'x')"])
def test_what_glob_may_mean_otherwise_than_a_regular_expression_is_said(shared: Desk, call: str) -> None:
    error = advised(shared, f"SELECT * FROM t WHERE {call}")
    assert error.suggestion == "SELECT * FROM t WHERE (a GLOB '*x*')"
    assert "upper case from lower" in (error.hint or "")


@pytest.mark.parametrize(("call", "said"), [("DAYOFWEEK", "1 is Sunday"), ("WEEKDAY", "0 is Monday")])
def test_the_days_of_the_week_are_counted_in_the_hint_as_in_the_suggestion(shared: Desk, call: str, said: str) -> None:
    error = advised(shared, f"SELECT {call}('2024-06-09')")  # a Sunday
    way = (error.hint or "").removeprefix("use ").rpartition(", where")[0]
    assert said in (error.hint or "")
    assert error.suggestion is not None
    for text in (error.suggestion, f"SELECT {way.replace('x', chr(39) + '2024-06-09' + chr(39))}"):
        assert shared.submit(text).rows == [({"DAYOFWEEK": 1, "WEEKDAY": 6}[call],)]


@pytest.mark.parametrize("compared", ["= ?", "IN (1, 2)", ">= 'x'", "LIKE :x"])
def test_a_name_that_is_compared_with_a_value_is_no_text(shared: Desk, compared: str) -> None:
    assert suggestion(shared, f'SELECT * FROM t WHERE "a__gt" {compared}') is None


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT * FROM t WHERE a IN (['x', None])", "json_each"),
        ("SELECT * FROM t WHERE a IN ({'x'})", "json_each"),
        ("SELECT * FROM t WHERE a = None", "IS NULL"),
        ("SELECT {column} FROM t", "not filled in"),
        ("SELECT * FROM t WHERE a = John F Kennedy", "single quotes"),
        ("SELECT * FROM t WHERE a = 2013-01-01 10:00:00", "single quotes"),
        ("SELECT column_name FROM information_schema.columns", "get_columns"),
        ("UPDATE t SET t.a = 1", "the column alone"),
        ("SELECT a, count(*) t GROUP BY a", "no table that has a is read here"),
        ("WITH x AS (SELECT 1) y AS (SELECT 2) SELECT * FROM x, y", "commas stand between"),
    ],
)
def test_what_was_pasted_in_is_named_in_the_hint(shared: Desk, sql: str, word: str) -> None:
    assert word in (advised(shared, sql).hint or "")


@pytest.mark.parametrize(
    "call",
    [
        "arg_max(a, id)",
        "max_by(a, id)",
        "mad(id)",
        "cumsum(id)",
        "sum_distinct(id)",
        "rolling_avg(id)",
        "bit_and(id)",
        "hamming(a, a)",
        "strptime(a, '%Y')",
        "time_bucket('1 hour', a)",
        "date_from_parts(2013, 1, id)",
        "sec_to_time(id)",
        "json_exists(a, '$.x')",
        "find_in_set('a', a)",
        "string_to_array(a, ',')",
        "sounds_like(a, 'x')",
        "to_json(a)",
    ],
)
def test_a_function_of_another_meaning_is_not_suggested_for_its_name(shared: Desk, call: str) -> None:
    """SQLite prepares max(a, id) for arg_max(a, id), and answers something else."""
    error = advised(shared, f"SELECT {call} FROM t")
    assert (error.suggestion, error.did_you_mean) == (None, ())
    assert error.hint


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("SELECT nte FROM u", "SELECT note FROM u"),
        ("SELECT x.nte FROM u AS x", "SELECT x.note FROM u AS x"),
        ("SELECT a FROM public.t", "SELECT a FROM t"),
        ('SELECT * FROM t WHERE a = "hello"', "SELECT * FROM t WHERE a = 'hello'"),
        ('SELECT * FROM u WHERE note = "nte"', "SELECT * FROM u WHERE note = 'nte'"),
        ('SELECT "nte", count(*) FROM u GROUP BY 1', "SELECT note, count(*) FROM u GROUP BY 1"),
        ("SELECT * FORM t", "SELECT * FROM t"),
        ("SELECT a FORM t WHERE a = 'a FORM t'", "SELECT a FROM t WHERE a = 'a FORM t'"),
        ("SELECT * FROM t WERE a = 1", "SELECT * FROM t WHERE a = 1"),
        ("SELECT * FROM t ODER BY a", "SELECT * FROM t ORDER BY a"),
        ("UPDATE t SETT a = 1", "UPDATE t SET a = 1"),
        ("SELECT id FROM t JOIN u ON t.id = u.t_id", "SELECT t.id FROM t JOIN u ON t.id = u.t_id"),
        ("SELECT TOP 2 a FROM t", "SELECT a FROM t LIMIT 2"),
        ("SELECT a FROM (SELECT TOP 2 a FROM t) q", "SELECT a FROM (SELECT a FROM t LIMIT 2) q"),
        ("SELECT a::int FROM t LIMIT 5", "SELECT CAST(a AS INTEGER) FROM t LIMIT 5"),
        ("SELECT a, FROM t", "SELECT a FROM t"),
        ("SELECT a, ... FROM t", "SELECT a FROM t"),
        ("SELECT * FROM t WHERE a IN (['x', \"it's\"])", "SELECT * FROM t WHERE a IN ('x', 'it''s')"),
        ("SELECT * FROM t WHERE a IN ['x']", "SELECT * FROM t WHERE a IN ('x')"),
        ("SELECT * FROM t WHERE id NOT IN ([1, -2.5])", "SELECT * FROM t WHERE id NOT IN (1, -2.5)"),
        ("SELECT * FROM t WHERE id IN ([])", "SELECT * FROM t WHERE id IN ()"),
        ("SELECT * FROM t WHERE a = None", "SELECT * FROM t WHERE a IS NULL"),
        ("SELECT * FROM t WHERE a != None AND a <> 'None'", "SELECT * FROM t WHERE a IS NOT NULL AND a <> 'None'"),
        ("UPDATE t SET a = None WHERE a = None", "UPDATE t SET a = NULL WHERE a IS NULL"),
        ("INSERT INTO t (id, a) VALUES (99, None)", "INSERT INTO t (id, a) VALUES (99, NULL)"),
        ("SELECT * FROM t WHERE a > 2013-01-02 10:00", "SELECT * FROM t WHERE a > '2013-01-02 10:00'"),
        ("UPDATE t SET t.a = 1 WHERE id = 2", "UPDATE t SET a = 1 WHERE id = 2"),
        ("UPDATE t x SET x.a = 1 WHERE x.id = 2", "UPDATE t AS x SET a = 1 WHERE x.id = 2"),
        ("UPDATE t x SET a = 1 WHERE x.id > 2 LIMIT 1",
         "UPDATE t AS x SET a = 1 WHERE rowid IN (SELECT rowid FROM t AS x WHERE x.id > 2 LIMIT 1)"),
        ("DELETE FROM t x WHERE x.id > 2 LIMIT 1",
         "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t AS x WHERE x.id > 2 LIMIT 1)"),
        ("DELETE FROM t USING u WHERE u.t_id = t.id RETURNING id",
         "DELETE FROM t WHERE rowid IN (SELECT t.rowid FROM t CROSS JOIN u WHERE u.t_id = t.id) RETURNING id"),
        ("WITH c AS (SELECT 1 AS k) UPDATE x SET a = 1 FROM t x JOIN c ON c.k = x.id RETURNING id",
         "WITH c AS (SELECT 1 AS k) UPDATE t AS x SET a = 1 FROM c WHERE c.k = x.id RETURNING id"),
        (("MERGE INTO t USING u ON t.id = u.t_id WHEN MATCHED THEN UPDATE SET a = u.note"
         " WHEN NOT MATCHED THEN INSERT (id, a) VALUES (u.t_id, u.note) RETURNING t.id"),
         ("INSERT INTO t (id, a) SELECT u.t_id, u.note FROM u WHERE TRUE"
         " ON CONFLICT(id) DO UPDATE SET a = excluded.a RETURNING t.id")),
        ("SELECT lenght(a) FROM t", "SELECT length(a) FROM t"),
        ("SELECT ',from', FROM t WHERE a <> '%sx' -- , FROM", "SELECT ',from' FROM t WHERE a <> '%sx' -- , FROM"),
        ("SELECT count(*) FROM t WHERE (a = 'x' OR a = 'y'", "SELECT count(*) FROM t WHERE (a = 'x' OR a = 'y')"),
        ("DESCRIBE t", "SELECT * FROM pragma_table_info('t')"),
        ("TRUNCATE TABLE t", "DELETE FROM t"),
        ("CREATE TABLE t (id INTEGER, a TEXT)", "CREATE TABLE IF NOT EXISTS t (id INTEGER, a TEXT)"),
        ("CREATE TABLE t (other)", "CREATE TABLE t_2 (other)"),
        ("CREATE INDEX t_a ON u (note)", "CREATE INDEX u_t_a ON u (note)"),
        (
            "CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, x VARCHAR(9) NOT NULL, KEY t_a (x)) ENGINE=InnoDB",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, x VARCHAR(9) NOT NULL);\nCREATE INDEX n_t_a ON n (x)",
        ),
        ("CREATE TABLE n (id INT, x TEXT DEFAULT 'a COMMENT ''b'' c' COMMENT 'd''e') ENGINE=InnoDB",
         "CREATE TABLE n (id INT, x TEXT DEFAULT 'a COMMENT ''b'' c')"),
        ("CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, x TEXT DEFAULT 'AUTO_INCREMENT') ENGINE=InnoDB",
         "CREATE TABLE n (id INTEGER PRIMARY KEY, x TEXT DEFAULT 'AUTO_INCREMENT')"),
        ("SELECT 'x = datetime(y)', NOW() FROM t", "SELECT 'x = datetime(y)', datetime('now') FROM t"),
        ("CREATE TABLE n (id SERIAL PRIMARY KEY, s ENUM('a  b', 'c') DEFAULT 'a  b')",
         "CREATE TABLE n (id INTEGER PRIMARY KEY, s TEXT DEFAULT 'a  b' CHECK (s IN ('a  b', 'c')))"),
        ("CREATE TABLE n (`id` int(11) NOT NULL AUTO_INCREMENT, a TEXT, PRIMARY KEY (`id`), KEY a (a)) ENGINE=InnoDB",
         "CREATE TABLE n (`id` INTEGER PRIMARY KEY, a TEXT);\nCREATE INDEX a ON n (a)"),
        ("CREATE TABLE n (\n  id SERIAL PRIMARY KEY, -- number\n  a TEXT, -- name\n  UNIQUE KEY u (a) -- once\n)",
         "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, UNIQUE (a))"),
        (
            "ALTER TABLE t ADD COLUMN at TEXT DEFAULT CURRENT_TIMESTAMP",
            "ALTER TABLE t ADD COLUMN at TEXT;\nUPDATE t SET at = CURRENT_TIMESTAMP",
        ),
        ("SELECT * FROM docs WHERE docs MATCH 'a-b'", "SELECT * FROM docs WHERE docs MATCH '\"a-b\"'"),
        ("SELECT json_extract('{\"a\": 1}', 'a')", "SELECT json_extract('{\"a\": 1}', '$.a')"),
        (
            "INSERT INTO t (id, a) VALUES (1, 'n')",
            "INSERT INTO t (id, a) VALUES (1, 'n') ON CONFLICT (id) DO UPDATE SET a = excluded.a",
        ),
        ("SELECT x::uuid FROM only WHERE 'y' = ANY(x)",
         "SELECT CAST(x AS TEXT) FROM only WHERE 'y' IN (SELECT value FROM json_each(x))"),
        ("SELECT x::jsonb -> 'k' FROM only", "SELECT x -> 'k' FROM only"),
        ("UPDATE only SET x = array_append(x, 'y')", "UPDATE only SET x = json_insert(x, '$[#]', 'y')"),
        ("CREATE INDEX i ON t (a) INCLUDE (id)", "CREATE INDEX i ON t (a, id)"),
        ("ALTER TABLE t ADD COLUMN k TEXT UNIQUE",
         "ALTER TABLE t ADD COLUMN k TEXT;\nCREATE UNIQUE INDEX t_k ON t (k)"),
        ("ALTER TABLE t ADD COLUMN k AS (upper(a)) STORED", "ALTER TABLE t ADD COLUMN k AS (upper(a)) VIRTUAL"),
        ("CREATE TABLE n (a INT, CHECK (a > 0), UNIQUE (a), b TEXT)",
         "CREATE TABLE n (a INT, b TEXT, CHECK (a > 0), UNIQUE (a))"),
        ("SELECT e.tag, count(*) FROM only, jsonb_array_elements_text(only.x) AS e(tag) GROUP BY e.tag",
         "SELECT e.value AS tag, count(*) FROM only, json_each(only.x) AS e GROUP BY e.value"),
        ("SELECT tag FROM only CROSS JOIN LATERAL jsonb_array_elements_text(x) AS tag WHERE tag <> 'a' ORDER BY tag",
         "SELECT tag.value AS tag FROM only CROSS JOIN json_each(x) AS tag WHERE tag.value <> 'a' ORDER BY tag.value"),
        ("SELECT upper(tag) FROM only, UNNEST(x) AS tag", "SELECT upper(tag.value) FROM only, json_each(x) AS tag"),
        ("SELECT f.value FROM only, LATERAL FLATTEN(input => x) f", "SELECT f.value FROM only, json_each(x) AS f"),
        (
            "SELECT generate_series::date FROM generate_series('2013-01-30', '2013-01-31', '1 day')",
            ("SELECT date(generate_series) FROM (WITH RECURSIVE series(generate_series) AS (SELECT date('2013-01-30')"
            " WHERE date('2013-01-30') <= date('2013-01-31') UNION ALL SELECT date(generate_series, '+1 days')"
            " FROM series WHERE date(generate_series, '+1 days') <= date('2013-01-31'))"
            " SELECT generate_series FROM series) AS generate_series"),
        ),
        ("SELECT id FROM [t] WITH (NOLOCK) WHERE CAST(a AS DATE) = '2013-01-05'",
         "SELECT id FROM [t]  WHERE date(a) = '2013-01-05'"),
        ("SELECT TOP 2 a + '-' + id FROM t", "SELECT a || '-' || id FROM t LIMIT 2"),
        (("SELECT t.id, n.note FROM t LEFT JOIN LATERAL (SELECT note FROM u WHERE t_id = t.id ORDER BY note LIMIT 1) n"
         " ON true WHERE t.id < 5"),
         ("SELECT t.id, n.note FROM t LEFT JOIN u AS n ON n.rowid IN (SELECT u.rowid FROM u WHERE t_id = t.id ORDER BY"
         " note LIMIT 1) WHERE t.id < 5")),
        ("SELECT t.id, n.note FROM t CROSS APPLY (SELECT TOP 2 note FROM u x WHERE x.t_id = t.id ORDER BY note) n",
         ("SELECT t.id, n.note FROM t JOIN u AS n ON n.rowid IN (SELECT x.rowid FROM u AS x WHERE x.t_id = t.id"
         " ORDER BY note LIMIT 2)")),
        ("SELECT k, count(*) FROM only, jsonb_object_keys(x) AS k GROUP BY k",
         "SELECT k.key AS k, count(*) FROM only, json_each(x) AS k GROUP BY k.key"),
        ("SELECT key, value FROM only, jsonb_each_text(x)", "SELECT key, value FROM only, json_each(x)"),
        ("SELECT d FROM generate_series('2013-01-30'::date, '2013-02-28', '1 week') AS d",
         ("SELECT d FROM (WITH RECURSIVE series(d) AS (SELECT date('2013-01-30') WHERE date('2013-01-30') <="
         " date('2013-02-28') UNION ALL SELECT date(d, '+7 days') FROM series WHERE date(d, '+7 days') <="
         " date('2013-02-28')) SELECT d FROM series) AS d")),
        ("SELECT t.id FROM t ANTI JOIN u ON u.t_id = t.id WHERE t.a = 'x' OR t.a = 'y' ORDER BY 1",
         ("SELECT t.id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id) AND (t.a = 'x' OR t.a = 'y')"
         " ORDER BY 1")),
        ("SELECT t.id FROM t LEFT SEMI JOIN u AS v ON v.t_id = t.id",
         "SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM u AS v WHERE v.t_id = t.id)"),
        ("SELECT a, count(*) FROM t GROUP BY ALL ORDER BY ALL",
         "SELECT a, count(*) FROM t GROUP BY 1 ORDER BY 1 NULLS LAST, 2 NULLS LAST"),
        ("DROP TABLE IF EXISTS t CASCADE", "DROP TABLE IF EXISTS t"),
        ("DROP TABLE nowhere", "DROP TABLE IF EXISTS nowhere"),
    ],
)  # fmt: skip
def test_a_failed_statement_gets_one_that_is_prepared(desk: Desk, sql: str, instead: str) -> None:
    assert suggestion(desk, sql) == instead
    for each in statements(instead):
        assert desk.submit(each).verdict[0] == "allowed", each


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE tt",  # not: DROP TABLE t
        "DROP TABLE doc",
        "DELETE FROM tt",
        "TRUNCATE TABLE tt",
        "UPDATE session_stat SET value = 1",  # the engine's tables are nobody's guess
        "DELETE FROM session_state",
        "PRAGMA writable_schema = on",
        "ATTACH 'x' AS y",
        "INSERT INTO t (id) VALUES ('abc')",
        "SELECT WEEK(a) FROM t",
        "SELECT t.id, n.note FROM t CROSS JOIN LATERAL (SELECT note FROM u WHERE t_id = t.id ORDER BY 1 LIMIT 1) n",
        "SELECT a + (id || ' days')::interval FROM t",
        "SELECT E'a\\nb' FROM t",
        "SELECT generate_series(1, 3) AS n",  # rows there, one value here
        "SELECT DATE_FORMAT(a, '%X') FROM t",
        "SELECT STR_TO_DATE(a, '%d/%m/%Y') FROM t",
        "SELECT first_value(a IGNORE NULLS) OVER (ORDER BY b) FROM t",
    ],
)
def test_nothing_is_guessed_where_a_guess_would_harm_or_mean_something_else(desk: Desk, sql: str) -> None:
    found = suggestion(desk, sql)
    assert found is None or found in ("DROP TABLE IF EXISTS tt", "DROP TABLE IF EXISTS doc")
    assert desk.engine_hash() == desk.before


def test_a_full_text_index_of_postgresql_becomes_a_table_of_fts5_that_is_filled_and_kept_in_step(desk: Desk) -> None:
    script = suggestion(desk, "CREATE INDEX i ON t USING GIN (to_tsvector('english', coalesce(a, '')))")
    assert script is not None
    for each in [*statements(script), "INSERT INTO t (id, a) VALUES (7, 'new words')"]:
        assert desk.submit(each).verdict[0] == "allowed", each
    assert desk.submit("SELECT rowid FROM t_fts WHERE t_fts MATCH 'new'").rows == [(7,)]
    assert desk.submit("UPDATE t SET a = 'others' WHERE id = 7").error is None
    assert desk.submit("SELECT count(*) FROM t_fts WHERE t_fts MATCH 'new'").rows == [(0,)]


@pytest.mark.parametrize(
    ("made", "sql", "instead"),
    [
        (
            ["CREATE UNIQUE INDEX t_b ON t (b) WHERE a = 'x'"],
            "INSERT INTO t (b) VALUES (1.5) ON CONFLICT (b) DO NOTHING",
            "INSERT INTO t (b) VALUES (1.5) ON CONFLICT (b) WHERE a = 'x' DO NOTHING",
        ),
        (
            ["CREATE VIRTUAL TABLE f USING fts5(a, content='t', content_rowid='id')",
             "INSERT INTO f (rowid, a) VALUES (9, 'gone')"],
            "SELECT * FROM f WHERE f MATCH 'gone'",
            "INSERT INTO f(f) VALUES ('rebuild');\nSELECT * FROM f WHERE f MATCH 'gone'",
        ),
    ],
    ids=["a key of some rows", "an index out of step"],
)  # fmt: skip
def test_what_the_schema_tells_is_in_the_mend(desk: Desk, made: list[str], sql: str, instead: str) -> None:
    for each in made:
        assert desk.submit(each).error is None
    assert suggestion(desk, sql) == instead


def test_several_statements_are_tried_on_a_copy_and_run_by_script(desk: Desk) -> None:
    error = advised(desk, "CREATE TABLE n (x INTEGER); INSERT INTO n VALUES (1); SELECT * FROM n")
    assert error.did_you_mean == ("helpers.db.script",)
    assert error.suggestion == "CREATE TABLE n (x INTEGER);\nINSERT INTO n VALUES (1);\nSELECT * FROM n"
    with desk.guard.engine():
        names = [row[0] for row in desk.connection.execute("SELECT name FROM sqlite_schema", can_cache=False)]
    assert "n" not in names
    assert suggestion(desk, "CREATE TABLE n (x INTEGER); INSERT INTO m VALUES (1)") is None


def test_a_suggestion_that_answers_nothing_names_the_helper_for_it(desk: Desk) -> None:
    error = advised(desk, "SELECT * INTO kept FROM t")
    assert error.suggestion == "CREATE TABLE kept AS SELECT * FROM t"
    assert error.did_you_mean == ("helpers.db.exec",)


@pytest.mark.parametrize(
    "sql",
    [
        "alter table t rename column b to a",
        "alter table t add column r int references u(id) default 5",
        "create table gen(a, b as (b+1))",
    ],
)
def test_the_statement_itself_in_capitals_is_no_way_out(desk: Desk, sql: str) -> None:
    assert suggestion(desk, sql) is None


def test_what_ran_is_not_merely_written_anew(desk: Desk) -> None:
    assert suggestion(desk, "INSERT INTO u (t_id) VALUES (77)") is None


HOSTILE = [
    "SELECT " + "(" * 1_990 + ")" * 1_990,
    "SELECT " + "/*" * 1_990,
    "SELECT " + "'" * 3_991,
    "SELECT " + '"a" ' * 990,
    "SELECT * FROM nope " + "JOIN t " * 560,
    "SELECT " + ", ".join(["lpad(a, 9, '0')"] * 250) + " FROM nope",
    "SELECT * FROM nope WHERE " + "a ILIKE 'x' OR " * 260 + "1",
    "CREATE TABLE n (" + ", ".join(f"c{n} ENUM('a')" for n in range(200)) + ", KEY k (c1)",
    "SELECT " + "CASE WHEN " * 390,
    "SELECT x" + "::int" * 790,
    "SELECT a" + "/a" * 990 + " FROM nope",
    "ALTER TABLE t " + ", ".join(["ADD COLUMN IF NOT EXISTS a TEXT DEFAULT now()"] * 80),
    "INSERT INTO t (" + "a" * 3_900,
    "SELECT 1 UNION " * 260 + "SELECT 1 LIMIT 1 UNION SELECT 1",
]


@pytest.mark.parametrize("sql", HOSTILE, ids=lambda sql: sql[:24])
def test_hostile_statements_are_given_up_in_time(shared: Desk, sql: str) -> None:
    error = shared.submit(sql).error
    assert error is not None
    started = time.thread_time()
    shared.guard.suggest(error, sql)
    assert time.thread_time() - started < 3


VOCABULARY = """
    SELECT FROM t u WHERE a = 'x' "y" ( ) , ; TOP 5 LIMIT CREATE TABLE n INDEX KEY DEFAULT now() :: int ILIKE DROP
    DELETE SET UPDATE INSERT INTO VALUES MERGE USING ON DUPLICATE JOIN PIVOT FOR IN QUALIFY ROLLUP * COMMIT
    session_state execution_logs ATTACH PRAGMA INTERVAL '1_day' + - left(a,1) ...
"""
WORDS = st.sampled_from(VOCABULARY.split())


@settings(max_examples=150, deadline=None)
@given(words=st.lists(WORDS, max_size=16))
def test_any_text_can_be_asked_about_and_nothing_runs(shared: Desk, words: list[str]) -> None:
    sql = " ".join(words)
    with shared.guard.engine():
        shared.connection.execute("SAVEPOINT asked", can_cache=False)
    try:
        shared.guard.check(sql)
    except CodemodeError as error:
        changes = shared.connection.total_changes()
        shared.guard.suggest(error, sql)
        assert shared.connection.total_changes() == changes
        if error.suggestion is not None and len(list(statements(error.suggestion))) == 1:
            shared.guard.check(error.suggestion)
    finally:
        with shared.guard.engine():
            shared.connection.execute("RELEASE asked", can_cache=False)
    assert shared.engine_hash() == shared.before
