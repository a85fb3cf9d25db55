"""`codemode serve` as process 1 of a container: it ends when it is told to, and leaves no zombies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from patience import HANG_SECONDS, soon

ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
POSSIBLE = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not POSSIBLE, reason="no pid namespace can be made here")


def fields_of(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def below(pid: int) -> dict[int, str]:
    """The children of a process with their states."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := fields_of(int(entry.name))) and int(fields[1]) == pid:
            found[int(entry.name)] = fields[0]
    return found


@pytest.fixture
def first(tmp_path: Path) -> Iterator[tuple[str, int, subprocess.Popen[str]]]:
    """An address, the pid of what is process 1 there, and the process that started it."""
    serve = [sys.executable, "-m", "codemode", "--data-dir", str(tmp_path), "--json", "serve", "--port", "0"]
    with subprocess.Popen([*NAMESPACE, *serve], stdout=subprocess.PIPE, text=True, cwd=ROOT) as started:
        assert started.stdout is not None
        address = json.loads(started.stdout.readline())["result"]["address"]
        [pid] = below(started.pid)
        yield address, pid, started
        started.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_to_process_1_ends_the_service(
    first: tuple[str, int, subprocess.Popen[str]], number: signal.Signals
) -> None:
    _, pid, started = first
    os.kill(pid, number)
    assert started.wait(HANG_SECONDS) == 0


def test_what_a_lost_zygote_leaves_is_reaped(first: tuple[str, int, subprocess.Popen[str]]) -> None:
    address, pid, _ = first
    [service] = below(pid)
    with httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http:
        http.post("/v1/sessions", json={"id": "s"})

        def runs() -> bool:  # one whose child dies with its zygote does not
            return bool(http.post("/v1/sessions/s/execute", json={"code": "return 1"}).json().get("ok"))

        for _ in range(3):
            assert soon(runs)
            for zygote, state in below(service).items():
                if state != "Z":
                    os.kill(zygote, signal.SIGKILL)
        assert soon(runs)
        assert soon(lambda: list(below(pid)) == [service])


def test_an_end_that_is_none_of_a_signal_keeps_its_code(tmp_path: Path) -> None:
    serve = [sys.executable, "-m", "codemode", "--data-dir", str(tmp_path), "serve", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run([*NAMESPACE, *serve], capture_output=True, text=True, timeout=HANG_SECONDS, cwd=ROOT)
    assert (done.returncode, "token create" in done.stderr) == (2, True)
