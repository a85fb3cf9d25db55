"""Servers that misbehave on a real socket: one that follows a script, one that cuts the answers of another."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

CUT = b""  # the connection is closed instead of an answer


def answer(status: int, document: Any, headers: Sequence[str] = ()) -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def refusal(status: int, code: str, **more: Any) -> bytes:
    return answer(status, {"code": code, "detail": "not now", "status": status, "retryable": True} | more)


class Script:
    """Answers one request after the other with what it was given, and keeps what came."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for reply in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(ConnectionError):
                self.requests.append(_request(connection))
                if reply:
                    connection.sendall(reply)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@contextlib.contextmanager
def script(*answers: bytes) -> Iterator[Script]:
    server = Script(answers)
    try:
        yield server
    finally:
        server.close()


def _received(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionError("the client went away")
    return piece


def _request(connection: socket.socket) -> bytes:
    found = b""
    while b"\r\n\r\n" not in found:
        found += _received(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += _received(connection)
        if line.startswith(b"transfer-encoding:"):
            while not body.endswith(b"0\r\n\r\n"):
                body += _received(connection)
    return head + b"\r\n\r\n" + body


class Cutter:
    """A proxy: the first `cuts` answers to requests whose text holds `marker` do not arrive."""

    def __init__(self, url: str, marker: bytes, cuts: int) -> None:
        self._target = int(url.rpartition(":")[2])
        self._marker, self._cuts = marker, cuts
        self.cut = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            service = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, service]
            thread = threading.Thread(target=self._serve, args=(client, service), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, service: socket.socket) -> None:
        with client, service, contextlib.suppress(OSError):
            while True:
                request = _request(client)
                service.sendall(request)
                reply = service.recv(65536)  # it was done, and the answer is on its way
                if self.cut < self._cuts and self._marker in request:
                    self.cut += 1
                    return
                client.sendall(reply)
                head, _, body = reply.partition(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
                length = int(fields[b"content-length"])
                while len(body) < length:
                    more = service.recv(65536)
                    client.sendall(more)
                    body += more

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def cutting(url: str, marker: bytes, cuts: int = 1) -> Iterator[Cutter]:
    proxy = Cutter(url, marker, cuts)
    try:
        yield proxy
    finally:
        proxy.close()
