"""Requests by wrk: so many connections for so long, each answer looked at, and how long they took."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("execute.lua")
MISSING = "wrk is not installed: on Debian and Ubuntu `apt-get install wrk`"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back; times are milliseconds. `errors` are of connections, `bad` are answers that were not good."""

    good: int
    bad: int
    errors: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    slowest_ms: float
    example: str  # of a bad answer

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds


def is_installed() -> bool:
    """Whether there is a wrk."""
    return shutil.which("wrk") is not None


def send(address: str, *, connections: int, seconds: int, sessions: int) -> Answered:
    """Keep `connections` busy for `seconds`; raises CalledProcessError with what wrk said."""
    load = [f"-t{min(2, connections)}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command = ["wrk", *load, "-s", str(SCRIPT), address]
    environment = {**os.environ, "LOAD_SESSIONS": str(sessions)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=seconds + 60)
    told = next(line for line in done.stdout.splitlines() if line.startswith("LOAD ")).split()[1:]
    example = next(line for line in done.stdout.splitlines() if line.startswith("EXAMPLE "))
    good, bad, errors = map(int, told[:3])
    took, *micro = map(float, told[3:])
    p50, p99, p999, slowest = (round(each / 1000, 2) for each in micro)
    return Answered(good, bad, errors, took / 1e6, p50, p99, p999, slowest, example[8:])
