"""The report of the layers is the kernel's word about a real child, and a missing layer is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxUnavailable, Snippet
from sandbox.codes import Codes
from sandbox.layers import OPTIONAL, REQUIRED, LayerReport, missing
from sandbox.link import Link, received
from sandbox.pool import _Layers
from sandbox.protocol import encoded

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


def _status(sandbox: Sandbox) -> dict[str, str]:
    """What /proc says from outside about a child that waits."""
    child = sandbox._children.take()
    try:
        assert child.start(encoded(["wait", {}]), time.monotonic() + 10)
        text = Path(f"/proc/{child.process_id}/status").read_text()
    finally:
        child.close()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_every_layer_is_reported_with_its_reason(sandbox: Sandbox) -> None:
    assert {layer.name for layer in sandbox.layers} == REQUIRED | OPTIONAL
    assert all(layer.why for layer in sandbox.layers)
    assert all(layer.required == (layer.name in REQUIRED) for layer in sandbox.layers)
    assert set(sandbox.isolation) >= REQUIRED


def test_the_kernel_agrees_from_outside(sandbox: Sandbox) -> None:
    told = _status(sandbox)
    assert told["Seccomp"].strip() == "2"
    assert told["NoNewPrivs"].strip() == "1"
    assert told["CapEff"].strip() == told["CapPrm"].strip() == "0" * 16
    assert told["Threads"].strip() == "1"
    if "uid" in sandbox.isolation:
        assert str(os.getuid()) not in told["Uid"].split()
    if "namespaces" in sandbox.isolation:
        assert len(told["NSpid"].split()) > 1


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_a_layer_left_out_is_reported_as_left_out(name: str) -> None:
    sandbox = Sandbox(without=(name,))
    try:
        layer = next(layer for layer in sandbox.layers if layer.name == name)
        assert (layer.active, layer.why) == (False, "left out on request")
        assert sandbox.run(Snippet(code="return 1"), lambda *_: None).status == "completed"
    finally:
        sandbox.close()


def test_a_layer_that_cannot_be_is_not_blamed_on_the_host() -> None:
    sandbox = Sandbox(without=("namespaces",))
    try:
        why = {layer.name: layer.why for layer in sandbox.layers}
        assert why["empty_root"] == "there is no mount namespace to do it in"
        assert "empty_root" not in sandbox.isolation
    finally:
        sandbox.close()


@pytest.mark.parametrize("name", [*sorted(REQUIRED), "everything"])
def test_a_required_layer_cannot_be_left_out(name: str) -> None:
    with pytest.raises(ValueError, match="can be left out"):
        Sandbox(without=(name,))


def test_isolation_none_is_loud() -> None:
    sandbox = Sandbox(isolation="none")
    try:
        assert not {"seccomp", "landlock", "namespaces", "no_new_privs"} & set(sandbox.isolation)
        outcome = sandbox.run(Snippet(code="return 1"), lambda *_: None)
        assert outcome.value_json == "1"
        assert any('isolation is "none"' in warning for warning in outcome.warnings)
        assert sandbox.run(Snippet(code="x = [0] * 10**10"), lambda *_: None).error["code"] == "code.memory"  # type: ignore[index]
    finally:
        sandbox.close()


def test_isolation_is_one_of_two_words() -> None:
    with pytest.raises(ValueError, match="required"):
        Sandbox(isolation="off")  # type: ignore[arg-type]


class _Lacking(Link):
    def __init__(self) -> None:
        self.layers = (
            LayerReport("seccomp", False, True, "the host refuses it: no such thing"),
            LayerReport("landlock", False, False, "old kernel"),
        )


def test_a_missing_required_layer_is_refused_by_name() -> None:
    assert [layer.name for layer in missing(_Lacking().layers)] == ["seccomp"]
    with pytest.raises(SandboxUnavailable, match="seccomp: the host refuses it"):
        _Layers(enforced=True, codes=Codes()).accept(_Lacking())
    _Layers(enforced=False, codes=Codes()).accept(_Lacking())


def test_a_host_without_namespaces_still_runs_snippets() -> None:
    # A parent filter that refuses unshare, as container runtimes install one, inherited by the whole worker.
    program = (
        "import struct, sys\n"
        "from sandbox.kernel import SeccompFilter, prctl\n"
        "from sandbox.seccomp import ARCHITECTURES, assemble\n"
        "from sandbox.kernel import machine\n"
        "from sandbox.syscalls import NUMBERS\n"
        "number = NUMBERS[machine()]['unshare']\n"
        "program = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x00050001), (6, 0, 0, 0x7fff0000)]\n"
        "prctl(38, 1)\n"
        "SeccompFilter(assemble(program), 4).install()\n"
        "from sandbox import Sandbox, Snippet\n"
        "sandbox = Sandbox()\n"
        "print(sandbox.run(Snippet(code='return 1'), None).value_json)\n"
        "print(*(f'{layer.name}={layer.active}' for layer in sandbox.layers))\n"
        "sandbox.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    value, layers = done.stdout.splitlines()
    assert value == "1"
    assert "namespaces=False" in layers
    assert "empty_root=False" in layers
    assert "seccomp=True" in layers


def test_an_interpreter_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SandboxUnavailable, match="did not start"):
        Sandbox()
    begun = Sandbox(wait=False)
    with pytest.raises(SandboxUnavailable, match="did not start"):
        begun.wait()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxUnavailable, match="cannot be started"):
        Sandbox()


def test_an_entry_that_breaks_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('as it happens')")
    with pytest.raises(SandboxUnavailable, match="as it happens"):
        Sandbox(_entry=broken)


def test_last_words_are_read_although_ours_were_not() -> None:
    # An interpreter that breaks while its settings wait in its socket: its reason was lost to a "connection reset".
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            ours.send(b"settings that nobody reads")
            theirs.send(b'{"fatal": "as it happens"}')
        assert received(ours) == ({"fatal": "as it happens"}, [])
        assert received(ours) is None
