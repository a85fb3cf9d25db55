"""The service on a disk that is full: whoever may delete something gets in, and is told what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codemode import Worker
from codemode.database.clock import now_ms
from codemode.errors import StorageFull
from codemode.service.service import Service


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path) as worker:
        yield worker


def fill(worker: Worker) -> None:
    """Leave no page to the catalogue: SQLite says of it that its disk is full."""
    catalog = worker.tokens._catalog
    [(pages,)] = catalog.run("PRAGMA page_count")
    catalog.run(f"PRAGMA max_page_count = {pages}")


def test_a_token_is_taken_where_the_time_of_its_use_cannot_be_written(worker: Worker) -> None:
    secret, token = worker.create_token("acme", name="", scopes=("execute",))
    service = Service(worker, open_to_all=False)
    worker.tokens._catalog.run("PRAGMA query_only = on")  # SQLite refuses to write, as on a disk that is full
    with pytest.raises(StorageFull):
        worker.tokens.used(token.id, now_ms())
    assert service.caller(secret).tenant == "acme"


def test_what_is_written_at_once_on_a_full_disk_says_so_and_leaves_nothing_open(worker: Worker) -> None:
    fill(worker)
    with pytest.raises(StorageFull):
        worker.background.add(f"ex_{'x' * 1_000_000}", "local", "s", None, now_ms(), service="svc")
    worker.tokens._catalog.run("PRAGMA max_page_count = 1000000")
    worker.background.add("ex_last", "local", "s", None, now_ms(), service="svc")
    assert worker.background.get("local", None, "ex_last", now_ms()) is not None
