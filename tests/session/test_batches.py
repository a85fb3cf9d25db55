"""batch_insert: streaming, all or nothing, and which record was wrong."""

from __future__ import annotations

import pytest

from codemode import Session
from codemode.errors import NoSuchTable


def count(session: Session, table: str = "t") -> int:
    return session.value(f"SELECT count(*) FROM {table}")


def test_a_generator_may_call_other_helpers_between_records(table: Session) -> None:
    code = """
def records():
    for n in range(1200):
        if n % 100 == 0:
            helpers.db.exec("INSERT INTO seen VALUES (?)", [n])
        yield {"a": 100 + n, "b": helpers.db.value("SELECT max(a) FROM t WHERE a < 4")}
helpers.db.exec("CREATE TABLE seen (n)")
helpers.db.batch_insert("t", records())
"""
    outcome = table.run(code)
    assert outcome.ok, outcome.error
    assert (outcome.result["rows_written"], outcome.result["chunks"]) == (1200, 3)
    assert (count(table), count(table, "seen")) == (1203, 12)


@pytest.mark.parametrize("caught", [True, False])
def test_a_generator_that_fails_half_way_leaves_nothing(table: Session, caught: bool) -> None:
    code = """
def records():
    for n in range(1200):
        yield {"a": 100 + n}
    raise ValueError("half-way")
"""
    call = "helpers.db.batch_insert('t', records())"
    code += f"try:\n    {call}\nexcept ValueError as e:\n    print(e)\n" if caught else call
    outcome = table.run(code)
    assert outcome.ok is caught
    assert count(table) == 3


def test_a_constraint_names_the_record(table: Session) -> None:
    outcome = table.run("helpers.db.batch_insert('t', [{'a': 100 + n} for n in range(700)] + [{'a': 2}])")
    assert outcome.error.code == "sql.constraint"
    assert "record 700" in outcome.error.message
    assert count(table) == 3


@pytest.mark.parametrize(
    "call",
    [
        "helpers.db.batch([(f'INSERT INTO t (a) VALUES {rows}', ()), ('INSERT INTO t (a) VALUES (1)', ())])",
        "helpers.db.script(f'INSERT INTO t (a) VALUES {rows}; INSERT INTO t (a) VALUES (1)')",
        "helpers.db.batch_insert('t', [{'a': 100 + n} for n in range(500)] + [{'a': 1}])",
    ],
)
def test_rows_of_what_was_undone_count_as_written_and_change_no_table(table: Session, call: str) -> None:
    code = f"rows = ', '.join(f'({{100 + n}})' for n in range(500))\ntry: {call}\nexcept helpers.Error: pass"
    outcome = table.run(code)
    assert (outcome.ok, count(table)) == (True, 3), outcome.error
    assert (outcome.db.rows_written, outcome.db.tables_changed) == (500, ())
    assert 500 in [entry.rows_written for entry in table.logs(5)]


def test_an_unknown_key_names_itself_and_the_record(table: Session) -> None:
    outcome = table.run("helpers.db.batch_insert('t', [{'a': 10}, {'a': 11, 'bb': 1}])")
    assert outcome.error.code == "sql.no_such_column"
    assert "bb" in outcome.error.message
    assert "record 1" in outcome.error.message
    assert outcome.error.did_you_mean == ("b",)
    assert count(table) == 3


CONFLICTS = [
    ("ignore", None, [(1, "1"), (2, "2"), (3, "3"), (4, "new")], 1),
    ("replace", None, [(1, "new"), (2, "2"), (3, "3"), (4, "new")], 2),
    ("update", "a", [(1, "new"), (2, "2"), (3, "3"), (4, "new")], 2),
    ("update", ["a"], [(1, "new"), (2, "2"), (3, "3"), (4, "new")], 2),
]


@pytest.mark.parametrize(("mode", "key", "expected", "written"), CONFLICTS)
def test_conflicts(table: Session, mode: str, key: object, expected: list[object], written: int) -> None:
    records = [{"a": 1, "b": "new"}, {"a": 4, "b": "new"}]
    code = f"helpers.db.batch_insert('t', {records}, on_conflict={mode!r}, key={key!r})"
    outcome = table.run(code)
    assert outcome.ok, outcome.error
    assert outcome.result["rows_written"] == written
    assert [tuple(row.values()) for row in table.query("SELECT a, b FROM t ORDER BY a")] == expected


