"""Reads the bodies of requests: bounds their size after decompression and the wait for more, and decodes them whole."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Iterator
from difflib import get_close_matches
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.types import Message

from codemode import plain
from codemode.api.heads import header, headers_of
from codemode.api.requests import service_of
from codemode.api.transport import REST
from codemode.errors import (
    RequestIncomplete,
    RequestInvalid,
    RequestMediaType,
    RequestTimeout,
    RequestTooLarge,
    WorkerUnavailable,
)
from codemode.mismatch import mismatch

Body = TypeVar("Body", bound=msgspec.Struct)
_DRAIN_SECONDS = 2.0  # an upload that was refused has so long to end by itself
_JSON = ("application/json", "")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_GZIP_BYTES = 16 * 1024
_PIECE_BYTES = 256 * 1024  # of what a compressed body becomes: a thousandfold one is never held whole
_LEAST_BYTES = 1_024  # in upload_idle_seconds: bytes one by one, each in time, would hold a turn for years


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an operation that has none."""


class Upload:
    """The body of one request, as it comes; an act of the service, so that its end does not wait for a client.

    Raises RequestTooLarge above `most` bytes, RequestTimeout when less than a kilobyte comes in `upload_idle_seconds`,
    RequestIncomplete when the client goes away, RequestInvalid for damaged gzip, RequestMediaType for another encoding.
    """

    def __init__(self, request: Request, most: int) -> None:
        self._request, self._most = request, most
        self._seconds = service_of(request).settings.upload_idle_seconds
        self._inflated = _Inflated() if _is_gzip(request) else None
        self._waiting: asyncio.Timeout | None = None
        self._until: float | None = None  # for the next kilobyte, from when it is asked for first
        self._came = self._counted = 0
        self._more, self.cancelled = True, False
        declared = header(request.scope, b"content-length") or ""
        if declared.isdecimal() and int(declared[:20]) > most:
            raise too_large(most)

    def cancel(self) -> None:
        """End it where it waits for the client."""
        self.cancelled = True
        if self._waiting is not None and not self._waiting.expired():  # else its time is over as it is
            self._waiting.reschedule(0)

    def check(self) -> None:
        """Raise WorkerUnavailable when the service ends before the upload did: what it wrote is undone then."""
        if self.cancelled:
            raise WorkerUnavailable("the service ended before the upload did", hint="send it again; nothing was kept")

    async def whole(self) -> bytes:
        """All of the body, decompressed."""
        found = b"" if self._inflated is not None else await self._chunk()
        if not self._more:  # as of nearly every request: what follows is for bodies that come bit by bit
            return found
        whole = bytearray(found)  # and no list: pieces of one byte each would take forty times as much
        async for piece in self.pieces():
            whole += piece
        return bytes(whole)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body, decompressed."""
        seen = 0
        while self._more:
            chunk = await self._chunk()
            if not chunk:
                continue
            if self._inflated is None:
                yield chunk
                continue
            for piece in self._inflated.pieces(chunk):
                self.check()  # a small chunk may be gigabytes
                seen += len(piece)
                if seen > self._most:
                    raise too_large(self._most)
                yield piece
        if self._inflated is not None:
            self._inflated.check_whole()

    async def _chunk(self) -> bytes:
        """What comes next of it, which may be empty; afterwards it is known whether there is more."""
        self.check()
        state = self._request.scope["state"]
        is_here = state.get("body_is_here", False)  # all of it, so that nothing is waited for
        message = await (self._request.receive() if is_here else self._in_time())
        if message["type"] == "http.disconnect":
            if REST not in state:
                raise RequestIncomplete("the client went away before the body was whole")
            message = {"body": state.pop(REST)}
        self._more = state["body_goes_on"] = message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        self._came += len(chunk)
        if self._came - self._counted >= _LEAST_BYTES:
            self._until, self._counted = asyncio.get_running_loop().time() + self._seconds, self._came
        if self._came > self._most:  # also of what becomes less: a gzip of empty members is nothing, however long
            raise too_large(self._most)
        return chunk

    async def _in_time(self) -> Message:
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._until) as self._waiting:
                return await self._request.receive()
        except TimeoutError:
            self.check()
            raise RequestTimeout(
                f"the body came too slowly: less than {_LEAST_BYTES:,} bytes in {self._seconds:g} s",
                hint="send it again; nothing was kept",
            ) from None
        finally:
            self._waiting = None


class _Inflated:
    """A gzip stream as it is decompressed, of one member or several."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds."""
        # Bit by bit: what follows a member is copied, and of the smallest ones 13,000 come at once.
        for start in range(0, len(data), _GZIP_BYTES):
            yield from self._added(data[start : start + _GZIP_BYTES])

    def _added(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                piece = self._member.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise RequestInvalid(f"the body is no gzip, as Content-Encoding says: {error}") from None
            if piece:
                yield piece
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def check_whole(self) -> None:
        """Raise RequestInvalid where the end is missing."""
        if not self._member.eof:
            raise RequestInvalid("the body ends in the middle of its gzip", hint="send it again; nothing was kept")


def _is_gzip(request: Request) -> bool:
    encoding = ", ".join(headers_of(request.scope, b"content-encoding")).strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise RequestMediaType(
            f"a body may be plain or gzip, not {encoding[:40]!r}", hint="send Content-Encoding: gzip, or none"
        )
    return encoding == "gzip"


async def decode(request: Request, kind: type[Body]) -> Body:
    """The body as a checked struct, of `body_bytes` at most; an empty one is an empty object.

    Raises RequestInvalid for what is no JSON or has a wrong, missing or unknown field, and what an Upload raises.
    """
    if media_type(request) not in _JSON:
        raise RequestMediaType(
            f"the body must be application/json, not {media_type(request)[:80]!r}", hint="set the Content-Type header"
        )
    body = await Upload(request, service_of(request).settings.body_bytes).whole()
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _not_as_it_must_be(kind, error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise no_json("the body", body, error) from None
    except RecursionError:
        raise RequestInvalid("the body is nested too deeply") from None


async def check_none(request: Request) -> None:
    """Refuse a body with fields where the operation has none: what it asks for would not be done."""
    if header(request.scope, b"content-length") not in (None, "0") or headers_of(request.scope, b"transfer-encoding"):
        await decode(request, _Nothing)


def _not_as_it_must_be(kind: type[Body], error: msgspec.ValidationError) -> RequestInvalid:
    given, available = mismatch(kind, error)
    return RequestInvalid(
        f"the body is not as it must be: {error}", hint="GET /openapi.json describes it",
        did_you_mean=get_close_matches(given, available, n=1), available=available,
    )  # fmt: skip


def no_json(what: str, text: bytes, error: Exception, hint: str = "send one whole JSON document") -> RequestInvalid:
    """The error for `text` that the decoder refused; for half of a surrogate pair it only says that it was cut off."""
    if b"\\u" in text and _is_no_text(text):
        what, hint = f"{what} holds half of a surrogate pair, which is no character", "decode the text anew"
        return RequestInvalid(what, hint=hint)
    return RequestInvalid(f"{what} is not JSON: {error}", hint=hint)


def _is_no_text(document: bytes) -> bool:
    try:
        plain.json_text(plain.decode(document)).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


async def drained(request: Request) -> bool:
    """Whether the rest of a body that was refused came in a moment, and was thrown away.

    A connection that is closed while the client sends is reset, and the answer can be lost with it.
    """
    goes_on = getattr(request.state, "body_goes_on", True)
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while goes_on:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    return False
                goes_on = message.get("more_body", False)
    except TimeoutError:
        return False
    return True


def media_type(request: Request) -> str:
    """The media type of the body, without its parameters; empty where none is given."""
    return (header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()


def too_large(most: int) -> RequestTooLarge:
    """The error for a body above `most` bytes."""
    return RequestTooLarge(
        f"the body is above {most:,} bytes", hint="send records as NDJSON to batch_insert, files to import"
    )
