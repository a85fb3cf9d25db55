"""The child's end of its one socket: frames out, frames in, and helper calls over them.

The worker is believed here. What is guarded is the order: one call outstanding at most, and no frame begun inside
another, though a timer's signal may ask for one at any moment.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from sandbox.helpers.error import HelperError
from sandbox.protocol import RECEIVE_BYTES, FrameReader, encoded, encoded_call

_decode = msgspec.msgpack.Decoder().decode


class Stream(Protocol):
    """What a frame travels on: a connected socket."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def recv(self, most: int, flags: int = 0, /) -> bytes:
        """Some bytes, at least one; none when the other end has closed."""


class Connection:
    """Sends and receives whole frames; implements the helpers' Channel."""

    def __init__(self, stream: Stream, frame_bytes: int) -> None:
        self.attach(stream, frame_bytes)
        self._awaiting = False  # a posted call's reply has not been read yet
        self._failure: HelperError | None = None  # a posted call failed; raised at the next call
        self._lost = False  # memory ran out in the middle of a frame: where the next one starts is unknown
        self._serving = False  # no snippet runs: whatever is left of one must not speak
        self.busy = False  # a frame is under way: a signal handler must leave the socket alone
        self.before_call: Callable[[], None] = lambda: None  # sends what was printed, so that order is kept

    def attach(self, stream: Stream, frame_bytes: int) -> None:
        """Speak to whoever is at the other end of this stream; for a connection that was made before there was one."""
        self._stream = stream
        self._frame_bytes = frame_bytes
        self._reader = FrameReader(stream.recv, frame_bytes)

    def has_work(self) -> bool:
        """Whether something has arrived already; never waits."""
        try:
            self._reader.take_in(self._stream.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        except OSError:
            os._exit(0)
        return True

    def begin(self, before_call: Callable[[], None]) -> None:
        """A snippet begins: calls are carried from here on, `before_call` ahead of each."""
        self.before_call = before_call
        self._serving = True

    def end(self) -> None:
        """A snippet has ended: read the reply that is still due, lest it be taken for the next request."""
        self._serving = False
        self._collect()
        self._failure = None

    def read(self) -> list[Any]:
        """The next frame; ends the process when the worker is gone."""
        try:
            body = self._reader.read()
        except OSError:
            os._exit(0)
        except MemoryError:
            self._lost = True
            raise
        if body is None:
            os._exit(0)
        frame: list[Any] = _decode(body)
        return frame

    def send(self, frame: list[Any]) -> None:
        """Send a frame that is known to be encodable and small enough."""
        self._transmit(encoded(frame))

    def _transmit(self, data: bytes) -> None:
        self.busy = True
        try:
            self._stream.sendall(data)
        except OSError:
            os._exit(0)
        finally:
            self.busy = False

    def send_text(self, text: str) -> None:
        """Send printed text; does not wait for anything but room in the socket."""
        self._collect()
        self.send(["out", text])

    def can_send_now(self) -> bool:
        """Whether a frame may be begun from a signal handler."""
        return not self.busy and not self._awaiting

    def call(self, method: str, *args: Any) -> Any:
        """One helper call and its answer. Raises HelperError."""
        data = self._ready(method, args)
        self.busy = True  # until the answer is here: what is printed meanwhile, by a timer, must not come between
        try:
            self._stream.sendall(data)
        except OSError:
            os._exit(0)
        except BaseException:
            self.busy = False
            raise
        return self._answer()

    def post(self, method: str, *args: Any) -> None:
        """One helper call whose reply is read before the next frame is sent. Raises what an earlier one failed with."""
        data = self._ready(method, args)
        self._awaiting = True
        self._transmit(data)

    def _ready(self, method: str, args: tuple[Any, ...]) -> bytes:
        """A call's frame, when nothing is due any more that belongs before it."""
        if not self._serving:
            raise HelperError("code.runtime", f"{method}: no snippet is running", hint="call helpers from a snippet")
        data = self._call_frame(method, args)
        self.before_call()
        self.finish()
        return data

    def finish(self) -> None:
        """Read a reply that is still due. Raises HelperError when that call failed and nobody has been told."""
        if self._awaiting:
            self._collect()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _collect(self) -> None:
        # Before every frame: if both sides filled their buffers towards each other, neither would read again.
        if self._awaiting:
            self._awaiting = False
            try:
                self._answer()
            except HelperError as error:
                self._failure = error

    def _answer(self) -> Any:
        if self._lost:
            self.busy = False
            raise HelperError(
                "code.memory", "memory ran out while an answer was read; no helper can be called any more"
            )
        self.busy = True
        try:
            kind, value = self.read()
        finally:
            self.busy = False
        if kind == "ok":
            return value
        raise HelperError(**value)

    def _call_frame(self, method: str, args: tuple[Any, ...]) -> bytes:
        try:
            data = encoded_call(method, args)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # UnicodeEncodeError is a ValueError: a lone surrogate has no bytes to travel in.
            raise HelperError("sql.value", f"{method}: a value cannot be sent ({error})") from None
        if len(data) > self._frame_bytes:
            raise HelperError(
                "sql.limit",
                f"{method}: the call takes {len(data):,} bytes, at most {self._frame_bytes:,} can be sent at once",
                hint="send it in several calls; helpers.db.batch_insert does that by itself",
            )
        return data
