"""However a model writes a call, it is the same call; and a wrong one is answered with the right one."""

from __future__ import annotations

import inspect

import pytest

from sandbox.helpers import HelperError, UnknownHelper
from sandbox.helpers.spelling import closest, snake


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("batchInsert", "batch_insert"),
        ("topN", "top_n"),
        ("onConflict", "on_conflict"),
        ("countBy", "count_by"),
        ("exec", "exec"),
        ("query_one", "query_one"),
    ],
)
def test_camel_case_becomes_snake_case(written, meant):
    assert snake(written) == meant


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(map(str.title, rest))


@pytest.mark.parametrize("part", ["db", "sql", "schema"])
def test_every_helper_has_its_camel_case_name(helpers, part):
    members = dir(getattr(helpers, part))
    assert len(members) > 4
    for name in members:
        assert inspect.signature(getattr(getattr(helpers, part), camel(name))) == inspect.signature(
            getattr(getattr(helpers, part), name)
        )


# Each is one call, written in every way.
SAME = [
    ("exec", ["insert", [1]], {"sql": "insert", "params": [1]}),
    ("query", ["select", [1]], {"sql": "select", "params": [1]}),
    ("query_one", ["select", {"a": 1}], {"sql": "select", "params": {"a": 1}}),
    ("value", ["select", ["x"]], {"sql": "select", "params": ["x"]}),
    ("pages", ["select", [], 7], {"sql": "select", "params": [], "size": 7}),
    ("explain", ["select", [1]], {"sql": "select", "params": [1]}),
    ("batch", [[("a", [1])]], {"statements": [("a", [1])]}),
    ("script", ["a; b"], {"sql": "a; b"}),
    ("create_table", ["t", {"a": "TEXT"}, True], {"name": "t", "schema": {"a": "TEXT"}, "if_not_exists": True}),
    ("create_table", ["t", "a, b"], {"name": "t", "schema": "a, b"}),
    ("save_state", ["k", {"v": 1}], {"key": "k", "value": {"v": 1}}),
    ("get_state", ["k", {"v": 1}], {"key": "k", "default": {"v": 1}}),
    ("delete_state", ["k"], {"key": "k"}),
    (
        "batch_insert",
        ["t", [{"id": 1}], ["id"], "update", "id", False],
        {
            "table": "t",
            "records": [{"id": 1}],
            "columns": ["id"],
            "on_conflict": "update",
            "key": "id",
            "create": False,
        },
    ),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), SAME)
def test_positional_keyword_and_dict_are_the_same_call(helpers, channel, name, args, kwargs):
    ways = [
        lambda: getattr(helpers.db, name)(*args),
        lambda: getattr(helpers.db, name)(**kwargs),
        lambda: getattr(helpers.db, camel(name))(**{camel(key): value for key, value in kwargs.items()}),
        lambda: getattr(helpers.db, name)(kwargs),
        lambda: getattr(helpers.db, name)({camel(key): value for key, value in kwargs.items()}),
        lambda: getattr(helpers.db, name)(args[0], **dict(list(kwargs.items())[1:])),
    ]
    sent = []
    for way in ways:
        channel.calls.clear()
        way()
        sent.append([call for call in channel.calls if call[0] != "db.pages_close"])
    assert sent[0]
    assert all(calls == sent[0] for calls in sent)


def test_a_dict_in_the_last_place_holds_the_remaining_keywords(helpers, channel):
    helpers.db.batchInsert("t", [{"id": 1}], {"onConflict": "ignore"})
    assert channel.named("db.batch_begin")[0][2]["on_conflict"] == "ignore"
    helpers.db.createTable("t", {"a": "TEXT"}, {"ifNotExists": True})
    assert channel.named("db.create_table")[0] == ["t", {"a": "TEXT"}, True]
    helpers.db.pages("select", [], {"size": 5}).close()
    assert channel.named("db.pages_open")[0] == ["select", [], 5]
    assert helpers.sql.countBy({"table": "t", "field": "x", "minCount": 2}) == helpers.sql.count_by(
        "t", "x", min_count=2
    )
    assert helpers.sql.top_n("t", "x", {"n": 3}) == helpers.sql.top_n("t", "x", 3)
    assert helpers.sql.paginate("t", 1, 10, {"orderBy": "x"}) == helpers.sql.paginate("t", 1, 10, order_by="x")


