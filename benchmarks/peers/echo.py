"""Two processes that send each other the frames of a helper call and do not look at them: a round trip's floor."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.scenario import Contender
from sandbox.protocol import encoded, encoded_call

NAME = "echo of the same frames"
_CALL = encoded_call("db.query", ("select 1", [], 1))
_ANSWER = encoded(["ok", 1])


@contextmanager
def round_trips(size: int) -> Iterator[Contender]:
    """Seconds of one round trip, from `size` of them."""
    near, far = socket.socketpair()
    answerer = os.fork()
    if answerer == 0:
        near.close()
        _answer(far)
    far.close()

    def run() -> float:
        started = time.perf_counter()
        for _ in range(size):
            near.sendall(_CALL)
            if near.recv(65_536) != _ANSWER:
                raise AssertionError("not the answer that was sent")
        return (time.perf_counter() - started) / size

    yield Contender(NAME, run)
    near.close()  # it leaves
    os.waitpid(answerer, 0)


def _answer(far: socket.socket) -> None:
    try:
        while far.recv(65_536):
            far.sendall(_ANSWER)
    finally:
        os._exit(0)
