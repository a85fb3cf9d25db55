"""What workspaces and groups have in common: a name that is theirs alone in the tenant, a description, metadata."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from msgspec import UNSET

from codemode.catalog.bound import BoundStore
from codemode.catalog.changes import Changes, Given
from codemode.catalog.fields import TEXT_BYTES, parse_id, parse_name, parse_object, parse_text
from codemode.catalog.found import exists, no_record
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, only, record
from codemode.moments import moment, ulid_at
from codemode.values.records import Group, Workspace

Kind = TypeVar("Kind", Workspace, Group)


class NamedRecords(Generic[Kind]):
    """One table of them, of one tenant."""

    table: ClassVar[str]
    word: ClassVar[str]  # what people call one of them
    prefix: ClassVar[str]  # of ids that nobody chose
    reached: ClassVar[str]  # the condition that a user is in it, with {} for him
    kind: type[Kind]

    def __init__(self, store: BoundStore) -> None:
        self._store = store

    def create(
        self,
        name: str,
        *,
        now: int,
        record_id: str | None = None,
        description: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> Kind:
        """A new one, with a minted id unless it is given; raises RequestInvalid, and RecordExists."""
        new_id = f"{self.prefix}{ulid_at(now)}" if record_id is None else parse_id(record_id, f"a {self.word}")
        rows = self._store.run(
            f"INSERT INTO {self.table} (tenant, id, name, description, metadata, created_at, updated_at)"  # noqa: S608
            f" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING RETURNING {columns(self.kind)}",
            new_id, self._name(name), self._description(description), parse_object(metadata), moment(now),
        )  # fmt: skip
        if not rows:
            sql = f"SELECT 1 FROM {self.table} WHERE tenant = ?1 AND id = ?2"  # noqa: S608
            if self._store.run(sql, new_id):
                raise exists(self.word, new_id, "choose another id")
            raise exists(self.word, name, "choose another name")
        return record(self.kind, rows[0])

    def get(self, record_id: str, *, of_user: str | None = None) -> Kind:
        """One of them, or of those that a user is in; raises RecordNotFound."""
        asked = Asked(f"{self.table}.tenant = ?1").that("id = {}", record_id).that(self.reached, of_user)
        sql = f"SELECT {columns(self.kind)} FROM {self.table} WHERE {asked.where}"  # noqa: S608
        rows = self._store.look(sql, *asked.params)
        return only(self.kind, rows, no_record(self.word, record_id))

    def page(self, *, of_user: str | None = None, after: str | None = None, limit: int = 50) -> Page[Kind]:
        """All of them, or those that a user is in, by id; raises RequestInvalid."""
        asked = Asked(f"{self.table}.tenant = ?1").that("id > {}", parse_after(after)).that(self.reached, of_user)
        return asked.page(self._store, self.kind, f"{columns(self.kind)} FROM {self.table}", "id", limit)

    def update(
        self,
        record_id: str,
        *,
        now: int,
        name: Given[str] = UNSET,
        description: Given[str] = UNSET,
        metadata: Given[dict[str, Any]] = UNSET,
    ) -> Kind:
        """Change what is given; raises RequestInvalid, RecordNotFound, and RecordExists for a name that is taken."""
        changes = (
            Changes(record_id, None if name is UNSET else name)
            .to("updated_at", now, moment)
            .to("name", name, self._name)
        )
        changes.to("description", description, self._description).to("metadata", metadata, parse_object)
        rows = self._store.run(
            f"UPDATE {self.table} SET {changes.text} WHERE tenant = ?1 AND id = ?2 AND NOT EXISTS ("  # noqa: S608
            f"SELECT 1 FROM {self.table} AS o WHERE o.tenant = ?1 AND o.name = ?3 AND o.id <> ?2)"
            f" RETURNING {columns(self.kind)}",
            *changes.params,
        )
        if rows:
            return record(self.kind, rows[0])
        self.get(record_id)
        raise exists(self.word, str(name), "choose another name")

    def remove(self, record_id: str) -> None:
        """Remove it; raises RecordNotFound."""
        sql = f"DELETE FROM {self.table} WHERE tenant = ?1 AND id = ?2 RETURNING 1"  # noqa: S608
        if not self._store.run(sql, record_id):
            raise no_record(self.word, record_id)

    def _name(self, value: Any) -> str:
        return parse_name(value, f"the name of a {self.word}")

    def _description(self, value: Any) -> str:
        return parse_text(value, "a description", TEXT_BYTES)
