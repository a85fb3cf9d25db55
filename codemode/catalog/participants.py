"""Who takes part in a session, and as what: its owner, members who work in it, viewers who read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from codemode.catalog.store import Store
from codemode.errors import RequestInvalid, shown

Role = Literal["owner", "member", "viewer"]
ROLES: tuple[Role, ...] = ("owner", "member", "viewer")
_LONGEST = 200
_FIELDS = "user_id, role, joined_at, left_at, metadata"


class Participant(msgspec.Struct, frozen=True):
    """One user of a session; times are milliseconds since 1970, UTC. One who left reaches it no more."""

    user: str
    role: Role
    joined_at: int
    left_at: int | None
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class Participants:
    """The `participants` table of a catalogue, for what knows sessions by tenant and id; see `attendance` too."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    def all(self, tenant: str, session_id: str) -> list[Participant]:
        """Everybody who takes part in the session or did, in the order in which they came."""
        rows = self._catalog.run(
            f"SELECT {_FIELDS} FROM participants WHERE tenant = ?1 AND session_id = ?2"  # noqa: S608
            " ORDER BY joined_at, user_id",
            tenant, session_id,
        )  # fmt: skip
        return [_participant(row) for row in rows]

    def replace(self, tenant: str, session_id: str, by: Iterable[Participant]) -> None:
        """Have just these take part in a session that there is; a user who was deleted since has left it then."""
        left = "?6"
        if not self._catalog.behind:
            left = "coalesce(?6, (SELECT deleted_at FROM users WHERE tenant = ?1 AND id = ?3))"
        with self._catalog.at_once():
            self._catalog.run("DELETE FROM participants WHERE tenant = ?1 AND session_id = ?2", tenant, session_id)
            for each in by:
                self._catalog.run(
                    f"INSERT INTO participants (tenant, session_id, {_FIELDS})"  # noqa: S608
                    f" VALUES (?1, ?2, ?3, ?4, ?5, {left}, ?7)",
                    tenant, session_id, each.user, each.role, each.joined_at, each.left_at, json.dumps(each.metadata),
                )  # fmt: skip

    def remove(self, tenant: str, session_id: str, user: str, now: int) -> bool:
        """He takes part no more; whether he did."""
        sql = (
            "UPDATE participants SET left_at = ?1"
            " WHERE tenant = ?2 AND session_id = ?3 AND user_id = ?4 AND left_at IS NULL RETURNING 1"
        )
        return bool(self._catalog.run(sql, now, tenant, session_id, user))


def _participant(row: tuple[Any, ...]) -> Participant:
    user, role, joined_at, left_at, metadata = row
    return Participant(user, role, joined_at, left_at, json.loads(metadata))


def parse_user(text: Any) -> str:
    """`text` where it can name a user or agent; raises RequestInvalid otherwise.

    Names are compared as they are, and shown in terminals and logs: so no control characters, and no blanks around.
    """
    if isinstance(text, str) and 0 < len(text) <= _LONGEST and text.isprintable() and text == text.strip():
        return text
    raise RequestInvalid(
        f"{shown(text)} cannot name a user",
        hint=f"1 to {_LONGEST} printable characters, without blanks around them",
    )
