"""Answers that are made piece by piece: never more than one piece is held, whatever the client's speed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TypeVar

from starlette.responses import Response, StreamingResponse

from codemode.errors import CodemodeError
from codemode.service.service import Service

Piece = TypeVar("Piece", str, bytes)


async def download(
    service: Service,
    pieces: Iterator[Piece],
    media: str,
    headers: dict[str, str] | None = None,
    *,
    failed: Callable[[CodemodeError], Piece] | None = None,
) -> Response:
    """The response whose body is `pieces`, each made in a thread when the one before is on its way.

    What is wrong at the start is raised here, before the status is sent. What goes wrong later is told by the last
    piece, which `failed` makes; without it the body breaks off.
    """
    first = await service.call(next, pieces, None)

    async def body() -> AsyncIterator[Piece]:
        piece = first
        try:
            while piece is not None:
                yield piece
                piece = await service.call(next, pieces, None)
        except CodemodeError as error:
            if failed is None:
                raise
            yield failed(error)
        finally:
            # A client that goes away in the middle: what the pieces are read from is closed now, not some day.
            if isinstance(pieces, Generator):
                await service.call(pieces.close)

    return StreamingResponse(body(), media_type=media, headers=headers)
