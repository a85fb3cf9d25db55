from __future__ import annotations

import gzip
import json

import pytest


def rows(cli, session, table):
    return cli("query", f'SELECT * FROM "{table}"', "-s", session, "--format", "json").json


def test_an_import_reports_a_profile(cli, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name,age,zip,\nAda,36,007,x\nGrace,,123,y\n")
    answer = cli("import", path, "-s", "s1")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "people: 2 rows, 4 columns",
        "column    type     nulls",
        "────────  ───────  ─────",
        "name      TEXT         0",
        "age       INTEGER      1",
        "zip       TEXT         0",
        "column_4  TEXT         0",
        "",
    ]
    assert "column 4 has no name: called column_4" in answer.err
    assert rows(cli, "s1", "people")[1] == {"name": "Grace", "age": None, "zip": "123", "column_4": "y"}


def test_a_file_of_too_many_columns_is_said_plainly(cli, tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("\n".join((",".join(f"column_{n}" for n in range(300)), ",".join("1" * 300))))
    answer = cli("import", path, "-s", "s1")
    assert answer.code == 1
    assert "wide: 300 columns, and a table has 200 at most" in answer.err
    assert "column_7" not in answer.err, "the whole CREATE TABLE helps nobody"


def test_an_import_in_json_answers_the_profiles(cli, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.ndjson").write_text('{"n": 1}\n{"n": 2.5}\n')
    document = cli("import", tmp_path / "a.ndjson", tmp_path / "b.ndjson", "-s", "s1", "--json").json
    assert [profile["table"] for profile in document["result"]] == ["a", "b"]
    assert document["result"][0]["rows"] == 2
    assert document["result"][0]["columns"] == [{"name": "n", "type": "REAL", "nulls": 0}]
    assert document["session_id"] == "s1"


def test_several_files_go_into_one_table(cli, tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b,a\ny,2\n")
    assert cli("import", tmp_path / "1.csv", tmp_path / "2.csv", "-s", "s1", "--table", "all").code == 0
    assert rows(cli, "s1", "all") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_an_existing_table_is_kept_appended_to_or_replaced(cli, people, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name,age\nAlan,41\n")
    answer = cli("import", path, "-s", people)
    assert answer.code == 1
    assert "[sql.already_exists]" in answer.err
    assert len(rows(cli, people, "people")) == 3
    assert cli("import", path, "-s", people, "--if-exists", "append").code == 0
    assert rows(cli, people, "people")[3] == {"name": "Alan", "age": 41, "city": None}
    assert cli("import", path, "-s", people, "--if-exists", "replace").code == 0
    assert rows(cli, people, "people") == [{"name": "Alan", "age": 41}]


def test_appending_keeps_leading_zeros_of_a_text_column(cli, tmp_path):
    (tmp_path / "zips.csv").write_text("zip\n007\n")
    cli("import", tmp_path / "zips.csv", "-s", "s1")
    (tmp_path / "zips.csv").write_text("zip\n1.50\n")
    cli("import", tmp_path / "zips.csv", "-s", "s1", "--if-exists", "append")
    assert rows(cli, "s1", "zips") == [{"zip": "007"}, {"zip": "1.50"}]


def test_standard_input_is_read_with_a_table_and_a_format(cli):
    answer = cli("import", "-", "-s", "s1", "--table", "t", "--format", "tsv", input="a\tb\n1\tx\n")
    assert answer.code == 0
    assert rows(cli, "s1", "t") == [{"a": 1, "b": "x"}]


def test_null_texts_and_compression(cli, tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\nNA,1\n-,2\n"))
    assert cli("import", path, "-s", "s1", "--null", "NA", "--null", "-").code == 0
    assert rows(cli, "s1", "t") == [{"a": None, "b": 1}, {"a": None, "b": 2}]


def test_a_bad_record_names_file_and_line_and_imports_nothing(cli, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("a,b\n1,2\n3\n")
    answer = cli("import", path, "-s", "s1")
    assert answer.code == 2
    assert f"{path}, line 3: 1 field, but the header names 2" in answer.err
    assert cli("query", "SELECT * FROM bad", "-s", "s1").code == 1


@pytest.mark.parametrize("name", ["missing.csv", ".", "book.xlsx"])
def test_what_cannot_be_imported_says_why(cli, tmp_path, name):
    answer = cli("import", tmp_path / name, "-s", "s1")
    assert answer.code == 2
    assert "[request.invalid]" in answer.err


def test_engine_tables_cannot_be_imported_into(cli, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("key,value\n1,2\n")
    for table in ("session_state", "execution_logs", "_result_1"):
        assert cli("import", path, "-s", "s1", "--table", table, "--if-exists", "replace").code == 1


@pytest.mark.parametrize("extension", ["csv", "tsv", "json", "ndjson", "csv.gz", "jsonl.gz"])
def test_what_is_exported_comes_back(cli, people, tmp_path, extension):
    target = tmp_path / f"copy.{extension}"
    null = () if "json" in extension else ("--null", r"\N")
    answer = cli("export", "people", "-s", people, "--to", target, *null)
    assert answer.code == 0
    assert answer.out == ""
    assert "3 rows" in answer.err
    assert cli("import", target, "-s", people, *null).code == 0
    assert rows(cli, people, "copy") == rows(cli, people, "people")


def test_a_statement_is_exported_with_parameters(cli, people, tmp_path):
    target = tmp_path / "out.json"
    sql = "SELECT name FROM people WHERE age > ?"
    document = cli("export", sql, "-p", "40", "-s", people, "--to", target, "--json").json
    assert document["result"]["rows"] == 1
    assert json.loads(target.read_text()) == [{"name": "Grace"}]


def test_export_goes_past_the_row_limit(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("CODEMODE_LIMITS_ROWS", "10")
    path = tmp_path / "n.csv"
    path.write_text("n\n" + "".join(f"{n}\n" for n in range(5_000)))
    cli("import", path, "-s", "s1")
    answer = cli("export", "n", "-s", "s1", "--to", "-")
    assert answer.out == path.read_text()


def test_an_existing_file_is_replaced_only_on_demand(cli, people, tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("precious")
    answer = cli("export", "people", "-s", people, "--to", target)
    assert answer.code == 2
    assert "--force" in answer.err
    assert target.read_text() == "precious"
    assert cli("export", "people", "-s", people, "--to", target, "--force").code == 0
    assert target.read_text().startswith("name,age,city\n")


def test_a_failed_export_leaves_no_file(cli, people, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    for sql in ("SELECT nam FROM people", "peple", "DELETE FROM people", "SELECT 1; SELECT 2"):
        assert cli("export", sql, "-s", people, "--to", folder / "out.csv").code == 1, sql
    assert cli("export", "t", "-s", "nobody", "--to", folder / "out.csv").code == 2
    assert list(folder.iterdir()) == []


def test_a_session_is_exported_as_one_database(cli, people, tmp_path):
    import sqlite3

    done = cli("export", "-s", people, "--to", tmp_path / "people.db")
    assert (done.code, done.err.startswith(f"session {people}, ")) == (0, True)
    with sqlite3.connect(tmp_path / "people.db") as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchall() == [(3,)]
    connection.close()
    assert cli("export", "-s", people, "--to", tmp_path / "people.db").code == 2
    assert cli("export", "-s", people, "--to", tmp_path / "people.db", "--force", "--json").json["result"]["bytes"] > 0
    assert cli("export", "-s", people, "--to", tmp_path / "x", "--format", "sqlite").code == 0
    for wrong in (["people", "-s", people, "--to", tmp_path / "y.db"], ["-s", people, "--to", tmp_path / "y.csv"],
                  ["-s", people, "--to", "-", "--format", "sqlite"]):  # fmt: skip
        assert cli("export", *wrong).code == 2
    assert not (tmp_path / "y.db").exists()
