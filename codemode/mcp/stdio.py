"""The tools on standard input and output: one line of JSON for each message, as hosts that start processes do it.

The SDK's own reader waits in a thread that nothing can interrupt, so that a process told to end would wait for its
host's next line. Here both directions have a daemon thread each, and lines are bounded.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from codemode.mcp.server import McpServer
from codemode.mcp.tool import Face
from codemode.service.service import Service

_PIECE = 65_536
_LAST_SECONDS = 2.0  # for a host that has closed its end to read what was answered before
Incoming = MemoryObjectSendStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


# The id of a request, by the beginning or the end of its line: that of the outermost object, whatever is between.
_VALUE = rb'\s*:\s*(-?[0-9]{1,18}|"[^"\\\x00-\x1f]{1,200}")\s*'
_FIRST = re.compile(
    rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"' + _VALUE + rb',\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"method"'
)
_LAST = re.compile(rb'[,{]\s*"id"' + _VALUE + rb'(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*\Z')
_METHOD = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"method"')
_END = 512  # bytes of a line that is dropped: what its id is looked for in, at either end


class LineTooLong(Exception):
    """A line of the host was above the bound, and was dropped; `request` is the id that it had, where that is seen."""

    def __init__(self, message: str, request: int | str | None) -> None:
        super().__init__(message)
        self.request = request


@contextmanager
def own_wire() -> Iterator[tuple[int, int]]:
    """Descriptors of standard input and output for the protocol alone.

    Meanwhile descriptor 0 is empty and descriptor 1 is standard error: what a library prints, or a process that is
    started inherits, must not stand between two messages.
    """
    reading, writing = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    os.close(empty)
    try:
        yield reading, writing
    finally:
        os.dup2(reading, 0)
        os.dup2(writing, 1)


async def serve(service: Service, face: Face, wire: tuple[int, int]) -> None:
    """Serve until the host closes standard input, stops reading, or sends SIGTERM or SIGINT.

    Behind the end of input what was asked before it has `shutdown_seconds` to be answered: hosts that do not wait so
    long send SIGTERM. What still runs then is undone. Begins and ends the service too. Those signals are taken for the
    rest of the process: what is closed after it is not cut.
    """
    sdk = McpServer(service, face).sdk
    await service.start()
    try:
        with anyio.CancelScope() as scope:
            _end_on_signal(scope)
            to_server, from_client = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            to_client, from_server = anyio.create_memory_object_stream[SessionMessage](0)
            lines, asked = Lines(wire, service.settings.body_bytes), Asked(service.settings.shutdown_seconds)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_receive, lines, to_server, to_client.clone(), asked)
                tasks.start_soon(_send, lines, from_server, scope, asked)
                await sdk.run(from_client, to_client, sdk.create_initialization_options())
                scope.deadline = anyio.current_time() + _LAST_SECONDS
    finally:
        service.acts.hurry()  # the host waits a second or two before it kills
        await service.stop()


def _end_on_signal(scope: anyio.CancelScope) -> None:
    loop = asyncio.get_running_loop()

    def end(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(scope.cancel)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


class Asked:
    """The requests of the host that are not answered yet."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: set[int | str] = set()
        self._none = asyncio.Event()

    def came(self, message: types.JSONRPCMessage) -> None:
        """A request is open from now on, unless the host gives it up."""
        if isinstance(message, types.JSONRPCRequest):
            self._open.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            self._over((message.params or {}).get("requestId"))

    def answered(self, message: types.JSONRPCMessage) -> None:
        """What was sent to the host may have been an answer."""
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            self._over(message.id)

    def _over(self, request: object) -> None:
        self._open.discard(request)
        if not self._open:
            self._none.set()

    async def all_answered(self) -> None:
        """Wait until none is open, or it takes too long; called when no more come."""
        if self._open:
            self._none.clear()
            with anyio.move_on_after(self._seconds):
                await self._none.wait()


async def _receive(lines: Lines, server: Incoming, client: Outgoing, asked: Asked) -> None:
    async with server, client:
        while True:
            try:
                line = await lines.read()
            except LineTooLong as error:
                await client.send(_refusal(error.request, str(error)))
                continue
            if line is None:
                await asked.all_answered()
                return
            try:
                message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                request, why = _id_of(line), "the line is no JSON-RPC message"
                if request is not None:
                    why = "the request is not as it must be, is nested too deeply, or holds half of a surrogate pair"
                await client.send(_refusal(request, why))
            else:
                asked.came(message)
                await server.send(SessionMessage(message))


