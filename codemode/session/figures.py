"""What a worker, or a tenant in it, holds and has cost: the figures that are answered, and those that are scraped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from codemode.catalog.sessions import ALL, SessionRecord
from codemode.database.clock import iso, sure_ms
from codemode.session.files import SessionFiles
from codemode.session.registry import Registry
from codemode.settings import Settings
from codemode.values import Holdings, SessionInfo, Stats, Totals
from sandbox import Sandbox


def described(data_dir: Path, record: SessionRecord) -> SessionInfo:
    """One session as it is told of."""
    over = record.is_over(sure_ms())
    return SessionInfo(
        id=record.id,
        tenant=record.tenant,
        created_at=iso(record.created_at),
        last_activity=iso(record.last_activity),
        expires_at=None if record.expires_at is None else iso(record.expires_at),
        pinned=record.pinned,
        state="expired" if over else "active",
        status="expired" if over else "active" if record.closed_at is None else "closed",
        type=record.type,
        workspace_id=record.workspace_id,
        size_bytes=SessionFiles.of(data_dir, record.tenant, record.id).size_bytes(),
        stateful=record.stateful,
        owner=record.owner,
    )


class Figures:
    """Of one worker, by its registry. What each of them says stands at the worker's method of that name."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry, self._settings = registry, settings
        self._data_dir = registry.storage.data_dir

    def metrics(self, tenant: str) -> dict[str, Any]:
        """What one tenant has here now, and what ran in this worker since it started."""
        from codemode.session.schedule import standing

        found = self._sessions(tenant, None)
        return {
            "data_dir": str(self._data_dir),
            **_counted(found),
            "free_bytes": _free_bytes(self._data_dir),
            **standing(self._data_dir, self._settings.backup),
            "usage": msgspec.to_builtins(self._registry.account.totals),
        }

    def stats(self, tenant: str, user: str | None) -> Stats:
        """What a tenant's sessions, or a user's, hold and have cost."""
        usage = Totals()
        for day in self._registry.usage_by_day(tenant, user):
            usage = usage.plus(day)
        return Stats(**_counted(self._sessions(tenant, user)), usage=usage)

    def holdings(self, sandbox: Sandbox | None) -> Holdings:
        """What all tenants have here now."""
        from codemode.session.schedule import last_scheduled, standing

        active, pinned, expired = self._registry.catalog.counts(sure_ms())
        return Holdings(
            sessions={"active": active, "pinned": pinned, "expired": expired},
            open=len(self._registry.slots),
            children={"ready": 0, "busy": 0, "kept": 0} if sandbox is None else sandbox.children,
            layers={} if sandbox is None else {layer.name: layer.active for layer in sandbox.layers},
            free_bytes=_free_bytes(self._data_dir),
            last_backup=(last_scheduled(self._data_dir, self._settings.backup) or 0) / 1000,
            backup_failing=bool(standing(self._data_dir, self._settings.backup).get("backup_error")),
        )

    def _sessions(self, tenant: str, user: str | None) -> list[SessionInfo]:
        return [described(self._data_dir, record) for record in self._registry.catalog.page(tenant, user, None, ALL)]


def _counted(found: list[SessionInfo]) -> dict[str, int]:
    active = [info for info in found if info.state == "active"]
    return {
        "sessions": len(active),
        "pinned": sum(info.pinned for info in active),
        "expired": len(found) - len(active),
        "size_bytes": sum(info.size_bytes for info in found),
    }


def _free_bytes(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
