"""The sandbox as its owner sees it: ready children, one taken for each run, replaced at once."""

from __future__ import annotations

import dataclasses
import secrets
import time
import weakref
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from sandbox import ending
from sandbox.begun import LEAVE, Begun
from sandbox.captured import Captured
from sandbox.children import TAKE_SECONDS, Children
from sandbox.confine import OPTIONAL, LayerReport, missing
from sandbox.conversation import Conversation
from sandbox.errors import ProtocolViolation, SandboxUnavailable
from sandbox.holding import ENDED, OUT_OF_TURN, Holding
from sandbox.kept import Child, DeadlinePassed
from sandbox.limits import MIB, SandboxLimits
from sandbox.link import Link, ZygoteSettings
from sandbox.outcome import Cancel, RunOutcome, Serve, Snippet
from sandbox.protocol import encoded

__all__ = ["Begun", "Cancel", "LayerReport", "RunOutcome", "Sandbox", "Serve", "Snippet"]

RESUME_SECONDS = 5.0  # how long a kept child may take to read its next snippet
_MUCH_BYTES = 64 * MIB
_AT_ONCE_CHARACTERS = 16_384  # of code and inputs, of at most 4 bytes each: the kernel keeps three times as many
_ATTEMPTS = 3  # children that die before they are ready, until a run gives up
_LOUD = 'isolation is "none": this code ran without confinement by the operating system'


class Sandbox:
    """Runs snippets, each in a confined process of its own. Any thread may call `run`, many at once.

    `children` are kept ready, and up to `burst_children` for a minute after a run found none. `isolation` is
    "required" (raises SandboxUnavailable where the host lacks a required layer) or "none" (memory, CPU and process
    limits only; every outcome carries a warning). `without` leaves out optional layers, for tests and diagnosis.
    `limits` are the most that any run gets. At most `kept_children` wait with their variables for another run, at
    most `kept_seconds` long. With `wait` False it is still starting when it is there, and `wait()` says how that ended.
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
            entry=str(_entry) if _entry else None,
        )
        # What outlives this object must not refer to it, or it would never be collected and its processes never end.
        self._layers = _Layers(self._enforced)
        self._children = Children(settings, max(1, children), burst_children, self._layers.accept)
        self._running: set[Child] = set()
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

    @property
    def layers(self) -> tuple[LayerReport, ...]:
        """Every layer of confinement, measured in a child."""
        return self._layers.reports

    @property
    def isolation(self) -> tuple[str, ...]:
        """The names of the active layers."""
        return tuple(layer.name for layer in self.layers if layer.active)

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
        if len(snippet.code) + len(snippet.inputs) > _AT_ONCE_CHARACTERS:
            return None
        limits = snippet.limits.within(self._limits)
        request = _request(snippet, limits, keep=False, number=0, waits=True)
        if _too_large(snippet, request, limits) is not None:
            return None
        child = self._children.take_one_ready()
        if child is None:
            return None
        self._running.add(child)
        child.set_deadline(time.monotonic() + TAKE_SECONDS)
        with suppress(DeadlinePassed):
            if child.send(request):
                return Begun(snippet, child, self._drop)
        self._drop(child)
        return None

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
        limits = snippet.limits.within(self._limits)
        if cancel is not None and cancel.cancelled:
            return self._loud(RunOutcome(status="cancelled", error=ending.cancelled()))
        child = self._released(begun, snippet, meanwhile or _nothing) if keep is None else None
        fresh = None
        if child is None:
            number = 0 if keep is None else secrets.randbits(48)
            request = _request(snippet, limits, keep=keep is not None, number=number)
            refusal = _too_large(snippet, request, limits)
            if refusal is not None:
                return self._loud(RunOutcome(status="rejected", error=refusal))
            child, fresh = self._child(keep, request, number, meanwhile or _nothing)
        over = False
        try:
            if cancel is not None:
                cancel.attach(lambda: child.end("cancelled"))
            output = Captured(limits.stdout_bytes, on_output)
            if on_start is not None:
                on_start()
            outcome = Conversation(child, limits, serve, keep=keep is not None).hold(output, self._children.status)
            over = True
        finally:
            if cancel is not None:
                cancel.release()  # from here on the child may be another run's
            if not over:
                self._drop(child)
                if keep is not None:
                    self._holding.lost(keep, "the last execution was broken off")
        return self._loud(self._spent(child, outcome) if keep is None else self._kept(keep, child, outcome, fresh))

    def forget(self, whose: Callable[[Any], bool]) -> None:
        """End the kept children of these keys, if any wait."""
        self._holding.forget(whose)

    def _child(
        self, key: Hashable | None, request: bytes, number: int, meanwhile: Callable[[], None]
    ) -> tuple[Child, str | None]:
        """The child that has the variables of `key`; or a new one, and why it is new."""
        if key is None:
            return self._started_child(request, meanwhile), None
        child, why = self._holding.take(key)
        if child is None:
            return self._started_child(request, meanwhile), why
        self._running.add(child)
        try:
            if child.resume(request, number, time.monotonic() + RESUME_SECONDS, meanwhile):
                return child, None
            why = ENDED
        except DeadlinePassed:
            why = "its process did not take the next snippet, and was ended"
        except ProtocolViolation:
            why = OUT_OF_TURN
        except BaseException:
            self._drop(child)
            raise
        self._drop(child)
        return self._started_child(request, meanwhile), why

    def _spent(self, child: Child, outcome: RunOutcome) -> RunOutcome:
        """Have a child ended that has answered: in a moment, unless it holds much memory until then."""
        if outcome.peak_memory_bytes > _MUCH_BYTES:
            self._drop(child)
        else:
            self._running.discard(child)
            self._children.bury(child)
        self._children.hurry()
        return outcome

    def _kept(self, key: Hashable, child: Child, outcome: RunOutcome, fresh: str | None) -> RunOutcome:
        """Keep the child if it waits for more; the outcome says what was found, and warns when all is lost."""
        lost = _loss(child, outcome)
        if lost is None:
            self._running.discard(child)
            lost = self._holding.give(key, child)
        else:
            self._drop(child)
            self._holding.lost(key, lost)
        warnings = outcome.warnings if lost is None else (*outcome.warnings, f"the variables are gone: {lost}")
        found: Literal["kept", "fresh"] = "kept" if fresh is None else "fresh"
        return dataclasses.replace(outcome, warnings=warnings, variables=found, variables_reason=fresh)

    def _started_child(self, request: bytes, meanwhile: Callable[[], None]) -> Child:
        for _ in range(_ATTEMPTS):
            child = self._children.take()
            # Before the wait: a `close` from here on finds it. One that came between the two lines has ended the
            # zygote, and this child with it.
            self._running.add(child)
            if self._goes(child, request, meanwhile):
                return child
            status = self._children.status(child) if child.ended is None else None
            self._drop(child)
        how = f"exit code {status['wait']}" if status else "for no known reason"
        raise SandboxUnavailable(f"children end before they are ready ({how})")

    def _released(self, begun: Begun | None, snippet: Snippet, meanwhile: Callable[[], None]) -> Child | None:
        """The child that has the snippet already, and leave to run it now; None where there is none."""
        child = begun.take() if begun is not None and begun.snippet == snippet else None
        if child is None or self._goes(child, LEAVE, meanwhile):
            return child
        self._drop(child)
        return None

    def _goes(self, child: Child, frame: bytes, meanwhile: Callable[[], None]) -> bool:
        """Whether a child takes up what `frame` asks of it; meanwhile its successor is asked for."""

        def at_work() -> None:
            self._children.replace()
            child.open_figures()
            meanwhile()

        try:
            return child.start(frame, time.monotonic() + TAKE_SECONDS, at_work)
        except (DeadlinePassed, ProtocolViolation):
            return False
        except BaseException:
            self._drop(child)
            raise

    def _drop(self, child: Child) -> None:
        child.close()
        self._running.discard(child)

    def _loud(self, outcome: RunOutcome) -> RunOutcome:
        if self._enforced:
            return outcome
        return dataclasses.replace(outcome, warnings=(*outcome.warnings, _LOUD))


class _Layers:
    """The reports of the zygote that is running now."""

    def __init__(self, enforced: bool) -> None:
        self._enforced = enforced
        self.reports: tuple[LayerReport, ...] = ()

    def accept(self, link: Link) -> None:
        """Keep a new zygote's reports. Raises SandboxUnavailable where untrusted code may not run."""
        self.reports = link.layers
        lacking = missing(link.layers)
        if lacking and self._enforced:
            reasons = "; ".join(f"{layer.name}: {layer.why}" for layer in lacking)
            raise SandboxUnavailable(f"this host lacks a required layer of confinement ({reasons})")


