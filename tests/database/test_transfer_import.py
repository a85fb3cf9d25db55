from __future__ import annotations

import gc
import gzip
import io
import json
import os
import re
import threading
import tracemalloc
from itertools import chain
from pathlib import Path

import pytest

from codemode.database.connection import MOST_COLUMNS
from codemode.database.infer import ValueColumn
from codemode.database.readers import TABLE_COLUMNS, unique_names
from codemode.database.sources import Source
from codemode.database.transfer import format_of, import_file, reader_for, table_of
from codemode.errors import RequestInvalid


def passes(source: Source, kind: str = "csv", nulls: tuple[str, ...] = (), text: frozenset[str] = frozenset()):
    reading = reader_for(kind, nulls)(source, text=text, progress=lambda _: None)
    values = chain.from_iterable(reading.chunks())
    return reading, list(zip(*[values] * len(reading.columns), strict=True))


def read(content: str | bytes, kind: str = "csv", nulls: tuple[str, ...] = (), text: frozenset[str] = frozenset()):
    data = content.encode() if isinstance(content, str) else content
    with Source(io.BytesIO(data), name=f"data.{kind}") as source:
        reading, rows = passes(source, kind, nulls, text)
    assert len(rows) == reading.rows
    return reading, rows


def column(values: list[str], nulls: tuple[str, ...] = ()):
    """The type and the values that one CSV column of these texts becomes."""
    reading, rows = read("id,v\n" + "".join(f"x,{value}\n" for value in values), nulls=nulls)
    return reading.columns[1].type, [row[1] for row in rows]


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "-2", "0"], "INTEGER", [1, -2, 0]),
        (["1", ""], "INTEGER", [1, None]),
        ([" 12", "3 "], "INTEGER", [12, 3]),
        (["9223372036854775807", "-9223372036854775808"], "INTEGER", [2**63 - 1, -(2**63)]),
        (["9223372036854775808", "1"], "TEXT", ["9223372036854775808", "1"]),
        (["1.5", "2"], "REAL", [1.5, 2.0]),
        (["1e5", ".5", "-0"], "REAL", [100000.0, 0.5, -0.0]),
        (["inf", "-inf", "0.5"], "REAL", [float("inf"), float("-inf"), 0.5]),
        (["9007199254740993", "0.5"], "TEXT", ["9007199254740993", "0.5"]),
        (["1e999", "1.0"], "TEXT", ["1e999", "1.0"]),
        (["-.01e-400", "1.0"], "TEXT", ["-.01e-400", "1.0"]),
        (["0e9", "-0.0e-999", "5e-324"], "REAL", [0.0, -0.0, 5e-324]),
        (["007", "1"], "TEXT", ["007", "1"]),
        (["+49", "1"], "TEXT", ["+49", "1"]),
        (["1_000"], "TEXT", ["1_000"]),
        (["٣", "1"], "TEXT", ["٣", "1"]),
        (["0x10"], "TEXT", ["0x10"]),
        (["true", "false"], "TEXT", ["true", "false"]),
        (["2013-01-01", ""], "TEXT", ["2013-01-01", None]),
        (["nan", "1.0"], "TEXT", ["nan", "1.0"]),
        (["", ""], "TEXT", [None, None]),
        (['"1\n2"'], "TEXT", ["1\n2"]),
    ],
)
def test_a_column_gets_the_narrowest_type_that_loses_nothing(texts, kind, values):
    found, got = column(texts)
    assert (found, got) == (kind, values)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.30000000000000004", False),
        ("-1234.5678901234567", False),
        ("0.10000000000000000000", False),
        ("0.1000000000000000055511151231257827", False),
        ("10000000000000000000000.0", False),
        (" 1e22 ", False),
        ("3.14159265358979323846", True),
        ("999999999999999.99", True),
        ("9007199254740993.0", True),
        ("123456789012345678e0", True),
    ],
)
def test_numbers_with_more_digits_than_a_float_are_rounded_and_told(text, told):
    for content in (f"n\n1.5\n{text}\n", "n\n1.5\n" + "2.5\n" * 200_000 + f"{text}\n"):
        with Source(io.BytesIO(content.encode())) as source:
            profile = import_file(source, reader_for("csv"), "t", lambda _t, _c, chunks: sum(map(len, chunks)))
        assert profile.columns[0].type == "REAL"
        assert [note.startswith("n: some of its numbers") for note in profile.notes] == [True] * told


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["1.5", "NA", "2"], "NA"),
        (["NA", "7", "NA", ""], "NA"),
        (["1"] * 200_000 + ["N/A"], "N/A"),
        (["-5", "-"], "-"),
        (["NA", "NA"], None),
        (["1", "NA", "x"], None),
        (["1", "NA", "null"], None),
        (["007", "NA"], None),
        (["1", "x"], None),
    ],
)
def test_what_stands_for_a_missing_number_is_told(cells, told):
    with Source(io.BytesIO("\n".join(["a,n", *(f"y,{cell}" for cell in cells)]).encode())) as source:
        profile = import_file(source, reader_for("csv"), "t", lambda _t, _c, chunks: sum(map(len, chunks)))
    assert profile.columns[1].type == "TEXT"
    expected = f"n: kept as text, for {told!r} among its numbers"
    assert [note[: len(expected)] for note in profile.notes] == ([expected] if told else [])


