"""A host's own statements over HTTP: what changes, what comes back exactly, what is all or nothing."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker

FAR = 2**62 + 1  # what a double cannot tell from its neighbours


@pytest.fixture
def filled(http: httpx2.Client, place: str) -> str:
    assert http.post(f"{place}/script", json={"sql": "create table t (a, b); insert into t values (1, 'x'), (2, 'y')"})
    return place


def lines(answer: httpx2.Response) -> list[Any]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_a_statement_says_what_it_changed(http: httpx2.Client, filled: str) -> None:
    done = http.post(f"{filled}/exec", json={"sql": "update t set b = ?", "params": ["z"]}).json()
    assert (done["success"], done["rows_written"], "rows" in done) == (True, 2, False)
    read = http.post(f"{filled}/exec", json={"sql": "delete from t returning a, a"}).json()
    assert (read["columns"], read["rows"]) == (["a", "a_2"], [{"a": 1, "a_2": 1}, {"a": 2, "a_2": 2}])


def test_what_can_hardly_be_meant_is_in_the_answer(http: httpx2.Client, filled: str) -> None:
    warnings = ["a = NULL is never true: write a IS NULL"]
    for asked, condition in ((warnings, "a = NULL"), ([], "a IS NULL")):
        assert (
            http.post(f"{filled}/query", json={"sql": f"select b from t where {condition}"}).json()["warnings"] == asked
        )
        done = http.post(f"{filled}/exec", json={"sql": f"delete from t where {condition}"}).json()
        assert done.get("warnings", []) == asked


@pytest.mark.parametrize(
    "value", [None, 0, FAR, -FAR, 0.1, -0.0, "ü\n", {"$bytes": "AP8="}, {"$float": "Infinity"}, {"$float": "-Infinity"}]
)
def test_a_value_comes_back_as_it_went(http: httpx2.Client, place: str, value: Any) -> None:
    kept = http.post(f"{place}/exec", json={"sql": "create table if not exists v (a)"}).json()
    assert kept["success"]
    done = http.post(f"{place}/exec", json={"sql": "insert into v values (:v)", "params": {"v": value}})
    assert done.json()["changes"] == 1
    expected = json.dumps([{"a": value}])
    found = http.post(f"{place}/query", json={"sql": "select a from v"}).json()
    assert json.dumps(found["result"]) == expected
    same = http.post(f"{place}/query", json={"sql": "select ? as a", "params": [value]}).json()
    assert json.dumps(same["result"]) == expected
    assert lines(http.post(f"{place}/rows", json={"sql": "select a from v"}))[1] == [value]


@pytest.mark.parametrize("wrong", [{"$bytes": "#"}, {"$bytes": 1}, {"$float": "big"}, {"$float": 1.5}, {"$float": []}])
def test_what_claims_to_be_a_value_and_is_none_is_refused(http: httpx2.Client, place: str, wrong: Any) -> None:
    answer = http.post(f"{place}/exec", json={"sql": "select ?", "params": [wrong]})
    assert (answer.status_code, answer.json()["code"]) == (422, "sql.value")


def test_other_objects_are_stored_as_json_text(http: httpx2.Client, place: str) -> None:
    found = http.post(f"{place}/query", json={"sql": "select ? as a", "params": [{"$bytes": "AA==", "x": [1]}]}).json()
    assert json.loads(found["result"][0]["a"]) == {"$bytes": "AA==", "x": [1]}


def test_an_integer_beyond_64_bits_is_refused_and_not_rounded(http: httpx2.Client, place: str) -> None:
    answer = http.post(f"{place}/query", json={"sql": "select ?", "params": [2**64]})
    assert (answer.status_code, answer.json()["code"]) == (422, "sql.value")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("batch", {"statements": [{"sql": "delete from t"}, {"sql": "insert into absent values (1)"}]}),
        ("script", {"sql": "delete from t; insert into absent values (1)"}),
    ],
)
def test_several_statements_are_all_or_nothing(http: httpx2.Client, filled: str, path: str, body: Any) -> None:
    answer = http.post(f"{filled}/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "sql.no_such_table")
    assert http.post(f"{filled}/query", json={"sql": "select count(*) as n from t"}).json()["result"] == [{"n": 2}]


def test_a_batch_answers_for_each(http: httpx2.Client, filled: str) -> None:
    statements = [
        {"sql": "insert into t values (?, ?)", "params": [3, {"$bytes": "AA=="}]},
        {"sql": "select b from t where a = :a", "params": {"a": 3}},
    ]
    first, second = http.post(f"{filled}/batch", json={"statements": statements}).json()
    assert (first["changes"], second["rows"]) == (1, [{"b": {"$bytes": "AA=="}}])


@pytest.mark.parametrize("columns", ["a INTEGER PRIMARY KEY, b", {"a": "INTEGER PRIMARY KEY", "b": ""}])
def test_a_table_is_made(http: httpx2.Client, place: str, columns: Any) -> None:
    body = {"name": "made", "columns": columns}
    assert http.post(f"{place}/create_table", json=body).json() == {"success": True}
    again = http.post(f"{place}/create_table", json=body)
    assert (again.status_code, again.json()["code"]) == (422, "sql.already_exists")
    assert http.post(f"{place}/create_table", json=body | {"if_not_exists": True}).json() == {"success": True}


def test_a_plan_is_explained(http: httpx2.Client, filled: str) -> None:
    found = http.post(f"{filled}/explain", json={"sql": "select * from t where a = ?", "params": [1]}).json()
    assert found["scans"] == ["t"]


def test_a_query_in_turn_may_write_and_says_so(http: httpx2.Client, filled: str) -> None:
    body = {"sql": "delete from t where a = 1 returning b", "read_only": False}
    assert http.post(f"{filled}/query", json=body).json()["result"] == [{"b": "x"}]
    first = {"sql": "select a from t union select 9 order by 1", "read_only": False, "first": True}
    assert http.post(f"{filled}/query", json=first).json()["result"] == [{"a": 2}]
    assert http.post(f"{filled}/query", json=first | {"read_only": True}).json()["result"] == [{"a": 2}]


def test_a_token_that_may_only_read_cannot_write_by_a_query(guarded: str, worker: Worker) -> None:
    worker.session("guarded")
    secret, _ = worker.create_token(scopes=("read",))
    body = {"sql": "select 1 as one"}
    with httpx2.Client(base_url=guarded, headers={"Authorization": f"Bearer {secret}"}, timeout=HANG_SECONDS) as http:
        refused = http.post("/v1/sessions/guarded/query", json=body | {"read_only": False})
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.forbidden")
        assert http.post("/v1/sessions/guarded/query", json=body).json()["result"] == [{"one": 1}]


def test_all_rows_come_as_they_are_read(http: httpx2.Client, place: str) -> None:
    sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?) select i, x'ff' as i from n"
    columns, *rows, end = lines(http.post(f"{place}/rows", json={"sql": sql, "params": [25_000]}))
    assert (columns, len(rows), end) == ({"columns": ["i", "i_2"]}, 25_000, {"rows": 25_000})
    assert rows[-1] == [25_000, {"$bytes": "/w=="}]


def test_wide_rows_are_sent_a_few_at_a_time(http: httpx2.Client, place: str) -> None:
    sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60) select "
    sql += ", ".join(["zeroblob(300000)"] * 5) + " from n"
    tracemalloc.start()
    try:
        plain = {"Accept-Encoding": "identity"}
        with http.stream("POST", f"{place}/rows", json={"sql": sql}, headers=plain) as answer:
            sent = sum(map(len, answer.iter_raw()))
        assert tracemalloc.get_traced_memory()[1] < 100_000_000  # of 120 MB as text; two pages of 16 MB are
    finally:
        tracemalloc.stop()
    assert sent > 120_000_000


def test_rows_say_what_is_wrong_before_they_begin(http: httpx2.Client, filled: str) -> None:
    answer = http.post(f"{filled}/rows", json={"sql": "select c from t"})
    assert (answer.status_code, answer.json()["available"]) == (422, ["a", "b"])


def test_rows_that_end_too_early_say_why(http: httpx2.Client, place: str) -> None:
    sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)"
    sql += " select json(iif(i < 2900, '1', '')) from n"
    *_, last = lines(http.post(f"{place}/rows", json={"sql": sql}))
    assert (last["problem"]["code"], last["problem"]["status"]) == ("sql.runtime", 422)


def test_long_records_of_a_small_upload_are_held_a_few_at_a_time(http: httpx2.Client, place: str) -> None:
    body = gzip.compress(b'{"a":"' + b"a" * 2**20 + b'"}\n') * 40
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    tracemalloc.start()
    try:
        answer = http.post(f"{place}/batch_insert?table=long&create=true", content=body, headers=headers)
        assert answer.json().get("rows_written") == 40, answer.text
        assert tracemalloc.get_traced_memory()[1] < 30_000_000  # of 40 MB, from 40 KB of upload
    finally:
        tracemalloc.stop()


def test_lists_are_inserted_into_the_columns_that_are_named(http: httpx2.Client, filled: str) -> None:
    body = b'["p", {"$bytes": "AA=="}]\n[{"k": [1]}, 9223372036854775807]\n'
    headers = {"Content-Type": "application/x-ndjson"}
    params = {"table": "t", "columns": ["b", "a"]}
    assert http.post(f"{filled}/batch_insert", params=params, content=body, headers=headers).json()["rows_written"] == 2
    found = http.post(f"{filled}/query", json={"sql": "select a, b from t where rowid > 2"}).json()["result"]
    assert found == [{"a": {"$bytes": "AA=="}, "b": "p"}, {"a": 2**63 - 1, "b": '{"k":[1]}'}]
    wrong = http.post(f"{filled}/batch_insert", params=params, content=b"[1, 2, 3]\n", headers=headers)
    assert (wrong.status_code, "record 0" in wrong.json()["detail"]) == (400, True)


def test_blobs_in_records_are_stored_as_blobs(http: httpx2.Client, place: str) -> None:
    body = {"table": "r", "records": [{"a": {"$bytes": "AP8="}}], "create": True}
    assert http.post(f"{place}/batch_insert", json=body).json()["rows_written"] == 1
    found = http.post(f"{place}/query", json={"sql": "select typeof(a) as kind, hex(a) as a from r"}).json()
    assert found["result"] == [{"kind": "blob", "a": "00FF"}]
