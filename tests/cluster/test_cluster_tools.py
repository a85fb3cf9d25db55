"""The tools for models through the front: to the worker of the session that a call names."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from patience import HANG_SECONDS, soon

from tests.cluster.serving import Service

_numbers = count(1)


def send(service: Service, document: dict[str, Any], **headers: str) -> dict[str, Any]:
    headers = {"Accept": "application/json, text/event-stream", **headers}
    answer = service.http.post("/mcp", json={"jsonrpc": "2.0", **document}, headers=headers)
    assert answer.is_success, answer.text
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: {")]
    found: dict[str, Any] = json.loads(lines[-1] if lines else answer.text or "{}")
    return found


def call(service: Service, tool: str, number: int | None = None, **arguments: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    request = {"id": number or next(_numbers), "method": "tools/call", "params": params}
    return send(service, request, **({"Mcp-Session-Id": "one"} if number else {}))


def test_calls_go_to_the_worker_of_their_session(service: Service) -> None:
    for _ in range(4):
        made = call(service, "execute_code", code="return 1")["result"]["structuredContent"]["session_id"]
        holder = service.holder(made)
        for _ in range(3):
            call(service, "execute_code", code="return 2", session_id=made)
            assert service.holder(made) == holder


def test_a_cancellation_reaches_whichever_worker_runs_the_call(service: Service) -> None:
    with ThreadPoolExecutor(1) as thread:
        for n in range(4):
            session_id = f"cancel-{n}"
            service.create(session_id)
            code = "helpers.db.exec('create table begun (a)')\nhelpers.db.commit()\nwhile True: pass"
            answer = thread.submit(call, service, "execute_code", 1_000 + n, code=code, session_id=session_id)
            schema = f"/v1/sessions/{session_id}/schema"
            assert soon(lambda path=schema: service.http.get(path).json()["tables"] != [])  # type: ignore[misc]
            cancelled = {"method": "notifications/cancelled", "params": {"requestId": 1_000 + n}}
            send(service, cancelled, **{"Mcp-Session-Id": "one"})
            assert "ancelled" in json.dumps(answer.result(HANG_SECONDS))
