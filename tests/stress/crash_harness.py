"""Starts workers, kills them, counts what they acknowledged, and has it checked.

The harness itself never opens a session: worker and check each run in a fork of their own, so that neither threads nor
files of SQLite cross a fork, and nothing has to be imported anew for each kill.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import crash_workload
from crash_check import Check, Findings, Operation

KINDS = sorted({operation.__name__ for operation in crash_workload.DATA + crash_workload.LIFE})
KILLS_PER_DIRECTORY = 12  # what was recovered once is killed again
GONE_SECONDS = 30.0  # a bound for what never goes, on a machine however busy


@dataclass
class Told:
    """What the workers on one data directory told so far."""

    operations: dict[int, Operation] = field(default_factory=dict)
    logged: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def hear(self, line: bytes) -> None:
        """One line of a worker."""
        told = json.loads(line)
        match told.get("phase"):
            case "begin":
                self.operations[told["n"]] = Operation(told["n"], told["operation"], told["session"])
            case "part":
                self.operations[told["n"]].parts.append(told["part"])
            case "logged":
                self.logged.setdefault(told["session"], []).append(told["execution"])
            case "fault":
                self.faults.append(f"{self.operations[told['n']]}: {told['fault']}")
            case "done":
                self.operations[told["n"]].done = True


@dataclass
class Tally:
    """The sum of all kills."""

    kills: int = 0
    begun: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run `work` in a fork; its process id, and the end of a pipe to read what it writes to the one it is given."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        work(writing)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def killed_worker(data_dir: Path, seed: int, told: Told, chosen: random.Random) -> list[str]:
    """Start a worker, kill it at a random moment, hear it out; sentences about what it left running."""
    first = max(told.operations, default=0) + 1
    pid, pipe = forked(lambda writing: crash_workload.main(data_dir, seed, first, writing))
    heard = bytearray()
    moment = chosen.random()
    if moment < 0.6:  # in the middle of an operation of one kind, or soon after
        read_until(pipe, heard, b'"operation": "%s"' % chosen.choice(KINDS).encode(), 10.0)
        time.sleep(chosen.expovariate(1 / 0.01))
    else:  # at any time, a few while the worker still starts
        if moment < 0.9:
            read_until(pipe, heard, b"ready", 30.0)
        time.sleep(chosen.uniform(0.0, 0.7))
    os.kill(pid, signal.SIGSTOP)  # its processes cannot change any more while they are counted
    family = descendants(pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    read_until(pipe, heard, None, GONE_SECONDS)
    os.close(pipe)
    for line in heard.split(b"\n")[:-1]:
        told.hear(line)
    until = time.monotonic() + GONE_SECONDS
    while (alive := [child for child in family if running(child)]) and time.monotonic() < until:
        time.sleep(0.01)
    return [f"processes {alive} outlive their worker"] if alive else []


def read_until(pipe: int, heard: bytearray, text: bytes | None, seconds: float) -> None:
    """Add to `heard` until `text` is in it, the pipe ends, or `seconds` are over."""
    until = time.monotonic() + seconds
    ready = select.poll()  # not select(), whose descriptors end at 1,023
    ready.register(pipe, select.POLLIN)
    while (text is None or text not in heard) and ready.poll(1000 * max(0.0, until - time.monotonic())):
        if not (more := os.read(pipe, 65536)):
            return
        heard += more


def descendants(pid: int) -> list[int]:
    found, new = [], [pid]
    while new:
        parent = new.pop()
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            children = [int(child) for child in tasks.read_text().split()]
            found += children
            new += children
    return found


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def checked(data_dir: Path, told: Told) -> Findings:
    """The findings of a check in a fork of its own."""

    def check(writing: int) -> None:
        findings = Check(data_dir, list(told.operations.values()), told.logged).run()
        with os.fdopen(writing, "wb") as file:
            pickle.dump(findings, file)

    pid, pipe = forked(check)
    with os.fdopen(pipe, "rb") as file:
        data = file.read()
    _, status = os.waitpid(pid, 0)
    return pickle.loads(data) if status == 0 else Findings(other=[f"the check ended with {status}"])


def crash(kills: int, seed: int, tally: Tally, progress: Callable[[str], None] = lambda _: None) -> Tally:
    """Kill `kills` workers; the same seed chooses the same operations and moments."""
    chosen = random.Random(seed)
    while tally.kills < kills:
        place = Path(tempfile.mkdtemp(prefix="codemode-stress-"))
        told, before = Told(), tally.kills
        while tally.kills < min(kills, before + KILLS_PER_DIRECTORY):
            left = killed_worker(place, chosen.randrange(10**9), told, chosen)
            findings = checked(place, told)
            tally.kills += 1
            tally.lost += findings.lost
            tally.partial += findings.partial
            tally.other += findings.other + left + told.faults
            told.faults.clear()
            progress(f"{tally.kills}/{kills} kills, {len(told.operations)} operations in this directory")
            if findings.lost or findings.partial or findings.other:
                progress(f"  {findings}")
                break  # what is lost once would be found again after each further kill
        tally.begun += len(told.operations)
        tally.acknowledged += sum(operation.done for operation in told.operations.values())
        tally.kinds += Counter(operation.kind for operation in told.operations.values() if operation.done)
        tally.cut += Counter(operation.kind for operation in told.operations.values() if not operation.done)
        shutil.rmtree(place, ignore_errors=True)
    return tally


def main(arguments: list[str]) -> int:
    """The command line: exit code 0 where nothing was lost, partial or left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    progress = (lambda _: None) if given.quiet else (lambda text: print(text, flush=True))
    tally = crash(given.kills, given.seed, Tally(), progress)
    if not given.quiet:
        print("operation   acknowledged   cut by a kill")
        for kind in sorted(tally.kinds | tally.cut):
            print(f"{kind:<12}{tally.kinds[kind]:>12}{tally.cut[kind]:>16}")
    for sentence in [*tally.lost, *tally.partial, *tally.other]:
        print(f"  {sentence}")
    print(
        f"kills {tally.kills} · operations {tally.begun} · acknowledged {tally.acknowledged} · lost {len(tally.lost)}"
        f" · partial {len(tally.partial)} · other {len(tally.other)} · seed {given.seed}"
        f" · {time.monotonic() - started:.0f} s"
    )
    return 1 if tally.lost or tally.partial or tally.other else 0
