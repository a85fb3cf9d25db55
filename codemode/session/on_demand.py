"""A worker's sandbox, which starts when the first snippet needs it."""

from __future__ import annotations

import logging
import threading

from codemode.catalog.store import closed
from codemode.errors import IsolationMissing, WorkerUnavailable
from codemode.limits import Limits
from codemode.session.confining import begun
from codemode.settings import Settings
from sandbox import Sandbox, SandboxUnavailable
from sandbox.layers import missing

_log = logging.getLogger("codemode")


class OnDemand:
    """Made with the one that was begun for the worker, if one was; closes whichever it has."""

    def __init__(self, settings: Settings, limits: Limits, sandbox: Sandbox | None) -> None:
        self._settings, self._limits = settings, limits
        self._begun = sandbox
        self._lock = threading.Lock()
        self._closed = False
        self.started: Sandbox | None = None  # never waited for, so an event loop may look

    def get(self) -> Sandbox:
        """The sandbox, running. Raises IsolationMissing, WorkerUnavailable, and WorkerError when this is closed."""
        with self._lock:
            if self._closed:
                raise closed()
            if self.started is None:
                self.started = self._start()
                _log_isolation(self.started, self._settings.isolation)
            return self.started

    def isolation(self) -> tuple[str, ...]:
        """The active layers; raises as `get` does, and WorkerUnavailable where snippets cannot run any more."""
        sandbox = self.get()
        try:
            sandbox.check()
        except SandboxUnavailable as error:
            raise WorkerUnavailable(f"no snippet can run now: {error}", hint="it is tried again") from None
        return sandbox.isolation

    def _start(self) -> Sandbox:
        sandbox, self._begun = self._begun or begun(self._settings, self._limits), None
        try:
            sandbox.wait()
        except SandboxUnavailable as error:
            if missing(sandbox.layers):
                raise IsolationMissing(str(error), hint="`codemode doctor` says which layer is missing") from None
            # It was killed, say, or there is no descriptor or process left: no fault of the host's for good.
            hint = "try again; where it stays so, `codemode doctor` says whether untrusted code may run here"
            raise WorkerUnavailable(str(error), hint=hint) from None
        return sandbox

    def close(self) -> bool:
        """End every process of it; False where that was done before."""
        with self._lock:
            if self._closed:
                return False
            self._closed, sandbox = True, self.started or self._begun
        if sandbox is not None:
            sandbox.close()
        return True


def _log_isolation(sandbox: Sandbox, isolation: str) -> None:
    """Say once, when snippets begin to run, what does not protect the host from them."""
    if isolation == "none":
        _log.warning('isolation is "none": snippets run without confinement by the operating system')
        return
    absent = [f"{layer.name} ({layer.why})" for layer in sandbox.layers if not layer.active]
    _log.info("confined by %s; absent: %s", ", ".join(sandbox.isolation), "; ".join(absent) or "nothing")
