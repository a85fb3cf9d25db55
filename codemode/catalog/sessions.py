"""The records of sessions: who owns one, when it was used last, when it expires. Their data lives elsewhere.

A record stays 90 days after its session expired, so that its id answers "expired" and never a silently empty session.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, get_args

import msgspec

from codemode.catalog.fields import parse_choice
from codemode.catalog.pages import Asked
from codemode.catalog.participants import Role
from codemode.catalog.promotion import Promotion
from codemode.catalog.store import Store
from codemode.values import KEPT_DAYS, Day
from codemode.values.records import SessionStatus

ALL = 2**62  # records of a page: no bound
REMEMBER_MS = 90 * 86_400_000
ORDINARY = "work"  # the type of a session that nobody gave another one
_FIELDS = "tenant, id, created_at, last_activity, idle_ms, pinned, limits, expired_at, stateful, owner"
_ADDED = "workspace_id, type, closed_at"  # which a catalogue that is `behind` may lack
FIELDS = f"{_FIELDS}, {_ADDED}".split(", ")
_ANEW = (  # what the session that expired was, as far as it is among these
    f", workspace_id = NULL, type = '{ORDINARY}', metadata = '{{}}', updated_at = NULL, closed_at = NULL,"
    " mcp_client_id = NULL, connected_at = NULL"
)
_OF_USER = "id IN (SELECT session_id FROM participants WHERE tenant = ?1 AND user_id = {} AND left_at IS NULL)"


class SessionRecord(msgspec.Struct, frozen=True):
    """One session as the catalogue knows it; times are milliseconds since 1970, UTC."""

    tenant: str
    id: str
    created_at: int
    last_activity: int
    idle_ms: int
    pinned: bool
    limits: dict[str, Any]
    expired_at: int | None
    stateful: bool = False  # whether its variables stay between executions
    owner: str | None = None  # the user of the tenant whose token made it
    workspace_id: str | None = None
    type: str = ORDINARY
    closed_at: int | None = None

    @property
    def expires_at(self) -> int | None:
        """When it expires if nobody uses it; None for a pinned one."""
        return None if self.pinned else self.last_activity + self.idle_ms

    def is_over(self, now: int) -> bool:
        """Whether its time is over at `now`, swept already or not."""
        return self.expired_at is not None or (self.expires_at is not None and self.expires_at <= now)

    @property
    def is_removed(self) -> bool:
        """Whether somebody removes it just now, or was killed while he did: it is over before its time."""
        return self.expired_at is not None and (self.expires_at is None or self.expired_at < self.expires_at)


class Sessions:
    """The `sessions` table of a catalogue, and what the sessions that are gone cost."""

    def __init__(self, catalog: Store) -> None:
        self._catalog = catalog

    @property
    def file(self) -> Store:
        """The catalogue that the table is in."""
        return self._catalog

    @property
    def _fields(self) -> str:
        return _FIELDS if self._catalog.behind else f"{_FIELDS}, {_ADDED}"

    def get(self, tenant: str, session_id: str) -> SessionRecord | None:
        """The record, expired ones included."""
        sql = f"SELECT {self._fields} FROM sessions WHERE tenant = ?1 AND id = ?2"  # noqa: S608
        rows = self._catalog.look(sql, tenant, session_id)
        return _record(rows[0]) if rows else None

    def reached(self, tenant: str, session_id: str, user: str | None) -> tuple[SessionRecord, Role] | None:
        """The record, and as what `user` reaches the session; None for no such session, and where he has no part in it.

        Nobody in particular (no `user`) has the whole tenant, so he is as good as its owner.
        """
        # One way whatever is found: the time that it takes tells nobody whether a session is there.
        sql = f"SELECT {as_what('?3')}, {self._fields} FROM sessions AS s WHERE tenant = ?1 AND id = ?2"  # noqa: S608
        return reached_of(self._catalog.look(sql, tenant, session_id, user))

    def page(
        self,
        tenant: str,
        user: str | None,
        before: tuple[int, str] | None,
        limit: int,
        *,
        now: int = 0,
        workspace_id: str | None = None,
        type: str | None = None,  # noqa: A002
        status: str | None = None,
    ) -> list[SessionRecord]:
        """The records of `tenant`, all or those that `user` takes part in, latest use first, from `before` on.

        All, or those of a workspace, type, status: what is over at `now` is neither active nor closed, and expired as
        soon as it was swept. Raises RequestInvalid for a status that is none.
        """
        asked = narrowed(Asked(), workspace_id=workspace_id, type=type, status=status)
        asked.that(_OF_USER, user).those("(last_activity, id) < ({}, {})", before)
        asked.that("(pinned = 1 OR last_activity + idle_ms > {})", None if status in (None, "expired") else now)
        order = f"ORDER BY last_activity DESC, id DESC LIMIT {asked.bind(limit)}"
        sql = f"SELECT {self._fields} FROM sessions WHERE {asked.where} {order}"  # noqa: S608
        return [_record(row) for row in self._catalog.look(sql, tenant, *asked.params)]

    def ids(self, tenant: str) -> list[str]:
        """The ids of the tenant's sessions that have data."""
        rows = self._catalog.run("SELECT id FROM sessions WHERE tenant = ?1 AND expired_at IS NULL", tenant)
        return [each for (each,) in rows]

    def count(self, tenant: str, now: int) -> int:
        """How many sessions of the tenant there are, without those whose time is over at `now`."""
        [(found,)] = self._catalog.run(
            "SELECT count(*) FROM sessions WHERE tenant = ?1 AND expired_at IS NULL"
            " AND (pinned = 1 OR last_activity + idle_ms > ?2)",
            tenant, now,
        )  # fmt: skip
        return int(found)

    def counts(self, now: int) -> tuple[int, int, int]:
        """How many sessions of all tenants are active, of those pinned, and expired, at `now`.

        All of them are read, a tenth of a second for a million, so it is asked where nobody who writes or looks waits.
        """
        sql = (
            "SELECT count(*), count(CASE WHEN is_over = 1 THEN 1 END),"
            " count(CASE WHEN is_over = 0 AND pinned = 1 THEN 1 END) FROM (SELECT pinned, CASE WHEN"
            " expired_at IS NOT NULL OR (pinned = 0 AND last_activity + idle_ms <= ?1) THEN 1 ELSE 0 END AS is_over"
            " FROM sessions) AS each"
        )
        with self._catalog.snapshot() as look:
            [(known, expired, pinned)] = look(sql, now)
        return known - expired, pinned, expired

    def create(
        self, tenant: str, session_id: str, *, now: int, idle_ms: int, limits: dict[str, Any], owner: str | None = None
    ) -> bool:
        """Record a new session, or one that expired and is made anew; False where it is there."""
        made = self._catalog.run(
            "INSERT INTO sessions (tenant, id, created_at, last_activity, idle_ms, limits, owner)"  # noqa: S608
            " VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (tenant, id) DO UPDATE SET created_at = ?3, last_activity = ?3, idle_ms = ?4, limits = ?5,"
            f" owner = ?6, pinned = 0, stateful = 0, expired_at = NULL{'' if self._catalog.behind else _ANEW}"
            " WHERE sessions.expired_at IS NOT NULL RETURNING 1",
            tenant, session_id, now, idle_ms, json.dumps(limits), owner,
        )  # fmt: skip
        return bool(made)

    def touch(self, tenant: str, session_id: str, now: int) -> None:
        """The session was used at `now`; a clock that was set back never shortens its life."""
        self._catalog.run(
            "UPDATE sessions SET last_activity = ?1"
            " WHERE tenant = ?2 AND id = ?3 AND last_activity < ?1 AND expired_at IS NULL",
            now, tenant, session_id,
        )  # fmt: skip

    def pin(self, tenant: str, session_id: str, pinned: bool, now: int) -> None:
        """Keep the session from expiring, or let it expire again, counted from `now`."""
        self._catalog.run(
            "UPDATE sessions SET pinned = ?1, last_activity = CASE WHEN last_activity < ?2 THEN ?2 ELSE last_activity"
            " END WHERE tenant = ?3 AND id = ?4 AND expired_at IS NULL",
            pinned, now, tenant, session_id,
        )  # fmt: skip

    def set_stateful(self, tenant: str, session_id: str, stateful: bool) -> None:
        """Whether the session's variables stay between executions, from the next one on."""
        self._catalog.run(
            "UPDATE sessions SET stateful = ?1 WHERE tenant = ?2 AND id = ?3", stateful, tenant, session_id
        )

    def set_limits(self, tenant: str, session_id: str, limits: dict[str, Any], idle_ms: int) -> None:
        """What the session itself lowered."""
        self._catalog.run(
            "UPDATE sessions SET limits = ?1, idle_ms = ?2 WHERE tenant = ?3 AND id = ?4",
            json.dumps(limits), idle_ms, tenant, session_id,
        )  # fmt: skip

    def keys(self, tenant: str | None = None) -> list[tuple[str, str]]:
        """Tenant and id of every session that has not expired, of one tenant or of all."""
        sql = (
            "SELECT tenant, id FROM sessions WHERE expired_at IS NULL AND (CAST(?1 AS TEXT) IS NULL OR tenant = ?1)"
            " ORDER BY 1, 2"
        )
        return [(str(row[0]), str(row[1])) for row in self._catalog.run(sql, tenant)]

    def put(self, record: SessionRecord) -> None:
        """Record a session just so, whether or not its id is known; its tenant is made with it."""
        with self._catalog.at_once():
            self._catalog.run(
                "INSERT INTO tenants (id, created_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING",
                record.tenant, record.last_activity,
            )  # fmt: skip
            self._catalog.run(
                f"INSERT INTO sessions ({_FIELDS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"  # noqa: S608
                " ON CONFLICT (tenant, id) DO UPDATE SET created_at = ?3, last_activity = ?4, idle_ms = ?5,"
                " pinned = ?6, limits = ?7, expired_at = ?8, stateful = ?9, owner = ?10",
                record.tenant, record.id, record.created_at, record.last_activity, record.idle_ms, record.pinned,
                json.dumps(record.limits), record.expired_at, record.stateful, record.owner,
            )  # fmt: skip

    def over(self, now: int) -> list[SessionRecord]:
        """Sessions of all tenants whose time is over and that nobody has expired yet."""
        sql = (
            f"SELECT {_FIELDS} FROM sessions WHERE expired_at IS NULL AND pinned = 0 AND last_activity + idle_ms <= ?1"  # noqa: S608
        )
        return [_record(row) for row in self._catalog.run(sql, now)]

    def expired(self, since: int, before: int, most: int) -> list[SessionRecord]:
        """At most so many sessions of all tenants that expired in that time, the first ones first."""
        sql = f"SELECT {_FIELDS} FROM sessions WHERE expired_at >= ?1 AND expired_at < ?2 ORDER BY expired_at LIMIT ?3"  # noqa: S608
        return [_record(row) for row in self._catalog.run(sql, since, before, most)]

    def count_expired(self, before: int) -> int:
        """How many sessions of all tenants expired before that time."""
        [(found,)] = self._catalog.look("SELECT count(*) FROM sessions WHERE expired_at < ?1", before)
        return int(found)

    def note_uses(self, uses: Mapping[tuple[str, str], tuple[int, int]], promotion: Promotion | None) -> None:
        """Add executions to sessions, by tenant and id, note their sizes, and promote those that come so far."""
        with self._catalog.at_once():
            for (tenant, session_id), (executions, size_bytes) in uses.items():
                if promotion is not None:
                    promotion.promote(self._catalog, (tenant, session_id), executions, size_bytes)
                self._catalog.run(
                    "UPDATE sessions SET executions = executions + ?3, bytes = ?4"
                    " WHERE tenant = ?1 AND id = ?2 AND expired_at IS NULL",
                    tenant, session_id, executions, size_bytes,
                )  # fmt: skip

    def expire(self, tenant: str, session_id: str, now: int, days: Iterable[Day] = ()) -> None:
        """Its data is gone; the id answers `session.expired` from here on.

        `days` is what it cost, read from its log before that goes too: kept for the tenant, once.
        """
        with self._catalog.at_once():
            sql = "UPDATE sessions SET expired_at = ?3 WHERE tenant = ?1 AND id = ?2 AND expired_at IS NULL RETURNING 1"
            lived = self._catalog.run(sql, tenant, session_id, now)
            for day in (found := list(days)) if lived else ():
                self._add_day(tenant, day)
            if lived and not self._catalog.behind:
                self._catalog.run(
                    "UPDATE sessions SET bytes = 0, executions = CASE WHEN executions < ?3 THEN ?3 ELSE executions END"
                    " WHERE tenant = ?1 AND id = ?2",
                    tenant, session_id, sum(day.executions for day in found),
                )  # fmt: skip

    def _add_day(self, tenant: str, day: Day) -> None:
        gone = msgspec.structs.replace(day, size_bytes=0)  # its file goes with it
        found = self._catalog.run("SELECT totals FROM usage_by_day WHERE tenant = ?1 AND day = ?2", tenant, day.day)
        if not found:
            self._catalog.run("DELETE FROM usage_by_day WHERE tenant = ?1 AND day <= ?2", tenant, _oldest_day(day.day))
        both = msgspec.json.decode(found[0][0], type=Day).plus(gone) if found else gone
        text = msgspec.json.encode(both).decode()
        self._catalog.run(
            "INSERT INTO usage_by_day (tenant, day, totals) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (tenant, day) DO UPDATE SET totals = ?3",
            tenant, day.day, text,
        )  # fmt: skip

    def days(self, tenant: str) -> list[Day]:
        """What the sessions of `tenant` that are gone cost, by day, oldest first."""
        found = self._catalog.run("SELECT totals FROM usage_by_day WHERE tenant = ?1 ORDER BY day", tenant)
        return [msgspec.json.decode(text, type=Day) for (text,) in found]

    def forget(self, tenant: str, session_id: str, created_at: int) -> None:
        """Remove the record, as if the session had never been, unless it is of one that was made anew meanwhile."""
        self._catalog.run(
            "DELETE FROM sessions WHERE tenant = ?1 AND id = ?2 AND (expired_at IS NOT NULL OR created_at = ?3)",
            tenant, session_id, created_at,
        )  # fmt: skip

    def forget_expired(self, tenant: str, session_id: str, before: int) -> None:
        """Remove the record if its session expired before that time, and was not made anew in between."""
        self._catalog.run(
            "DELETE FROM sessions WHERE tenant = ?1 AND id = ?2 AND expired_at < ?3", tenant, session_id, before
        )