def test_what_is_said_to_be_null_is_no_marker():
    with Source(io.BytesIO(b"n\n1\nNA\n")) as source:
        profile = import_file(source, reader_for("csv", ["NA"]), "t", lambda _t, _c, chunks: sum(map(len, chunks)))
    assert (profile.columns[0].type, profile.columns[0].nulls, profile.notes) == ("INTEGER", 1, ())


def test_null_texts_replace_the_empty_field_in_text_columns_only():
    reading, rows = read("a,b\nNA,NA\n,\nx,5\n", nulls=("NA",))
    assert rows == [(None, None), ("", None), ("x", 5)]
    assert [(c.type, c.nulls) for c in reading.columns] == [("TEXT", 1), ("INTEGER", 2)]


def test_types_are_decided_over_the_whole_file():
    reading, rows = read("n\n" + "1\n" * 12_000 + "abc\n")
    assert reading.columns[0].type == "TEXT"
    assert rows[0] == ("1",)
    assert rows[-1] == ("abc",)


def test_quoted_newlines_byte_order_mark_crlf_and_blank_lines_are_read():
    _, rows = read(b'\xef\xbb\xbfname,note\r\n\r\n"a ""b""","two\r\nlines"\r\n\r\n')
    assert rows == [('a "b"', "two\r\nlines")]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("last", "value"), [("3", 3), ('"x, y"', "x, y")])
def test_a_blank_line_of_a_file_of_one_column_is_an_empty_field(ends, last, value):
    _, rows = read(ends.join(["", "n", "1", "", last, "", ""]))
    assert rows == [("1",) if value == "x, y" else (1,), (None,), (value,), (None,)]


def test_tsv_is_split_at_tabs():
    reading, rows = read("a\tb\n1,5\tx\n", "tsv")
    assert [c.name for c in reading.columns] == ["a", "b"]
    assert rows == [("1,5", "x")]


def test_a_column_that_holds_text_in_the_table_stays_text():
    _, rows = read("zip,n\n12345,1.50\n", text=frozenset({"zip", "n"}))
    assert rows == [("12345", "1.50")]


def test_header_names_are_made_unique_and_said():
    names, notes = unique_names(["a", "A", "", "a_2", " b ", "c\nd"])
    assert names == ["a", "A_3", "column_3", "a_2", "b", "c d"]
    assert len(notes) == 3


def test_a_header_alone_makes_an_empty_table():
    reading, rows = read("a,b\n")
    assert [c.type for c in reading.columns] == ["TEXT", "TEXT"]
    assert rows == []


