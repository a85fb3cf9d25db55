"""The directories of the workers' sockets: one that a killed front left goes with the next start, and no other."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from codemode.cluster.sockets import SocketDirectory


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="codemode-test-") as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        yield Path(short)


def test_what_a_killed_front_left_goes_with_the_next_start(temporary: Path) -> None:
    left, full, old = (temporary / f"codemode-workers-{name}" for name in ("left", "full", "old"))
    for made in (left, full, old, temporary / "elsewhere"):
        made.mkdir()
    (full / "0").touch()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(left / "0"))
    living = socket.socket(socket.AF_UNIX)  # of a front that knew no lock yet
    living.bind(str(old / "0"))
    living.listen()
    link = temporary / "codemode-workers-link"
    link.symlink_to(temporary / "elsewhere")
    used = SocketDirectory()
    try:
        assert not left.exists()
        another = SocketDirectory()
        assert Path(used.path).is_dir()
        another.remove()
        assert (full / "0").exists()
        assert (old / "0").exists()
        assert link.resolve(strict=True).is_dir()
    finally:
        living.close()
        used.remove()
    assert not Path(used.path).exists()
    assert not Path(another.path).exists()


def test_the_directory_of_another_user_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = temporary / "codemode-workers-theirs"
    theirs.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    SocketDirectory().remove()
    assert theirs.is_dir()
