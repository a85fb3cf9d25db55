"""Workspaces: where sessions of a tenant belong together. Sessions of one that is removed belong to none."""

from __future__ import annotations

from codemode.catalog.named import NamedRecords
from codemode.values.records import Workspace


class Workspaces(NamedRecords[Workspace]):
    """The workspaces of a tenant."""

    table, word, prefix, kind = "workspaces", "workspace", "w_", Workspace
    reached = (
        "EXISTS (SELECT 1 FROM sessions AS s JOIN participants AS p ON p.tenant = s.tenant AND p.session_id = s.id"
        " WHERE s.tenant = ?1 AND s.workspace_id = workspaces.id AND p.user_id = {} AND p.left_at IS NULL)"
    )
