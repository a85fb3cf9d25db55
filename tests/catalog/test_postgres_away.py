"""A server of PostgreSQL that is not there, comes back, has no connection left, or was named wrongly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest
from patience import HANG_SECONDS, soon
from postgres_cluster import Cluster

from codemode import Settings, Worker
from codemode.catalog.opening import open_catalogue
from codemode.catalog.store import Store
from codemode.catalog.stores.postgres_connections import Connections
from codemode.errors import CodemodeError, RequestInvalid, WorkerUnavailable
from tests.api.conftest import listening

# A new connection is turned away; one that the pool still had, or was just making, was closed.
AWAY = ("not currently accepting", "server closed the connection", "terminating connection")


@pytest.fixture
def address(postgres: Cluster) -> Iterator[str]:
    made = postgres.database("migrated")
    yield made
    postgres.drop(made)


@contextmanager
def away(server: Cluster, address: str) -> Iterator[None]:
    """The server of this database alone: the others that use it go on."""
    name = address.partition("?")[0].rpartition("/")[2]
    server.sql(
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    try:
        yield
    finally:
        server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_server_that_goes_away_is_told_soon_and_used_again_when_it_is_back(
    postgres: Cluster, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_catalogue(address, Path())
    store._connections._patience = 0.5  # type: ignore[attr-defined] - whoever asks first waits for longer
    with pytest.raises(WorkerUnavailable), store.at_once(), away(postgres, address):
        store.run("SELECT 1")  # on a connection that is lost
    with away(postgres, address):
        for _ in range(2):
            caplog.clear()
            began = time.monotonic()
            with pytest.raises(WorkerUnavailable, match="the catalogue does not answer") as raised:
                store.look("SELECT 1")
            assert "the log says why" in (raised.value.hint or "")
            assert raised.value.retryable
            assert any(why in caplog.text for why in AWAY), caplog.text
        assert time.monotonic() - began < HANG_SECONDS / 4
    assert soon(lambda: answers(store))
    with store.at_once():
        assert store.run("SELECT count(*) FROM tenants") == [(1,)]
    store.close()


def answers(store: Store) -> bool:
    try:
        return store.look("SELECT 1") == [(1,)]
    except WorkerUnavailable:
        return False


def test_a_service_whose_server_is_away_is_alive_and_not_ready(postgres: Cluster, address: str, tmp_path: Path) -> None:
    with (
        Worker(tmp_path, settings=msgspec.structs.replace(Settings(), catalog=address)) as worker,
        listening(worker, open_to_all=True) as (place, _),
        httpx2.Client(base_url=place, timeout=HANG_SECONDS) as http,
    ):
        assert http.get("/ready").status_code == 200
        worker.catalogue._connections._patience = 0.5  # type: ignore[attr-defined]
        with away(postgres, address):
            found = http.get("/ready")
            assert (found.status_code, found.json()["code"]) == (503, "worker.unavailable")
            assert "PGSQL" not in found.text, "nobody has to show a token for this"
            assert http.get("/health").status_code == 200
            assert http.post("/v1/sessions", json={}).status_code == 503
        assert soon(lambda: http.get("/ready").status_code == 200)
        assert http.post("/v1/sessions", json={}).status_code == 201


def test_a_pool_without_a_connection_left_says_which_setting_has_more(address: str) -> None:
    store = open_catalogue(address, Path(), connections=2)
    with store.snapshot(), store.snapshot():
        store._connections._patience = 0.2  # type: ignore[attr-defined]
        with pytest.raises(WorkerUnavailable, match="all 2 connections") as raised:
            store.look("SELECT 1")
    assert "catalog_connections" in (raised.value.hint or "")
    assert store.look("SELECT 1") == [(1,)]
    store.close()


@pytest.mark.parametrize(
    ("address", "kind", "why"),
    [
        ("mysql://root:geheim@h/db", RequestInvalid, "neither 'memory' nor an address"),
        ("postgresql:/u:geheim@h/db", RequestInvalid, "neither 'memory' nor an address"),
        ("password=geheim host=h", RequestInvalid, "neither 'memory' nor an address"),
        ("postgresql://u:ge/heim@h/db", RequestInvalid, "port is no number"),
        ("postgresql://u:x@geheim@h/db", RequestInvalid, "two @"),
        ("postgresql://u:geheim%zz@h/db", RequestInvalid, "percent-encoded"),
        ("postgresql://u:geheim@[h/db", RequestInvalid, "IPv6"),
        ("postgresql://u:geheim@h/db?nonsense=1", RequestInvalid, "nonsense|URI query parameter"),
        ("postgresql://u:geheim@127.0.0.1:1/db", WorkerUnavailable, "refused"),
        ("postgresql://u:geheim@h.invalid/db", WorkerUnavailable, "resolve host|not known"),
        ("{there}", WorkerUnavailable, "does not exist"),
    ],
)  # fmt: skip
def test_an_address_that_is_wrong_is_told_without_its_password(
    postgres: Cluster, address: str, kind: type[CodemodeError], why: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = address.format(there=postgres.address("nowhere", "codemode:geheim"))
    with pytest.raises(kind, match=why) as raised:
        open_catalogue(address, Path())
    assert "heim" not in f"{raised.value.message} {raised.value.hint} {caplog.text}"


def test_several_servers_are_told_with_the_port_of_each() -> None:
    several = Connections("postgresql://u:geheim@a:1,b:2/db", 2).where
    assert several == "postgresql://a:1,b:2/db"
    assert Connections("postgresql://u@a,b/db?port=7", 2).where == "postgresql://a:7,b:7/db"
    assert Connections("postgresql://u@a/db", 2).where == "postgresql://a/db"
