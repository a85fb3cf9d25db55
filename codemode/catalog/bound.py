"""A store as one tenant has it: the only way by which what belongs to tenants is read or written.

The tenant is no parameter that a caller could forget or mix up: it is `?1` of every statement, and given here alone.
A text that does not use `?1` is a fault of the program and never reaches the store. On PostgreSQL the same tenant is
set for the transaction, and row-level security holds where a statement's own condition is wrong.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from codemode.catalog.store import EVERYBODY, PARTS, Dialect, Row, Store
from codemode.errors import RequestInvalid, shown


class BoundStore:
    """`store` for `tenant`: its statements' own parameters are `?2`, `?3`, …"""

    __slots__ = ("_acting", "_store", "tenant")

    def __init__(self, store: Store, tenant: str, sought: str = "") -> None:
        if not tenant or tenant == EVERYBODY:
            raise AssertionError(f"{tenant!r} is no tenant")
        self._store, self._acting, self.tenant = store, store.acting_for(tenant, sought), tenant

    def seeking(self, sought: str) -> BoundStore:
        """The same, whose `look` sees of words in messages what this query finds; see `Store.acting_for`."""
        return BoundStore(self._store, self.tenant, sought)

    @property
    def dialect(self) -> Dialect:
        """Which of a pair of texts it takes."""
        return self._store.dialect

    def run(self, sql: str, *params: Any) -> list[Row]:
        """The rows of one statement of this tenant; see `Statements.run`."""
        check_values(params)
        return self._acting.run(checked(sql), self.tenant, *params)

    def look(self, sql: str, *params: Any) -> list[Row]:
        """The committed rows of one statement of this tenant; see `Statements.look`."""
        check_values(params)
        return self._acting.look(checked(sql), self.tenant, *params)

    def at_once(self) -> AbstractContextManager[None]:
        """One transaction; see `Statements.at_once`."""
        return self._acting.at_once()


@lru_cache(maxsize=1_024)
def checked(sql: str) -> str:
    """`sql`, which names its tenant; raises AssertionError for one that does not, or numbers no parameter."""
    numbers = {found[1] for found in PARTS.finditer(sql) if found[0].startswith("?")}
    if "1" not in numbers or "" in numbers:
        raise AssertionError(f"a statement of a tenant names it as ?1, and numbers the others: {sql}")
    return sql


def check_values(params: tuple[Any, ...]) -> None:
    """Raise RequestInvalid for what is neither text nor a whole number of 64 bits: no column of a tenant's is else.

    A time as a float, say, would be stored, and no list that it is in could be read any more.
    """
    for each in params:
        if each is None or isinstance(each, str):
            continue
        if not isinstance(each, int):
            raise RequestInvalid(f"the catalogue keeps text and whole numbers, not {shown(each)}")
        if not -(2**63) <= each < 2**63:
            raise RequestInvalid(f"{shown(each)} is beyond 64 bits")
