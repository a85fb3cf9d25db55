"""What a figure was measured on: the machine, the versions that took part, and the commit."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
import subprocess
from pathlib import Path

import apsw
import msgspec

from benchmarks.peers import docker

ROOT = Path(__file__).resolve().parent.parent
OURS = ("apsw", "sqlglot", "sqlglotc", "RestrictedPython", "msgpack", "msgspec")
PEERS = ("pydantic-monty", "smolagents", "sqlite-utils", "pandas", "duckdb")


class Machine(msgspec.Struct, frozen=True):
    """The hardware and its kernel."""

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str


class Commit(msgspec.Struct, frozen=True):
    """What was checked out, and whether anything differed from it."""

    id: str
    dirty: bool


def machine() -> Machine:
    """This one."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(_cpu(), len(os.sched_getaffinity(0)), memory, f"{platform.system()} {platform.release()}")


def _cpu() -> str:
    """The model's name, which aarch64 does not tell."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {platform.machine()}"
    return platform.machine()


def versions() -> dict[str, str]:
    """Python, SQLite as apsw and the standard library have it, of the packages those that are installed, and docker."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    found = {"Python": python, "SQLite": apsw.sqlite_lib_version(), "SQLite of sqlite3": sqlite3.sqlite_version}
    for name in (*OURS, *PEERS):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # its contender says so
    if container := docker.version():
        found["docker"] = container
    return found


def commit() -> Commit:
    """The checkout's, or one without a name where this is no checkout."""
    head = _git("rev-parse", "HEAD")
    return Commit(head or "unknown", bool(head) and _git("status", "--porcelain") != "")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