def test_a_dict_that_is_a_value_stays_a_value(helpers, channel):
    helpers.db.query("select :a, :params", {"a": 1, "params": "x"})
    assert channel.calls[-1] == ("db.query", "select :a, :params", {"a": 1, "params": "x"})
    helpers.db.query("select :params", {"params": 5})
    assert channel.calls[-1] == ("db.query", "select :params", {"params": 5})
    helpers.db.save_state("k", {"value": 1, "key": 2})
    assert channel.calls[-1] == ("db.save_state", "k", '{"value":1,"key":2}')
    assert helpers.db.get_state("missing", {"default": 7}) == {"default": 7}
    assert helpers.db.get_state("missing", {}) == {}
    helpers.db.create_table("t", {"name": "TEXT", "schema": "TEXT"})
    assert channel.calls[-1] == ("db.create_table", "t", {"name": "TEXT", "schema": "TEXT"}, False)
    assert '"limit" = ?' in helpers.sql.distinct_values("t", "x", {"limit": 5})
    assert '"where" = ?' in helpers.sql.statistics("t", "x", {"where": 5})
    assert '"table" = ?' in helpers.sql.build_select_query("t", None, {"table": 1})
    helpers.db.exec("select", {})
    assert channel.calls[-1] == ("db.exec", "select", {})


def test_a_dict_at_the_place_of_a_value_holds_keywords_when_it_says_so(helpers, channel):
    helpers.db.query("select ?", {"params": [1]})
    assert channel.calls[-1] == ("db.query", "select ?", [1])
    helpers.db.create_table("t", {"schema": {"a": "TEXT"}})
    assert channel.calls[-1] == ("db.create_table", "t", {"a": "TEXT"}, False)
    same = helpers.sql.build_select_query("t", select=["a"], where={"a": 1}, limit=5)
    assert helpers.sql.buildSelectQuery("t", {"select": ["a"], "where": {"a": 1}, "limit": 5}) == same
    same = helpers.sql.distinct_values("t", "x", where={"a": 1}, limit=5)
    assert helpers.sql.distinctValues("t", "x", {"where": {"a": 1}, "limit": 5}) == same
    helpers.db.batch_insert("t", {"records": [{"id": 1}], "onConflict": "ignore"})
    assert channel.named("db.batch_begin")[0][2]["on_conflict"] == "ignore"


def test_an_empty_dict_of_keywords_says_nothing(helpers, channel):
    helpers.db.get_metrics({})
    assert helpers.db.metrics()["session_id"] == "s"
    assert helpers.sql.count_by("t", "x", {}) == helpers.sql.count_by("t", "x")


@pytest.mark.parametrize(
    ("call", "meant", "available"),
    [
        (lambda h: h.db.qurey, "query", "batch_insert"),
        (lambda h: h.db.batchInsret, "batch_insert", "query"),
        (lambda h: h.db.execute, "exec", "query"),
        (lambda h: h.db.fetchAll, "query", "query"),
        (lambda h: h.db.set, "save_state", "exec"),
        (lambda h: h.sql.count_bye, "count_by", "where"),
        (lambda h: h.schema.get_table, "get_tables", "find_column"),
        (lambda h: h.host.lookup_prise, "lookup_price", "sendMail"),
        (lambda h: h.database, "db", "sql"),
        (lambda h: h.query, "db.query", "db"),
        (lambda h: h.countBy, "sql.count_by", "db"),
        (lambda h: h.lookupPrice, "host.lookup_price", "db"),
        (lambda h: h.db.query("x").row_cuont, "row_count", "columns"),
        (lambda h: h.db.exec("x").rows_writen, "rows_written", "changes"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(helpers, call, meant, available):
    with pytest.raises(UnknownHelper) as caught:
        call(helpers)
    assert caught.value.did_you_mean[0] == meant
    assert available in caught.value.available
    assert "did you mean" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("http", "no network"),
        ("fetch", "functions of the host"),
        ("readFile", "no files"),
        ("shell", "no process"),
        ("log", "print(...)"),
        ("tools", "helpers.host"),
    ],
)
def test_a_name_that_is_often_invented_is_answered_with_what_there_is(helpers, name, hint):
    with pytest.raises(UnknownHelper) as caught:
        getattr(helpers, name)
    assert (hint in caught.value.hint, caught.value.did_you_mean) == (True, ())


def test_a_wrong_name_is_an_attribute_error_too(helpers):
    assert not hasattr(helpers.db, "nonsense")
    assert getattr(helpers.db, "nonsense", 5) == 5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda h: h.sql.count_by("t"), "needs field"),
        (lambda h: h.sql.count_by(), "needs table and field"),
        (lambda h: h.sql.count_by("t", "x", 1, 2, True, 6), "takes 5 arguments, 6 were given"),
        (lambda h: h.sql.count_by("t", "x", table="u"), "got table twice"),
        (lambda h: h.sql.count_by("t", filed="x"), "has no argument 'filed'"),
        (lambda h: h.db.query("select", parms=[]), "has no argument 'parms'"),
        (lambda h: h.db.commit("now"), "takes 0 arguments"),
        (lambda h: h.db.commit({"force": True}), "has no argument 'force'"),
        (lambda h: h.db.batch_insert("t", [], {"conflict": "ignore"}), "has no argument 'conflict'"),
        (lambda h: h.db.batch_insert("t", [], {5: "ignore"}), "has no argument 5"),
    ],
)
def test_wrong_arguments_are_answered_with_the_signature(helpers, refused, call, said):
    error = refused(call, helpers)
    assert error.code == "request.invalid"
    assert said in error.message
    assert "the call is " in error.hint


