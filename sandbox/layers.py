"""What is known of the layers of confinement, in the worker too, which takes none of them itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class LayerReport(NamedTuple):
    """One layer of confinement: whether it is there, whether untrusted code needs it, and the reason or the detail."""

    name: str
    active: bool
    required: bool
    why: str


REQUIRED = frozenset({"rlimits", "no_new_privs", "capabilities", "not_dumpable", "dies_with_parent", "seccomp"})
OPTIONAL = frozenset({"namespaces", "empty_root", "uid", "landlock"})


def missing(reports: Collection[LayerReport]) -> list[LayerReport]:
    """The required layers that are not there."""
    return [report for report in reports if report.required and not report.active]