def test_another_delimiter_is_suggested():
    reading, _ = read("a;b\n1;2\n")
    assert any("(delimiter, --delimiter ';')" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("csv", "", "data.csv is empty"),
        ("csv", "a,b\n1,2\n\n1,2,3\n", "data.csv, line 4: 3 fields, but the header names 2"),
        ("csv", 'a,b\n"x\ny",2\n1\n', "data.csv, line 4: 1 field,"),
        ("csv", 'a\n"open\n', "data.csv, line 2: the file ends inside a quoted field"),
        ("csv", 'a\n"x"y\n', "data.csv, line 2: "),
        ("csv", b"a\nok\n\xe9t\xe9\n", "data.csv, line 3: not utf-8 text (byte 0xe9)"),
        ("csv", b"\x89PNG\r\n\x1a\n", "data.csv, line 1: not utf-8 text"),
        ("csv", b"SQLite format 3\0a,b", "data.csv is a binary file"),
        ("csv", "a," * 2_000, "data.csv has 2,001 columns, and no table has so many"),
        ("csv", b"\x1f\x8bnot really gzip", "data.csv: damaged gzip file"),
        ("ndjson", '{"a": 1}\n\n{"a": }\n', "data.ndjson, line 3: not JSON"),
        ("ndjson", '{"a": 1}\n[2]\n', "data.ndjson, line 2: the record is an array"),
        ("ndjson", "\n\n", "data.ndjson holds no records"),
        ("ndjson", '{"a": "\\ud800"}\n', "data.ndjson, line 1: a lone surrogate"),
        ("ndjson", "[" * 100_000, "data.ndjson, line 1: not JSON"),
        ("json", '[\n{"a": 1},\n{"a" 2}]', "data.json, line 3: not JSON"),
        ("json", '[{"a": 1}', "data.json, line 1: not JSON: the array is not closed"),
        ("json", '[{"a": 1},\n]', "data.json, line 2: not JSON: a comma"),
        ("json", '[{"a": 1}]\nx', "data.json, line 2: not JSON: something follows"),
        ("json", '[{"a": 1} {"a": 2}]', "expected ',' or ']'"),
        ("json", "[\n1]", "data.json, line 2: the record is no object"),
        ("json", '[{"a": "x\n"}]', "data.json, line 1: not JSON: Invalid control character (an array"),
        ("json", "[]", "data.json holds no records"),
        ("json", "", "data.json holds no records"),
        ("json", '[{"a": ' + "[" * 100_000, "data.json, line 1: not JSON"),
        ("json", '[{"a": ' + "1" * 5_000 + "}]", "data.json, line 1: not JSON"),
    ],
)
def test_a_bad_record_is_told_with_file_and_line(kind, content, message):
    with pytest.raises(RequestInvalid) as caught:
        read(content, kind)
    assert message in str(caught.value)


def test_a_bad_line_far_into_the_file_is_found():
    content = b"a\n" + b"x\n" * 50_000 + b"\xff\n" + b"x\n" * 50_000
    with pytest.raises(RequestInvalid, match="line 50002: not utf-8"):
        read(content)


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_json_records_bring_their_types(kind):
    records = [
        {"i": 1, "r": 1, "t": "x", "b": {"$bytes": "AP8="}, "mixed": 1, "flag": True, "list": [1, "é"]},
        {"i": None, "r": 2.5, "t": None, "b": None, "mixed": "two", "flag": False, "extra": 2**70},
    ]
    content = json.dumps(records) if kind == "json" else "\n".join(map(json.dumps, records))
    reading, rows = read(content, kind)
    assert {c.name: (c.type, c.nulls) for c in reading.columns} == {
        "i": ("INTEGER", 1), "r": ("REAL", 0), "t": ("TEXT", 1), "b": ("BLOB", 1), "mixed": ("TEXT", 0),
        "flag": ("INTEGER", 0), "list": ("TEXT", 1), "extra": ("TEXT", 1),
    }  # fmt: skip
    assert rows == [
        (1, 1.0, "x", b"\0\xff", "1", 1, '[1, "é"]', None),
        (None, 2.5, None, None, "two", 0, None, str(2**70)),
    ]
    assert reading.notes == (
        "mixed: its numbers are kept as text, since there are other values among them",
        "extra: kept as text, since a number is beyond 64 bits",
    )
    assert read(content, kind, text=frozenset({"mixed"}))[0].notes == reading.notes[1:]


