"""How many there are of what: read from one row, which triggers keep; nothing is counted when somebody asks."""

from __future__ import annotations

from codemode.catalog.bound import BoundStore
from codemode.catalog.rows import columns, record
from codemode.values.records import Statistics

_FIELDS = columns(Statistics)


class TenantStatistics:
    """The figures of a tenant."""

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def get(self) -> Statistics:
        """All of them, as of the last commit; zeros for a tenant that there is not."""
        rows = self._store.look(f"SELECT {_FIELDS} FROM statistics WHERE tenant = ?1")  # noqa: S608
        return record(Statistics, rows[0] if rows else (0,) * len(Statistics.__struct_fields__))
