"""Bodies of requests: bounded before they are read, then decoded and checked in one step."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from starlette.requests import Request

from codemode.errors import RequestInvalid, RequestMediaType, RequestTooLarge

Body = TypeVar("Body", bound=msgspec.Struct)
_JSON = ("application/json", "")


async def read(request: Request, most: int) -> bytes:
    """The whole body; raises RequestTooLarge as soon as it is known to be above `most` bytes."""
    _check_length(request, most)
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise too_large(most)
    return bytes(found)


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body as it comes; raises RequestTooLarge when more than `most` bytes have come."""
    _check_length(request, most)
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > most:
            raise too_large(most)
        if chunk:
            yield chunk


async def decode(request: Request, kind: type[Body], most: int) -> Body:
    """The body as a checked struct; an empty one is an empty object.

    Raises RequestInvalid for what is no JSON or has a wrong, missing or unknown field, RequestMediaType and
    RequestTooLarge.
    """
    if media_type(request) not in _JSON:
        raise RequestMediaType(
            f"the body must be application/json, not {media_type(request)!r}", hint="set the Content-Type header"
        )
    body = await read(request, most)
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise RequestInvalid(f"the body is not as it must be: {error}", hint="GET /openapi.json describes it") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestInvalid(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise RequestInvalid("the body is nested too deeply") from None


def media_type(request: Request) -> str:
    """The media type of the body, without its parameters; empty where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def too_large(most: int) -> RequestTooLarge:
    """The error for a body above `most` bytes."""
    return RequestTooLarge(
        f"the body is above {most:,} bytes", hint="send records as NDJSON to batch_insert, files to import"
    )


def _check_length(request: Request, most: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise too_large(most)