def test_json_objects_one_after_another_are_records_too():
    _, rows = read('{"a": 1}\n{\n  "a": 2\n}  {"a": 3}', "json")
    assert rows == [(1,), (2,), (3,)]


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_words_that_json_does_not_have_are_read_and_told(kind):
    reading, rows = read('{"a": NaN, "b": {"é": [1e999, NaN]}, "c": -Infinity}\n{"a": 1, "b": "x", "c": 0}', kind)
    assert rows == [(None, '{"é": [9e999, null]}', float("-inf")), (1, "x", 0.0)]
    assert reading.notes == ("NaN was read as NULL, and as null inside of a value",)


def test_an_infinity_is_told_from_its_word():
    text = '"Infinity \\\\\\" -Infinity"'
    _, rows = read(f'{{"a": [{text}, Infinity, {{"Infinity": -Infinity}}]}}', "json")
    assert rows == [(f'[{text}, 9e999, {{"Infinity": -9e999}}]',)]


@pytest.mark.parametrize("value", ["[", '[Infinity,"Infinity",', '{"\\ud83d\\ude00":'])
def test_what_can_just_be_read_of_a_nested_value_is_stored_or_refused(value):
    for depth in (*range(900, 1_010), 10_000):
        closing = {"[": "]", "{": "}"}[value[0]] * depth
        try:
            _, rows = read(f'{{"a": {value * depth}1{closing}}}\n', "ndjson")
        except RequestInvalid as error:
            assert "nested too deeply" in str(error)  # noqa: PT017 - where that begins is Python's to say
        else:
            assert len(rows[0][0]) > depth


def test_an_object_of_columns_is_one_record_and_said():
    reading, rows = read('{"a": [1, 2], "b": [3, 4]}', "json")
    assert rows == [("[1, 2]", "[3, 4]")]
    assert "write records" in reading.notes[0]
    assert read('[{"a": [1]}, {"a": [2]}]', "json")[0].notes == ()


def test_a_key_that_first_appears_late_is_null_before():
    content = "".join(f'{{"a": {n}}}\n' for n in range(2_500)) + '{"a": 0, "b": "x"}\n'
    reading, rows = read(content, "ndjson")
    assert (reading.columns[1].type, reading.columns[1].nulls) == ("TEXT", 2_500)
    assert rows[0] == (0, None)
    assert rows[-1] == (0, "x")


def test_json_larger_than_the_window_is_read_whole():
    records = [{"n": n, "text": "é" * (n % 997), "big": "x" * 600_000 if n == 500 else ""} for n in range(1_500)]
    _, rows = read(json.dumps(records, indent=1, ensure_ascii=False), "json")
    assert rows == [tuple(record.values()) for record in records]


def test_files_may_be_compressed_whatever_their_name(tmp_path: Path):
    path = tmp_path / "plain.csv"
    path.write_bytes(gzip.compress(b"a\n1\n"))
    with Source(path) as source:
        assert passes(source)[1] == [(1,)]


def packed(text: str, times: int) -> bytes:
    """A few kilobytes of gzip that are gigabytes of text."""
    return gzip.compress(text.encode()) * times


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("csv", gzip.compress(b"a\n") + packed("a" * 2**20, 300), "a line has more than 16,777,216 characters"),
        ("csv", packed("a," * 2**19, 300), "a line has more than 16,777,216 characters"),
        (
            "csv",
            gzip.compress(b'a\n"') + packed("a" * 2**20 + "\n", 300),
            "a record has more than 16,777,216 characters",
        ),
        (
            "csv",
            gzip.compress(b"a\n") + packed('"' + "a" * 2**20 + '\n",', 300),
            "a record has more than 16,777,216 characters",
        ),
        ("csv", packed('"' + "a" * 2**20 + '\n",', 300), "a record has more than 16,777,216 characters"),
        ("ndjson", packed("{" + " " * 2**20, 300), "a line has more than 16,777,216 characters"),
        ("json", gzip.compress(b'[{"a":"') + packed("a" * 2**20, 300), "a record has more than 16,777,216 characters"),
    ],
)
def test_a_row_without_end_is_refused_before_it_is_held(kind, content, message):
    tracemalloc.start()
    try:
        with pytest.raises(RequestInvalid, match=re.escape(message)):
            read(content, kind)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000  # of 300 MB of text
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["ndjson", "json"])
def test_long_records_are_held_a_few_at_a_time(kind):
    tracemalloc.start()
    try:
        with Source(io.BytesIO(packed(json.dumps({"a": "a" * 2**20}) + "\n", 50))) as source:
            assert reader_for(kind)(source, text=frozenset(), progress=lambda _: None).rows == 50
        assert tracemalloc.get_traced_memory()[1] < 30_000_000  # of 50 MB
    finally:
        tracemalloc.stop()


