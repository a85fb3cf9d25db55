"""Take over what a copy of a catalogue holds, where the one that is there holds nothing yet.

Tokens, tenants and the audit log come back only then: a catalogue in use knows which tokens were revoked since.
"""

from __future__ import annotations

from pathlib import Path

from codemode.catalog.catalog import Catalog

# Sessions bring their own rows; outcomes in the background were kept for an hour, and rates are of this minute.
_NOT_TAKEN = frozenset({"sessions", "participants", "background", "rates"})
_IN_USE = ("sessions", "tokens", "audit")


def is_untouched(catalog: Catalog) -> bool:
    """Whether nobody has used this catalogue yet."""
    return not any(catalog.run(f"SELECT 1 FROM {table} LIMIT 1") for table in _IN_USE)  # noqa: S608


def take_over(catalog: Catalog, path: Path) -> None:
    """Take all that the checked copy at `path`, of the newest form, holds beside sessions: in one transaction.

    Raises CatalogDamaged and StorageFull.
    """
    catalog.run("ATTACH ? AS copy", str(path))
    try:
        with catalog.at_once():
            catalog.run("PRAGMA defer_foreign_keys = on")
            for (table,) in catalog.run("SELECT name FROM copy.sqlite_schema WHERE type = 'table'"):
                if table not in _NOT_TAKEN and not table.startswith("sqlite_"):
                    columns = ", ".join(row[1] for row in catalog.run(f"PRAGMA main.table_info({table})"))
                    catalog.run(
                        f"INSERT OR REPLACE INTO main.{table} ({columns}) SELECT {columns} FROM copy.{table}"  # noqa: S608
                    )
    finally:
        catalog.run("DETACH copy")