def _nothing() -> None:
    """What there is to do meanwhile for who has nothing to do."""


def _close(children: Children, running: set[Child], holding: Holding) -> None:
    for child in list(running):
        child.end("closed")
    holding.close()
    children.close()


def _loss(child: Child, outcome: RunOutcome) -> str | None:
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


def _request(snippet: Snippet, limits: SandboxLimits, *, keep: bool, number: int, waits: bool = False) -> bytes:
    fields: dict[str, Any] = {
        "code": snippet.code.encode("utf-8", "surrogatepass"),  # what is no text is the compiler's to refuse
        "inputs": snippet.inputs.encode("utf-8", "surrogatepass"),
        "functions": list(snippet.functions),
        "limits": limits.as_dict(),
        "keep": keep,
        "number": number,
        "waits": waits,
        "form": {"kind": snippet.form.kind, "max_cell": snippet.form.max_cell},
    }
    return encoded(["run", fields])


def _too_large(snippet: Snippet, request: bytes, limits: SandboxLimits) -> dict[str, Any] | None:
    size = len(snippet.code)
    if 4 * size > limits.code_bytes:  # only then can it be too many bytes
        size = len(snippet.code.encode("utf-8", "surrogatepass"))
    if size > limits.code_bytes:
        hint = "data belongs in inputs or in a table"
        message = f"the code takes {size:,} bytes; at most {limits.code_bytes:,} are allowed"
        return ending.problem("code.refused", message, hint=hint)
    if len(request) > limits.frame_bytes:
        hint = "put large data into a table first"
        message = f"code and inputs take {len(request):,} bytes; at most {limits.frame_bytes:,} are allowed"
        return ending.problem("code.refused", message, hint=hint)
    return None
