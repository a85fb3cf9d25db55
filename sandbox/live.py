"""What a kept child carries from one snippet to the next, as a notebook does: names, functions, imports.

Everything else is each snippet's own: its inputs' values, the host's functions, what it prints, its text for
tracebacks, its loop for coroutines (tasks end with their snippet). Code that an earlier one left behind can only run
inside a later one, which calls it or frees a generator of it, and is part of that one then; between two of them its
calls are refused by the connection, and its printing goes nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.builtins import give_inputs, may_be_given, new_run
from sandbox.compile import FILENAME, Compiled, compile_snippet, unpacked
from sandbox.connection import Connection
from sandbox.evaluate import NOTHING, evaluate
from sandbox.helpers import Helpers, renew
from sandbox.run import Run


def _nowhere(text: str) -> None:
    """Print to nobody."""


class Live:
    """The variables of one child, and the helpers that they may refer to. Used for one snippet, or for many."""

    def __init__(self, connection: Connection) -> None:
        self.helpers = Helpers(connection)
        self._write: Callable[[str], None] = _nowhere
        self._run: Run | None = None
        self._snippets = 0
        self._earlier: Any = NOTHING
        self._lent: dict[str, Any] = {}

    def begin(self, functions: tuple[str, ...], write: Callable[[str], None]) -> None:
        """A snippet begins, with these functions of the host; what it prints goes to `write`."""
        renew(self.helpers, functions)
        self._write = write
        self._snippets += 1

    def compile(self, source: str, inputs: Mapping[str, Any], known: bytes | None = None) -> Compiled:
        """Check and compile the snippet, or take what is `known` of it where it was compiled for the same names.

        Raises SnippetRefused; the variables are as they were then.
        """
        filename = FILENAME if self._snippets == 1 else f"<snippet {self._snippets}>"
        there = [name for name in self._run.globals if name.isidentifier()] if self._run is not None else []
        names = (*inputs, *dir(self.helpers.host), *there)
        compiled = unpacked(known) if known is not None else None
        return compiled if compiled and compiled.inputs == names else compile_snippet(source, names, filename)

    def make(self) -> None:
        """Make the variables that every snippet finds, where they are not there yet."""
        if self._run is None:
            self._run = new_run(self.helpers, lambda text: self._write(text))

    def prepare(self, inputs: Mapping[str, Any]) -> None:
        """Make the host's inputs variables. Raises ValueError for one that cannot be."""
        self.make()
        assert self._run is not None
        self._run.streams.restore()
        self._run.globals["helpers"] = self.helpers  # an earlier snippet may have called something else so
        self._lend(self._run)
        self._earlier = NOTHING if "result" in inputs else self._run.globals.get("result", NOTHING)
        give_inputs(self._run, inputs)

    def _lend(self, run: Run) -> None:
        """Make the host's functions variables too, in place of those that an earlier snippet was lent.

        They hide what an earlier snippet called so, as inputs do, and never a builtin: `helpers.host` has them all.
        """
        offered = dir(self.helpers.host)
        if not (offered or self._lent):
            return
        for name, function in self._lent.items():
            if run.globals.get(name) is function:
                del run.globals[name]
        names = [name for name in offered if name not in run.globals["__builtins__"]]
        self._lent = {name: getattr(self.helpers.host, name) for name in names if may_be_given(name)}
        run.globals.update(self._lent)

    def evaluate(self, compiled: Compiled) -> Any:
        """Run the snippet and answer its value. Raises whatever the snippet raises."""
        if self._run is None:
            raise RuntimeError("a snippet is prepared before it runs")
        return evaluate(compiled, self._run.globals, self._earlier)

    def end(self) -> None:
        """The snippet has ended: nobody listens any more."""
        self._write = _nowhere