def test_a_wrong_argument_says_what_was_meant(helpers, refused):
    error = refused(helpers.sql.count_by, "t", filed="x")
    assert error.did_you_mean == ("field",)
    assert "count_by(table, field, limit=None, min_count=None, include_nulls=False)" in error.hint


def test_an_error_inside_a_helper_is_not_taken_for_wrong_arguments(helpers):
    def broken():
        raise TypeError("from the generator")
        yield

    with pytest.raises(TypeError, match="from the generator"):
        helpers.db.batch_insert("t", broken())


def test_helpers_cannot_be_changed(helpers):
    for part in (helpers, helpers.db, helpers.sql, helpers.schema, helpers.host, helpers.db.query("x")):
        with pytest.raises(HelperError):
            part.query = None
        with pytest.raises(HelperError):
            part.anything = 1
    with pytest.raises(HelperError):
        del helpers.db.query
    with pytest.raises(HelperError):
        helpers.sql.count_by("t", "x").params = ()


def test_public_names_lead_to_no_module(helpers):
    pending, seen = [helpers], set()
    while pending:
        found = pending.pop()
        for name in dir(found):
            member = getattr(found, name) if not name.startswith("_") else None
            assert not inspect.ismodule(member)
            if type(member).__module__.startswith("sandbox") and id(member) not in seen:
                seen.add(id(member))
                pending.append(member)
    assert len(seen) >= 4


def test_signatures_can_be_read(helpers):
    assert str(inspect.signature(helpers.db.query)).startswith("(sql:")
    assert list(inspect.signature(helpers.sql.count_by).parameters) == [
        "table",
        "field",
        "limit",
        "min_count",
        "include_nulls",
    ]


@pytest.mark.parametrize("part", ["db", "sql", "schema"])
def test_every_helper_is_documented_in_one_sentence_first(helpers, part):
    for name in dir(getattr(helpers, part)):
        text = getattr(getattr(helpers, part), name).__doc__ or ""
        assert text.strip().splitlines()[0].endswith((".", ":")), name


def test_what_is_printed_of_helpers_names_their_members(helpers):
    assert "batch_insert" in repr(helpers.db)
    assert repr(helpers).startswith("<helpers: Error, db")


def test_suggestions_are_few_and_best_first():
    assert closest("Query", ["query", "query_one", "value"])[0] == "query"
    assert closest("zzz", ["query"]) == []
    assert len(closest("aaaa", ["aaab", "aaac", "aaad", "aaae"])) == 3


@pytest.mark.parametrize(
    ("wrong", "way"),
    [
        (lambda h: h.db.connect(), "the database is open"),
        (lambda h: h.db.cursor(), "the database is open"),
        (lambda h: h.db.rollback(), "a snippet is one transaction"),
        (lambda h: h.db.transaction(), "a snippet is one transaction"),
        (lambda h: h.db.pages("select", 50), "pages(sql, size=50)"),
        (lambda h: h.db.executemany("insert", [(1,)]), "helpers.db.batch([(sql, params) for params in rows])"),
        (lambda h: h.db.query("select", 1, 2), "values to bind are one list"),
        (lambda h: h.db.query("select", origin="JFK"), "values to bind by name are one dict"),
        (lambda h: h.db.query("select").head(), "rows[:5]"),
        (lambda h: h.db.query("select").iloc, "rows[0]['name']"),
        (lambda h: h.db.query("select").groupby("a"), "in SQL"),
    ],
)
def test_the_habits_of_other_libraries_have_a_hint_that_names_the_way(helpers, wrong, way):
    with pytest.raises(HelperError) as raised:
        wrong(helpers)
    assert way in raised.value.hint
    assert not raised.value.did_you_mean


def test_conditions_as_tuples_are_answered_with_the_dict_that_says_them(helpers):
    with pytest.raises(HelperError) as raised:
        helpers.sql.build_select_query("t", where=[("a", ">", 1)])
    assert '{"column": {">": value}' in raised.value.hint


def test_one_record_is_told_to_go_into_a_list(helpers):
    with pytest.raises(UnknownHelper) as caught:
        helpers.db.insert("t", {"a": 1})
    assert caught.value.did_you_mean[0] == "batch_insert"
    assert "batch_insert(table, [record])" in caught.value.hint
