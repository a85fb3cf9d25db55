"""What the service logs: one line a record whatever strangers send, ids that lead back to it, and no secrets."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS, soon

from codemode import Worker
from codemode.service import logs

FORMS: tuple[logs.Format, ...] = ("text", "json")
HOSTILE = [
    "a\n2026-01-01T00:00:00.000Z info    forged", "a\r\nb",
    "\x1b[2Jgone", "a\u2028b", "a\x85b", "\ud800", "\x00", "a\x0bb",
]  # fmt: skip


def logged(form: logs.Format, message: str, error: Exception | None = None, **fields: Any) -> str:
    written = io.StringIO()
    record = logging.LogRecord("codemode", logging.ERROR, "", 0, "%s", (message,), None)
    record.fields = fields
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    logs.handler(form, written).handle(record)
    return written.getvalue()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_begins_a_line_of_its_own(form: logs.Format, text: str) -> None:
    for written in (logged(form, text), logged(form, "m", session=text), logged(form, "m", ValueError(text))):
        first, *others = written.removesuffix("\n").splitlines()
        assert all(line.startswith("    | ") for line in others)
        assert first.isprintable()
        if form == "json":
            assert not others
            assert json.loads(first)["level"] == "error"


SECRETS = [
    ("token cm_abcdefgh12345678ijkl", "abcdefgh"),
    ("Authorization: Bearer abcdef123456==", "abcdef"),
    ("cannot open postgresql://ann:s3cret@db/x", "s3cret"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_what_looks_like_a_secret_is_masked(form: logs.Format, text: str, secret: str) -> None:
    assert secret in text
    assert secret not in logged(form, text, ValueError(text), name=text)


@pytest.mark.parametrize("form", FORMS)
def test_a_line_has_a_bounded_length(form: logs.Format) -> None:
    assert len(logged(form, "x" * 1_000_000)) < 20_000


@pytest.fixture
def lines(worker: Worker, address: str) -> Iterator[io.StringIO]:
    """What the service logs as JSON while the test runs."""
    worker.session("logged").run("return 1")  # that its first run starts the sandbox is logged, and before the test
    written = io.StringIO()
    handler, logger = logs.handler("json", written), logging.getLogger("codemode")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(before)


def of_request(lines: io.StringIO, answer: httpx2.Response) -> list[dict[str, Any]]:
    """What was logged of a request, its own line the last: that is written when the client has its answer already."""

    def own() -> list[dict[str, Any]]:
        found = map(json.loads, lines.getvalue().splitlines())
        return [line for line in found if line.get("request_id") == answer.headers["x-request-id"]]

    assert soon(lambda: any(line["message"] == "request" for line in own())), lines.getvalue()
    return own()


def test_a_request_is_one_line_with_what_it_was_and_became(http: httpx2.Client, lines: io.StringIO) -> None:
    answer = http.post("/v1/sessions/logged/execute", json={"code": "1 / 0"})
    *_, line = of_request(lines, answer)
    expected = {
        "message": "request", "logger": "codemode.access", "level": "info", "method": "POST", "operation": "execute",
        "status": 200, "tenant": "local", "session": "logged", "execution": answer.json()["execution_id"],
        "outcome": "code.runtime",
    }  # fmt: skip
    assert expected.items() <= line.items()
    assert line["duration_ms"] > 0


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nowhere", {"operation": "none", "status": 404, "outcome": "request.path"}),
        ("/v1/sessions/absent", {"operation": "get_session", "status": 404, "session": "absent"}),
        ("/v1/executions/ex_absent", {"operation": "get_execution", "status": 404, "execution": "ex_absent"}),
    ],
)
def test_a_refusal_is_logged(http: httpx2.Client, lines: io.StringIO, path: str, expected: dict[str, Any]) -> None:
    [line] = of_request(lines, http.get(path))
    assert expected.items() <= line.items()


def test_what_is_the_operators_to_mend_is_logged_with_its_reason(
    http: httpx2.Client, worker: Worker, lines: io.StringIO
) -> None:
    http.post("/v1/sessions", json={"id": "held"})
    files = worker.registry.files(("local", "held"))
    files.lock.unlink(missing_ok=True)
    files.lock.mkdir()
    *_, line = of_request(lines, answer := http.post("/v1/sessions/held/execute", json={"code": "return 1"}))
    assert (answer.status_code, line["status"], line["outcome"]) == (507, 507, "storage.full")
    assert line["reason"] == f"{files.lock} cannot be written: Is a directory"
    assert answer.json()["detail"] == line["reason"].replace(str(worker.data_dir), "DATA_DIR")


def test_probes_are_not_logged_while_they_go_well(http: httpx2.Client, lines: io.StringIO) -> None:
    for path in ("/health", "/ready", "/metrics"):
        assert http.get(path).status_code == 200
    assert len(of_request(lines, http.get("/nowhere"))) == lines.getvalue().count("\n") == 1


def test_neither_path_nor_query_nor_body_is_logged(http: httpx2.Client, lines: io.StringIO) -> None:
    http.get("/hidden-path", headers={"Authorization": "Bearer hidden-token", "User-Agent": "hidden-agent"})
    http.get("/v1/sessions/logged/export", params={"sql": "SELECT 'hidden-sql'"})
    http.post(
        "/v1/sessions/logged/execute", json={"code": "raise ValueError('hidden-code')", "inputs": {"a": "hidden"}}
    )
    of_request(lines, http.get("/nowhere"))  # the last one is logged: those before it are too
    assert lines.getvalue().count("\n") == 4
    assert "hidden" not in lines.getvalue()


def test_a_stream_is_logged_with_its_outcome(http: httpx2.Client, lines: io.StringIO) -> None:
    answer = http.post("/v1/sessions/logged/execute", json={"code": "1 / 0", "mode": "stream"})
    [line] = of_request(lines, answer)
    assert (line["outcome"], line["execution"][:3]) == ("code.runtime", "ex_")


def test_what_goes_on_in_the_background_keeps_the_request_s_id(http: httpx2.Client, lines: io.StringIO) -> None:
    begun = http.post("/v1/sessions/logged/execute", json={"code": "1 / 0", "mode": "background"})
    execution = begun.json()["execution_id"]
    assert http.get(f"/v1/executions/{execution}", params={"wait": 30}).json()["state"] == "done"
    asked, over = sorted(of_request(lines, begun), key=lambda line: line["message"], reverse=True)
    assert (asked["message"], asked["status"], asked["execution"]) == ("request", 202, execution)
    assert (over["outcome"], over["execution"]) == ("code.runtime", execution)


def test_what_an_execution_logs_has_the_request_s_id(
    http: httpx2.Client, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codemode.database.state.keys", lambda connection: 1 / 0)
    answer = http.post("/v1/sessions/logged/execute", json={"code": "helpers.db.list_state()"})
    fault, _ = of_request(lines, answer)
    assert "incident" in fault["message"]
    assert "ZeroDivisionError" in fault["exception"]


def test_a_fault_is_logged_under_the_id_that_the_client_got(
    worker: Worker, http: httpx2.Client, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "stats", lambda tenant, user: 1 / 0)
    answer = http.get("/v1/stats?usage=true")
    fault, request = of_request(lines, answer)
    assert fault["message"] in answer.json()["detail"]
    assert (request["level"], request["outcome"]) == ("error", "worker.internal")


def test_the_library_configures_nothing() -> None:
    code = (
        "import logging\nfrom codemode import Worker\n"
        "with Worker() as worker: worker.session('s').run('return 1')\n"
        "assert not logging.getLogger().handlers and not logging.getLogger('codemode').handlers"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
