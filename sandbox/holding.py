"""The kept children: each waits with its variables for the next snippet of the one key that it belongs to.

They are as hostile as any, and nobody waits for them: a thread looks at them once a second. One that has ended, has
sent a frame or used the processor since its last answer, or waits too long, is ended. There are at most `most`;
the one used the longest time ago makes room. Why a child is gone is told to the next run of its key.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from sandbox.kept import Child
from sandbox.outcome import RunOutcome

LOOK_SECONDS = 1.0
IDLE_CPU_SECONDS = 0.25  # an honest child uses next to none while it waits
_REASONS_KEPT = 1_000
ENDED = "its process had ended"
OUT_OF_TURN = "its process spoke out of turn, and was ended"
NEVER = "nothing has run in it since the worker was started"


@dataclass(frozen=True, slots=True)
class _Waiting:
    child: Child
    since: float
    spent_ns: int | None


class Holding:
    """Children by key; any thread may use it. A key's child is taken by one run at a time."""

    def __init__(self, most: int, idle_seconds: float) -> None:
        self._most, self._idle_seconds = most, idle_seconds
        self._waiting: OrderedDict[Hashable, _Waiting] = OrderedDict()
        self._reasons: OrderedDict[Hashable, str] = OrderedDict()
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None
        self._closed = False
        self._owner = os.getpid()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, key: Hashable) -> tuple[Child | None, str]:
        """The child of `key`, for the caller alone; or None, and why there is none."""
        with self._changed:
            waiting = self._waiting.pop(key, None)
            if waiting is None:
                return None, self._reasons.pop(key, NEVER)
        why = self._fault(waiting)
        if why is None:
            return waiting.child, ""
        waiting.child.close("violation")
        return None, why

    def give(self, key: Hashable, child: Child) -> str | None:
        """Keep the child for the next run of `key`; or close it, and say why."""
        waiting = _Waiting(child, time.monotonic(), child.spent_ns())
        why = self._fault(waiting)
        if self._most < 1:
            why = "this worker keeps no variables (kept_children is 0)"
        if why is not None:
            child.close("violation")
            self.lost(key, why)
            return why
        with self._changed:
            if self._closed:
                child.close("closed")
                return None
            over = [self._waiting.pop(key)] if key in self._waiting else []  # of a caller that runs two at once
            self._waiting[key] = waiting
            while len(self._waiting) > self._most:
                gone, oldest = self._waiting.popitem(last=False)
                self._remember(gone, f"they made room: this worker keeps those of {self._most} sessions")
                over.append(oldest)
            self._watch()
        for each in over:
            each.child.close()
        return None

    def lost(self, key: Hashable, why: str) -> None:
        """The child of `key` is gone; the reason is kept for its next run."""
        with self._changed:
            self._remember(key, why)

    def forget(self, whose: Callable[[Any], bool]) -> None:
        """End the children of these keys, if any wait."""
        with self._changed:
            ended = [self._waiting.pop(key) for key in list(self._waiting) if whose(key)]
        for waiting in ended:
            waiting.child.close()

    def close(self) -> None:
        """End all of them; idempotent."""
        if os.getpid() != self._owner:
            return  # forked from the owner: the processes are not ours to end
        with self._changed:
            self._closed = True
            waiting = list(self._waiting.values())
            self._waiting.clear()
            self._changed.notify_all()
        for each in waiting:
            each.child.close("closed")

    def _remember(self, key: Hashable, why: str) -> None:
        self._reasons[key] = why
        self._reasons.move_to_end(key)
        if len(self._reasons) > _REASONS_KEPT:
            self._reasons.popitem(last=False)

    def _fault(self, waiting: _Waiting) -> str | None:
        """What speaks against keeping a child that waits."""
        child = waiting.child
        if time.monotonic() - waiting.since > self._idle_seconds:
            return f"it was not used for {self._idle_seconds:g} s"
        if not child.alive():
            return ENDED
        if not child.is_quiet():
            return OUT_OF_TURN
        spent = child.spent_ns()
        if spent is not None and waiting.spent_ns is not None and spent - waiting.spent_ns > IDLE_CPU_SECONDS * 1e9:
            return "its process went on computing after its snippet had ended, and was ended"
        return None

    def _watch(self) -> None:
        if self._watcher is None:
            watcher = threading.Thread(target=self._look, name="sandbox-watcher", daemon=True)
            watcher.start()  # before it counts as there: where none can be had now, the next one may
            self._watcher = watcher
        elif len(self._waiting) == 1:
            self._changed.notify_all()

    def _look(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._waiting)
                self._changed.wait_for(lambda: self._closed, LOOK_SECONDS)
                if self._closed:
                    return
                # Under the lock: whoever takes one of these has it for good, and it may speak then.
                faults = {key: why for key, waiting in self._waiting.items() if (why := self._fault(waiting))}
                ended = [self._waiting.pop(key) for key in faults]
                for key, why in faults.items():
                    self._remember(key, why)
            for waiting in ended:
                waiting.child.close("violation")


def loss(child: Child, outcome: RunOutcome) -> str | None:
    """Why a child cannot be kept after its run."""
    if outcome.status == "timeout":
        return "the last execution took too long"
    if outcome.status == "cancelled":
        return "the last execution was cancelled"
    if outcome.error is not None and outcome.error["code"] == "code.memory":
        return "the last execution needed more memory than it may use"
    if child.ended is not None or not child.alive():
        return "the process of the last execution was lost"
    return None