def _refusal(request: int | str | None, why: str) -> SessionMessage:
    code = types.PARSE_ERROR if request is None else types.INVALID_REQUEST
    fault = types.ErrorData(code=code, message=why)
    return SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=request, error=fault))


def _id_of(line: bytes) -> int | str | None:
    """The id of a request that cannot be taken: its sender waits for an answer to that one."""
    try:
        found = json.loads(line)
        name = found["id"] if "method" in found else None
        str(name).encode()  # it goes into the answer
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return name if type(name) in (int, str) else None


def _id_of_ends(first: bytes, last: bytes) -> int | str | None:
    """The same of a request's line of which no more than its ends was kept."""
    found = _FIRST.match(first) or (_METHOD.match(first) and _LAST.search(last))
    if not found:
        return None
    try:
        return _id_of(b'{"method": "", "id": ' + found[1] + b"}")
    except UnicodeDecodeError:
        return None


async def _send(
    lines: Lines, server: MemoryObjectReceiveStream[SessionMessage], whole: anyio.CancelScope, asked: Asked
) -> None:
    async with server:
        async for sent in server:
            if not await lines.write(sent.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"):
                whole.cancel()  # nobody reads any more
                return
            asked.answered(sent.message)


class Lines:
    """Lines from one descriptor and to another; each direction has a thread that may block."""

    def __init__(self, wire: tuple[int, int], longest: int) -> None:
        self._reading, self._writing = wire
        self._longest = longest
        self._loop = asyncio.get_running_loop()
        self._came: asyncio.Queue[bytes | LineTooLong | None] = asyncio.Queue()
        self._room = threading.Semaphore(1)  # a host that sends faster than calls begin has to wait
        self._written: queue.SimpleQueue[tuple[bytes, asyncio.Future[bool]]] = queue.SimpleQueue()
        for run in (self._read_all, self._write_all):
            threading.Thread(target=run, name="codemode-stdio", daemon=True).start()

    async def read(self) -> bytes | None:
        """The next line, None after the last; raises LineTooLong for one that was dropped."""
        came = await self._came.get()
        self._room.release()
        if isinstance(came, LineTooLong):
            raise came
        return came

    async def write(self, line: bytes) -> bool:
        """Write a line; False where nobody reads any more."""
        done: asyncio.Future[bool] = self._loop.create_future()
        self._written.put((line, done))
        return await done

    def _read_all(self) -> None:
        with suppress(RuntimeError):  # the event loop has ended, and nobody asks any more
            for line in split(iter(self._piece, b""), self._longest):
                if isinstance(line, tuple):
                    self._hand_on(LineTooLong(f"the line is above {self._longest:,} bytes", _id_of_ends(*line)))
                else:
                    self._hand_on(line)
            self._hand_on(None)

    def _piece(self) -> bytes:
        try:
            return os.read(self._reading, _PIECE)
        except OSError:  # a terminal that was hung up
            return b""

    def _hand_on(self, line: bytes | LineTooLong | None) -> None:
        self._room.acquire()
        self._loop.call_soon_threadsafe(self._came.put_nowait, line)

    def _write_all(self) -> None:
        with suppress(RuntimeError):
            while True:
                line, done = self._written.get()
                self._loop.call_soon_threadsafe(_settle, done, self._wrote(line))

    def _wrote(self, line: bytes) -> bool:
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._writing, left) :]
        except OSError:
            return False
        return True


def _settle(done: asyncio.Future[bool], wrote: bool) -> None:
    if not done.done():
        done.set_result(wrote)


def split(pieces: Iterable[bytes], longest: int) -> Iterator[bytes | tuple[bytes, bytes]]:
    """The lines of a text that comes in pieces; of one of over `longest` bytes its ends, and no more of it is held."""
    line, begun = bytearray(), b""  # a line that is too long has begun with these bytes, and `line` is its end
    for piece in pieces:
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line += end
            if begun or len(line) > longest:
                yield begun or bytes(line[:_END]), bytes(line[-_END:])
            else:
                yield bytes(line)
            line, begun = bytearray(), b""
        line += rest
        if begun or len(line) > longest:
            begun = begun or bytes(line[:_END])
            del line[:-_END]
    if line or begun:
        yield (begun, bytes(line)) if begun else bytes(line)
