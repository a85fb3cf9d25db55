"""The OpenAPI document against a running service: schemathesis asks for what it describes, and for what it does not."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker
from codemode.api.app import OPERATIONS
from codemode.api.openapi import document
from codemode.catalog.migrating import migrate, roll_back
from tests.api.conftest import listening

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "unsupported_method", "allow_header_conformance",
    "ignored_auth",
)  # fmt: skip


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text("k" * 32 + "\n")
    settings = msgspec.structs.replace(
        Settings(), body_bytes=100_000, upload_idle_seconds=5.0, shutdown_seconds=2.0, secret_keys_file=str(keys)
    )
    with Worker(tmp_path_factory.mktemp("data"), settings=settings) as worker:
        yield worker


def schemathesis(address: str, where: Path, phases: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", f"{address}/openapi.json", "--phases", phases,
            "--checks", ",".join(CHECKS), "--seed", "1", "--no-shrink", "--continue-on-failure", "--no-color",
            "--warnings", "off", "--request-timeout", str(HANG_SECONDS), "--exclude-path-regex", "/events$",
            *arguments,  # streams without an end are in test_listening.py
        ],
        capture_output=True, text=True, cwd=where, timeout=5 * HANG_SECONDS,
    )  # fmt: skip


def test_what_a_damaged_session_answers_is_in_the_document(tmp_path: Path) -> None:
    with Worker(tmp_path) as worker:
        worker.session("s").script("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    (file,) = tmp_path.glob("sessions/*/session.db")
    file.write_bytes(b"no database" * 1_000)
    looks = [each for each in OPERATIONS if each.method == "GET" and each.path.startswith("/v1/sessions/{id}/")]
    with (
        Worker(tmp_path) as worker,
        listening(worker, open_to_all=True) as (address, _),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
    ):
        described, answered = http.get("/openapi.json").json()["paths"], set()
        said = {"table": "t", "column": "a", "meaning": "a", "key": "k", "seconds": "1"}
        for each in looks:
            asked = {one.name: said[one.name] for one in each.parameters if one.name in said}
            answer = http.get(re.sub(r"{\w+}", "s", each.path), params=asked)
            assert str(answer.status_code) in described[each.path]["get"]["responses"], each.name
            assert answer.is_success or str(tmp_path) not in answer.json()["detail"]
            answered.add(answer.status_code)
        assert 409 in answered
        refused = http.post("/v1/sessions/s/import", params={"table": "t", "format": "csv"}, content=b"a\n1\n")
        assert refused.status_code == 409
        for name in ("batch_insert", "import"):
            assert {"409", "507"} <= described["/v1/sessions/{id}/" + name]["post"]["responses"].keys()


def test_generators_of_clients_find_a_type_for_everything() -> None:
    """They leave out an array without items and an enumeration without a type, and every operation that has one.

    Of an object without fields that says nothing of others they make a type that nothing can be put into.
    """
    left_out = []

    def look(part: Any, where: str) -> None:
        if isinstance(part, dict):
            if part.get("type") == "array" and "items" not in part:
                left_out.append(where)
            if part.get("type") == "object" and not {"properties", "additionalProperties"} & part.keys():
                left_out.append(where)
            if isinstance(part.get("enum"), list):
                assert all(isinstance(each, str) for each in part["enum"])
                left_out.extend([where] if part.get("type") != "string" else [])
        each = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for name, inner in each:
            look(inner, f"{where}/{name}")

    look(document(OPERATIONS), "")
    assert left_out == []


def test_each_operation_says_whether_it_needs_a_token() -> None:
    told = {
        each["operationId"]: each["security"]
        for path in document(OPERATIONS)["paths"].values()
        for each in path.values()
    }
    assert {name for name, security in told.items() if security == []} == {
        each.name for each in OPERATIONS if each.scope is None
    }
    assert told["execute"] == [{"token": ["execute"]}, {}]


@pytest.mark.slow
def test_the_service_is_as_its_document_says(address: str, tmp_path: Path) -> None:
    done = schemathesis(address, tmp_path, "coverage", "--max-examples", "1")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_so_it_is_with_a_token(worker: Worker, guarded: str, tmp_path: Path) -> None:
    secret, _ = worker.create_token("acme", scopes=("read", "execute", "admin"))
    header = f"Authorization: Bearer {secret}"
    done = schemathesis(guarded, tmp_path, "fuzzing", "--max-examples", "2", "--header", header)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_so_it_is_without_one(guarded: str, tmp_path: Path) -> None:
    done = schemathesis(guarded, tmp_path, "fuzzing", "--max-examples", "1")
    assert done.returncode == 0, done.stdout
    answered = httpx2.get(f"{guarded}/openapi.json", timeout=HANG_SECONDS).json()
    assert answered["openapi"] == "3.1.0"


def test_a_service_whose_catalogue_was_rolled_back_is_not_ready_and_says_why(tmp_path: Path) -> None:
    with (
        Worker(tmp_path) as worker,
        listening(worker, open_to_all=True) as (address, _),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
    ):
        assert http.post("/v1/sessions", json={"id": "s"}).status_code == 201
        assert http.get("/ready").status_code == 200
        roll_back(worker.catalogue, 6)
        for path in ("/ready", "/v1/sessions/s"):
            problem = http.get(path).json()
            assert (problem["status"], problem["code"]) == (503, "worker.catalog_form")
            assert "start the service again" in problem["hint"]
        migrate(worker.catalogue)
        assert http.get("/ready").status_code == http.get("/v1/sessions/s").status_code == 200
