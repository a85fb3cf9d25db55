"""`GET /v1/stats` tells a tenant how many there are of what, and of usage what the sessions in reach have cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker
from codemode.service.figures import Figures
from codemode.values.records import Statistics


@pytest.fixture
def call(guarded: str, worker: Worker, tmp_path: Path) -> Any:
    """A request under a new token of a tenant."""

    def made(tenant: str, user: str | None = None) -> httpx2.Client:
        secret, _ = worker.create_token(tenant, user=user)
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx2.Client(base_url=guarded, headers=headers, timeout=HANG_SECONDS)

    return made


def fill(http: httpx2.Client, session: str, rows: int) -> None:
    http.post("/v1/sessions", json={"id": session})
    code = f"helpers.db.batch_insert('t', ({{'n': n}} for n in range({rows})), create=True)"
    assert http.post(f"/v1/sessions/{session}/execute", json={"code": code}).json()["ok"]


def test_a_tenant_sees_its_own_sessions_and_their_cost(call: Any) -> None:
    with call("counted") as mine, call("others") as theirs:
        fill(mine, "mine", 10)
        fill(theirs, "theirs", 1_000)
        seen = mine.get("/v1/stats?usage=true").json()
        plain = mine.get("/v1/stats").json()
    assert seen["sessions"] == plain["sessions"] == 1
    assert (seen["usage"]["executions"], seen["usage"]["rows_written"]) == (1, 10)
    assert set(seen) == set(Figures.__struct_fields__)
    assert set(plain) == set(Statistics.__struct_fields__)


def test_a_token_for_one_user_sees_those_that_it_reaches(call: Any) -> None:
    with call("shared", "ann") as ann, call("shared", "bob") as bob, call("shared") as everybody:
        fill(ann, "of-ann", 10)
        fill(bob, "of-bob", 20)
        found = [http.get("/v1/stats?usage=true").json() for http in (ann, bob, everybody)]
    assert [(each["sessions"], each["usage"]["rows_written"]) for each in found] == [(2, 10), (2, 20), (2, 30)]


def test_nothing_of_the_machine_is_told(call: Any, worker: Worker) -> None:
    with call("counted") as mine:
        text = mine.get("/v1/stats?usage=true").text
    assert str(worker.data_dir) not in text
    assert "free" not in text


def test_it_is_described(http: httpx2.Client) -> None:
    document = http.get("/openapi.json").json()
    content = document["paths"]["/v1/stats"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/Figures"}
    assert set(document["components"]["schemas"]["Figures"]["properties"]) == set(Figures.__struct_fields__)
