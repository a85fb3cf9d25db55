"""The floor of a child for each snippet: the sandbox alone, with an engine that is empty.

Its children are forked, confined and warm before they are needed, get a snippet over their socket, answer 1 without
looking at it, and are ended. There is no session: no turn, no transaction, no log. What is left is waking two processes
up and what keeps a hostile one in bounds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scenario import Contender
from codemode import Settings
from sandbox import Sandbox, Snippet

NAME = "ready child, empty engine"
_ENTRY = Path(__file__).with_name("empty_entry.py")
_CHILDREN = Settings().children  # as many as a worker keeps
_STEADY_SECONDS = 0.05  # a pool whose ready children were as many as now for so long has all that it wants, and warm


def rest(sandbox: Sandbox, children: int) -> None:
    """Wait until so many children are ready and nothing is done for them any more."""
    ready, since = 0, time.monotonic()
    while ready < children or time.monotonic() - since < _STEADY_SECONDS:
        now = sandbox.children["ready"]
        if now != ready:
            ready, since = now, time.monotonic()
        time.sleep(0.005)


@contextmanager
def trivial(size: int) -> Iterator[Contender]:
    """`size` snippets in bursts of what is ready, without the pauses between them."""
    sandbox = Sandbox(children=_CHILDREN, _entry=_ENTRY)

    def run() -> float:
        took = 0.0
        for first in range(0, size, _CHILDREN):
            rest(sandbox, _CHILDREN)
            started = time.perf_counter()
            for _ in range(min(_CHILDREN, size - first)):
                if sandbox.run(Snippet(code="return 1"), lambda method, arguments: None).value_json != "1":
                    raise AssertionError("the child did not answer 1")
            took += time.perf_counter() - started
        rest(sandbox, _CHILDREN)  # now, so that its work is not the next contender's burden
        return took

    try:
        yield Contender(NAME, run)
    finally:
        sandbox.close()
