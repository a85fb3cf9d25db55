"""Assume breach: unrestricted Python in a confined child reaches nothing, on every kind of host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import unrestricted
from breach_battery import BATTERY

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LEFT_OUT = ("", "namespaces", "empty_root", "uid", "landlock", "namespaces,empty_root,uid,landlock")
USERS = ("as we are", "nobody")


class Outside:
    """What the attacks aim at, and whether any of them hit."""

    def __init__(self, folder: Path) -> None:
        self.canary = folder / "canary"
        self.canary.write_text("untouched")
        self.canary.chmod(0o666)
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        for address in (str(folder / "unix"), f"\0breach-{os.getpid()}-{id(self)}"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(address)
            listener.listen()
            self.sockets.append(listener)
        (folder / "unix").chmod(0o777)
        self.facts = {
            "canary": str(self.canary),
            "port": self.sockets[0].getsockname()[1],
            "unix": str(folder / "unix"),
            "abstract": f"breach-{os.getpid()}-{id(self)}",
            "worker": os.getpid(),
        }

    def connections(self) -> int:
        accepted = 0
        for listener in self.sockets:
            listener.setblocking(False)
            try:
                listener.accept()[0].close()
                accepted += 1
            except BlockingIOError:
                pass
        return accepted

    def close(self) -> None:
        for listener in self.sockets:
            listener.close()


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "SECRET": "hunter2", "PYTHONDONTWRITEBYTECODE": "1"}


def _command(user: str, arguments: list[str]) -> list[str]:
    command = [sys.executable, str(HERE / "breach_worker.py"), *arguments]
    if user == "as we are":
        return command
    needed = [sys.prefix, sys.base_prefix, str(ROOT)]
    return [sys.executable, str(HERE / "other_user.py"), *needed, "--", *command]


@pytest.fixture(scope="module", params=[(user, without) for user in USERS for without in LEFT_OUT], ids=str)
def breached(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    user, without = request.param
    if user == "nobody" and os.geteuid() != 0:
        pytest.skip("only root can become nobody; the other rows are run as an ordinary user here")
    folder = tmp_path_factory.mktemp("outside")
    outside = Outside(folder)
    arguments = [json.dumps(outside.facts), without]
    done = subprocess.run(_command(user, arguments), env=_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    told |= {"outside": outside, "user": user, "without": without.split(",")}
    yield told
    outside.close()


@pytest.mark.parametrize("attack", BATTERY, ids=[attack.name for attack in BATTERY])
def test_an_escaped_snippet_reaches_nothing(breached: dict[str, Any], attack: Any) -> None:
    outcome = breached["outcomes"][attack.name]
    assert outcome["value"] in (None, "null", "false"), outcome
    if outcome["status"] == "error":
        # Refused by the kernel or killed by it; an attack that fails for a slip in its own code proves nothing.
        reason = outcome["error"]["hint"] or ""
        killed = "SIGSYS" in outcome["error"]["message"]
        assert (
            killed or reason.startswith("E") or reason in ("PermissionError", "OSError", "RuntimeError", "ValueError")
        ), outcome


def test_nothing_outside_was_touched(breached: dict[str, Any]) -> None:
    outside = breached["outside"]
    assert outside.canary.read_text() == "untouched"
    assert not Path(str(outside.canary) + ".d").exists()
    assert outside.connections() == 0


def test_the_required_layers_hold_whatever_else_is_left_out(breached: dict[str, Any]) -> None:
    assert {"rlimits", "no_new_privs", "seccomp", "capabilities"} <= set(breached["layers"])
    assert not set(breached["without"]) & set(breached["layers"])
    assert (breached["uid"] == 65534) == (breached["user"] == "nobody")


CONTROLS = [attack for attack in BATTERY if attack.control]


@pytest.mark.parametrize("attack", CONTROLS, ids=[attack.name for attack in CONTROLS])
def test_the_same_attack_works_where_nothing_confines_it(attack: Any, tmp_path: Path) -> None:
    outside = Outside(tmp_path)
    try:
        program = (
            "import json, sys; sys.path[:0] = sys.argv[3:]\n"
            "import unrestricted\n"
            "given = unrestricted.names(json.loads(sys.argv[1]), None)\n"
            "exec(sys.argv[2], given); print(given['result'])"
        )
        arguments = [json.dumps(outside.facts), attack.code, str(HERE), str(ROOT)]
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == "True", done.stderr
    finally:
        outside.close()


def test_no_setting_reaches_the_unrestricted_entry() -> None:
    # Only a constructor argument names an entry: no environment variable, no setting, nothing that the zygote reads.
    for path in (ROOT / "sandbox").glob("*.py"):
        assert "unrestricted" not in path.read_text()
    assert unrestricted.preload is not None