def test_create_infers_the_table(session: Session) -> None:
    code = """
records = [{"name": "x", "n": 1, "price": 1.5, "raw": b"1"}, {"name": "y", "n": 2, "price": 2, "raw": None}]
helpers.db.batch_insert("made", records, create=True)
"""
    outcome = session.run(code)
    assert outcome.ok, outcome.error
    types = {column["name"]: column["type"] for column in session.get_columns("made")}
    assert types == {"name": "TEXT", "n": "INTEGER", "price": "REAL", "raw": "BLOB"}
    assert outcome.db.tables_changed == ("made",)


LATER = {  # what the first 500 records hold, what comes then, how it is stored, what is said of it
    "text in INTEGER": (1, "007", 7, "text that reads as a number"),
    "words in INTEGER": (1, "n/a 7", "n/a 7", ""),
    "a float in INTEGER": (1, 1.5, 1.5, ""),
    "a number in TEXT": ("x", 5, "5", "numbers are stored as text"),
    "a long whole number in REAL": (0.5, 2**53 + 1, 2.0**53, "long whole numbers are rounded"),
    "a whole number in REAL": (0.5, 2, 2.0, ""),
    "anything after NULLs": (None, "007", "007", ""),
    "a number after NULLs": (None, 2**53 + 1, 2**53 + 1, ""),
}


@pytest.mark.parametrize(("first", "later", "stored", "told"), LATER.values(), ids=LATER.keys())
def test_what_an_inferred_type_changes_later_is_told(
    session: Session, first: object, later: object, stored: object, told: str
) -> None:
    answer = session.batch_insert("made", ({"a": first if n < 500 else later} for n in range(501)), create=True)
    assert session.value("SELECT a FROM made WHERE rowid = 501") == stored
    assert told in "".join(answer.get("warnings", ["" if not told else "nothing"]))
    again = session.batch_insert("made", [{"a": later}], create=True)  # the next page of the same records
    assert again.get("warnings", []) == answer.get("warnings", [])


@pytest.mark.parametrize("mode", ["update", "error"])
def test_what_becomes_of_keys_that_records_lack_is_told(session: Session, mode: str) -> None:
    session.exec("CREATE TABLE p (a INTEGER PRIMARY KEY, b DEFAULT 'd', c)")
    kept = [(1, "old", "old"), (600, "old", "old"), (700, "old", "old")]
    if mode == "update":
        session.batch_insert("p", kept, columns=["a", "b", "c"])
    records = [*({"a": n} for n in range(600)), {"a": 600, "b": "new"}, {"a": 700, "c": "new"}]
    told = session.batch_insert("p", records, on_conflict=mode, key="a").get("warnings", [])
    rows = session.query("SELECT a, b, c FROM p WHERE a IN (1, 600, 700) ORDER BY a")
    late = "none of the first 500 records names it"
    if mode == "update":
        assert [tuple(row.values()) for row in rows] == [(1, "old", "old"), (600, "new", None), (700, None, "new")]
        assert sum("became NULL" in text for text in told) == 2
        assert sum(late in text for text in told) == 2
    else:
        assert [tuple(row.values()) for row in rows] == [(1, "d", None), (600, "new", None), (700, None, "new")]
        assert [late in text and "'b'" in text for text in told] == [True]


UNDONE = {  # and caught: the table t is as it was, and is told so
    "batch_insert": "helpers.db.batch_insert('t', [{'a': 50}, {'a': 1}])",
    "in a batch": "helpers.db.batch_insert('u', (helpers.db.exec('DELETE FROM t') and 1 / 0 for _ in 'x'), ['x'])",
    "a made table": "helpers.db.batch_insert('made', ({'a': 1 / (600 - n)} for n in range(700)), create=True)",
    "batch": "helpers.db.batch([('DELETE FROM t', []), ('INSERT INTO u VALUES (1, 2)', [])])",
    "script": "helpers.db.script('DELETE FROM t; nonsense')",
}


@pytest.mark.parametrize("call", UNDONE.values(), ids=UNDONE.keys())
def test_what_was_undone_is_told_as_no_change(table: Session, call: str) -> None:
    table.exec("CREATE TABLE u (x)")
    outcome = table.run(f"try:\n    {call}\nexcept Exception: helpers.db.exec('INSERT INTO u VALUES (1)')")
    assert outcome.ok, outcome.error
    assert outcome.db.tables_changed == ("u",)
    assert table.value("SELECT count(*) FROM t") == 3


