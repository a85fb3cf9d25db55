"""The head of an answer goes out with what follows it, and never stays behind where nothing does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from codemode.api.transport import JoiningTransport

HEAD, CONTINUE = b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"
Act = Callable[[JoiningTransport], object]


def writing(*pieces: bytes) -> Act:
    return lambda transport: [transport.write(each) for each in pieces]


def closing(transport: JoiningTransport) -> None:
    transport.write(HEAD)
    transport.close()


@pytest.mark.parametrize(
    ("act", "at_once", "in_the_next_step"),
    [
        pytest.param(writing(HEAD, b"body"), HEAD + b"body", b"", id="an answer"),
        pytest.param(writing(HEAD), b"", HEAD, id="an answer to HEAD"),
        pytest.param(writing(HEAD, b"one", b"two"), HEAD + b"onetwo", b"", id="a stream's first pieces"),
        pytest.param(writing(b"more"), b"more", b"", id="a later piece"),
        pytest.param(writing(CONTINUE), b"", CONTINUE, id="leave to send a body"),
        pytest.param(writing(CONTINUE, HEAD, b"body"), CONTINUE + HEAD + b"body", b"", id="an answer after it"),
        pytest.param(closing, HEAD, b"", id="an answer before the connection is closed"),
    ],
)
def test_what_is_written_arrives_whole_and_in_order(act: Act, at_once: bytes, in_the_next_step: bytes) -> None:
    async def check() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with theirs:
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            act(JoiningTransport(transport, loop))
            assert arrived(theirs) == at_once
            await asyncio.sleep(0)
            assert arrived(theirs) == in_the_next_step
            transport.close()

    asyncio.run(check())


def arrived(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1_000)
    except BlockingIOError:
        return b""
