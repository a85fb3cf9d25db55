"""Type checkers accept programs that use the clients, and see what is wrong with others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
from collections.abc import Iterator
from codemode import AsyncClient, Client, Limits, Outcome, Session, Worker
from codemode.client.session import RemoteSession

def use(session: Session | RemoteSession) -> str:
    outcome: Outcome = session.run("return 1", inputs={"a": 1}, timeout=5, on_output=print, dry_run=True)
    rows = session.query("SELECT 1 AS a", [1], read_only=True)
    first = session.query_one("SELECT 1")
    for page in session.pages("SELECT 1", size=10):
        print(page[0]["a"])
    made = session.batch_insert("t", ({"a": n} for n in range(3)), columns=["a"], create=True)
    back = session.checkpoint("one").name + session.undo().what + (session.diff("one").tables[0].table)
    return f"{outcome.db.rows_read} {rows} {first} {made['rows_written']} {back} {session.fork().id}"

def main() -> None:
    with Worker() as worker:
        use(worker.session("a", limits=Limits(rows=5)))
    with Client("http://127.0.0.1:8400", "cm_x", timeout=None, retries=0) as client:
        session = client.session("a", limits=Limits(rows=5), stateful=True)
        use(session)
        handle = session.background("return 1")
        outcome: Outcome = handle.wait(timeout=5)
        polled: Outcome | None = handle.poll()
        events: list[str] = [event.name for event in session.follow("return 1")]
        print(outcome, polled, events, client.info("a").size_bytes, session.import_file("x.csv").rows)

async def amain() -> None:
    async with AsyncClient() as client:
        session = await client.session("a")
        outcome: Outcome = await session.run("return 1")
        async for page in session.pages("SELECT 1"):
            print(page)
        async for event in session.follow("return 1"):
            print(event.outcome)
        columns, rows = await session.stream("SELECT 1")
        print(columns, [row async for row in rows], outcome, await session.value("SELECT 1"))
"""
WRONG = {
    'client.sesion("a")': '"Client" has no attribute "sesion"',
    "client.session(5)": 'incompatible type "int"',
    'client.session("a").run(5)': 'incompatible type "int"; expected "str"',
    'client.session("a").run("return 1", dryrun=True)': 'Unexpected keyword argument "dryrun"',
    'client.session("a").run("return 1").reslt': '"Outcome" has no attribute "reslt"',
    'client.session("a", owner="b")': 'Unexpected keyword argument "owner"',
}


def mypy(folder: Path, file: str) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "cache"), file]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600, env=environment
    )
    return done.stdout + done.stderr


def test_a_type_checker_accepts_a_good_program_and_no_wrong_line(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    lines = ["from codemode import Client", 'client = Client("http://127.0.0.1:8400")', *WRONG]
    (tmp_path / "wrong.py").write_text("\n".join(lines), encoding="utf-8")
    assert "good.py" not in mypy(tmp_path, "good.py")
    complaints = mypy(tmp_path, "wrong.py")
    for line, expected in enumerate(WRONG.values(), 3):
        found = [text for text in complaints.splitlines() if text.startswith(f"wrong.py:{line}:")]
        assert any(expected in text for text in found), f"line {line}: {complaints}"
