"""The sandbox that a worker's settings ask for.

A process that is about to run a snippet begins it before it loads everything else: the sandbox's own interpreter takes
as long to start as the worker to be imported.
"""

from __future__ import annotations

from codemode.limits import Limits
from codemode.settings import Settings
from sandbox import Sandbox, SandboxLimits

SPILL_BYTES = 64 * 1024 * 1024  # of a value that the child hands over
PIECE_BYTES = 1_000_000  # of one piece of it, in a frame and in the table
_FRAME_BYTES = SandboxLimits().frame_bytes


def begun(settings: Settings, limits: Limits | None = None, *, once: bool = False) -> Sandbox:
    """The sandbox, starting; whoever needs it waits for it with `Sandbox.wait`, and closes it.

    `once` says that it is for one execution.
    """
    return Sandbox(
        sandbox_limits(limits or settings.limits),
        children=1 if once else settings.children,
        burst_children=settings.burst_children,
        isolation=settings.isolation,
        kept_children=settings.kept_children,
        kept_seconds=settings.kept_seconds,
        wait=False,
        once=once,
    )


def sandbox_limits(limits: Limits, seconds: float | None = None, result_bytes: int | None = None) -> SandboxLimits:
    """What the sandbox keeps of a session's limits; a frame must be able to carry the largest answer.

    `seconds` and `result_bytes` are what one execution asked for instead of the limits of these names.
    """
    return SandboxLimits(
        execution_seconds=limits.execution_seconds if seconds is None else seconds,
        memory_bytes=limits.memory_bytes,
        stdout_bytes=limits.stdout_bytes,
        result_bytes=limits.result_bytes if result_bytes is None else result_bytes,
        helper_calls=limits.helper_calls,
        code_bytes=limits.code_bytes,
        spill_bytes=SPILL_BYTES,
        piece_bytes=max(1, min(PIECE_BYTES, limits.value_bytes * 9 // 10)),
        frame_bytes=frame_bytes(limits),
    )


def frame_bytes(limits: Limits) -> int:
    """What one frame of a session of these limits carries, its largest answer at least."""
    return max(_FRAME_BYTES, limits.result_set_bytes * 5 // 4)
