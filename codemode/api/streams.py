"""Bodies that stream into a session while its transaction is open: chunks cross from the event loop to a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from codemode import cells
from codemode.api.bodies import no_json
from codemode.errors import RequestInvalid
from sandbox.helpers.records import ENOUGH

_HELD_BYTES = 4 * 1024 * 1024  # of lines whose records are held together; as Python objects they take a multiple of it


class Chunks:
    """What a thread reads of a body that arrives on the event loop; iterate over it in the thread.

    The thread asks for each chunk, so no more than one is ever held. What ends the body ends the transaction.
    """

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._loop = asyncio.get_running_loop()

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()) is not None:
            yield chunk

    async def _next(self) -> bytes | None:
        return await anext(self._body, None)


def lines(chunks: Iterator[bytes], longest: int) -> Iterator[tuple[int, bytes]]:
    """The lines of a text in chunks, with their numbers; raises RequestInvalid for one of over `longest` bytes."""
    begun, number = bytearray(), 0  # in place: a long line may come in thousands of chunks
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        if whole:
            whole[0] = bytes(begun) + whole[0]
            begun.clear()
        for line in whole:
            number += 1
            yield number, line
        begun += rest
        if len(begun) > longest:
            hint = "one record is one line, of at most twice value_bytes"
            raise RequestInvalid(f"line {number + 1} has over {longest:,} bytes", hint=hint)
    if begun:
        yield number + 1, bytes(begun)


def records(chunks: Iterator[bytes], longest: int) -> Iterator[dict[str, Any] | list[Any] | object]:
    """The records of an NDJSON text, objects or lists; raises RequestInvalid for a line that is none.

    ENOUGH stands behind each few megabytes: two megabytes of gzip may be 500 records of four megabytes.
    """
    decode, hint = msgspec.json.Decoder().decode, "send one JSON object or list a line"
    held = 0
    for number, line in lines(chunks, longest):
        if not line.strip():
            continue
        held += len(line)
        try:
            record = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise no_json(f"line {number}", line, error, hint) from None
        if type(record) is not dict and type(record) is not list:
            raise RequestInvalid(f"line {number} is no JSON object or list", hint=hint)
        yield cells.row_from_json(record) if b'"$' in line else record
        if held >= _HELD_BYTES:
            yield ENOUGH
            held = 0
