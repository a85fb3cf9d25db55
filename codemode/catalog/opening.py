"""The catalogue that the settings name, in the form that this codemode needs."""

from __future__ import annotations

import re
from pathlib import Path

from codemode.catalog.migrating import Policy, make_ready
from codemode.catalog.store import Store
from codemode.database.template import put
from codemode.errors import RequestInvalid

FILE = "catalog.db"
MEMORY = "memory"
CONNECTIONS = 8
POSTGRES = ("postgresql://", "postgres://")


def open_catalogue(choice: str, data_dir: Path, policy: Policy = "additive", connections: int = CONNECTIONS) -> Store:
    """The catalogue: `choice` is "memory", a PostgreSQL address, or empty for the file in `data_dir`.

    Raises RequestInvalid for another choice, CatalogDamaged, CatalogForm, StorageFull, SessionNewer, WorkerUnavailable.
    """
    if not choice and not (data_dir / FILE).exists():
        from codemode.catalog.stores.template import new_catalogue

        put(new_catalogue(), data_dir / FILE)
    store = connect(choice, data_dir, connections)
    try:
        found = make_ready(store, policy)
        store.behind, store.form = bool(found.pending), found.form
    except BaseException:
        store.close()
        raise
    return store


def connect(choice: str, data_dir: Path, connections: int = CONNECTIONS) -> Store:
    """The same in whatever form it has."""
    if choice == MEMORY:
        from codemode.catalog.stores.memory import MemoryStore

        return MemoryStore.make()
    if choice.startswith(POSTGRES):
        from codemode.catalog.stores.postgres import PostgresStore

        return PostgresStore.open(choice, connections)
    if choice:
        raise RequestInvalid(
            f"setting catalog is neither {MEMORY!r} nor an address of PostgreSQL: {_begins(choice)!r}",
            hint="write postgresql://user@host/database, or nothing for a file in the data directory",
        )
    from codemode.catalog.stores.sqlite import SqliteStore

    return SqliteStore.open(data_dir / FILE)


def _begins(choice: str) -> str:
    """The word that a choice begins with: what follows may be a password."""
    word = (re.match(r"[\w.+-]{0,20}", choice) or [""])[0]
    return word if word == choice else word + "…"
