"""`codemode serve` and `codemode token` as processes: what they say, whom they let in, how they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from patience import HANG_SECONDS, soon

ROOT = Path(__file__).parents[2]


def codemode(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codemode", "--data-dir", str(data), *arguments],
        capture_output=True, text=True, timeout=HANG_SECONDS, cwd=ROOT,
    )  # fmt: skip


@contextmanager
def serving(data: Path, *arguments: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "codemode", "--data-dir", str(data), "--json", "serve", "--port", "0", *arguments]
    environment = {**os.environ, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as service:
        try:
            assert service.stdout is not None
            yield json.loads(service.stdout.readline())["result"]["address"], service
        finally:
            service.kill()


def test_another_address_than_loopback_needs_tokens(tmp_path: Path) -> None:
    done = codemode(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 2
    assert "token create" in done.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "httptools", "prometheus_client"])
def test_where_half_of_its_packages_are_installed_it_says_what_brings_the_others(tmp_path: Path, missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from codemode.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--data-dir", str(tmp_path), "serve", "--port", "0"],
        capture_output=True, text=True, timeout=HANG_SECONDS, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 3
    assert "codemode serve needs packages" in done.stderr
    assert "hint: pip install 'codemode[serve]'" in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("begins", ["/", "@"])
def test_the_supervisor_is_told_when_it_serves(tmp_path: Path, begins: str, workers: str) -> None:
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.settimeout(HANG_SECONDS)
        told.bind(where if begins == "/" else f"\0{where[1:]}")
        named = where if begins == "/" else f"@{where[1:]}"
        with serving(tmp_path / "data", "--workers", workers, NOTIFY_SOCKET=named) as (address, _):
            assert told.recv(100) == b"READY=1"
            assert httpx2.get(f"{address}/health", timeout=HANG_SECONDS).status_code == 200


def test_a_supervisor_that_is_gone_keeps_nobody_from_being_served(tmp_path: Path) -> None:
    with serving(tmp_path / "data", NOTIFY_SOCKET=str(tmp_path / "gone")) as (address, _):
        assert httpx2.get(f"{address}/health", timeout=HANG_SECONDS).status_code == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with serving(tmp_path / "one") as (address, _):
        done = codemode(tmp_path / "two", "serve", "--port", address.rpartition(":")[2])
    assert done.returncode == 2
    assert f"{address.removeprefix('http://')}: Address already in use\n  hint: name another --port" in done.stderr


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    made = codemode(tmp_path, "token", "create", "--tenant", "acme", "--user", "ann", "--expires", "90d", "--json")
    token = json.loads(made.stdout)["result"]
    assert (token["tenant"], token["user"], token["scopes"]) == ("acme", "ann", ["read", "execute"])
    with serving(tmp_path) as (address, _):
        headers = {"Authorization": f"Bearer {token['token']}"}
        assert httpx2.get(f"{address}/v1/sessions", timeout=HANG_SECONDS).status_code == 401
        assert httpx2.get(f"{address}/v1/sessions", headers=headers, timeout=HANG_SECONDS).status_code == 200
        # Another process revokes it; the service sees that at the next request.
        assert codemode(tmp_path, "token", "revoke", token["id"]).returncode == 0
        assert httpx2.get(f"{address}/v1/sessions", headers=headers, timeout=HANG_SECONDS).status_code == 401
    [listed] = json.loads(codemode(tmp_path, "token", "ls", "--json").stdout)["result"]
    assert listed["revoked_at"] is not None
    assert "token" not in listed
    assert codemode(tmp_path, "token", "ls").stdout.rstrip().endswith("ago")
    assert codemode(tmp_path, "token", "revoke", token["id"]).returncode == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_whose_last_token_is_gone_stays_closed_when_it_is_started_again(tmp_path: Path, workers: str) -> None:
    made = json.loads(codemode(tmp_path, "token", "create", "--json").stdout)["result"]
    assert codemode(tmp_path, "token", "revoke", made["id"]).returncode == 0
    with serving(tmp_path, "--workers", workers) as (address, _):
        assert httpx2.get(f"{address}/v1/sessions", timeout=HANG_SECONDS).status_code == 401
    done = codemode(tmp_path, "serve", "--host", "0.0.0.0", "--port", "0")
    assert (done.returncode, "there is no token" in done.stderr) == (2, True)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_service_that_began_without_tokens_asks_for_one_as_soon_as_there_is_one(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path, "--workers", workers) as (address, _):
        assert httpx2.get(f"{address}/v1/sessions", timeout=HANG_SECONDS).status_code == 200
        made = json.loads(codemode(tmp_path, "token", "create", "--json").stdout)["result"]
        # Of several workers each one looks by itself: ask often enough to meet them all.
        assert soon(
            lambda: {httpx2.get(f"{address}/v1/sessions", timeout=HANG_SECONDS).status_code for _ in range(8)} == {401}
        )
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert httpx2.get(f"{address}/v1/sessions", headers=headers, timeout=HANG_SECONDS).status_code == 200


@pytest.mark.parametrize("expires", ["soon", "0d", "5", "-1d", "9999999d"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, expires: str) -> None:
    done = codemode(tmp_path, "token", "create", "--expires", expires)
    assert (done.returncode, "90d" in done.stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_service_and_undoes_what_runs(tmp_path: Path, number: signal.Signals) -> None:
    code = "helpers.db.exec('create table t (a)')\nwhile True: pass"
    with serving(tmp_path, CODEMODE_SHUTDOWN_SECONDS="0.5") as (address, service):
        http = httpx2.Client(base_url=address, timeout=HANG_SECONDS)
        http.post("/v1/sessions", json={"id": "s"})
        accepted = http.post("/v1/sessions/s/execute", json={"code": code, "mode": "background"}).json()
        http.close()
        service.send_signal(number)
        assert service.wait(HANG_SECONDS) == 0
    # What became of it is still known after a restart, and nothing of it is left.
    with serving(tmp_path) as (address, _):
        done = httpx2.get(f"{address}/v1/executions/{accepted['execution_id']}", timeout=HANG_SECONDS).json()
        assert (done["state"], done["outcome"]["status"]) == ("done", "cancelled")
        assert httpx2.get(f"{address}/v1/sessions/s/schema", timeout=HANG_SECONDS).json() == {"tables": []}


def test_a_service_that_was_killed_says_so_of_its_executions(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, service):
        httpx2.post(f"{address}/v1/sessions", json={"id": "s"}, timeout=HANG_SECONDS)
        body = {"code": "helpers.db.exec('create table t (a)')\nwhile True: pass", "mode": "background"}
        accepted = httpx2.post(f"{address}/v1/sessions/s/execute", json=body, timeout=HANG_SECONDS).json()
        service.kill()
        service.wait(HANG_SECONDS)
    with serving(tmp_path) as (address, _):
        done = httpx2.get(f"{address}/v1/executions/{accepted['execution_id']}", timeout=HANG_SECONDS).json()
        assert (done["outcome"]["ok"], done["outcome"]["error"]["code"]) == (False, "worker.unavailable")
        assert httpx2.get(f"{address}/v1/sessions/s/schema", timeout=HANG_SECONDS).json() == {"tables": []}


@pytest.fixture
def hangup() -> Iterator[None]:
    """What is started hears of SIGHUP, where the tests run under nohup too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize(("form", "number"), [("text", signal.SIGTERM), ("json", signal.SIGHUP)])
def test_the_log_says_at_once_what_is_served_and_at_the_end_why_no_more(
    tmp_path: Path, form: str, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "codemode", "--data-dir", str(tmp_path), "serve", "--port", "0"]
    environment = {**os.environ, "CODEMODE_LOG_FORMAT": form}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as service:
        assert service.stderr is not None
        line = next(line for line in service.stderr if "listening" in line)
        service.send_signal(number)
        rest = service.stderr.read()
        assert service.wait(HANG_SECONDS) == 0
    assert [f"ending on {number.name}" in rest, '"ended"' in rest or "info    ended" in rest] == [True, True]
    assert all(
        word in line
        for word in (f"sqlite, {tmp_path}/catalog.db", "SQLite 3.", "seccomp", "http://127.0.0.1:", "one local tenant")
    )
    if form == "json":
        assert [json.loads(each) for each in [line, *rest.splitlines()]]
