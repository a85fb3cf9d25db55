"""Sessions and their data over HTTP: created once for each id, queried, filled by streams, exported, described."""

from __future__ import annotations

import errno
import gzip
import json
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker
from codemode.errors import StorageFull
from codemode.service import private

NDJSON = "application/x-ndjson"


def numbers(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield json.dumps({"a": number, "b": f"text {number}"}).encode() + b"\n"


def insert(http: httpx2.Client, session: str, body: Any, **query: Any) -> httpx2.Response:
    return http.post(
        f"/v1/sessions/{session}/batch_insert",
        params={"table": "t", "create": "true"} | query,
        content=body,
        headers={"Content-Type": "application/x-ndjson"},
    )


def test_a_session_is_created_once_for_each_id(http: httpx2.Client) -> None:
    first = http.post("/v1/sessions", json={"id": "chat-1"})
    again = http.post("/v1/sessions", json={"id": "chat-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == "/v1/sessions/chat-1"
    assert first.json()["id"] == again.json()["id"] == "chat-1"
    assert http.get("/v1/sessions/chat-1").json()["created_at"] == first.json()["created_at"]


@pytest.mark.parametrize("session_id", ["../../etc", "a/b", "", " ", "é", "a" * 129])
def test_a_bad_id_is_refused(http: httpx2.Client, session_id: str) -> None:
    answer = http.post("/v1/sessions", json={"id": session_id})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


def test_limits_are_lowered_and_never_raised(http: httpx2.Client, worker: Worker) -> None:
    http.post("/v1/sessions", json={"id": "lower", "limits": {"rows": 5, "database_bytes": 2**50}})
    limits = http.get("/v1/sessions/lower/metrics").json()["limits"]
    assert (limits["rows"], limits["database_bytes"]) == (5, worker.limits.database_bytes)
    wrong = http.post("/v1/sessions", json={"limits": {"row": 5}})
    assert (wrong.status_code, "rows" in wrong.json()["available"]) == (400, True)


def test_limits_that_creating_lowers_in_a_session_that_is_there_are_on_record(http: httpx2.Client) -> None:
    for rows in (7, 5):
        http.post("/v1/sessions", json={"id": "lowered", "limits": {"rows": rows}})
    act = http.get("/v1/audit", params={"limit": 1}).json()["acts"][0]
    assert (act["resource"], act["old_values"], act["new_values"]) == (
        "lowered", {"limits": {"rows": 7}}, {"limits": {"rows": 5}},
    )  # fmt: skip


def test_limits_that_a_change_does_not_name_stay(http: httpx2.Client, worker: Worker) -> None:
    http.post("/v1/sessions", json={"id": "kept", "limits": {"rows": 5, "sql_bytes": 9_000}})
    body = {"limits": {"helper_calls": 7, "sql_bytes": None}, "pinned": True}
    limits = http.patch("/v1/sessions/kept", json=body).json()["limits"]
    expected = (5, 7, worker.limits.sql_bytes)
    assert (limits["rows"], limits["helper_calls"], limits["sql_bytes"]) == expected
    for wrong in ({"row": 5}, {"rows": 0}, {"rows": "5"}):
        assert http.patch("/v1/sessions/kept", json={"limits": wrong, "pinned": False}).status_code == 400
    changed, made = http.get("/v1/audit", params={"limit": 5}).json()["acts"][3:]
    assert made["new_values"]["limits"] == changed["old_values"]["limits"] == {"rows": 5, "sql_bytes": 9_000}
    assert changed["new_values"].items() >= {"limits": {"rows": 5, "helper_calls": 7}, "pinned": True}.items()


@pytest.mark.parametrize("why", ["expired", "damaged"])
def test_a_session_that_is_made_anew_is_what_the_request_says(http: httpx2.Client, worker: Worker, why: str) -> None:
    name = f"renewed-{why}"
    http.post("/v1/sessions", json={"id": name, "type": "old", "metadata": {"old": True}, "limits": {"rows": 7}})
    if why == "expired":
        worker.registry.catalog._catalog.run("UPDATE sessions SET last_activity = 0 WHERE id = ?1", name)
    else:
        worker.registry.files(("local", name)).database.write_bytes(b"no database" * 1000)
    asked = {"type": "new", "metadata": {"a": 1}, "limits": {"rows": 5}, "stateful": True}
    made = http.post("/v1/sessions", json={"id": name, "renew": True, **asked})
    assert (made.status_code, made.json()["type"], made.json()["limits"]["rows"]) == (201, "new", 5)
    assert (made.json()["place"]["metadata"], made.json()["stateful"]) == ({"a": 1}, True)
    act = http.get("/v1/audit", params={"limit": 1}).json()["acts"][0]
    assert (act["action"], act["resource"], act["new_values"]["type"]) == ("create_session", name, "new")
    again = http.post("/v1/sessions", json={"id": name, "renew": True, "type": "other"})
    assert (again.status_code, again.json()["type"]) == (200, "new"), "what is there and sound is not made anew"


def test_sessions_are_listed_in_pages(http: httpx2.Client) -> None:
    made = {http.post("/v1/sessions", json={}).json()["id"] for _ in range(5)}
    chosen = sorted(made)[:3]
    for each in chosen:
        http.patch(f"/v1/sessions/{each}", json={"type": "paged"})
    found = _every_page(http, limit=2)
    assert made <= set(found)
    assert len(found) == len(set(found))
    assert sorted(_every_page(http, limit=2, type="paged", status="active")) == chosen
    for wrong in ({"after": "x"}, {"status": "gone"}):
        assert http.get("/v1/sessions", params=wrong).status_code == 400


def _every_page(http: httpx2.Client, **asked: Any) -> list[str]:
    page = http.get("/v1/sessions", params=asked).json()
    found = [each["id"] for each in page["sessions"]]
    return found if page["next"] is None else found + _every_page(http, **{**asked, "after": page["next"]})


def test_a_session_is_pinned_and_deleted(http: httpx2.Client, session: str) -> None:
    assert http.patch(f"/v1/sessions/{session}", json={"pinned": True}).json()["expires_at"] is None
    assert http.delete(f"/v1/sessions/{session}").status_code == 204
    assert http.get(f"/v1/sessions/{session}").status_code == 404
    assert http.delete(f"/v1/sessions/{session}").status_code == 404


def test_ndjson_streams_into_one_transaction(http: httpx2.Client, session: str) -> None:
    answer = insert(http, session, numbers(20_000))
    assert answer.json()["rows_written"] == 20_000
    found = http.post(f"/v1/sessions/{session}/query", json={"sql": "select count(*) as n, max(a) as m from t"}).json()
    assert found["result"] == [{"n": 20_000, "m": 19_999}]


def test_a_query_tells_of_its_rows_only_what_it_knows(http: httpx2.Client, session: str) -> None:
    found = http.post(f"/v1/sessions/{session}/query", json={"sql": "select 1 as a union all select 2"}).json()
    assert found["result_info"] == {"type": "rows", "row_count": 2, "truncated": False}


@pytest.mark.parametrize(
    ("tail", "code"),
    [(b"{", "request.invalid"), (b"1\n", "request.invalid"), (b"\xff\xfe\n", "request.invalid")],
    ids=["cut", "no object", "no UTF-8"],
)
def test_an_upload_with_a_bad_line_leaves_nothing(http: httpx2.Client, session: str, tail: bytes, code: str) -> None:
    answer = insert(http, session, b"".join(numbers(3_000)) + tail)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "line 3001" in answer.json()["detail"]
    assert http.get(f"/v1/sessions/{session}/schema").json() == {"tables": []}


def test_a_client_that_goes_away_in_an_upload_leaves_nothing(http: httpx2.Client, session: str) -> None:
    def broken() -> Iterator[bytes]:
        yield from numbers(5_000)
        raise OSError("the client's disk is gone")

    with pytest.raises(OSError, match="disk is gone"):
        insert(http, session, broken())
    assert http.get(f"/v1/sessions/{session}/schema").json() == {"tables": []}
    assert insert(http, session, numbers(1)).json()["rows_written"] == 1


@pytest.mark.parametrize("rows", [3, 5_000])
def test_an_upload_that_came_whole_is_done_though_its_client_is_gone(
    http: httpx2.Client, session: str, worker: Worker, rows: int
) -> None:
    body, of = b"".join(numbers(rows)), worker.session(session)
    for attempt in range(10):
        closed_at_once(http, f"/v1/sessions/{session}/batch_insert?table=t{attempt}&create=true", NDJSON, body)
        made = [f"t{each}" for each in range(attempt + 1)]
        assert soon(lambda made=made: of.get_tables() == made)
        assert of.value(f"SELECT count(*) FROM t{attempt}") == rows
    cut = b"Content-Length: %d" % (len(body) + 1)
    closed_at_once(http, f"/v1/sessions/{session}/batch_insert?table=cut&create=true", NDJSON, body, cut)
    of.exec("CREATE TABLE after_it (a)")
    assert "cut" not in of.get_tables()


def test_statements_that_came_whole_are_run_though_their_client_is_gone(
    http: httpx2.Client, session: str, worker: Worker
) -> None:
    of = worker.session(session)
    of.exec("CREATE TABLE t (a)")
    for number in range(10):
        sql = json.dumps({"sql": "INSERT INTO t VALUES (?)", "params": [number]}).encode()
        closed_at_once(http, f"/v1/sessions/{session}/exec", "application/json", sql)
    assert soon(lambda: of.value("SELECT count(*) FROM t") == 10)
    assert of.value("SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)") == "0,1,2,3,4,5,6,7,8,9"


def closed_at_once(http: httpx2.Client, path: str, media: str, body: bytes, length: bytes = b"") -> None:
    length = length or b"Content-Length: %d" % len(body)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media}\r\n".encode() + length
    with socket.create_connection((http.base_url.host, http.base_url.port), HANG_SECONDS) as client:
        client.sendall(head + b"\r\n\r\n" + body)


def test_a_body_that_is_too_large_is_refused_unread(http: httpx2.Client, session: str) -> None:
    answer = http.post(f"/v1/sessions/{session}/query", json={"sql": "select 1 --" + "x" * 200_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")
    chunked = http.post(
        f"/v1/sessions/{session}/query", content=iter([b"x" * 60_000] * 3), headers={"Content-Type": "application/json"}
    )
    assert (chunked.status_code, chunked.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 50_000, b"\xff", b'{"sql": "select 1", "x": 1}', b"null"])
def test_a_body_that_is_no_request_is_refused(http: httpx2.Client, session: str, body: bytes) -> None:
    answer = http.post(f"/v1/sessions/{session}/query", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


def test_another_media_type_is_refused(http: httpx2.Client, session: str) -> None:
    answer = http.post(f"/v1/sessions/{session}/query", content=b"a: 1", headers={"Content-Type": "text/yaml"})
    assert (answer.status_code, answer.json()["code"]) == (415, "request.media_type")


def test_a_query_reads_and_never_writes(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(2))
    found = http.post(
        f"/v1/sessions/{session}/query", json={"sql": "select * from t where a = ?", "params": [1]}
    ).json()
    assert (found["columns"], found["result"]) == (["a", "b"], [{"a": 1, "b": "text 1"}])
    refused = http.post(f"/v1/sessions/{session}/query", json={"sql": "delete from t"})
    assert (refused.status_code, refused.json()["code"]) == (422, "sql.refused")
    blob = http.post(f"/v1/sessions/{session}/query", json={"sql": "select x'ff' as b"}).json()
    assert blob["result"] == [{"b": {"$bytes": "/w=="}}]


def test_what_is_wrong_with_a_statement_is_told(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(1))
    problem = http.post(f"/v1/sessions/{session}/query", json={"sql": "select bb from t"}).json()
    assert (problem["status"], problem["code"], problem["available"]) == (422, "sql.no_such_column", ["a", "b"])


def test_a_file_goes_in_and_out(http: httpx2.Client, session: str) -> None:
    text = "code,name\n007,Bond\n008,\n"
    place = f"/v1/sessions/{session}/import"
    came = http.post(place, params={"table": "agents"}, content=text, headers={"Content-Type": "text/csv"}).json()
    assert (came["rows"], [column["type"] for column in came["columns"]]) == (2, ["TEXT", "TEXT"])
    packed = gzip.compress(text.encode())
    more = http.post(place, params={"table": "agents", "format": "csv", "if_exists": "append"}, content=packed).json()
    assert more["rows"] == 2
    out = http.get(f"/v1/sessions/{session}/export", params={"table": "agents", "format": "csv"})
    assert out.text.splitlines() == ["code,name", "007,Bond", "008,", "007,Bond", "008,"]
    assert 'filename="agents.csv"' in out.headers["content-disposition"]
    again = http.post(place, params={"table": "agents"}, content=text, headers={"Content-Type": "text/csv"})
    assert (again.status_code, again.json()["code"]) == (422, "sql.already_exists")


def test_an_export_says_what_is_wrong_before_it_begins(http: httpx2.Client, session: str) -> None:
    answer = http.get(f"/v1/sessions/{session}/export", params={"table": "nothing"})
    assert (answer.status_code, answer.json()["code"]) == (422, "sql.no_such_table")
    assert http.get(f"/v1/sessions/{session}/export").status_code == 400


def test_a_large_export_is_whole(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(30_000))
    lines = http.get(f"/v1/sessions/{session}/export", params={"sql": "select a from t", "format": "ndjson"}).text
    assert lines.count("\n") == 30_000


def test_tables_are_described(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(3))
    tables = http.get(f"/v1/sessions/{session}/schema").json()["tables"]
    assert [(table["name"], [column["name"] for column in table["columns"]]) for table in tables] == [("t", ["a", "b"])]
    assert http.get(f"/v1/sessions/{session}/tables/t").json()["row_count"] == 3
    assert http.get(f"/v1/sessions/{session}/tables/u").status_code == 422


def test_the_log_is_read(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(1))
    entries = http.get(f"/v1/sessions/{session}/logs", params={"limit": 10}).json()
    assert any(entry["kind"] == "batch_insert" for entry in entries)
    assert http.get(f"/v1/sessions/{session}/logs", params={"limit": "many"}).status_code == 400


def test_long_answers_are_compressed_where_the_client_takes_it(http: httpx2.Client, session: str) -> None:
    insert(http, session, numbers(3_000))
    answer = http.post(f"/v1/sessions/{session}/query", json={"sql": "select * from t"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["result"]) == 3_000


def test_every_answer_carries_the_request_s_id(http: httpx2.Client) -> None:
    assert http.get("/health", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"
    minted = http.get("/health", headers={"X-Request-Id": "no good id"}).headers["x-request-id"]
    assert minted.startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/v1/sessions", 405), ("GET", "//v1/sessions", 404)],
)
def test_what_is_not_there_is_a_problem_too(http: httpx2.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "hint"), [("/", "GET /openapi.json"), ("/v1/sessions/", "leave the slash at the end")]
)
def test_an_address_without_anything_says_where_to_look(http, path: str, hint: str):
    assert hint in http.get(path).json()["hint"]


def test_a_session_is_exported_as_one_database(http: httpx2.Client, worker: Worker, tmp_path: Path) -> None:
    http.post("/v1/sessions", json={"id": "whole"})
    session = worker.session("whole")
    session.exec("CREATE TABLE t (x)")
    session.batch_insert("t", ({"x": f"{n}" * 90} for n in range(20_000)))
    answer = http.get("/v1/sessions/whole/export", params={"format": "sqlite"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.sqlite3")
    (tmp_path / "s.db").write_bytes(answer.content)
    with closing(sqlite3.connect(tmp_path / "s.db")) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchall() == [(20_000,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list(worker.data_dir.glob("export-*")) == []
    refused = http.get("/v1/sessions/whole/export", params={"format": "sqlite", "table": "t"})
    assert (refused.status_code, refused.json()["code"]) == (400, "request.invalid")
    assert http.get("/v1/sessions/none/export", params={"format": "sqlite"}).status_code == 404


@pytest.mark.parametrize(
    ("make", "ask"),
    [
        (
            "TemporaryFile",
            lambda http: http.post(
                "/v1/sessions/whole/import?table=f", content=b"a\n1\n", headers={"Content-Type": "text/csv"}
            ),
        ),
        ("TemporaryDirectory", lambda http: http.get("/v1/sessions/whole/export", params={"format": "sqlite"})),
    ],
)
def test_no_room_for_a_copy_is_a_full_disk_and_no_fault(
    http: httpx2.Client, make: str, ask: Callable[[httpx2.Client], httpx2.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    http.post("/v1/sessions", json={"id": "whole"})
    monkeypatch.setattr(tempfile, make, full)
    answer = ask(http)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage.full")


def test_a_directory_beside_the_servers_own_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_kept", {})
    private._keep("/srv/data", "DATA_DIR")
    error = StorageFull("/srv/data/sessions is full", hint="move /srv/data to where /srv/data2 and /srv/data-old are")
    assert private.told(error) == (
        "DATA_DIR/sessions is full",
        "move DATA_DIR to where /srv/data2 and /srv/data-old are",
    )


@pytest.mark.parametrize("mode", ["sync", "stream"])
def test_no_path_of_the_server_is_told(http: httpx2.Client, session: str, worker: Worker, mode: str) -> None:
    files, path = worker.registry.files(("local", session)), f"/v1/sessions/{session}"
    run = {"code": "helpers.db.checkpoint('one')", "mode": mode}
    assert http.post(f"{path}/execute", json={"code": "helpers.db.exec('CREATE TABLE t (a)')"}).json()["ok"]
    files.checkpoints.write_text("in the way")
    answers = [http.post(f"{path}/execute", json=run), http.post(f"{path}/checkpoints", json={"name": "one"})]
    assert all("storage.full" in each.text for each in answers)
    assert "checkpoints cannot be written" in answers[0].text
    files.lock.unlink()
    files.lock.mkdir()
    answers += [http.post(f"{path}/execute", json=run), http.post(f"{path}/undo")]
    assert all("DATA_DIR/sessions/" in each.text for each in (answers[1], *answers[2:]))
    assert not any(str(worker.data_dir) in each.text for each in answers)
    files.lock.rmdir()
