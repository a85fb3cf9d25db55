"""A container for each snippet, thrown away with it: what people reach for first to run code that they do not trust.

A turn makes five at most, since each takes a part of a second, and counts them as often as snippets were asked for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time

from benchmarks.scenario import Absent, Contender

NAME = "docker run"
IMAGE = os.environ.get("BENCH_IMAGE", "python:3-alpine")  # any that has `python`
_SECONDS = 30
_MOST = 5


def trivial(size: int) -> Contender | Absent:
    """`size` containers in a row, one for each trivial snippet."""
    why = _missing()
    if why is not None:
        return Absent(NAME, why)

    def run() -> float:
        many = min(size, _MOST)
        began = time.perf_counter()
        for _ in range(many):
            command = ["docker", "run", "--rm", "--network", "none", IMAGE, "python", "-I", "-S", "-c", "print(1)"]
            said = subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS).stdout
            if said.strip() != b"1":
                raise AssertionError("the container did not print 1")
        return (time.perf_counter() - began) * size / many

    return Contender(NAME, run)


def version() -> str | None:
    """The daemon's, and the image; None where no container can be run."""
    if _missing() is not None:
        return None
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout
    return f"{said.strip()} with {IMAGE}"


def _missing() -> str | None:
    """Why no container can be run here; its image is not fetched for a benchmark."""
    if shutil.which("docker") is None:
        return "there is no docker on this machine"
    for command, why in (
        (["docker", "version"], "no docker daemon answers"),
        (["docker", "image", "inspect", IMAGE], f"its image is not there: docker pull {IMAGE}"),
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        except (OSError, subprocess.SubprocessError):
            return why
    return None
