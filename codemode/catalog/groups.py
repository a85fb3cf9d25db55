"""Groups: users of a tenant who belong together."""

from __future__ import annotations

from codemode.catalog.found import check_not_deleted, no_record
from codemode.catalog.named import NamedRecords
from codemode.catalog.pages import Asked, Page, parse_after
from codemode.catalog.rows import columns, record
from codemode.moments import moment
from codemode.values.records import Group, GroupMember


class Groups(NamedRecords[Group]):
    """The groups of a tenant, and who is in them."""

    table, word, prefix, kind = "groups", "group", "g_", Group
    reached = (
        "EXISTS (SELECT 1 FROM group_members AS m WHERE m.tenant = ?1 AND m.group_id = groups.id AND m.user_id = {})"
    )

    def add(self, group_id: str, user_id: str, *, now: int) -> GroupMember:
        """Have a user in a group, who may be in it already; raises RecordNotFound where either is not there."""
        rows = self._store.run(
            "INSERT INTO group_members (tenant, group_id, user_id, joined_at)"  # noqa: S608
            " SELECT g.tenant, g.id, u.id, ?4 FROM groups AS g JOIN users AS u ON u.tenant = g.tenant"
            " WHERE g.tenant = ?1 AND g.id = ?2 AND u.id = ?3 AND u.deleted_at IS NULL"
            " ON CONFLICT (tenant, group_id, user_id) DO UPDATE SET joined_at = group_members.joined_at"
            f" RETURNING {columns(GroupMember)}",
            group_id, user_id, moment(now),
        )  # fmt: skip
        if not rows:
            self.get(group_id)
            check_not_deleted(self._store, user_id)
            raise no_record("user", user_id)
        return record(GroupMember, rows[0])

    def members(self, group_id: str, *, after: str | None = None, limit: int = 50) -> Page[GroupMember]:
        """Who is in a group, by id."""
        asked = Asked().that("group_id = {}", group_id)
        return self._members(asked, "user_id", after, limit)

    def of_user(self, user_id: str, *, after: str | None = None, limit: int = 50) -> Page[GroupMember]:
        """Which groups a user is in, by id."""
        return self._members(Asked().that("user_id = {}", user_id), "group_id", after, limit)

    def _members(self, asked: Asked, order: str, after: str | None, limit: int) -> Page[GroupMember]:
        asked.that(f"{order} > {{}}", parse_after(after))
        return asked.page(
            self._store, GroupMember, f"{columns(GroupMember)} FROM group_members", order, limit, key=(order,)
        )

    def remove_member(self, group_id: str, user_id: str) -> None:
        """Have the user in it no more; raises RecordNotFound where he is not."""
        sql = "DELETE FROM group_members WHERE tenant = ?1 AND group_id = ?2 AND user_id = ?3 RETURNING 1"
        if not self._store.run(sql, group_id, user_id):
            raise no_record("member", user_id)
