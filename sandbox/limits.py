"""What one child may use. Resolved by the caller; the sandbox only keeps it."""

from __future__ import annotations

from typing import NamedTuple

CODE_BYTES = 65_536  # of compiled code that a child hands over; longer code is compiled each time
MIB = 1024 * 1024


class SandboxLimits(NamedTuple):
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
        return self if self == ceiling else SandboxLimits._make(map(min, self, ceiling))
