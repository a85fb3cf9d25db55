"""How a tenant is set up: any JSON value by key. A sensitive one is stored sealed, shown masked, and told on demand."""

from __future__ import annotations

import json
from typing import Any

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import METADATA_BYTES, TEXT_BYTES, parse_json, parse_name, parse_text
from codemode.catalog.found import no_record
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, only, record
from codemode.catalog.seal import Seal
from codemode.moments import moment
from codemode.values.records import ConfigurationEntry

MASK = "********"
_MASKED = f"CASE WHEN sensitive = 1 THEN '\"{MASK}\"' ELSE value END"
_FIELDS = columns(ConfigurationEntry).replace("value", _MASKED)


class Configuration:
    """The configuration of a tenant."""

    def __init__(self, store: BoundStore, seal: Seal) -> None:
        self._store, self._seal = store, seal

    def put(
        self, key: str, value: Any, *, now: int, sensitive: bool = False, description: str = ""
    ) -> ConfigurationEntry:
        """Keep a value in the place of what it was; raises RequestInvalid, and SecretMissing for a sensitive one."""
        name = parse_name(key, "a key of the configuration")
        text = parse_json(value, "a value of the configuration", METADATA_BYTES)
        rows = self._store.run(
            "INSERT INTO configuration (tenant, key, value, description, sensitive, updated_at)"  # noqa: S608
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, key)"
            f" DO UPDATE SET value = ?3, description = ?4, sensitive = ?5, updated_at = ?6 RETURNING {_FIELDS}",
            name, self._seal.seal(text, self._place(name)) if sensitive else text,
            parse_text(description, "a description", TEXT_BYTES), int(bool(sensitive)), moment(now),
        )  # fmt: skip
        return record(ConfigurationEntry, rows[0])

    def get(self, key: str) -> ConfigurationEntry:
        """One entry, masked where it is sensitive; raises RecordNotFound."""
        rows = self._store.look(f"SELECT {_FIELDS} FROM configuration WHERE tenant = ?1 AND key = ?2", key)  # noqa: S608
        return only(ConfigurationEntry, rows, no_record("key of the configuration", key))

    def value(self, key: str) -> Any:
        """The value itself, opened where it is sealed; raises RecordNotFound and SecretMissing."""
        rows = self._store.look("SELECT value, sensitive FROM configuration WHERE tenant = ?1 AND key = ?2", key)
        if not rows:
            raise no_record("key of the configuration", key)
        text, sensitive = rows[0]
        return json.loads(self._seal.open(text, self._place(key)) if sensitive else text)

    def page(self, *, after: str | None = None, limit: int = 50) -> Page[ConfigurationEntry]:
        """All of it by key, masked where it is sensitive; raises RequestInvalid."""
        asked = Asked().that("key > {}", parse_after(after))
        return asked.page(self._store, ConfigurationEntry, f"{_FIELDS} FROM configuration", "key", limit, key=("key",))

    def remove(self, key: str) -> None:
        """Forget it; raises RecordNotFound."""
        if not self._store.run("DELETE FROM configuration WHERE tenant = ?1 AND key = ?2 RETURNING 1", key):
            raise no_record("key of the configuration", key)

    def _place(self, key: str) -> str:
        return f"{self._store.tenant}\0{key}"
