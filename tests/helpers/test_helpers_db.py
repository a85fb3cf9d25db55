"""What the database's proxy sends, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import copy
import gc
import json

import pytest

from sandbox.helpers import HelperError, Query, Rows, sql


def test_rows_are_a_list_of_dicts_with_attributes(helpers):
    rows = helpers.db.query("select a, b from t")
    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert isinstance(rows, list)
    assert (rows.columns, rows.row_count, rows.truncated, rows.rows_read) == (["a", "b"], 2, False, 2)
    assert rows.rowCount == 2
    assert json.loads(json.dumps(rows)) == rows
    assert type(copy.copy(rows)) is list


@pytest.mark.parametrize(
    ("sql", "params", "warned"),
    [
        ("SELECT a FROM t WHERE a IN (?)", [[1, 2]], True),
        ("SELECT a FROM t WHERE a not in( :ids )", {"ids": (1, 2)}, True),
        ("SELECT a FROM t WHERE a IN (SELECT value FROM json_each(?))", [[1, 2]], False),
        ("INSERT INTO t (a) VALUES (?)", [[1, 2]], False),
        ("SELECT a FROM t WHERE a IN (?)", ["[1]"], False),
    ],
)
def test_a_list_for_the_one_placeholder_of_in_is_warned_of(helpers, sql, params, warned):
    """It is bound as its JSON text, which no row equals: the answer was empty, and said nothing of it."""
    helpers.db.query(sql, params)
    assert any("json_each(?)" in each for each in helpers.warnings) is warned


def test_no_rows_still_have_their_columns(helpers, channel):
    channel.answers["db.query"] = {"columns": ["a"], "values": [], "truncated": False, "rows_read": 0}
    rows = helpers.db.query("select a from t")
    assert rows == []
    assert rows.columns == ["a"]
    assert helpers.db.query_one("select a from t") is None


def test_one_row_and_one_value_ask_for_no_more(helpers, channel):
    channel.answers["db.value"] = 1
    assert helpers.db.query_one("select a, b from t", [5]) == {"a": 1, "b": "x"}
    assert helpers.db.value("select a, b from t") == 1
    assert channel.calls == [("db.query", "select a, b from t", [5], 1), ("db.value", "select a, b from t", [])]


def test_a_query_brings_its_parameters(helpers, channel):
    query = Query("select ?", [1])
    for call in (helpers.db.exec, helpers.db.query, helpers.db.explain, helpers.db.value, helpers.db.query_one):
        call(query)
        assert channel.calls[-1][1:3] == ("select ?", [1])
    helpers.db.pages(query).close()
    assert channel.named("db.pages_open")[0][1] == [1]
    helpers.db.query(query, [2])
    assert channel.calls[-1] == ("db.query", "select ?", [2])
    helpers.db.query(query, 0)
    assert channel.calls[-1] == ("db.query", "select ?", [0])


def test_a_query_from_a_builder_can_be_run(helpers, channel):
    helpers.db.query(sql.where({"a": {"in": [1, 2]}}))
    assert channel.calls[-1] == ("db.query", '"a" IN (?, ?)', [1, 2])


def test_joining_a_query_to_text_loses_its_parameters():
    query = Query("select ?", [1])
    assert type(query + " limit 1") is str
    assert type(f"{query}") is str
    assert copy.deepcopy(query).params == (1,)


def test_exec_answers_a_dict_whose_keys_are_attributes_too(helpers):
    done = helpers.db.exec("insert into t values (1)")
    assert done == {"success": True, "rows_read": 0, "rows_written": 1, "changes": 1, "last_row_id": 7}
    assert done.changes == done["changes"] == 1
    assert done.rowsWritten == done["rowsWritten"] == 1
    with pytest.raises(KeyError):
        done["nothing"]
    assert done.get("nothing") is None


def test_exec_answers_rows_where_the_statement_has_some(helpers, channel):
    channel.answers["db.exec"] = {
        "success": True,
        "rows_read": 1,
        "rows_written": 1,
        "changes": 1,
        "last_row_id": 3,
        "columns": ["id"],
        "rows": [[3]],
        "truncated": False,
    }
    done = helpers.db.exec("insert into t values (1) returning id")
    assert done["rows"] == [{"id": 3}]
    assert done.columns == ["id"]
    assert isinstance(done.rows, Rows)


@pytest.mark.parametrize(
    ("statements", "sent"),
    [
        ([("a", [1]), ("b", {"x": 2})], [["a", [1]], ["b", {"x": 2}]]),
        (["a", ("b",), ["c", []]], [["a", []], ["b", []], ["c", []]]),
        ([Query("a", [1]), (Query("b", [2]), ()), (Query("c", [3]), [4])], [["a", [1]], ["b", [2]], ["c", [4]]]),
        ([{"sql": "a", "params": [1]}, {"sql": "b"}], [["a", [1]], ["b", []]]),
        ((text for text in ("a", "b")), [["a", []], ["b", []]]),
        ([], []),
    ],
)
def test_a_batch_in_every_form(helpers, channel, statements, sent):
    answers = helpers.db.batch(statements)
    assert channel.calls == [("db.batch", sent)]
    assert len(answers) == len(sent)


@pytest.mark.parametrize("statements", ["insert", [5], [("a", [1], 2)], [(1, "a")], None, [None], [{"query": "a"}]])
def test_a_batch_that_is_none_is_refused(helpers, channel, refused, statements):
    assert refused(helpers.db.batch, statements).code == "request.invalid"
    assert channel.calls == []


def test_a_value_in_a_batch_is_named_by_its_statement(helpers, refused):
    error = refused(helpers.db.batch, [("a", [1]), ("b", [1, 2**64])])
    assert error.code == "sql.value"
    assert "statement 2, parameter 2" in error.message


@pytest.mark.parametrize("call", ["exec", "query", "query_one", "value", "pages", "explain", "script"])
@pytest.mark.parametrize("text", [None, 5, b"select 1", ["select 1"], ("select ?", [1])])
def test_a_statement_that_is_no_text_is_refused(helpers, refused, call, text):
    assert refused(getattr(helpers.db, call), text).code == "request.invalid"


def test_the_workers_refusal_reaches_the_snippet_whole(helpers, channel):
    channel.answers["db.query"] = HelperError("sql.no_such_table", "no such table: x", available=["t"], sql="select")
    with pytest.raises(HelperError) as caught:
        helpers.db.query("select * from x")
    assert (caught.value.code, caught.value.available, caught.value.sql) == ("sql.no_such_table", ("t",), "select")


# Pages


@pytest.fixture
def paged(channel):
    left = [[[1, 2]], [[3]]]
    channel.answers["db.pages_next"] = lambda cursor: {"values": left.pop(0), "done": not left}
    return channel


def test_pages_come_as_lists_of_dicts_until_the_worker_is_done(helpers, paged):
    assert list(helpers.db.pages("select n", size=2)) == [[{"n": 1}, {"n": 2}], [{"n": 3}]]
    assert [call[0] for call in paged.calls] == ["db.pages_open", "db.pages_next", "db.pages_next"]


def test_an_empty_last_page_is_no_page(helpers, paged):
    paged.answers["db.pages_next"] = {"values": [], "done": True}
    pages = helpers.db.pages("select n")
    assert pages.columns == ["n"]
    assert list(pages) == []
    assert list(pages) == []


def test_pages_are_closed_by_with_and_by_close(helpers, paged):
    with helpers.db.pages("select n") as pages:
        next(pages)
    assert paged.named("db.pages_close") == [[5]]
    pages.close()
    assert paged.named("db.pages_close") == [[5]]
    with pytest.raises(StopIteration):
        next(pages)


def test_forgotten_pages_are_closed_before_the_next_call(helpers, paged):
    for _page in helpers.db.pages("select n"):
        break
    gc.collect()
    assert paged.named("db.pages_close") == []  # the collector itself must not use the channel
    helpers.db.commit()
    assert [call[0] for call in paged.calls[-2:]] == ["db.pages_close", "db.commit"]


def test_a_page_that_fails_can_be_tried_and_closed(helpers, paged):
    paged.answers["db.pages_next"] = HelperError("sql.timeout", "too slow")
    pages = helpers.db.pages("select n")
    with pytest.raises(HelperError):
        next(pages)
    pages.close()
    assert paged.named("db.pages_close") == [[5]]


def test_pages_can_be_awaited_one_by_one(helpers, paged):
    async def read():
        async with helpers.db.pages("select n", size=2) as pages:
            return [len(page) async for page in pages]

    assert asyncio.run(read()) == [2, 1]


@pytest.mark.parametrize("size", [0, -1, 1.5, "10", None, True])
def test_a_page_size_that_cannot_be(helpers, refused, size):
    assert refused(helpers.db.pages, "select n", (), size).code == "request.invalid"


# State and the rest


def test_state_travels_as_json_text(helpers, channel):
    helpers.db.save_state("k", {"a": [1, 2.5, None, "é"], "b": 2**70})
    assert channel.calls[-1] == ("db.save_state", "k", '{"a":[1,2.5,null,"é"],"b":1180591620717411303424}')
    channel.answers["db.get_state"] = '{"a":[1]}'
    assert helpers.db.get_state("k") == {"a": [1]}
    channel.answers["db.get_state"] = "null"
    assert helpers.db.get_state("k", 5) is None  # a kept None is no missing key
    channel.answers["db.get_state"] = None
    assert helpers.db.get_state("k", 5) == 5
    assert helpers.db.list_state() == ["a", "b"]
    assert helpers.db.delete_state("a") is True


def test_state_that_cannot_be_kept_is_named_by_its_path(helpers, channel, refused):
    error = refused(helpers.db.save_state, "k", {"a": [1, {"b": object()}]})
    assert error.code == "sql.value"
    assert "$.a[1].b" in error.message
    assert channel.calls == []


def test_an_integer_that_nobody_reads_again_is_told_how_to_be_kept(helpers, refused):
    error = refused(helpers.db.save_state, "k", 10**5_000)
    assert ("4,300 digits" in error.message, "hex(n)" in error.hint) == (True, True)


@pytest.mark.parametrize(
    ("value", "text"),
    [({1: "a", "1": "b"}, "1"), ([{"x": {None: 1, "null": 2}}], "null"), ({True: 1, "true": 2}, "true")],
)
def test_two_keys_of_one_text_are_refused(helpers, channel, refused, value, text):
    for call, *args in ((helpers.db.save_state, "k", value), (helpers.db.exec, "INSERT INTO t VALUES (?)", [value])):
        error = refused(call, *args)
        assert (error.code, f"the same text '{text}'" in error.message) == ("sql.value", True)
    assert channel.calls == []


def test_keys_that_are_no_text_become_text(helpers, channel):
    value = {5: 'a"2":', 2.5: 1, None: 2, True: 3, "-3": 4}
    helpers.db.save_state("k", value)
    assert json.loads(channel.calls[-1][2]) == {"5": 'a"2":', "2.5": 1, "null": 2, "true": 3, "-3": 4}


def test_nan_in_state_is_null_with_a_warning(helpers, channel):
    helpers.db.save_state("k", {"a": [float("nan")]})
    assert channel.calls[-1][2] == '{"a":[null]}'
    assert helpers.warnings == ["state 'k': NaN or infinity at $.a[0] is stored as null"]


@pytest.mark.parametrize("key", ["", None, 5, b"k"])
def test_a_key_is_text(helpers, refused, key):
    assert refused(helpers.db.save_state, key, 1).code == "request.invalid"


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        ("id INTEGER, name TEXT", "id INTEGER, name TEXT"),
        (" (id INTEGER, name TEXT) ", "id INTEGER, name TEXT"),
        ("id INTEGER CHECK (id > 0)", "id INTEGER CHECK (id > 0)"),
        (["id INTEGER", "name TEXT"], "id INTEGER, name TEXT"),
        ({"id": "INTEGER PRIMARY KEY", "x y": ""}, {"id": "INTEGER PRIMARY KEY", "x y": ""}),
        ({"a": int, "b": float, "c": bool}, {"a": "INTEGER", "b": "REAL", "c": "INTEGER"}),
        ({"a": str, "b": bytes}, {"a": "TEXT", "b": "BLOB"}),
        ([("id", "INTEGER"), ["name", str]], {"id": "INTEGER", "name": "TEXT"}),
        ([{"name": "id", "type": "INTEGER"}], {"id": "INTEGER"}),
    ],
)
def test_a_schema_in_every_form(helpers, channel, schema, sent):
    helpers.db.create_table("t", schema)
    assert channel.calls == [("db.create_table", "t", sent, False)]


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "  ",
        {},
        None,
        5,
        [],
        [5],
        [("a", "TEXT", 1)],
        {"a": list},
        {"a": None},
        {5: "TEXT"},
        {"": "TEXT"},
        "CREATE TABLE t (a)",
    ],
)
def test_a_schema_that_is_none_is_refused(helpers, refused, schema):
    error = refused(helpers.db.create_table, "t", schema)
    assert (error.code, "INTEGER" in error.hint or "helpers.db.exec" in error.hint) == ("request.invalid", True)


def test_schema_calls(helpers, channel):
    channel.answers["schema.find_column"] = {"table": "t", "name": "price", "score": 0.9}
    assert helpers.schema.get_tables() == ["t"]
    assert helpers.schema.getColumns("t")[0].name == "a"
    assert helpers.schema.has_column("t", "A") is True
    assert helpers.schema.describe_table("t").table == "t"
    assert helpers.schema.find_column("t", "cost").name == "price"
    channel.answers["schema.find_column"] = None
    assert helpers.schema.find_column({"table": "t", "meaning": "cost"}) is None


def test_warnings_are_bounded_and_each_comes_once(helpers):
    for number in range(100):
        helpers.db.query("select ?", [float("nan")])
        helpers.db.query("select " + "?" * number, [1] * number + [float("nan")])
    assert len(helpers.warnings) == len(set(helpers.warnings)) == 50


# Functions of the host


def test_a_function_of_the_host_takes_and_answers_plain_values(helpers, channel):
    channel.answers["host.lookup_price"] = lambda text: json.dumps({"got": json.loads(text)})
    answer = helpers.host.lookup_price("x", {"a": (1, 2)}, limit=3)
    assert answer == {"got": {"args": ["x", {"a": [1, 2]}], "kwargs": {"limit": 3}}}
    assert helpers.host.lookupPrice is helpers.host.lookup_price
    assert helpers.host.send_mail is helpers.host.sendMail
    assert dir(helpers.host) == ["lookup_price", "sendMail"]


def test_an_argument_that_is_no_plain_value_is_refused(helpers, channel, refused):
    assert refused(helpers.host.lookup_price, object()).code == "code.unserializable"
    assert channel.calls == []


def test_snippets_may_raise_the_error_themselves():
    with pytest.raises(HelperError) as caught:
        raise HelperError("my own text")
    assert (caught.value.code, caught.value.message) == ("code.runtime", "my own text")
    assert str(HelperError("a.b", "what", hint="how")) == "what (how)"
