"""Runs untrusted Python, each snippet in a confined process of its own; knows nothing of who asks or what is served."""

from __future__ import annotations

from sandbox.errors import HelperFailed, ProtocolViolation, SandboxError, SandboxUnavailable

TYPE_CHECKING = False  # `typing` too is loaded beside the sandbox's interpreter, and not before it is started
if TYPE_CHECKING:
    from typing import Any

    from sandbox.limits import SandboxLimits
    from sandbox.pool import Begun, Cancel, LayerReport, RunOutcome, Sandbox, Serve, Snippet

__all__ = [
    "Begun",
    "Cancel",
    "HelperFailed",
    "LayerReport",
    "ProtocolViolation",
    "RunOutcome",
    "Sandbox",
    "SandboxError",
    "SandboxLimits",
    "SandboxUnavailable",
    "Serve",
    "Snippet",
]

_PARENT_HALF = {"Begun", "Cancel", "LayerReport", "RunOutcome", "Sandbox", "Serve", "Snippet"}


def __getattr__(name: str) -> Any:
    # On demand: children import this package too, and have no use for what starts processes and holds sockets.
    if name == "SandboxLimits":
        from sandbox.limits import SandboxLimits

        return SandboxLimits
    if name not in _PARENT_HALF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sandbox import pool

    return getattr(pool, name)
