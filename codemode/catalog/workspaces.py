"""Workspaces: where sessions of a tenant belong together. Sessions of one that is removed belong to none."""

from __future__ import annotations

from codemode.catalog.named import NamedRecords
from codemode.values.records import Workspace


class Workspaces(NamedRecords[Workspace]):
    """The workspaces of a tenant."""

    table, word, prefix, kind = "workspaces", "workspace", "w_", Workspace
