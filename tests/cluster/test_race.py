"""No two processes ever write one session: many clients, workers that end at random, and a count that has to be right.

Each execution reads a counter, writes what it read plus one, and adds a line to a log with the moments of its begin
and end, in one transaction. If two processes served one session at once, or a retry ran twice, or something committed
were lost, the counter would differ from the lines, the lines from what clients were told, or two spans would overlap.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from tests.cluster.serving import Service, serving

SESSIONS, CLIENTS, EACH, DISTURBANCES = 4, 6, 20, 4
SETUP = """
helpers.db.script('create table counter (n); insert into counter values (0)')
helpers.db.exec('create table log (client, number, n, begun, ended)')
"""
COUNT = """
import time
begun = time.monotonic()
n = helpers.db.value('select n from counter') + 1
time.sleep(0.002)  # long enough for another writer to come between, if one could
helpers.db.exec('update counter set n = ?', [n])
helpers.db.exec('insert into log values (?, ?, ?, ?, ?)', [client, number, n, begun, time.monotonic()])
return n
"""


def client(service: Service, name: int, seed: int) -> list[tuple[str, int, int, int]]:
    """What one client was told: session, client, number, count. A request is sent again until it has an answer."""
    choose, told = random.Random(seed), []
    with service.client() as http:
        for number in range(EACH):
            session = f"race-{choose.randrange(SESSIONS)}"
            body = {"code": COUNT, "inputs": {"client": name, "number": number}, "idempotency_key": f"{name}-{number}"}
            told.append((session, name, number, answered(http, session, body)))
    return told


def answered(http: httpx2.Client, session: str, body: dict[str, Any]) -> int:
    late = time.monotonic() + HANG_SECONDS
    while time.monotonic() < late:
        answer = http.post(f"/v1/sessions/{session}/execute", json=body)
        if answer.status_code == 200 and answer.json()["ok"]:
            return int(answer.json()["result"])
        assert answer.status_code in (503, 429), answer.text
    raise AssertionError("no answer")


def disturb(service: Service, seed: int, over: threading.Event) -> int:
    """Kill workers, and restart them all: during that, two processes serve the same sessions for a moment."""
    choose, disturbed = random.Random(seed), 0
    while disturbed < DISTURBANCES and not over.wait(choose.uniform(0.2, 1.0) if disturbed else 0.05):
        workers = sorted(service.workers())
        if workers and choose.random() < 0.6:
            os.kill(choose.choice(workers), signal.SIGKILL)
        else:
            service.process.send_signal(signal.SIGHUP)
        disturbed += 1
    return disturbed


def test_nothing_is_lost_or_written_twice_whoever_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    with serving(tmp_path) as service, ThreadPoolExecutor(CLIENTS + 1) as threads:
        for n in range(SESSIONS):
            service.create(f"race-{n}")
            assert service.execute(f"race-{n}", SETUP)["ok"]
        over = threading.Event()
        disturber = threads.submit(disturb, service, seed, over)
        clients = [threads.submit(client, service, name, seed + name) for name in range(CLIENTS)]
        told = [line for each in clients for line in each.result(4 * HANG_SECONDS)]
        over.set()
        assert disturber.result() > 0, seed
        for n in range(SESSIONS):
            check(service, f"race-{n}", [line for line in told if line[0] == f"race-{n}"])


def check(service: Service, session: str, told: list[tuple[str, int, int, int]]) -> None:
    code = "return [helpers.db.value('select n from counter'), list(helpers.db.query('select * from log order by n'))]"
    count, log = service.execute(session, code)["result"]
    # What clients were told is what there is: every one of their executions once, under the count that it answered.
    assert sorted((line[1], line[2], line[3]) for line in told) == sorted(
        (each["client"], each["number"], each["n"]) for each in log
    )
    assert count == len(log) == len(told)
    assert [each["n"] for each in log] == list(range(1, count + 1))
    # One after the other: each began when the one before it had ended, in whatever processes they ran.
    assert all(before["ended"] <= after["begun"] for before, after in pairwise(log))


def test_the_check_sees_a_lost_write(tmp_path: Path) -> None:
    class Lost:
        def execute(self, session_id: str, code: str) -> dict[str, Any]:
            line = {"client": 0, "number": 0, "n": 1, "begun": 0.0, "ended": 1.0}
            return {"result": [1, [line, line | {"number": 1, "begun": 0.5}]]}

    with pytest.raises(AssertionError):
        check(Lost(), "s", [("s", 0, 0, 1), ("s", 0, 1, 1)])  # type: ignore[arg-type]