def test_missing_keys_are_null_and_columns_nobody_names_keep_their_default(session: Session) -> None:
    session.exec("CREATE TABLE d (a, b, c DEFAULT 'kept')")
    session.batch_insert("d", [{"a": 1, "b": 2}, {"a": 3}])
    assert [tuple(row.values()) for row in session.query("SELECT * FROM d")] == [(1, 2, "kept"), (3, None, "kept")]


def test_odd_names_and_generated_columns(session: Session) -> None:
    session.exec('CREATE TABLE "or""der" ("sel ect" INTEGER, "ümlaut" TEXT, twice AS ("sel ect" * 2))')
    session.batch_insert('or"der', [{"sel ect": 4, "ümlaut": "ß"}])
    assert session.query_one('SELECT * FROM "or""der"') == {"sel ect": 4, "ümlaut": "ß", "twice": 8}


def test_names_of_which_only_unicode_tells_the_case_are_several(session: Session) -> None:
    """SQLite folds ASCII letters alone: Δ and δ are two columns, and what was meant for one went into the other."""
    session.exec('CREATE TABLE t ("Δ" INTEGER PRIMARY KEY, "δ", "ΔA")')
    session.batch_insert("t", [{"Δ": 1, "δ": "x", "Δa": "y"}])
    session.batch_insert("t", [(2,), (3,)], columns=["Δ"])
    session.batch_insert("t", [{"Δ": 2, "δ": "z"}], on_conflict="update", key="Δ")
    rows = [(1, "x", "y"), (2, "z", None), (3, None, None)]
    assert [tuple(row.values()) for row in session.query('SELECT * FROM t ORDER BY "Δ"')] == rows
    session.exec('ALTER TABLE t DROP COLUMN "δ"')
    assert session.has_column("t", "Δ")
    assert not session.has_column("t", "δ")
    session.batch_insert("made", [{"É": 1, "é": 2}], create=True)
    assert session.query_one("SELECT * FROM made") == {"É": 1, "é": 2}


def test_triggers_run_under_the_users_rights(session: Session) -> None:
    session.script(
        "CREATE TABLE a (x); CREATE TABLE audit (x);"
        "CREATE TRIGGER copy AFTER INSERT ON a BEGIN INSERT INTO audit VALUES (new.x); END"
    )
    session.batch_insert("a", [{"x": 1}, {"x": 2}])
    assert session.value("SELECT sum(x) FROM audit") == 3


def test_batches_nest(table: Session) -> None:
    code = """
def outer():
    for n in range(600):
        if n == 550:
            helpers.db.batch_insert("inner_t", ({"x": i} for i in range(5)))
        yield {"a": 1000 + n}
helpers.db.exec("CREATE TABLE inner_t (x)")
helpers.db.batch_insert("t", outer())
"""
    outcome = table.run(code)
    assert outcome.ok, outcome.error
    assert (count(table), count(table, "inner_t")) == (603, 5)


def test_a_generator_that_swallows_a_chunks_failure_still_loses_the_batch(table: Session) -> None:
    code = """
def records():
    for n in range(1200):
        try:
            helpers.db.value("SELECT 1")
        except helpers.Error:
            pass
        yield {"a": 2 if n == 100 else 100 + n}
helpers.db.batch_insert("t", records())
"""
    outcome = table.run(code)
    assert (outcome.ok, outcome.error.code) == (False, "sql.constraint")
    assert count(table) == 3


def test_no_records_are_no_error(table: Session) -> None:
    assert table.batch_insert("t", [])["rows_written"] == 0


def test_an_engine_table_takes_no_records(table: Session) -> None:
    for name in ("session_state", "execution_logs", "sqlite_schema"):
        outcome = table.run(f"helpers.db.batch_insert({name!r}, [{{'key': 'k', 'value': '1', 'updated_at': ''}}])")
        assert not outcome.ok, name
    assert table.value("SELECT count(*) FROM session_state") == 0


def test_a_table_that_is_not_there_says_how_to_have_it_made(session: Session) -> None:
    for _ in range(2):  # without another table, and beside one of another name
        with pytest.raises(NoSuchTable) as refused:
            session.batch_insert("trips", [{"a": 1}])
        assert "create=True" in (refused.value.hint or "")
        session.create_table("other", "a", if_not_exists=True)
    with pytest.raises(NoSuchTable, match="where there are any"):
        session.batch_insert("trips", [], create=True)
    with pytest.raises(NoSuchTable, match="did you mean other"):
        session.batch_insert("othr", [{"a": 1}])
