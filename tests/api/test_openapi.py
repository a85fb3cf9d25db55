"""The OpenAPI document against a running service: schemathesis asks for what it describes, and for what it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS

from codemode import Settings, Worker

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
    document = httpx2.get(f"{guarded}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