def as_what(user: str) -> str:
    """The role, as an expression of a statement, in which the user that another one says reaches the session `s`."""
    return (
        f"CASE WHEN CAST({user} AS TEXT) IS NULL THEN 'owner' ELSE (SELECT role FROM participants AS p"  # noqa: S608
        f" WHERE p.tenant = s.tenant AND p.session_id = s.id AND p.user_id = {user} AND p.left_at IS NULL) END"
    )


def reached_of(rows: Iterable[Sequence[Any]]) -> tuple[SessionRecord, Role] | None:
    """The record and the role of a row of a role and the fields, if there is one; None where he has no role."""
    for role, *fields in rows:
        if role is not None:
            return _record(fields), role
    return None


def narrowed(asked: Asked, *, workspace_id: str | None, type: str | None, status: str | None) -> Asked:  # noqa: A002
    """Ask for the sessions of a workspace, type and status, each where it is given; raises RequestInvalid."""
    asked.that("status = {}", None if status is None else parse_choice(status, "status", get_args(SessionStatus)))
    # Most sessions are ordinary, and each of their uses would write to the index of types too: it has the others alone.
    of_type = "type = {}" if type == ORDINARY else f"type = {{}} AND type <> '{ORDINARY}'"
    return asked.that("workspace_id = {}", workspace_id).that(of_type, type)


def _oldest_day(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=KEPT_DAYS)).isoformat()


def _record(row: Sequence[Any]) -> SessionRecord:
    tenant, session_id, created, last, idle, pinned, limits, expired, stateful, owner, *added = row
    own = {} if limits == "{}" else json.loads(limits)  # nearly every session's are the worker's
    return SessionRecord(
        tenant, session_id, created, last, idle, bool(pinned), own, expired, bool(stateful), owner, *added
    )
