"""`codemode serve --workers N` as a process, as a user would start it, and what tests ask about it from outside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from patience import HANG_SECONDS

from codemode.session.files import SessionFiles

ROOT = Path(__file__).parents[2]
COUNT = (
    "n = helpers.db.value('select n from counter')\nhelpers.db.exec('update counter set n = ?', [n + 1])\nreturn n + 1"
)


@dataclass
class Service:
    data: Path
    address: str
    process: subprocess.Popen[str]
    http: httpx2.Client
    temporary: Path

    def client(self, **options: Any) -> httpx2.Client:
        return httpx2.Client(base_url=self.address, timeout=HANG_SECONDS, **options)

    def create(self, session_id: str) -> None:
        self._asked("/v1/sessions", {"id": session_id})

    def execute(self, session_id: str, code: str, **more: Any) -> dict[str, Any]:
        return self._asked(f"/v1/sessions/{session_id}/execute", {"code": code, **more})

    def _asked(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer; asked for again where a worker ended just before, and as long as a busy machine has no other."""
        late = time.monotonic() + HANG_SECONDS
        answer = self.http.post(path, json=body)
        while answer.status_code == 503 and time.monotonic() < late:
            answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def holder(self, session_id: str, tenant: str = "local") -> int:
        """The process that has, or had last, the lock of a session."""
        return int(SessionFiles.of(self.data, tenant, session_id).lock.read_text())

    def workers(self) -> set[int]:
        """The process ids of the workers that there are now."""
        return {pid for pid in children(self.process.pid) if "cluster.behind" in command_of(pid)}


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def used_seconds(pid: int) -> float:
    """The processor time that a process has had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked about does not.

    Its first thread may have ended before the others, which then still hold its files.
    """
    try:
        return any(_runs(task / "stat") for task in Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return False


def _runs(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextlib.contextmanager
def serving(data: Path, *arguments: str, **environment: str) -> Iterator[Service]:
    command = [sys.executable, "-m", "codemode", "--data-dir", str(data), "--json", "serve", "--port", "0"]
    if "--workers" not in arguments:
        arguments = ("--workers", "2", *arguments)
    # Sockets need a short path, and a front that is killed leaves its directory of them behind.
    with tempfile.TemporaryDirectory(prefix="codemode-test-", ignore_cleanup_errors=True) as sockets:
        environment = {**os.environ, "TMPDIR": sockets, "CODEMODE_SPARE_WORKER": "false", **environment}
        process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        with process:
            try:
                assert process.stdout is not None
                told = json.loads(process.stdout.readline())["result"]
                with httpx2.Client(base_url=told["address"], timeout=HANG_SECONDS) as http:
                    yield Service(data, told["address"], process, http, Path(sockets))
            finally:
                process.kill()  # its workers go with it, as one of the tests shows
