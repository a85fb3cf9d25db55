"""What goes into a run and what comes out of it: named tuples of the parent half."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Literal, NamedTuple

from sandbox.form import Form
from sandbox.limits import SandboxLimits

Status = Literal["completed", "error", "timeout", "cancelled", "rejected"]
Serve = Callable[[str, list[Any]], Any]
"""Answers one helper call, given its method and arguments; raises HelperFailed. The arguments are hostile."""


class Snippet(NamedTuple):
    """One source text with what the host gives it."""

    code: str
    inputs: str = "{}"  # JSON text of an object: name -> value
    functions: tuple[str, ...] = ()  # names callable as helpers.host.NAME
    limits: SandboxLimits = SandboxLimits()
    form: Form = Form()  # of rows that are answered
    owner: Hashable = None  # who may get what a child compiled of it, with the same text; None: nobody


class RunOutcome(NamedTuple):
    """How one run ended. Value, error and warnings are the child's own words: checked for type and size, not for truth.

    `cpu_seconds` and `peak_memory_bytes` are the kernel's figures for the child; `duration_seconds` counts from the
    moment that the child had its code.
    """

    status: Status
    value_json: str | None = None
    value_info: Mapping[str, Any] = {}
    stdout: str = ""
    stdout_truncated: bool = False
    error: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    helper_calls: int = 0
    streamed_calls: int = 0  # of them: chunks of batches and pages, which the limit on calls does not bound
    duration_seconds: float = 0.0
    variables: Literal["kept", "fresh"] | None = None  # whether those of the run before were there; None: not asked for
    variables_reason: str | None = None  # why they are fresh


class Cancel:
    """Ends a run from any thread: kills its child, or keeps it from starting. Once cancelled, cancelled for good."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = self._over = False
        self._end: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> bool:
        """End the run, or the next that is given this object; whether one ends by it: not the one that is over."""
        # The kill happens under the lock, so that `release` cannot return while it is under way: after it the child's
        # descriptor may be closed and its number belong to somebody else.
        with self._lock:
            self._cancelled = True
            if self._end is not None:
                self._end()
            return not self._over

    def attach(self, end: Callable[[], None]) -> None:
        """The running side: call `end` on cancel, at once when that has happened already."""
        with self._lock:
            self._end, self._over = end, False
            if self._cancelled:
                end()

    def release(self) -> bool:
        """The running side: the run is over, a later cancel does nothing to it; whether there was one before."""
        with self._lock:
            self._end, self._over = None, True
            return self._cancelled
