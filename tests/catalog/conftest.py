"""A catalogue for each test: an empty one of each kind, and one with two tenants that have a session of the same id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from places import NOW, SESSION

from codemode.catalog.opening import open_catalogue
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import Sessions
from codemode.catalog.store import Store
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tenants import Tenants

STORES = ("sqlite", "memory", "postgres")


def choice(request: pytest.FixtureRequest) -> str:
    """What the setting `catalog` says for this kind of store: a new, empty one."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres").emptied()
    return {"sqlite": "", "memory": "memory"}[request.param]


@pytest.fixture(params=STORES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = open_catalogue(choice(request), tmp_path)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = open_catalogue(choice(request), tmp_path)
    for tenant in ("acme", "other"):
        Tenants(store).make(tenant, NOW)
        Sessions(store).create(tenant, SESSION, now=NOW, idle_ms=86_400_000, limits={})
    yield store
    store.close()


@pytest.fixture
def acme(store: Store) -> TenantRecords:
    return TenantRecords(store, "acme", Seal(["k" * 43]))


@pytest.fixture
def other(store: Store) -> TenantRecords:
    return TenantRecords(store, "other", Seal(["k" * 43]))
