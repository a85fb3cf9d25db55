"""The children at work: how each gets its snippet, and how it is let go of."""

from __future__ import annotations

import time
from collections.abc import Callable

from sandbox.begun import LEAVE, Begun
from sandbox.children import TAKE_SECONDS, Children
from sandbox.codes import Known
from sandbox.errors import ProtocolViolation, SandboxUnavailable
from sandbox.holding import ENDED, OUT_OF_TURN
from sandbox.kept import Child, DeadlinePassed
from sandbox.limits import MIB
from sandbox.outcome import RunOutcome, Snippet

RESUME_SECONDS = 5.0  # how long a kept child may take to read its next snippet
_MUCH_BYTES = 64 * MIB
_ATTEMPTS = 3  # children that die before they are ready, until a run gives up


class Running:
    """Children that run something now, or have a snippet that waits for its turn; any thread may use it.

    `meanwhile` is called everywhere when a child was sent its frame, before anything that it says is read.
    """

    def __init__(self, children: Children) -> None:
        self._children = children
        self._at_work: set[Child] = set()

    def __len__(self) -> int:
        """How many are at work."""
        return len(self._at_work)

    def begin(self, snippet: Snippet, known: Known, frame: bytes) -> Begun | None:
        """Hand the snippet to a child that is ready, for it to wait then; None where none is."""
        child = self._children.take_one_ready()
        if child is None:
            return None
        self._at_work.add(child)
        child.set_deadline(time.monotonic() + TAKE_SECONDS)
        try:
            sent = child.send(frame)
        except DeadlinePassed:
            sent = False
        except BaseException:
            self.drop(child)
            raise
        if sent:
            return Begun(snippet, known, child, self.drop)
        self.drop(child)
        return None

    def release(self, begun: Begun, snippet: Snippet, meanwhile: Callable[[], None]) -> Child | None:
        """The child that has the snippet already, and leave to run it now; None where there is none."""
        child = begun.take() if begun.snippet is snippet else None
        if child is None or self._goes(child, LEAVE, meanwhile):
            return child
        self.drop(child)
        return None

    def start(self, frame: bytes, meanwhile: Callable[[], None]) -> Child:
        """A ready child that took up what `frame` asks of it. Raises SandboxUnavailable."""
        for _ in range(_ATTEMPTS):
            child = self._children.take()
            # Before the wait: a `close` from here on finds it. One that came between the two lines has ended the
            # zygote, and this child with it.
            self._at_work.add(child)
            if self._goes(child, frame, meanwhile):
                return child
            status = self._children.status(child) if child.ended is None else None
            self.drop(child)
        how = f"exit code {status['wait']}" if status else "for no known reason"
        raise SandboxUnavailable(f"children end before they are ready ({how})")

    def resume(self, child: Child, frame: bytes, number: int, meanwhile: Callable[[], None]) -> str | None:
        """Have a child that was kept take up what `frame` asks of it; or end it, and say why."""
        self._at_work.add(child)
        try:
            if child.resume(frame, number, time.monotonic() + RESUME_SECONDS, meanwhile):
                return None
            why = ENDED
        except DeadlinePassed:
            why = "its process did not take the next snippet, and was ended"
        except ProtocolViolation:
            why = OUT_OF_TURN
        except BaseException:
            self.drop(child)
            raise
        self.drop(child)
        return why

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
            self.drop(child)
            raise

    def spend(self, child: Child, outcome: RunOutcome) -> None:
        """Have a child ended that has answered: in a moment, unless it holds much memory until then."""
        if outcome.peak_memory_bytes > _MUCH_BYTES:
            self.drop(child)
        else:
            self.let_go(child)
            self._children.bury(child)

    def drop(self, child: Child) -> None:
        """End it now."""
        child.close()
        self.let_go(child)

    def let_go(self, child: Child) -> None:
        """It is somebody else's to keep or to end."""
        self._at_work.discard(child)

    def close(self) -> None:
        """End all of them; whoever runs them is told so."""
        for child in list(self._at_work):
            child.end("closed")
