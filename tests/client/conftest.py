"""A service on loopback with a token, and both clients of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from codemode import Client, Worker
from tests.api.conftest import listening


class Served(NamedTuple):
    worker: Worker
    url: str
    token: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Worker(tmp_path_factory.mktemp("served")) as worker, listening(worker, open_to_all=False) as (url, _):
        token, _ = worker.create_token(scopes=("read", "execute", "admin"))
        yield Served(worker, url, token)


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, served.token) as client:
        yield client
