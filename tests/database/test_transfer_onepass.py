"""One pass through a file answers what two passes do, whatever its blocks hold and wherever they end."""

from __future__ import annotations

import csv
import io
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.database import fields, readers, typed
from codemode.database.readers import Delimited
from codemode.database.sources import Source
from codemode.database.transfer import import_file

# What a column of integers, and the JSON by whose way it is read, may stumble over.
NASTY = (
    "1", "-7", "0", "-0", "007", "+5", " 1", "1 ", "1.0", "1e2", "1.5", ".5", "5.", "inf", "nan", "1_0", "٣", "0x1",
    "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1" * 30,
    "", "NA", "null", "NULL", "true", "x", "é", "😀", "\\", "\\n", "\\u0031", "a\\\"b", "]", "],[", "[", "{}", "\x00",
    "\x1f", "\x7f", "\u2028", "'", "a b", "\t", 'say "x"', "two\nlines", "two\r\nlines", "a,b", "a;b",
)  # fmt: skip
INTEGERS = ("1", "-7", "0", "42", "9007199254740993", "NA", "")
cells = st.sampled_from(NASTY) | st.sampled_from(INTEGERS)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_BLOCK", 16)
    monkeypatch.setattr(readers, "_BEGINNING", 2)
    monkeypatch.setattr(typed, "_AT_ONCE", 6)


def written(records: list[list[str]], ends: str) -> bytes:
    return "".join(",".join(map(quoted, record)) + ends for record in records).encode()


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\r\n') else text


def imported(data: bytes, nulls: tuple[str, ...], *, twice: bool = False):
    """What comes in: the profile, and the values of the load that counts, as text so that 1 is not 1.0."""
    loads: list[str] = []

    def load(table, columns, chunks):
        taken = list(chain.from_iterable(chunks))
        loads.append(repr((columns, taken)))
        return len(taken) // len(columns)

    reader = Delimited(nulls=nulls)
    if twice:
        reader.once = lambda *_, **__: None
    with Source(io.BytesIO(data), name="data.csv") as source:
        return import_file(source, reader, "t", load), loads[-1]


@pytest.mark.usefixtures("small_blocks")
@given(
    width=st.integers(1, 4),
    values=st.lists(cells, max_size=60),
    fill=st.sampled_from(NASTY),
    nulls=st.sampled_from([("",), ("NA",), ("NA", "", "null"), ("-7",)]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_one_pass_brings_what_two_passes_bring(width, values, fill, nulls, ends):
    rows = [values[at : at + width] for at in range(0, len(values) - len(values) % width, width)]
    data = written([[f"c{n}" for n in range(width)], *rows, *[[fill] * width] * 3], ends)
    assert imported(data, nulls) == imported(data, nulls, twice=True)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("nulls", [("",), ("NA",)])
@pytest.mark.parametrize("text", NASTY)
def test_one_such_value_among_others_is_brought_the_same(text, nulls):
    data = written([["n", "t"], *[["1", "x"]] * 20, ["3", text], ["1", "x"], [text, "y"]], "\n")
    assert imported(data, nulls) == imported(data, nulls, twice=True)


@pytest.mark.usefixtures("small_blocks")
@given(values=st.lists(st.tuples(cells, cells), min_size=1, max_size=60), ends=st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_field_arrives_as_the_csv_module_reads_it(values, ends):
    data = written([["a", "b"], *map(list, values)], ends)
    reader = Delimited(nulls=("no such text",))
    with Source(io.BytesIO(data)) as source:
        reading = reader(source, text=frozenset({"a", "b"}), progress=lambda _: None)
        values = chain.from_iterable(reading.chunks())
        rows = list(map(list, zip(values, values, strict=True)))
    assert rows == list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))[1:]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("late", "kind"),
    [("12B", "TEXT"), ("1.5", "REAL"), ("9223372036854775808", "TEXT"), ("1.0", "REAL"), ("-0", "REAL")],
)
def test_a_late_value_that_disagrees_brings_the_file_back_to_its_beginning(late, kind):
    data = b"n,t\n" + b"1,x\n" * 1_000 + f"{late},x\n".encode() + b"2,x\n" * 10
    starts: list[list[tuple[str, str]]] = []
    progress: list[int] = []

    def load(table, columns, chunks):
        starts.append(columns)
        return sum(map(len, chunks)) // len(columns)

    with Source(io.BytesIO(data)) as source:
        profile = import_file(source, Delimited(), "t", load, progress=progress.append)
    assert starts == [[("n", "INTEGER"), ("t", "TEXT")], [("n", kind), ("t", "TEXT")]]
    assert (profile.rows, profile.columns[0].type) == (1_011, kind)
    assert progress == sorted(progress)


@pytest.mark.usefixtures("small_blocks")
def test_a_bad_record_behind_the_beginning_is_told_with_its_line():
    data = b"a,b\n" + b"1,2\n" * 1_000 + b"1,2,3\n"
    with Source(io.BytesIO(data), name="data.csv") as source, pytest.raises(Exception, match="line 1002: 3 fields"):
        import_file(source, Delimited(), "t", lambda table, columns, chunks: len(list(chunks)))
