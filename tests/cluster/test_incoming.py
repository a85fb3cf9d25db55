"""A request as the front takes it: looked into, and passed on whole all the same."""

from __future__ import annotations

import asyncio

from codemode.cluster.exchange import Incoming, Message

PIECES = 20_000


def test_a_body_that_comes_byte_by_byte_is_looked_into_in_time() -> None:
    async def look() -> None:
        left = PIECES

        async def receive() -> Message:
            nonlocal left
            left -= 1
            if not left:
                await asyncio.sleep(0.001)  # here a look that takes too long is given up
            return {"type": "http.request", "body": b"x", "more_body": left > 0}

        scope = {"method": "POST", "path": "/mcp", "headers": [(b"transfer-encoding", b"chunked")], "state": {}}
        incoming = Incoming(scope, receive)
        assert await incoming.peek(PIECES) == b"x" * PIECES
        passed = b""
        while not incoming.over:
            passed += await incoming.piece()
        assert passed == b"x" * PIECES

    asyncio.run(look())
