"""Answers that are made piece by piece: never more than one piece is held, whatever the client's speed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import TypeVar

from starlette.responses import Response, StreamingResponse

from codemode.service.service import Service

Piece = TypeVar("Piece", str, bytes)


async def download(
    service: Service, pieces: Iterator[Piece], media: str, headers: dict[str, str] | None = None
) -> Response:
    """The response whose body is `pieces`, each made in a thread when the one before is on its way.

    What is wrong at the start is raised here, before the status is sent.
    """
    first = await service.call(next, pieces, None)

    async def body() -> AsyncIterator[Piece]:
        piece = first
        try:
            while piece is not None:
                yield piece
                piece = await service.call(next, pieces, None)
        finally:
            # A client that goes away in the middle: what the pieces are read from is closed now, not some day.
            if isinstance(pieces, Generator):
                await service.call(pieces.close)

    return StreamingResponse(body(), media_type=media, headers=headers)
