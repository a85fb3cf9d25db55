"""The end of the service: readiness first, then executions, each of which is answered, then connections."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS, soon

from codemode import Settings, Worker
from codemode.api.server import Server
from tests.api.conftest import listening

BEGIN = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()\n"
WRITES_AND_RUNS_ON = f"{BEGIN}helpers.db.exec('create table t (a)')\nprint('begun', flush=True)\nwhile True: pass"


@contextmanager
def service(data: Path, **settings: Any) -> Iterator[tuple[httpx2.Client, Server, Worker]]:
    with (
        Worker(data, settings=msgspec.structs.replace(Settings(), **settings)) as worker,
        listening(worker, open_to_all=True) as (address, server),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
    ):
        assert http.get("/ready").json()["ready"]
        http.post("/v1/sessions", json={"id": "s"})
        yield http, server, worker


def end(server: Server) -> None:
    server.handle_exit(signal.SIGTERM, None)


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[Any]]]:
    with ThreadPoolExecutor(4) as threads:
        yield threads.submit


def execute(http: httpx2.Client, code: str, **more: Any) -> httpx2.Response:
    return http.post("/v1/sessions/s/execute", json={"code": code, **more})


def begun(worker: Worker) -> Callable[[], bool]:
    """Whether the session's execution has run so far; what it commits afterwards must not be there."""
    return lambda: "begun" in worker.session("s").get_tables()


