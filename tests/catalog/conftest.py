"""A catalogue for each test, with two tenants that have a session of the same id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from places import NOW, SESSION

from codemode.catalog.catalog import Catalog
from codemode.catalog.seal import Seal
from codemode.catalog.sessions import Sessions
from codemode.catalog.tenant import TenantRecords
from codemode.catalog.tenants import Tenants
from codemode.worker import open_catalog


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Catalog]:
    catalog = open_catalog(tmp_path)
    for tenant in ("acme", "other"):
        Tenants(catalog).make(tenant, NOW)
        Sessions(catalog).create(tenant, SESSION, now=NOW, idle_ms=86_400_000, limits={})
    yield catalog
    catalog.close()


@pytest.fixture
def acme(store: Catalog) -> TenantRecords:
    return TenantRecords(store, "acme", Seal(["k" * 43]))


@pytest.fixture
def other(store: Catalog) -> TenantRecords:
    return TenantRecords(store, "other", Seal(["k" * 43]))
