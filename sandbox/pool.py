"""The sandbox as its owner sees it: children kept ready, of which each run takes one."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Hashable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sandbox import ending
from sandbox.begun import Begun
from sandbox.captured import Captured
from sandbox.children import Children
from sandbox.codes import UNKNOWN, Codes, Known
from sandbox.conversation import Conversation
from sandbox.errors import SandboxUnavailable
from sandbox.holding import Holding, loss
from sandbox.kept import Child
from sandbox.layers import OPTIONAL, LayerReport, missing
from sandbox.limits import SandboxLimits
from sandbox.link import Link, ZygoteSettings
from sandbox.outcome import Cancel, RunOutcome, Serve, Snippet
from sandbox.request import request_frame, too_large
from sandbox.running import Running

__all__ = ["Begun", "Cancel", "LayerReport", "RunOutcome", "Sandbox", "Serve", "Snippet"]

_AT_ONCE_CHARACTERS = 16_384  # of code and inputs, of at most 4 bytes each: with what is known, the kernel has room
_BROKEN_OFF = "the last execution was broken off"
_LOUD = 'isolation is "none": this code ran without confinement by the operating system'


class Sandbox:
    """Runs snippets, each in a confined process of its own. Any thread may call `run`, many at once.

    `children` are kept ready, and up to `burst_children` for a minute after a run found none. `isolation` is
    "required" (raises SandboxUnavailable where the host lacks a required layer) or "none" (memory, CPU and process
    limits only; every outcome carries a warning). `without` leaves out optional layers, for tests and diagnosis.
    `limits` are the most that any run gets. At most `kept_children` wait with their variables for another run, at
    most `kept_seconds` long. With `wait` False it is still starting when it is there, and `wait()` says how that ended.
    `once` says that it is for a single run: it starts the sooner, and more runs take more memory.
    """

    def __init__(
        self,
        limits: SandboxLimits | None = None,
        *,
        children: int = 2,
        burst_children: int = 10,
        isolation: Literal["required", "none"] = "required",
        without: Iterable[str] = (),
        kept_children: int = 8,
        kept_seconds: float = 600.0,
        wait: bool = True,
        once: bool = False,
        _entry: Path | None = None,
    ) -> None:
        if isolation not in ("required", "none"):
            raise ValueError(f'isolation is "required" or "none", not {isolation!r}')
        left_out = tuple(without)
        if not OPTIONAL.issuperset(left_out):
            raise ValueError(f"only {', '.join(sorted(OPTIONAL))} can be left out")
        self._limits = limits or SandboxLimits()
        self._enforced = isolation == "required"
        settings = ZygoteSettings(
            limits=self._limits,
            enforced=self._enforced,
            without=left_out,
            once=once,
            entry=str(_entry) if _entry else None,
        )
        # What outlives this object must not refer to it, or it would never be collected and its processes never end.
        self._codes = Codes()
        self._layers = _Layers(self._enforced, self._codes)
        self._children = Children(settings, max(1, children), burst_children, self._layers.accept)
        self._running = Running(self._children)
        self._holding = Holding(kept_children, kept_seconds)
        self._finalizer = weakref.finalize(self, _close, self._children, self._running, self._holding)
        self._children.begin()
        if wait:
            self.wait()

    def wait(self) -> None:
        """Return when snippets can run; raises SandboxUnavailable, and is closed then."""
        try:
            self._children.wait()
        except BaseException:
            self.close()
            raise

    def check(self) -> None:
        """Raise SandboxUnavailable as long as its zygote is lost, or could not be started again; it stays open."""
        self._children.wait()

    @property
    def layers(self) -> tuple[LayerReport, ...]:
        """Every layer of confinement, measured in a child."""
        return self._layers.reports

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the active layers."""
        return self._layers.active

    @property
    def children(self) -> dict[str, int]:
        """How many children are `ready`, `busy` with a run, and `kept` with the variables of a key."""
        return {"ready": len(self._children), "busy": len(self._running), "kept": len(self._holding)}

    def close(self) -> None:
        """End every process of this sandbox; runs under way are cancelled. Idempotent."""
        self._finalizer()

    def begin(self, snippet: Snippet) -> Begun | None:
        """Hand a ready child the snippet to compile, while its caller waits for what must come before it may run.

        For a `run` without `keep` of the very same snippet. Never waits, so an event loop may call it: None where no
        child is ready, where the snippet may not fit into the socket at once, and where `run` will refuse it anyway.
        """
        if len(snippet.code) + len(snippet.inputs) > _AT_ONCE_CHARACTERS or not len(self._children):
            return None
        limits = snippet.limits.within(self._limits)
        known = self._codes.look_up(snippet)
        frame = request_frame(snippet, limits, waits=True, known=known)
        return self._running.begin(snippet, known, frame) if too_large(snippet, frame, limits) is None else None

    def run(
        self,
        snippet: Snippet,
        serve: Serve,
        *,
        begun: Begun | None = None,
        on_output: Callable[[str], None] | None = None,
        cancel: Cancel | None = None,
        meanwhile: Callable[[], None] | None = None,
        on_start: Callable[[], None] | None = None,
        keep: Hashable | None = None,
    ) -> RunOutcome:
        """Run one snippet; its helper calls are answered by `serve` in this thread.

        `begun` is what `begin` answered for this snippet. `meanwhile` is called when a child was sent the snippet,
        before anything that it says is read: what can be made ready then takes no time of its own. `on_start` is called
        when its clock is about to start. With `keep` the snippet finds the variables that the last one of that key
        left, and the child is kept; its caller runs one at a time.

        Raises SandboxUnavailable when no child can be had, and whatever `serve` (but HelperFailed), `on_output`,
        `meanwhile` or `on_start` raises; the child is dead in every such case.
        """
        if cancel is not None and cancel.cancelled:
            return self._loud(RunOutcome(status="cancelled", error=ending.cancelled()))
        limits = snippet.limits.within(self._limits)
        try:
            child, fresh, known = self._child(snippet, limits, begun, keep, meanwhile or _nothing)
        except _Refused as refused:
            return self._loud(_settled(RunOutcome(status="rejected", error=refused.problem), cancel))
        try:
            learn = partial(self._codes.learn, known.place) if known.wanted else None
            conversation = Conversation(child, limits, serve, keep=keep is not None, learn=learn)
            outcome = self._held(child, conversation, Captured(limits.stdout_bytes, on_output), cancel, on_start)
        except BaseException:
            self._broken_off(child, keep)
            raise
        if keep is not None:
            return self._loud(self._kept(keep, child, outcome, fresh))
        self._running.spend(child, outcome)
        return self._loud(outcome)

    def forget(self, whose: Callable[[Any], bool]) -> None:
        """End the kept children of these keys, if any wait, and let go of the code of these owners."""
        self._holding.forget(whose)
        self._codes.forget(whose)

    def _child(
        self,
        snippet: Snippet,
        limits: SandboxLimits,
        begun: Begun | None,
        keep: Hashable | None,
        meanwhile: Callable[[], None],
    ) -> tuple[Child, str | None, Known]:
        """A child that has the snippet, with the variables of `keep`; or a new one, and why it is new."""
        if begun is not None and keep is None:
            child = self._running.release(begun, snippet, meanwhile)
            if child is not None:
                return child, None, begun.known
        known = self._codes.look_up(snippet) if keep is None else UNKNOWN  # one that is kept compiles for its variables
        number = 0 if keep is None else int.from_bytes(os.urandom(6))
        frame = request_frame(snippet, limits, keep=keep is not None, number=number, known=known)
        problem = too_large(snippet, frame, limits)
        if problem is not None:
            raise _Refused(problem)
        if keep is None:
            return self._running.start(frame, meanwhile), None, known
        child, why = self._holding.take(keep)
        reason = why or _BROKEN_OFF
        try:
            if child is not None:
                lost = self._running.resume(child, frame, number, meanwhile)
                if lost is None:
                    return child, None, known
                reason = lost
            return self._running.start(frame, meanwhile), reason, known
        except BaseException:
            self._holding.lost(keep, reason)
            raise

    def _held(
        self,
        child: Child,
        conversation: Conversation,
        output: Captured,
        cancel: Cancel | None,
        on_start: Callable[[], None] | None,
    ) -> RunOutcome:
        """Serve the child, which has its snippet, to its end; `cancel` can end it meanwhile, and not afterwards."""
        try:
            if cancel is not None:
                cancel.attach(lambda: child.end("cancelled"))
            if on_start is not None:
                on_start()
            return _settled(conversation.hold(output, self._children.status), cancel)
        finally:
            if cancel is not None:
                cancel.release()  # from here on the child may be another run's

    def _broken_off(self, child: Child, keep: Hashable | None) -> None:
        self._running.drop(child)
        if keep is not None:
            self._holding.lost(keep, _BROKEN_OFF)

    def _kept(self, key: Hashable, child: Child, outcome: RunOutcome, fresh: str | None) -> RunOutcome:
        """Keep the child if it waits for more; the outcome says what was found, and warns when all is lost."""
        lost = loss(child, outcome)
        if lost is None:
            self._running.let_go(child)
            lost = self._holding.give(key, child)
        else:
            self._running.drop(child)
            self._holding.lost(key, lost)
        warnings = outcome.warnings if lost is None else (*outcome.warnings, f"the variables are gone: {lost}")
        found: Literal["kept", "fresh"] = "kept" if fresh is None else "fresh"
        return outcome._replace(warnings=warnings, variables=found, variables_reason=fresh)

    def _loud(self, outcome: RunOutcome) -> RunOutcome:
        if self._enforced:
            return outcome
        return outcome._replace(warnings=(*outcome.warnings, _LOUD))