def test_readiness_goes_down_first_and_nothing_new_begins(tmp_path: Path, aside: Any) -> None:
    with service(tmp_path, shutdown_seconds=HANG_SECONDS) as (http, server, worker):
        answered = aside(execute, http, WRITES_AND_RUNS_ON)
        assert soon(begun(worker))
        end(server)
        ready = http.get("/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "worker.unavailable")
        assert http.get("/health").status_code == 200
        assert soon(lambda: execute(http, "1", mode="background").status_code == 503)
        for mode in ("sync", "stream", "background"):
            refused = execute(http, "1", mode=mode)
            assert (refused.status_code, refused.json()["code"]) == (503, "worker.unavailable")
            assert int(refused.headers["retry-after"]) > 0
        assert not answered.done()
        end(server)  # at once now


def test_a_service_that_cannot_run_snippets_is_not_ready_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A balancer sends it nothing then, so nobody asks it for a child: it has to try by itself."""

    def no_interpreter(*_: object) -> NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("sandbox.children._UNWANTED_SECONDS", 0.1)
    with service(tmp_path) as (http, _, worker):
        with monkeypatch.context() as short:
            short.setattr("sandbox.keeper.Link", no_interpreter)
            link = worker.sandbox._children._link
            assert link is not None
            signal.pidfd_send_signal(link._zygote or 0, signal.SIGKILL)
            assert soon(lambda: "temporarily unavailable" in http.get("/ready").text)
            refused = http.get("/ready")
            assert (refused.status_code, refused.json()["code"]) == (503, "worker.unavailable")
            assert http.get("/health").status_code == 200
        assert soon(lambda: http.get("/ready").status_code == 200)
        assert execute(http, "return 1").json()["result"] == 1
    assert "cannot be started again" in caplog.text


def test_what_runs_when_time_is_up_is_undone_and_answered_and_the_log_tells(
    tmp_path: Path, aside: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "codemode")
    with service(tmp_path, shutdown_seconds=0.2) as (http, server, worker):
        answered = aside(execute, http, WRITES_AND_RUNS_ON)
        assert soon(begun(worker))
        end(server)
        outcome = answered.result(HANG_SECONDS).json()
        assert (outcome["status"], outcome["error"]["code"]) == ("cancelled", "code.cancelled")
        assert worker.session("s").get_tables() == ["begun"]
    told = [record.message for record in caplog.records if record.name == "codemode"]
    under_way = ["executions and uploads under way: 1; they get 0.2 s", "executions and uploads cut off and undone: 1"]
    assert told[-4:] == ["ending on SIGTERM", *under_way, "ended"]


def test_an_execution_that_ends_in_time_is_not_cut(tmp_path: Path, aside: Any) -> None:
    with service(tmp_path, shutdown_seconds=HANG_SECONDS) as (http, server, worker):
        code = f"{BEGIN}helpers.db.exec('create table t (a)')\nimport time\ntime.sleep(0.7)\nreturn 'done'"
        answered = aside(execute, http, code)
        assert soon(begun(worker))
        end(server)
        assert answered.result(HANG_SECONDS).json()["result"] == "done"
        assert worker.session("s").get_tables() == ["begun", "t"]


def test_a_stream_ends_with_the_outcome(tmp_path: Path) -> None:
    with service(tmp_path, shutdown_seconds=0.2) as (http, server, _):
        body = {"code": WRITES_AND_RUNS_ON, "mode": "stream"}
        with http.stream("POST", "/v1/sessions/s/execute", json=body) as answer:
            lines = answer.iter_lines()
            assert any("begun" in line for line in lines)
            end(server)
            data = [line for line in lines if line.startswith("data: ")]
    assert json.loads(data[-1][6:])["status"] == "cancelled"


def test_one_in_the_background_is_undone_and_its_outcome_kept(tmp_path: Path) -> None:
    with service(tmp_path, shutdown_seconds=0.2) as (http, server, worker):
        accepted = execute(http, WRITES_AND_RUNS_ON, mode="background").json()
        waiting = execute(http, "return 1", mode="background").json()
        assert soon(begun(worker))
        end(server)
    with service(tmp_path) as (http, _, worker):
        for each in (accepted, waiting):
            done = http.get(f"/v1/executions/{each['execution_id']}").json()
            assert (done["state"], done["outcome"]["status"]) == ("done", "cancelled")
        assert worker.session("s").get_tables() == ["begun"]


def test_executions_are_still_taken_while_balancers_look_away(tmp_path: Path) -> None:
    with service(tmp_path, drain_seconds=HANG_SECONDS) as (http, server, _):
        end(server)
        assert http.get("/ready").status_code == 503
        assert execute(http, "return 1").json()["result"] == 1
        end(server)


def test_a_second_signal_waits_for_nothing(tmp_path: Path, aside: Any) -> None:
    settings = {"shutdown_seconds": 600.0, "drain_seconds": 600.0}
    with service(tmp_path, **settings) as (http, server, worker):
        answered = aside(execute, http, WRITES_AND_RUNS_ON)
        assert soon(begun(worker))
        end(server)
        assert soon(lambda: http.get("/ready").status_code == 503)
        end(server)
        assert answered.result(HANG_SECONDS).json()["status"] == "cancelled"


def test_connections_on_which_nothing_happens_do_not_hold_the_end_up(tmp_path: Path) -> None:
    with service(tmp_path) as (http, server, _):
        place = http.base_url.host, http.base_url.port
        silent, half = socket.create_connection(place), socket.create_connection(place)
        half.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
        assert http.get("/health").status_code == 200
        end(server)
    for each in (silent, half):
        with each:
            each.settimeout(HANG_SECONDS)
            assert each.recv(1) == b""


@pytest.mark.parametrize("path", ["batch_insert?table=t&create=true", "import?table=t&format=csv"])
def test_an_upload_that_does_not_end_is_undone_and_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    # Less than a refused client has to end by itself: its answer is on its way only after that.
    monkeypatch.setattr("codemode.api.server._LAST_SECONDS", 1)
    with service(tmp_path, shutdown_seconds=0.3, upload_idle_seconds=600.0) as (http, server, worker):
        place = http.base_url.host, http.base_url.port
        with socket.create_connection(place, HANG_SECONDS) as client:
            head = f"POST /v1/sessions/s/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
            client.sendall(f"{head}Content-Type: application/x-ndjson\r\n\r\n".encode() + b'{"a": 1}\n' * 1_000)
            assert soon(lambda: len(server._acts) == 1)
            end(server)
            answer = b""
            while piece := client.recv(65_536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"worker.unavailable" in answer
        assert worker.session("s").get_tables() == []


BLANK_LINES = gzip.compress(b"\n" * 2**20)  # a kilobyte
UNPACKED = {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}


@pytest.mark.parametrize(
    ("path", "headers", "content"),
    [
        ("import?table=t&format=csv", {}, b"a,b\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(1_500_000))),
        ("import?table=t&format=ndjson", {}, BLANK_LINES * 300),
        ("batch_insert?table=t&create=true", UNPACKED, BLANK_LINES * 2_000),
    ],
)
def test_an_upload_that_takes_long_is_undone_and_answered(
    tmp_path: Path,
    aside: Any,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    headers: dict[str, str],
    content: bytes,
) -> None:
    with service(tmp_path, shutdown_seconds=0.1) as (http, server, worker):
        # What came is kept beside the data, and nowhere a second time.
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        answered = aside(http.post, f"/v1/sessions/s/{path}", content=content, headers=headers)
        assert soon(lambda: len(server._acts) == 1)
        end(server)
        assert answered.result(HANG_SECONDS).status_code == 503
        assert worker.session("s").get_tables() == []


ENDLESS = "WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT count(*) FROM n"


@pytest.mark.parametrize("path", ["query", "exec"])
def test_a_statement_that_takes_long_is_interrupted_and_answered(tmp_path: Path, aside: Any, path: str) -> None:
    with service(tmp_path, shutdown_seconds=0.2) as (http, server, worker):
        answered = aside(http.post, f"/v1/sessions/s/{path}", json={"sql": ENDLESS})
        assert soon(lambda: server._acts._looks > 0)
        time.sleep(0.3)  # it has begun
        started = time.monotonic()
        end(server)
        answer = answered.result(HANG_SECONDS)
        assert (answer.status_code, answer.json()["code"]) == (503, "worker.unavailable")
        assert time.monotonic() - started < worker.limits.query_seconds


def test_rows_that_are_interrupted_say_that_the_service_ended(tmp_path: Path) -> None:
    with service(tmp_path, shutdown_seconds=0.2) as (http, server, _):
        body = {"sql": ENDLESS.replace("count(*) FROM n", "a FROM n WHERE a < 1500")}  # looks for more for ever
        plain = {"Accept-Encoding": "identity"}  # which comes line by line
        with http.stream("POST", "/v1/sessions/s/rows", json=body, headers=plain) as response:
            lines = response.iter_lines()
            assert json.loads(next(lines)) == {"columns": ["a"]}
            assert soon(lambda: server._acts._looks > 0)
            time.sleep(0.3)  # it has begun
            end(server)
            *_, last = lines
        assert json.loads(last)["problem"]["code"] == "worker.unavailable"
