"""A store that belongs to one tenant: what asks through it cannot ask about another.

The tenant is the first parameter of every statement, and a text that does not use it is a fault of the program: so the
filter by tenant stands in one place, and no call can leave it out.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from codemode.catalog.catalog import Catalog

_NAMES_THE_TENANT = re.compile(r"\?1(?![0-9])")


class BoundStore:
    """The statements of one tenant: `?1` is its name, the parameters given begin at `?2`."""

    def __init__(self, store: Catalog, tenant: str) -> None:
        self._store, self.tenant = store, tenant

    def run(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement; raises as the store does."""
        return self._store.run(_bound(sql), self.tenant, *params)

    def look(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """The same for a statement that reads what is committed, and waits for nobody."""
        return self._store.look(_bound(sql), self.tenant, *params)

    def at_once(self) -> AbstractContextManager[None]:
        """What runs inside is one transaction."""
        return self._store.at_once()


@lru_cache(1024)
def _bound(sql: str) -> str:
    if not _NAMES_THE_TENANT.search(sql):
        raise AssertionError(f"a statement that is not bound to a tenant: {sql}")
    return sql
