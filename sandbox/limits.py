"""What one child may use. Resolved by the caller; the sandbox only keeps it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """The bounds of one run; sizes in bytes, times in seconds."""

    execution_seconds: float = 60.0
    memory_bytes: int = 512 * MIB
    stdout_bytes: int = 256 * 1024
    result_bytes: int = 1 * MIB
    spill_bytes: int = 0  # of a result above result_bytes, taken in pieces by the worker's `result.*` calls; 0: none
    piece_bytes: int = 1_000_000  # one of these pieces
    helper_calls: int = 10_000
    code_bytes: int = 256 * 1024
    frame_bytes: int = 20 * MIB  # one frame of the protocol, in either direction

    def within(self, ceiling: SandboxLimits) -> SandboxLimits:
        """These limits, each lowered to the ceiling's where it is above."""
        if self == ceiling or all(getattr(self, name) <= getattr(ceiling, name) for name in _NAMES):
            return self
        return SandboxLimits(**{name: min(getattr(self, name), getattr(ceiling, name)) for name in _NAMES})

    def as_dict(self) -> dict[str, Any]:
        """Name → limit."""
        return {name: getattr(self, name) for name in _NAMES}


_NAMES = tuple(field.name for field in fields(SandboxLimits))