def test_a_named_pipe_is_read_twice_from_a_copy(tmp_path: Path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    feeder = threading.Thread(target=pipe.write_text, args=("a\n1\n2\n",))
    feeder.start()
    with Source(pipe) as source:
        feeder.join()
        assert passes(source)[1] == [(1,), (2,)]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("ndjson", packed("\n" * 2**20, 50)),
        ("ndjson", packed("\n" * 2**20, 50) + gzip.compress(b"\xff")),  # which is read again for its line
        ("json", packed(" " * 2**20, 50)),
        ("csv", gzip.compress(b"a,b\n") + packed("\n" * 2**20, 50)),
        ("csv", b"a,b\n" + b"\n" * (50 * 2**20)),
    ],
)
def test_a_reading_can_be_given_up_where_nothing_comes_of_it(kind, content):
    class GivenUp(Exception):
        pass

    left = [20]

    def check():
        left.append(left.pop() - 1)
        if not left[0]:
            raise GivenUp

    with Source(io.BytesIO(content), check=check) as source, pytest.raises(GivenUp):
        passes(source, kind)


def test_what_is_called_a_file_and_has_no_length_is_read_from_a_copy():
    with Source(Path("/proc/self/limits")) as source:
        assert len(passes(source)[1]) > 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: Path("/proc/self/mem"), "cannot read /proc/self/mem"),
        (lambda folder: folder, "is a directory"),
        (lambda folder: folder / "missing.csv", "no such file"),
        (lambda folder: Path("nul\0.csv"), "cannot read"),
    ],
)
def test_what_cannot_be_opened_says_why(tmp_path: Path, make, message):
    with pytest.raises(RequestInvalid, match=message):
        Source(make(tmp_path))


def test_other_encodings_are_read_when_named():
    with Source(io.BytesIO("name\nZoë\n".encode("cp1252")), encoding="cp1252") as source:
        assert passes(source)[1] == [("Zoë",)]
    with pytest.raises(RequestInvalid, match="unknown encoding"):
        Source(io.BytesIO(), encoding="klingon")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "U8", "utf-16-le", "UTF_16BE", "utf-32-be"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(encoding, packed):
    for text in ("\ufeffname\nZoë\n", "name\nZoë\n"):
        data = text.encode(encoding)
        with Source(io.BytesIO(gzip.compress(data) if packed else data), encoding=encoding) as source:
            reading, rows = passes(source)
        assert ([column.name for column in reading.columns], rows) == (["name"], [("Zoë",)])


def test_a_file_that_changes_between_the_passes_is_refused(tmp_path: Path):
    path = tmp_path / "growing.csv"
    path.write_text("a\n1\n")

    def load(table, columns, rows):
        with path.open("a") as file:
            file.write("2\n")
        return len(list(rows))

    with Source(path) as source, pytest.raises(RequestInvalid, match="changed while it was read"):
        import_file(source, reader_for("csv"), "t", load)


def test_an_abandoned_import_lets_go_of_its_file_in_silence(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "1\n" * 20_000)
    with Source(path) as source:
        chunks = reader_for("csv")(source, text=frozenset(), progress=lambda _: None).chunks()
        next(chunks)
    del chunks  # pytest turns an exception that is ignored here into a failure
    gc.collect()
    assert source.size == 40_002


