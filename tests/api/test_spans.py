"""Spans: one tree for each request, the caller's trace continued, bounded in number, and no data in any of them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from patience import HANG_SECONDS, soon

from codemode import tracing
from codemode.service import spans

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
Collected = Callable[..., list[ReadableSpan]]


@pytest.fixture
def exporter(request: pytest.FixtureRequest) -> Iterator[InMemorySpanExporter]:
    found = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    assert spans.bind(provider, statements=getattr(request, "param", False))
    yield found
    tracing.use(None)


@pytest.fixture
def collected(exporter: InMemorySpanExporter) -> Collected:
    """All spans, once there is one of the operation: it ends when the client has its answer already."""

    def wait(operation: str) -> list[ReadableSpan]:
        assert soon(lambda: any(span.name == operation for span in exporter.get_finished_spans()))
        return list(exporter.get_finished_spans())

    return wait


def execute(http: httpx2.Client, code: str, **body: Any) -> httpx2.Response:
    http.post("/v1/sessions", json={"id": "traced"})
    return http.post("/v1/sessions/traced/execute", json={"code": code, **body}, headers={"traceparent": TRACEPARENT})


def named(found: list[ReadableSpan], name: str) -> ReadableSpan:
    [span] = [span for span in found if span.name == name]
    return span


def lineage(found: list[ReadableSpan], span: ReadableSpan) -> list[str]:
    by_id = {each.context.span_id: each for each in found}
    names = [span.name]
    while span.parent is not None and span.parent.span_id in by_id:
        span = by_id[span.parent.span_id]
        names.append(span.name)
    return names


def test_a_request_is_a_tree_in_its_caller_s_trace(http: httpx2.Client, collected: Collected) -> None:
    answer = execute(http, "return helpers.db.query('SELECT 1')")
    found = [span for span in collected("execute") if span.context.trace_id == int(TRACE, 16)]
    assert lineage(found, named(found, "statement")) == ["statement", "helpers.db.query", "execution", "execute"]
    request, execution = named(found, "execute"), named(found, "execution")
    assert request.parent is not None
    assert request.parent.span_id == int("b7ad6b7169203331", 16)
    assert request.kind.name == "SERVER"
    assert request.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "codemode.request.id": answer.headers["x-request-id"],
    }
    assert execution.attributes is not None
    assert execution.attributes["codemode.execution.id"] == answer.json()["execution_id"]
    assert execution.attributes["codemode.rows_read"] == 1
    assert named(found, "statement").attributes == {
        "db.system.name": "sqlite", "db.operation.name": "select",
        "db.response.returned_rows": 1, "codemode.rows_written": 0,
    }  # fmt: skip


def test_what_machines_ask_every_second_makes_no_spans(http: httpx2.Client, collected: Collected) -> None:
    assert [http.get(path).status_code for path in ("/health", "/ready")] == [200, 200]
    http.get("/metrics")
    execute(http, "return 1")
    assert {span.name for span in collected("execute")} == {"create_session", "execute", "execution"}


def test_a_failure_is_marked_with_its_code_from_the_statement_up(http: httpx2.Client, collected: Collected) -> None:
    execute(http, "helpers.db.query('SELECT abs(-9223372036854775807 - 1)')")
    found = collected("execute")
    marked = {span.name: (span.attributes or {}).get("error.type") for span in found}
    assert marked["statement"] == marked["helpers.db.query"] == marked["execution"]
    assert str(marked["execution"]).startswith("sql.")
    assert marked["execute"] is None  # the request itself went well


@pytest.mark.parametrize("exporter", [False, True], indirect=True, ids=["without text", "with text"])
def test_no_value_and_no_message_is_in_a_span(http: httpx2.Client, collected: Collected) -> None:
    code = """
        helpers.db.exec("CREATE TABLE IF NOT EXISTS s (a TEXT CHECK (a <> 'hidden-check'))")
        helpers.db.exec("INSERT INTO s VALUES ('hidden-literal') -- hidden-comment")
        helpers.db.exec("INSERT INTO s VALUES (?)", ["hidden-parameter"])
        helpers.db.save_state("hidden-key", "hidden-value")
        print("hidden-output")
        helpers.db.exec("INSERT INTO s VALUES ('hidden-check')")
        """
    assert execute(http, code, inputs={"a": "hidden-input"}).json()["error"]["code"] == "sql.constraint"
    told = [span.to_json() for span in collected("execute")]
    assert len(told) > 5
    assert not [each for each in told if "hidden" in each]


@pytest.mark.parametrize("exporter", [True], indirect=True)
def test_the_text_of_a_statement_is_shown_where_that_is_asked_for(http: httpx2.Client, collected: Collected) -> None:
    execute(http, "helpers.db.query('SELECT 1 + 2')")
    assert (
        json.loads(named(collected("execute"), "statement").to_json())["attributes"]["db.query.text"] == "SELECT ? + ?"
    )


STATEMENTS = [
    ("SELECT a FROM t1 WHERE b2 = 12.5e3 AND c = 'it''s'", "SELECT a FROM t1 WHERE b2 = ? AND c = ?"),
    ("SELECT x'ff', X'00', 0x1F, .5, 1_000, -3", "SELECT ?, ?, ?, ?, ?, -?"),
    ("SELECT /* 'secret */ 1 -- secret", "SELECT ?"),
    ("SELECT 'a -- b', \"col 'x'\", [b 1], `c 2`", "SELECT ?, \"col 'x'\", [b 1], `c 2`"),
    ("SELECT 'never closed", "SELECT ?"),
    ("SELECT /* never closed", "SELECT"),
    ("SELECT ?1, :name, $v2", "SELECT ??, :name, $v2"),
    ("SELECT '" + "x" * 100_000 + "'", "SELECT ?"),
]


@pytest.mark.parametrize(("sql", "shown"), STATEMENTS)
def test_values_are_taken_out_of_a_statement(sql: str, shown: str) -> None:
    assert spans.without_values(sql) == shown


def test_a_shown_statement_has_a_bounded_length() -> None:
    assert len(spans.without_values("SELECT a" + ", a" * 100_000)) <= 1_001


def test_an_execution_in_the_background_belongs_to_its_request(http: httpx2.Client, collected: Collected) -> None:
    begun = execute(http, "return 1", mode="background").json()
    http.get(f"/v1/executions/{begun['execution_id']}", params={"wait": 30})
    found = collected("execution")
    assert named(found, "execution").context.trace_id == int(TRACE, 16)


def test_the_spans_of_a_request_are_bounded_and_those_left_out_counted(
    http: httpx2.Client, collected: Collected
) -> None:
    execute(http, "for _ in range(1_500): helpers.db.list_state()")
    found = [span for span in collected("execute") if span.context.trace_id == int(TRACE, 16)]
    assert len(found) == 1_001
    attributes = named(found, "execute").attributes
    assert attributes is not None
    assert attributes["codemode.spans_left_out"] == 501


@pytest.mark.parametrize("traceparent", ["", "00-zz-zz-01", "x" * 5_000, f"00-{'0' * 32}-{'0' * 16}-01", ";=,"])
def test_a_traceparent_that_is_none_begins_a_new_trace(
    http: httpx2.Client, collected: Collected, traceparent: str
) -> None:
    assert http.get("/v1/sessions", headers={"traceparent": traceparent}).status_code == 200
    assert named(collected("list_sessions"), "list_sessions").parent is None


def test_without_a_provider_nothing_is_traced() -> None:
    assert not spans.bind()
    assert tracing.span("request", {}) is tracing.NOTHING


def test_without_the_library_the_service_runs() -> None:
    code = (
        "import sys\nsys.modules['opentelemetry'] = None\n"
        "from codemode import Worker\nfrom codemode.api.app import create_app\n"
        "with Worker() as worker:\n"
        "    create_app(worker, open_to_all=True)\n"
        "    assert worker.session('s').run('return helpers.db.value(\"SELECT 1\")').result == 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
