"""A snippet that a child has got before its turn has come: the child compiles it, and waits for leave to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from sandbox.codes import Known
from sandbox.kept import Child
from sandbox.outcome import Snippet
from sandbox.protocol import encoded

LEAVE = encoded(["go"])


class Begun:
    """Made by `Sandbox.begin`, for one `Sandbox.run`. Whoever has it calls `end`, or leaves a `with` of it."""

    def __init__(self, snippet: Snippet, known: Known, child: Child, drop: Callable[[Child], None]) -> None:
        self.snippet, self.known = snippet, known
        self._held = [child]
        self._drop = drop

    def take(self) -> Child | None:
        """The child, for the caller alone; None where it was taken before. From any thread."""
        try:
            return self._held.pop()  # one step: of two that come at once, one gets it
        except IndexError:
            return None

    def end(self) -> None:
        """End the child where nobody took it: nothing of the snippet ran, and nothing will."""
        child = self.take()
        if child is not None:
            self._drop(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