def test_import_hands_names_types_and_rows_to_the_loader_and_reports_progress(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,\n")
    seen, loaded = [], []

    def load(table, columns, chunks):
        loaded.append((table, columns, list(chain.from_iterable(chunks))))
        return 2

    with Source(path) as source:
        profile = import_file(source, reader_for("csv"), "t", load, progress=seen.append)
    assert loaded == [("t", [("a", "INTEGER"), ("b", "TEXT")], [1, "x", 2, None])]
    assert (profile.rows, [c.nulls for c in profile.columns], profile.notes) == (2, [0, 1], ())
    size = path.stat().st_size
    assert seen == [2 * size]


@pytest.mark.parametrize(
    ("declared", "texts", "told"),
    [
        ("INTEGER", ["007", "1"], "text that reads like a number"),
        ("DATE", ["2013-01-02", ""], None),
        ("DATE", ["2013-01-02", "01022013"], "text that reads like a number"),
        ("string", ["x", " 1e3\t"], "text that reads like a number"),
        ("NUMERIC", ["9223372036854775808"], "text that reads like a number"),
        ("REAL", ["9007199254740993", "1"], "long whole numbers are rounded"),
        ("REAL", ["9007199254740992", "1"], None),
        ("INTEGER", ["1_0", "nan"], None),
        ("VARCHAR(5)", ["007", "x"], None),
        ("BLOB", ["007", "x"], None),
        ("", ["007", "x"], None),
    ],
)
def test_what_a_table_that_is_there_does_to_values_is_told(declared, texts, told):
    content = "N,m\n" + "".join(f"{text},1\n" for text in texts)
    with Source(io.BytesIO(content.encode()), name="data.csv") as source:
        existing = {"n": declared, "m": "INTEGER"}
        profile = import_file(
            source, reader_for("csv"), "t", lambda _t, _c, chunks: len(list(chunks)), existing=existing
        )
    notes = [note for note in profile.notes if "the table has it" in note]
    assert len(notes) == (told is not None)
    assert all(note.startswith(f"N: the table has it as {declared}: {told}") for note in notes)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("flights.csv.gz", "flights"),
        ("/a/b/My file-2.tsv", "My_file_2"),
        ("2013 flights.csv", "t_2013_flights"),
        ("---.csv", "data"),
        ("notes.txt", "notes"),
        ("données.csv", "données"),
        ("İİİ.CSV.GZ", "İİİ"),
        ("a.b", "a_b"),
        ("a.tar.gz", "a_tar"),
    ],
)
def test_a_file_names_its_table(name, table):
    assert table_of(name) == table


def test_the_extension_names_the_format():
    assert format_of("a.CSV.gz", ("csv",)) == "csv"
    assert format_of("a.jsonl", ("ndjson",)) == "ndjson"
    assert format_of("a.bin", ("csv",), "csv") == "csv"
    for given in ("xlsx", "CSV", "", 5):
        with pytest.raises(RequestInvalid, match="there is no format"):
            format_of("a.csv", ("csv", "json"), given)  # type: ignore[arg-type]
    for name in ("a.xlsx", "a", "a.md"):
        with pytest.raises(RequestInvalid):
            format_of(name, ("csv", "json"))


def test_a_delimiter_is_one_character():
    with pytest.raises(RequestInvalid, match="one character"):
        reader_for("csv", (), ";;")


@pytest.mark.parametrize(("nulls", "delimiter", "what"), [(("NA",), None, "text for NULL"), ((), ";", "delimiter")])
def test_what_json_does_not_have_is_refused_and_not_passed_over(nulls, delimiter, what):
    with pytest.raises(RequestInvalid, match=what):
        reader_for("ndjson", nulls, delimiter)
    assert reader_for("json", [""]) is not None


def test_keys_of_which_no_table_is_made_are_only_counted(monkeypatch: pytest.MonkeyPatch):
    """100,000 records of 1,900 keys took 12 s before they were refused for having more columns than a table."""
    looked_at = []
    monkeypatch.setattr(ValueColumn, "add", lambda self, values: looked_at.append(len(values)))
    lines = "".join(json.dumps({f"k{n}": n for n in range(wide)}) + "\n" for wide in (201, 300))
    with Source(io.BytesIO(lines.encode()), name="data.ndjson") as source:
        reading = reader_for("ndjson")(source, text=frozenset(), progress=lambda _: None)
    assert (len(reading.columns), looked_at) == (300, [])
    assert TABLE_COLUMNS == MOST_COLUMNS
