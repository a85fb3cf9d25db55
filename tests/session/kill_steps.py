"""Kills a backup and restores at steps spread over all they do, each time on a fresh copy, and prints what was left.

A step is a call of a function, Python's or C's. Everything happens in forks of a process that never opens a database.

    python kill_steps.py TEMPLATE PLACE KILLS    (TEMPLATE: a data directory; its backup is TEMPLATE/../all.zip)
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from codemode import Worker
from codemode.errors import CodemodeError


def forked(work: Callable[[], Any], kill_at: int | None = None, *, counted: bool = False) -> tuple[Any, int, bool]:
    """What `work` answers in a fork, the steps that it took if `counted`, whether it was killed at step `kill_at`."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        steps = 0

        def count(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal steps
            if event in ("call", "c_call"):
                steps += 1
                if steps == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            if counted or kill_at is not None:
                sys.setprofile(count)
            found = work()
            sys.setprofile(None)
            os.write(writing, json.dumps([found, steps]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    answer, steps = json.loads(told) if told else (None, 0)
    return answer, steps, os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def state(data_dir: Path) -> dict[str, Any]:
    """What sessions there are, and what is in `s`; after a sweep, which leaves nothing of what was prepared."""
    with Worker(data_dir=data_dir) as worker:
        left = stages(worker, data_dir)
        known = [info.id for info in worker.sessions() if info.state == "active"]
        found: dict[str, Any] = {"known": known, "stages": left}
        orphan = worker.registry.files(("local", "s")).database.exists()
        if "s" in known or orphan:
            session = worker.session("s")
            found["rows"] = session.query("SELECT (SELECT sum(a) FROM t) AS t, (SELECT count(*) FROM u) AS u")[0]
            found["state"] = session.get_state("k")
            found["check"] = session.exec("INSERT INTO u VALUES (0)")["changes"]
    return found


def stages(worker: Worker, data_dir: Path) -> int:
    """How many directories with something prepared outlive sweeps; an empty one may stay for an hour.

    A process that the killed one was just starting may hold its locks for a moment more.
    """
    until = time.monotonic() + 20
    while True:
        worker.sweep()
        left = [each for each in data_dir.glob("sessions/re*") if any(each.iterdir())]
        if not left or time.monotonic() > until:
            return len(left)
        time.sleep(0.05)


def load_what_loads(work: Callable[[], Any]) -> None:
    """Load here what `work` loads: no kill is to be spent on an import, and no fork to import it again."""

    def names() -> list[str]:
        work()
        return list(sys.modules)

    for name in forked(names)[0]:
        importlib.import_module(name)


def restored(data_dir: Path, backup: Path) -> str:
    with Worker(data_dir=data_dir) as worker:
        try:
            return worker.restore(backup, "s", existing="replace").sessions[0].done
        except CodemodeError as error:
            return error.code


def backed_up(data_dir: Path, target: Path) -> int:
    with Worker(data_dir=data_dir) as worker:
        return worker.backup(target).sessions


def main() -> None:
    template, place, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    backup = template.parent / "all.zip"

    def fresh(case: str) -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(template, place / "data")
        if case == "new":
            forked(lambda: removed(place / "data"))

    def removed(data_dir: Path) -> None:
        with Worker(data_dir=data_dir) as worker:
            worker.remove("s")

    data_dir, target = place / "data", place / "made.zip"
    fresh("live")
    for each in (partial(restored, data_dir, backup), partial(backed_up, data_dir, target), partial(state, data_dir)):
        load_what_loads(each)
    for case in ("new", "live", "backup"):
        fresh(case)
        work = partial(backed_up, data_dir, target) if case == "backup" else partial(restored, data_dir, backup)
        answer, steps, _ = forked(work, counted=True)
        print(json.dumps({"case": case, "steps": steps, "answer": answer}), flush=True)
        for number in range(kills):
            fresh(case)
            at = 1 + (steps - 1) * number // (kills - 1)
            _, _, killed = forked(work, at)
            found, _, _ = forked(lambda: state(data_dir))
            if case == "backup":
                again = None
                found["target"] = target.exists() and forked(lambda: whole(target))[0]
            else:
                again = forked(lambda: restored(data_dir, backup))[0]
            print(json.dumps({"case": case, "at": at, "killed": killed, "again": again, **found}), flush=True)


def whole(target: Path) -> str:
    from codemode.session.backups import verified

    return "whole" if verified(target, lambda size: None).sessions else "empty"


if __name__ == "__main__":
    main()