class _Refused(Exception):
    """The snippet is too large to be run; `problem` is the error to answer with."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem)
        self.problem = problem


class _Layers:
    """The reports of the zygote that is running now."""

    def __init__(self, enforced: bool, codes: Codes) -> None:
        self._enforced, self._codes = enforced, codes
        self.reports: tuple[LayerReport, ...] = ()
        self.active: tuple[str, ...] = ()  # their names: every outcome has them

    def accept(self, link: Link) -> None:
        """Keep a new zygote's reports. Raises SandboxUnavailable where untrusted code may not run."""
        self._codes.clear()  # it may have loaded another compiler than the one before
        self.reports = link.layers
        self.active = tuple(layer.name for layer in link.layers if layer.active)
        lacking = missing(link.layers)
        if lacking and self._enforced:
            reasons = "; ".join(f"{layer.name}: {layer.why}" for layer in lacking)
            raise SandboxUnavailable(f"this host lacks a required layer of confinement ({reasons})")


def _settled(outcome: RunOutcome, cancel: Cancel | None) -> RunOutcome:
    """The outcome that no cancel changes any more. Whoever cancelled before was told that it ends the run, and it does:
    also where the snippet's last word was on its way already.
    """
    if cancel is None or not cancel.release() or outcome.status == "cancelled":
        return outcome
    return outcome._replace(status="cancelled", error=ending.cancelled(), value_json=None, value_info={}, warnings=())


def _nothing() -> None:
    """What there is to do meanwhile for who has nothing to do."""


def _close(children: Children, running: Running, holding: Holding) -> None:
    running.close()
    holding.close()
    children.close()
