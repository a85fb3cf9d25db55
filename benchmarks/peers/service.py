"""Codemode itself as a service with tokens, over loopback: requests that are bytes, as many connections as asked for.

The client is as small as it can be: what it takes of a core is taken from the service.
"""

from __future__ import annotations

import json
import selectors
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.load.serving import serving
from codemode import Worker

_GOOD = b'"ok":true,"status":"completed"'
_SECONDS = 60.0  # longer than any answer takes


class Connection:
    """One connection that runs the same snippet in the same session again and again."""

    def __init__(self, address: str, secret: str, session: str, code: str) -> None:
        target = urlsplit(address)
        self._place = target.hostname, target.port
        self.socket = self._opened()
        body = json.dumps({"code": code})
        self._request = (
            f"POST /v1/sessions/{session}/execute HTTP/1.1\r\nHost: {target.netloc}\r\n"
            f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._came = b""

    def _opened(self) -> socket.socket:
        made = socket.create_connection(self._place, _SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def renew(self) -> None:
        """Open it anew: a service closes one that rests for seconds, as it does while others are measured."""
        self.close()
        self.socket = self._opened()

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def ask(self) -> None:
        """Send the request."""
        self.socket.sendall(self._request)

    def is_answered(self) -> bool:
        """Read what is there; whether the answer is whole. Raises AssertionError for one that is not good."""
        came = self.socket.recv(65_536)
        if not came:
            raise AssertionError("the service closed the connection")
        self._came += came
        head, found, body = self._came.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split()[0]):
            return False
        if _GOOD not in body:
            raise AssertionError(f"not answered well: {self._came[:500]!r}")
        self._came = b""
        return True

    def execute(self) -> None:
        """One execution, waited for."""
        self.ask()
        while not self.is_answered():
            pass


@contextmanager
def connections(count: int, code: str) -> Iterator[list[Connection]]:
    """So many connections to a new service, each with a session of its own, which has run `code` once."""
    with tempfile.TemporaryDirectory(prefix="codemode-bench-") as folder, ExitStack() as opened:
        with Worker(Path(folder) / "data") as worker:
            secret, _ = worker.create_token(name="bench")
            for number in range(count):
                worker.session(f"bench-{number}")
        address, _ = opened.enter_context(serving(Path(folder)))
        yield opened.enter_context(connected(address, secret, count, code))


@contextmanager
def connected(address: str, secret: str, count: int, code: str) -> Iterator[list[Connection]]:
    """So many connections to a service that is there, each with a session of its own, which has run `code` once."""
    with ExitStack() as opened:
        made = [Connection(address, secret, f"bench-{number}", code) for number in range(count)]
        for each in made:
            opened.callback(each.close)
            each.execute()
        yield made


def throughput(made: list[Connection], seconds: float) -> float:
    """Keep all connections busy for so long; the seconds of one execution, as many as there are side by side."""
    done = 0
    with selectors.DefaultSelector() as ready:
        for each in made:
            each.renew()
            ready.register(each.socket, selectors.EVENT_READ, each)
        began = time.perf_counter()
        for each in made:
            each.ask()
        while (took := time.perf_counter() - began) < seconds:
            for key, _ in ready.select(_SECONDS):
                if key.data.is_answered():
                    done += 1
                    key.data.ask()
        _settle(ready, len(made))
    return took / done


def _settle(ready: selectors.BaseSelector, waiting: int) -> None:
    """Read the answers that are still to come: the next one to be measured finds a service that rests."""
    while waiting:
        waiting -= sum(key.data.is_answered() for key, _ in ready.select(_SECONDS))
