"""Workers killed at random moments: a short run of `python -m tests.stress`, and that its check can fail."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from crash_check import Check, Operation
from crash_harness import Told, killed_worker

from codemode import Worker


def test_killed_workers_lose_nothing_and_leave_nothing() -> None:
    command = [sys.executable, "-m", "tests.stress", "--kills", "16"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kills 16 " in done.stdout
    assert "lost 0 · partial 0 · other 0" in done.stdout


def test_the_check_notices_what_is_lost_or_there_in_part(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("data")
        session.script("CREATE TABLE batched (n, half); CREATE TABLE single (n, i); CREATE TABLE counter (x)")
        session.batch_insert("batched", [{"n": 1, "half": half} for half in range(699)])
        session.exec("INSERT INTO single VALUES (4, 1)")
        session.exec("INSERT INTO counter VALUES (1)")
    operations = [
        Operation(1, "batched", "data"),
        Operation(2, "batched", "data", done=True),
        Operation(3, "created", "life", done=True),
        Operation(4, "single", "data"),
        Operation(5, "counted", "data", done=True),
        Operation(6, "counted", "data", done=True),
        Operation(7, "loaded", "data", done=True),
    ]
    findings = Check(tmp_path, operations, {"data": ["ex_never"]}).run()
    assert len(findings.partial) == 2
    assert len(findings.lost) == 5, findings
    assert findings.other == []


def test_the_check_notices_damage(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("data")
        session.exec("CREATE TABLE t (x)")
        session.batch_insert("t", [{"x": "y" * 500} for _ in range(1000)])
        database = worker.registry.files(("local", "data")).database
    with database.open("r+b") as file:
        file.seek(100_000)
        file.write(b"\xff" * 8192)
    assert any("session.db" in finding for finding in Check(tmp_path, [], {}).run().other)


def test_a_killed_worker_tells_of_what_it_did(tmp_path: Path) -> None:
    told = Told()
    assert killed_worker(tmp_path, 5, told, random.Random(3)) == []
    assert told.faults == []
