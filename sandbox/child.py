"""The life of one child: confine itself, warm its pages, take a request, answer it, wait to be killed or kept."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from sandbox.confine import Confinement, bound_cpu, confine_child, filter_calls, lower_memory
from sandbox.connection import Connection, Stream
from sandbox.kernel import call_process

Request = dict[str, Any]


class Entry(NamedTuple):
    """What a child does: `serve` answers one request with one "done" frame; each of `warm` does the like to nobody.

    `preload` imports, in the launcher, what cannot be imported later, and `stock` makes there, last of all, what costs
    a child more; `connect` takes of that what one connection needs.
    """

    serve: Callable[[Connection, Request], None]
    warm: tuple[Callable[[], None], ...] = ()
    preload: Callable[[], None] = lambda: None
    stock: Callable[[], None] = lambda: None
    connect: Callable[[Stream, int], Connection] = Connection


def live(stream: Stream, confinement: Confinement, entry: Entry, *, hurried: bool) -> NoReturn:
    """A child from fork to end. Raises OSError where it cannot confine itself; its caller ends the process then.

    One that is `hurried` is not warmed: it will have a snippet soon, which touches just what it needs.
    """
    call_process(b"codemode-child")
    confine_child(confinement)
    filter_calls(confinement)
    gc.enable()
    connection = entry.connect(stream, confinement.limits.frame_bytes)
    for step in () if hurried else entry.warm:
        # Each page shared with the zygote is copied at its first write: better now, while nobody waits, than in the
        # run. In a burst the request is here before the child is warm, and running it warms just what it needs.
        if connection.has_work():
            break
        step()
    if not hurried:  # changes nothing: what the first request does is warm
        _arm(confinement, confinement.limits._asdict(), keep=True)
    # Everything so far is this process's own doing: the worker subtracts it from what the snippet used.
    connection.send(["ready", {"cpu_ns": time.thread_time_ns()}])
    kind, request = connection.read()
    more = kind == "run"
    while more:
        _arm(confinement, request["limits"], keep=request["keep"])
        entry.serve(connection, request)
        more = request["keep"]
        if more:
            _, request = connection.read()
            # Only who has read the request knows its number: what is sent before this was sent between two runs.
            connection.send(["again", request["number"]])
    # The worker reads this process's usage from the kernel and then kills it. Leaving first would take the figures
    # along; `read` ends the process when the worker is gone.
    while True:
        connection.read()


def _arm(confinement: Confinement, limits: dict[str, Any], *, keep: bool) -> None:
    """Set the limits of one run. Memory only goes down, and counts all that a kept child holds."""
    if limits["memory_bytes"] != confinement.limits.memory_bytes:
        lower_memory(confinement.baseline_bytes, limits["memory_bytes"])
    bound_cpu(limits["execution_seconds"], for_good=not keep)
