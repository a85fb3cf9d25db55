"""batch_insert from the snippet's side: which chunks are sent for which records."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import math
import time
import tracemalloc
from collections import OrderedDict, namedtuple
from itertools import repeat
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.helpers import HelperError, Rows
from sandbox.helpers.records import ENOUGH

Item = namedtuple("Item", "id name")


@dataclasses.dataclass
class Thing:
    id: int
    price: float


@pytest.fixture
def load(helpers, channel):
    """Insert into a table with the columns id, name, price; every record that was sent, by the columns in force."""

    def run(records, *args, **kwargs):
        channel.calls.clear()
        helpers.db.batch_insert("t", records, *args, **kwargs)
        rows, columns = [], None
        for method, *sent in channel.calls:
            if method == "db.batch_begin":
                columns = sent[1] or ["id", "name", "price"]
            if method == "db.batch_rows":
                _, frame, *switch = sent
                columns = switch[0] if switch else columns
                width = len(columns)
                for values in frame:
                    assert len(values) % width == 0
                    starts = range(0, len(values), width)
                    rows += [dict(zip(columns, values[at : at + width], strict=True)) for at in starts]
        assert channel.calls[-1] == ("db.batch_end", 1)
        return rows

    return run


def frames(channel, width=1):
    """The chunks of each frame, by how many records of so many columns they hold."""
    return [[len(values) // width for values in sent[1]] for sent in channel.named("db.batch_rows")]


def heaviest(channel):
    """The most text in one frame."""
    return max(
        sum(len(v) for values in sent[1] for v in values if isinstance(v, str))
        for sent in channel.named("db.batch_rows")
    )


# Shapes of records


@pytest.mark.parametrize(
    "records",
    [
        [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
        ({"id": n, "name": "ab"[n - 1]} for n in (1, 2)),
        Rows(["id", "name"], [[1, "a"], [2, "b"]]),
        (OrderedDict(id=n, name="ab"[n - 1]) for n in (1, 2)),
        [MappingProxyType({"id": 1, "name": "a"}), {"name": "b", "id": 2}],
        [Item(1, "a"), Item(2, "b")],
        [Item(1, "a"), {"name": "b", "id": 2}],
        [{"ID": 1, "Name": "a"}, {"id": 2, "NAME": "b"}],
        {"x": {"id": 1, "name": "a"}, "y": {"id": 2, "name": "b"}}.values(),
    ],
)
def test_records_of_every_shape(load, records):
    assert load(records) == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


@pytest.mark.parametrize(
    "records", [[(1, "a"), [2, "b"]], (row for row in [(1, "a"), (2, "b")]), [Item(1, "a"), (2, "b")]]
)
def test_sequences_with_columns(load, records):
    assert load(records, columns=["id", "name"]) == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def test_columns_may_be_one_name_or_any_iterable(load):
    assert load([(1,), (2,)], "id") == [{"id": 1}, {"id": 2}]
    assert load([("a", 1)], (name for name in ("name", "id"))) == [{"name": "a", "id": 1}]


def test_dicts_with_columns_are_laid_out_in_their_order(load):
    records = [{"id": 1, "name": "a"}, {"name": "b"}, {"id": 3, "name": "c"}]
    assert load(records, ["name", "id"]) == [{"name": "a", "id": 1}, {"name": "b", "id": None}, {"name": "c", "id": 3}]


def test_dataclasses_are_records(load):
    assert load([Thing(1, 2.5)]) == [{"id": 1, "price": 2.5}]


def test_sequences_without_columns_fill_the_whole_table(load):
    assert load([(1, "a", 2.5)]) == [{"id": 1, "name": "a", "price": 2.5}]


def test_a_missing_key_is_null_and_a_column_that_nobody_names_is_not_sent(load, channel):
    assert load([{"id": 1}, {"id": 2, "name": "b"}, {"name": "c"}, {}]) == [
        {"id": 1, "name": None},
        {"id": 2, "name": "b"},
        {"id": None, "name": "c"},
        {"id": None, "name": None},
    ]
    assert channel.named("db.batch_rows")[0][2] == ["id", "name"]


def test_a_column_that_first_comes_later_is_added_from_its_chunk_on(load, channel):
    records = [{"id": n} for n in range(600)] + [{"id": 600, "name": "x"}, {"id": 601}]
    rows = load(records)
    assert rows[0] == {"id": 0}
    assert rows[500] == {"id": 500, "name": None}
    assert rows[600:] == [{"id": 600, "name": "x"}, {"id": 601, "name": None}]
    assert [sent[2:] for sent in channel.named("db.batch_rows")] == [[["id"]], [["id", "name"]]]


def test_the_same_dict_again_and_again_is_copied_each_time(load):
    def reused():
        record = {}
        for number in range(40):
            record["id"] = number
            yield record

    assert load(reused()) == [{"id": number} for number in range(40)]


keys = st.sampled_from(["id", "name", "price", "ID"])
sparse = st.lists(
    st.dictionaries(keys, st.integers(0, 9), min_size=1, max_size=3).filter(
        lambda r: len({k.lower() for k in r}) == len(r)
    ),
    max_size=60,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(sparse)
def test_every_record_arrives_with_its_own_values(load, records):
    expected = [{key.lower(): value for key, value in record.items()} for record in records]
    arrived = [{key: value for key, value in row.items() if value is not None} for row in load(records)]
    assert arrived == expected


# Chunks


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [[1]]),
        (16, [[16]]),
        (500, [[500]]),
        (501, [[500, 1]]),
        (1200, [[500, 500, 200]]),
        (4500, [[500] * 8, [500]]),
    ],
)
def test_five_hundred_records_a_chunk_and_eight_thousand_values_a_frame(load, channel, count, sizes):
    assert len(load({"id": n, "name": "x"} for n in range(count))) == count
    assert frames(channel, 2) == sizes


def test_the_worker_says_how_many_rows_a_chunk_may_hold(load, channel):
    said = {"batch": 1, "columns": ["id", "name", "price"], "chunk_rows": 20, "types": [], "defaults": []}
    channel.answers["db.batch_begin"] = said
    assert len(load({"id": n} for n in range(50))) == 50
    assert frames(channel) == [[20, 20, 10]]
    assert len(load([{"id": n} for n in range(50)], create=True)) == 50  # the first chunk was built before it said so
    assert frames(channel) == [[20, 20, 10]]


def test_heavy_records_make_small_chunks(load, channel):
    text = "x" * 1_000_000
    assert len(load({"id": n, "name": text} for n in range(40))) == 40
    assert heaviest(channel) <= 4 * 2**20


def test_records_that_turn_heavy_are_split(load, channel):
    records = [{"id": n, "name": "x" * (500_000 if n % 3 == 0 and n > 20 else 1)} for n in range(100)]
    assert load(iter(records)) == records
    assert heaviest(channel) <= 4 * 2**20


def test_light_chunks_share_a_frame_only_up_to_its_weight(load, channel):
    assert len(load({"id": n, "name": "x" * 2_500} for n in range(3_000))) == 3_000
    assert frames(channel, 2) == [[500] * 3, [500] * 3]
    assert heaviest(channel) <= 4 * 2**20


def test_a_stream_takes_no_more_memory_when_it_is_longer(helpers, channel):
    channel.post = lambda *args: None

    def peak(count):
        tracemalloc.start()
        helpers.db.batch_insert("t", ({"id": n, "name": f"name {n}"} for n in range(count)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2_000)
    assert peak(40_000) < 2 * peak(4_000)


def test_helpers_can_be_called_between_records(helpers, channel):
    def nested():
        for number in range(3):
            helpers.db.batch_insert("other", [{"id": number}])
            yield {"id": helpers.db.value("select 1")}

    helpers.db.batch_insert("t", nested())
    methods = [call[0] for call in channel.calls]
    assert methods.count("db.batch_begin") == methods.count("db.batch_end") == 4
    assert methods[0] == "db.batch_begin"
    assert methods[-1] == "db.batch_end"


# Failures: nothing of the batch stays


def test_an_exception_of_the_generator_undoes_the_batch_and_goes_on(helpers, channel):
    def failing():
        yield from ({"id": n} for n in range(9_000))
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        helpers.db.batch_insert("t", failing())
    assert [call[0] for call in channel.calls] == ["db.batch_begin", "db.batch_rows", "db.batch_abort"]


def test_the_failure_of_a_posted_chunk_comes_with_the_next_call(helpers, channel):
    failures = iter([HelperError("sql.constraint", "record 3: UNIQUE constraint failed")])
    channel.answers["db.batch_rows"] = lambda *args: next(failures, None)
    with pytest.raises(HelperError, match="record 3"):
        helpers.db.batch_insert("t", ({"id": n} for n in range(9_000)))
    assert channel.calls[-1] == ("db.batch_abort", 1)


def test_the_batch_is_undone_even_when_a_posted_chunk_failed_unnoticed(helpers, channel):
    channel.answers["db.batch_rows"] = HelperError("sql.constraint", "UNIQUE constraint failed")

    def failing():
        yield from ({"id": n} for n in range(8_500))
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        helpers.db.batch_insert("t", failing())
    assert channel.calls[-1] == ("db.batch_abort", 1)


def test_a_table_that_is_missing_is_known_before_the_first_record(helpers, channel):
    channel.answers["db.batch_begin"] = HelperError("sql.no_such_table", "no such table: t")
    taken = []
    with pytest.raises(HelperError, match="no such table"):
        helpers.db.batch_insert("t", ({"id": taken.append(n)} for n in range(5)))
    assert taken == []
    assert [call[0] for call in channel.calls] == ["db.batch_begin"]


@pytest.mark.parametrize(
    ("records", "options", "said", "code"),
    [
        ([{"id": 1}, {"idd": 2}], {}, "record 1 has an unknown key 'idd'", "sql.no_such_column"),
        ([{"id": 1, "extra": 2}], {"columns": ["id"]}, "record 0 has an unknown key 'extra'", "request.invalid"),
        ([{"id": 1}, {5: 2}], {}, "record 1 has a key that is not text", "request.invalid"),
        ([{"id": 1, "ID": 2}], {}, "names the column 'id' twice", "request.invalid"),
        ([{}], {}, "record 0 has no keys", "request.invalid"),
        ([{"id": 1}, 5], {}, "record 1 is a int", "request.invalid"),
        ([{"id": 1}, "text"], {}, "record 1 is a str", "request.invalid"),
        ([{"id": 1}, None], {}, "record 1 is a NoneType", "request.invalid"),
        ([(1, 2)], {}, "record 0 is a sequence of 2 values for 3 columns", "request.invalid"),
        ([(1,)], {"columns": ["id", "name"]}, "record 0 is a sequence of 1 value for 2 columns", "request.invalid"),
        ([(1, 2), (1, 2, 3)], {"columns": ["id", "name"]}, "record 1 is a sequence of 3", "request.invalid"),
        ([(1, 2)], {"create": True}, "say which columns", "request.invalid"),
        ([{"id": n} for n in range(700)] + [{"x": 1}], {}, "record 700 has an unknown key 'x'", "sql.no_such_column"),
        ([{"id": n} for n in range(700)] + [{"x": 1}], {"create": True}, "record 700", "sql.no_such_column"),
    ],
)
def test_a_bad_record_is_named_and_nothing_stays(helpers, channel, refused, records, options, said, code):
    error = refused(helpers.db.batch_insert, "t", records, **options)
    assert said in str(error)
    assert error.code == code
    assert channel.calls == [] or channel.calls[-1][0] == "db.batch_abort"


def test_an_unknown_key_is_answered_with_the_column_that_was_meant(helpers, refused):
    error = refused(helpers.db.batch_insert, "t", [{"pirce": 1}])
    assert error.did_you_mean == ("price",)
    assert error.available == ("id", "name", "price")


async def stream():
    yield {"id": 1}


@pytest.mark.parametrize("records", ["abc", b"abc", None, 5, {"id": 1}, {"a": [1, 2], "b": [3, 4]}, print, stream()])
def test_what_only_looks_like_records_is_refused(helpers, channel, refused, records):
    assert refused(helpers.db.batch_insert, "t", records=records).code == "request.invalid"
    assert channel.calls == []


@pytest.mark.parametrize(
    "options",
    [{"on_conflict": "upsert"}, {"on_conflict": None}, {"columns": []}, {"columns": [1]}, {"key": []}, {"key": [""]}],
)
def test_options_that_cannot_be(helpers, channel, refused, options):
    assert refused(helpers.db.batch_insert, "t", [{"id": 1}], **options).code == "request.invalid"
    assert channel.calls == []


def test_options_are_sent(helpers, channel):
    helpers.db.batch_insert("t", [{"id": 1}], on_conflict="UPDATE", key=("id", "name"))
    assert channel.named("db.batch_begin")[0] == [
        "t",
        None,
        {"on_conflict": "update", "key": ["id", "name"], "create": False, "types": None},
    ]


# Values


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        ([1, True, None], [1, True, None]),
        ([1, 2.5, None], [1, 2.5, None]),
        ([0, 0.0, None], [0, 0.0, None]),
        ([2**63 - 1, -(2**63), None], [2**63 - 1, -(2**63), None]),
        ([1e30, 5, math.inf, -math.inf], [1e30, 5, math.inf, -math.inf]),
        (["a", b"b", None, True], ["a", b"b", None, True]),
        (["a", 5, 2.5], ["a", 5, 2.5]),
        ([datetime.date(2013, 1, 2), None], ["2013-01-02", None]),
        ([decimal.Decimal("1.10"), 3], ["1.10", 3]),
        ([[1], {"a": 2}], ["[1]", '{"a":2}']),
        ([bytearray(b"x")], [b"x"]),
    ],
)
def test_values_are_sent_as_parameters_are(load, column, sent):
    assert [row["id"] for row in load([{"id": value, "name": "x"} for value in column])] == sent


@pytest.mark.parametrize("bad", [2**63, -(2**63) - 1, 2**64, 10**400, "a\ud800", object(), 1j, ["\ud800"]])
@pytest.mark.parametrize("others", [[1], [None], ["x"], [1.5], [1, "x", None, 2.5]])
def test_a_value_that_cannot_be_stored_is_named_by_record_and_column(helpers, channel, refused, bad, others):
    records = [{"name": "x", "id": value} for value in [*others * 300, bad, *others]]
    error = refused(helpers.db.batch_insert, "t", iter(records))
    assert error.code == "sql.value"
    assert f"record {len(others) * 300}, column 'id'" in error.message
    assert channel.calls[-1] == ("db.batch_abort", 1)


def test_nan_is_null_with_one_warning(load, helpers):
    rows = load([{"id": 1.0}, {"id": math.nan}, {"id": None}, {"id": 3}, {"id": math.nan}])
    assert [row["id"] for row in rows] == [1.0, None, None, 3, None]
    assert helpers.warnings == ["column 'id': NaN is stored as NULL"]


# Making the table


@pytest.mark.parametrize(
    ("column", "declared"),
    [
        ([1, None, True], "INTEGER"),
        ([1, 2.5], "REAL"),
        ([2.5, None], "REAL"),
        (["a", None], "TEXT"),
        ([None, None], ""),
        ([2**53, 0.5], "REAL"),
        ([2**53 + 1, 0.5], ""),
        ([datetime.date(2013, 1, 2)], "TEXT"),
        ([decimal.Decimal(1)], "TEXT"),
        ([{"a": 1}], "TEXT"),
        ([b"a", None], "BLOB"),
        ([1, "a"], ""),
        ([b"a", "a"], ""),
        ([math.nan, 1], "INTEGER"),
    ],
)
def test_types_are_inferred(helpers, channel, column, declared):
    helpers.db.batch_insert("t", [{"x": value} for value in column], create=True)
    assert channel.named("db.batch_begin")[0][1:] == [
        ["x"],
        {"on_conflict": "error", "key": None, "create": True, "types": {"x": declared}},
    ]


def test_a_made_table_has_every_column_of_the_first_chunk(helpers, channel):
    helpers.db.batch_insert("t", ({f"c{n % 20}": n} for n in range(100)), create=True)
    assert channel.named("db.batch_begin")[0][1] == [f"c{n}" for n in range(20)]


def test_no_records_make_no_table(helpers, channel):
    helpers.db.batch_insert("t", [], create=True)
    table, columns, options = channel.named("db.batch_begin")[0]
    assert (table, columns, options["create"]) == ("t", None, False)
    helpers.db.batch_insert("t", [], ["a"], create=True)
    assert channel.named("db.batch_begin")[1][1] == ["a"]
    assert channel.named("db.batch_begin")[1][2]["create"] is True


def test_no_records_and_no_table_say_what_makes_one(helpers, channel, refused):
    channel.answers["db.batch_begin"] = HelperError("sql.no_such_table", "no such table: t")
    assert "create_table" in refused(helpers.db.batch_insert, "t", [], create=True).hint
    channel.answers["db.batch_begin"] = HelperError("sql.no_such_table", "no such table: t", hint="did you mean u?")
    assert refused(helpers.db.batch_insert, "t", []).hint == "did you mean u?"


def test_an_endless_stream_fails_at_its_first_bad_record(helpers, refused):
    assert "record 0" in refused(helpers.db.batch_insert, "t", repeat(5)).message


# What comes from strangers


@pytest.mark.parametrize("every", [1, 3, 16, 17, 500])
def test_what_is_enough_ends_a_chunk_and_loses_no_record(load, channel, every):
    records = [item for n in range(1, 1203) for item in ([{"id": n}, ENOUGH] if n % every == 0 else [{"id": n}])]
    assert [row["id"] for row in load([ENOUGH, *records])] == list(range(1, 1203))
    assert max(max(frame) for frame in frames(channel)) <= every


@pytest.mark.parametrize(
    "records",
    [[dict.fromkeys(map(str, range(100_000)))], [{f"{n}": 1, f"{n}b": 2} for n in range(50_000)]],
    ids=["at once", "one after another"],
)
def test_keys_that_are_data_are_refused_before_they_are_compared(helpers, records):
    started = time.process_time()
    with pytest.raises(HelperError, match="more than the 200") as caught:
        helpers.db.batch_insert("t", records, create=True)
    assert caught.value.code == "sql.limit"
    assert time.process_time() - started < 2  # each was compared with all before it: minutes
