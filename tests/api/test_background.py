"""Executions in the background, where several services share a data directory: each speaks for its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from patience import HANG_SECONDS

from codemode import Worker
from codemode.errors import StorageFull
from codemode.service.presence import Presence
from tests.api.conftest import listening
from tests.cli.test_cli_serve import serving


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[httpx2.Client, httpx2.Client]]:
    with ExitStack() as stack:
        clients = []
        for _ in range(2):
            worker = stack.enter_context(Worker(tmp_path))
            address, _server = stack.enter_context(listening(worker, open_to_all=True))
            clients.append(stack.enter_context(httpx2.Client(base_url=address, timeout=HANG_SECONDS)))
        clients[0].post("/v1/sessions", json={"id": "s"})
        yield clients[0], clients[1]


def begin(http: httpx2.Client, code: str) -> str:
    answer = http.post("/v1/sessions/s/execute", json={"code": code, "mode": "background"})
    assert answer.status_code == 202
    return str(answer.headers["location"])


@contextmanager
def waiting(http: httpx2.Client) -> Iterator[str]:
    """An execution that waits for its turn while the block lasts, and answers 5 then."""
    before = begin(http, "while True: pass")
    yield begin(http, "return 5")
    http.delete(before)


def test_another_service_waits_for_the_outcome_too(two: tuple[httpx2.Client, httpx2.Client]) -> None:
    own, other = two
    with waiting(own) as place:
        assert other.get(place).json()["state"] == "pending"
    done = other.get(place, params={"wait": 60}).json()
    assert (done["state"], done["outcome"]["result"]) == ("done", 5)
    assert own.get(place).json() == done


def test_another_service_passes_a_cancellation_on(two: tuple[httpx2.Client, httpx2.Client]) -> None:
    own, other = two
    place = begin(own, "helpers.db.exec('create table t (a)')\nwhile True: pass")
    ended = other.delete(place).json()
    assert (ended["state"], ended["outcome"]["status"]) == ("done", "cancelled")
    assert own.get(place).json() == ended
    assert other.get("/v1/sessions/s/schema").json() == {"tables": []}
    # What is over is not ended again.
    assert other.delete(place).json() == ended


def test_a_service_that_begins_leaves_those_of_a_living_one_alone(tmp_path: Path) -> None:
    with (
        Worker(tmp_path) as worker,
        listening(worker, open_to_all=True) as (address, _),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http,
    ):
        http.post("/v1/sessions", json={"id": "s"})
        with waiting(http) as place, Worker(tmp_path) as second, listening(second, open_to_all=True):
            assert http.get(place).json()["state"] == "pending"
        assert http.get(place, params={"wait": 60}).json()["outcome"]["result"] == 5


def test_those_of_a_service_that_was_killed_are_told_lost_by_another(tmp_path: Path) -> None:
    with (
        Worker(tmp_path) as worker,
        listening(worker, open_to_all=True) as (address, _),
        httpx2.Client(base_url=address, timeout=HANG_SECONDS) as other,
        serving(tmp_path) as (killed, process),
        httpx2.Client(base_url=killed, timeout=HANG_SECONDS) as http,
    ):
        http.post("/v1/sessions", json={"id": "s"})
        place = begin(http, "while True: pass")
        assert other.get(place).json()["state"] == "pending"
        process.kill()
        process.wait(HANG_SECONDS)
        lost: Any = other.get(place, params={"wait": 30}).json()
    assert (lost["state"], lost["outcome"]["error"]["code"]) == ("done", "worker.unavailable")
    assert list((tmp_path / "services").iterdir()) == []


def test_an_outcome_is_kept_as_soon_as_the_catalogue_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = threading.Event()
    with Worker(tmp_path) as worker, listening(worker, open_to_all=True) as (address, _):
        worker.session("s")
        finish = worker.background.finish

        def full_at_first(*what: Any) -> None:
            if not refused.is_set():
                refused.set()
                raise StorageFull("the catalogue of sessions cannot be written")
            finish(*what)

        monkeypatch.setattr(worker.background, "finish", full_at_first)
        with httpx2.Client(base_url=address, timeout=HANG_SECONDS) as http:
            place = begin(http, "return 5")
            assert refused.wait(HANG_SECONDS)
            assert http.get(place, params={"wait": 30}).json()["outcome"]["result"] == 5


def test_an_outcome_is_kept_for_an_hour_after_its_end(two: tuple[httpx2.Client, httpx2.Client], tmp_path: Path) -> None:
    own, _ = two
    place = begin(own, "return 1")
    assert own.get(place, params={"wait": 30}).json()["state"] == "done"
    with Worker(tmp_path) as worker:
        worker.background._catalog.run("UPDATE background SET finished_at = finished_at - 3600 * 1000 + 60_000")
        assert own.get(place).status_code == 200
        worker.background._catalog.run("UPDATE background SET finished_at = finished_at - 61_000")
    assert own.get(place).status_code == 404


def test_a_presence_is_seen_until_it_ends(tmp_path: Path) -> None:
    one, other = Presence(tmp_path), Presence(tmp_path)
    one.begin()
    assert not other.is_gone(one.id)
    one.end()
    assert other.is_gone(one.id)
    assert other.is_gone(None)
    assert not other.is_gone(other.id)


def test_waiting_ends_when_its_time_is_over(two: tuple[httpx2.Client, httpx2.Client]) -> None:
    own, other = two
    place = begin(own, "while True: pass")
    started = time.monotonic()
    assert own.get(place, params={"wait": 1}).json()["state"] == "pending"
    assert other.get(place, params={"wait": 1}).json()["state"] == "pending"
    assert 2 <= time.monotonic() - started < HANG_SECONDS
    own.delete(place)
