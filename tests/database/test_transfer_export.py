from __future__ import annotations

import gzip
import io
import json
import stat
import tracemalloc
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemode.database.sources import Source
from codemode.database.transfer import export_rows, reader_for, writer_for
from codemode.database.writers import Written, write_markdown
from codemode.errors import RequestInvalid, StorageFull

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ROWS = st.lists(st.tuples(st.none() | TEXT, st.none() | TEXT, st.integers(0, 9)), max_size=8)


def exported(columns, rows, kind, **options):
    buffer = io.BytesIO()
    report = export_rows(columns, rows, buffer, kind, **options)
    return buffer.getvalue(), report


def imported(data: bytes, kind: str, **options):
    with Source(io.BytesIO(data)) as source:
        reading = reader_for(kind, **options)(source, text=frozenset({"a", "b"}), progress=lambda _: None)
        values = chain.from_iterable(reading.chunks())
        return list(zip(*[values] * len(reading.columns), strict=True))


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@given(rows=ROWS)
def test_delimited_text_comes_back_as_it_was(kind, rows):
    marker = r"\N"
    rows = [tuple("x" if cell == marker else cell for cell in row) for row in rows]
    data, report = exported(["a", "b", "n"], rows, kind, null=marker)
    assert imported(data, kind, nulls=(marker,)) == rows
    assert report.rows == len(rows)
    assert report.bytes == len(data)


@pytest.mark.parametrize("kind", ["json", "ndjson"])
@given(rows=st.lists(st.tuples(st.none() | TEXT, st.none() | TEXT, st.floats(allow_nan=False)), min_size=1))
def test_json_values_come_back_as_they_were(kind, rows):
    data, _ = exported(["a", "b", "n"], rows, kind)
    assert imported(data, kind) == rows


def test_json_carries_types_blobs_and_infinity():
    rows = [(b"\0\xff", 2**62, 1.0, float("inf"))]
    data, report = exported(["blob", "i", "r", "x"], rows, "ndjson")
    assert imported(data, "ndjson") == rows
    assert report.notes == ("1 blob was written as base64 text",)


def test_json_output_is_one_document_even_when_empty():
    assert json.loads(exported(["a"], [], "json")[0]) == []
    assert json.loads(exported(["a"], [(1,), (None,)], "json")[0]) == [{"a": 1}, {"a": None}]


def test_texts_that_read_like_null_are_counted():
    _, report = exported(["a"], [("",), (None,), ("",)], "csv")
    assert "2 texts equal ''" in report.notes[0]
    assert exported(["a"], [("",), (None,)], "csv")[1].notes[0].startswith("1 text equals ''")
    assert exported(["a"], [("",), (None,)], "csv", null="NULL")[1].notes == ()


def test_blobs_in_a_csv_are_base64_and_said():
    data, report = exported(["a"], [(b"hi",)], "csv")
    assert data == b"a\naGk=\n"
    assert report.notes == ("1 blob was written as base64 text",)


@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "markdown"])
def test_wide_rows_are_written_a_few_at_a_time(kind):
    tracemalloc.start()
    try:
        rows = ((n, bytes(1_000_000)) for n in range(100))
        sizes = [len(text) for text in writer_for(kind)(["n", "blob"], rows, Written())]
        assert tracemalloc.get_traced_memory()[1] < 40_000_000  # of 133 MB as text
    finally:
        tracemalloc.stop()
    assert sum(sizes) > 133_000_000


def test_markdown_escapes_pipes_and_aligns_numbers():
    text = "".join(write_markdown(["name", "n"], [("a|b\nc", 1), (None, 2)], Written()))
    assert text == "| name | n |\n|---|---:|\n| a\\|b c | 1 |\n|  | 2 |\n"


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path):
    def rows():
        yield (1,)
        raise RequestInvalid("the query failed")

    target = tmp_path / "out.csv"
    with pytest.raises(RequestInvalid, match="the query failed"):
        export_rows(["a"], rows(), target, "csv")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_without_force(tmp_path: Path):
    target = tmp_path / "out.csv"
    target.write_text("precious")
    with pytest.raises(RequestInvalid, match="--force"):
        export_rows(["a"], [(1,)], target, "csv")
    assert target.read_text() == "precious"
    export_rows(["a"], [(1,)], target, "csv", force=True)
    assert target.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path):
    target = tmp_path / "out.csv"

    def rows():
        target.write_text("somebody else's")
        yield (1,)

    with pytest.raises(RequestInvalid, match="exists"):
        export_rows(["a"], rows(), target, "csv")
    assert target.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path):
    export_rows(["a"], [(1,)], tmp_path / "out.csv", "csv")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("out.csv", "plain")}
    assert len(modes) == 1


def test_gz_compresses_and_the_same_rows_give_the_same_bytes(tmp_path: Path):
    first, second = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    for target in (first, second):
        report = export_rows(["a"], [(1,)], target, "csv")
        assert report.bytes == target.stat().st_size
    assert gzip.decompress(first.read_bytes()) == b"a\n1\n"
    assert first.read_bytes() == second.read_bytes()


def test_impossible_targets_say_why(tmp_path: Path):
    with pytest.raises(RequestInvalid, match="is a directory"):
        export_rows(["a"], [], tmp_path, "csv")
    with pytest.raises(RequestInvalid, match="no such directory"):
        export_rows(["a"], [], tmp_path / "no" / "out.csv", "csv")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path):
    def rows():
        yield (1,)
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageFull, match="No space left"):
        export_rows(["a"], rows(), tmp_path / "out.csv", "csv")
    assert list(tmp_path.iterdir()) == []
