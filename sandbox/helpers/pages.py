"""The iterator that `helpers.db.pages` answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.helpers.channel import Channel
from sandbox.helpers.rows import Rows
from sandbox.helpers.spelling import Spelled


class Tidy:
    """A channel that closes the cursors of forgotten iterators before it carries the next call.

    The garbage collector may come by in the middle of a call, when the channel is not free for another one: so
    `Pages.__del__` only notes its cursor here.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.forgotten: list[int] = []

    def call(self, method: str, *args: Any) -> Any:
        """Carry a call to the worker and bring its answer back."""
        while self.forgotten:
            self._channel.call("db.pages_close", self.forgotten.pop())
        return self._channel.call(method, *args)

    def post(self, method: str, *args: Any) -> None:
        """Carry a chunk of records; what was forgotten can wait for the batch's end."""
        self._channel.post(method, *args)


class Pages(Spelled):
    """A result, page by page: `for page in pages`, `async for` too; closed at its end, by `close()` or `with`."""

    __slots__ = ("_channel", "_columns", "_cursor")
    _label = "pages"

    def __init__(self, channel: Tidy, cursor: int, columns: list[str]) -> None:
        fill = object.__setattr__
        fill(self, "_channel", channel)
        fill(self, "_columns", columns)
        fill(self, "_cursor", cursor)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def close(self) -> None:
        """Give the rest of the result up; closing twice is fine."""
        cursor = self._taken()
        if cursor is not None:
            self._channel.call("db.pages_close", cursor)

    def __iter__(self) -> Iterator[Rows]:
        return self

    def __next__(self) -> Rows:
        if self._cursor is None:
            raise StopIteration
        answer = self._channel.call("db.pages_next", self._cursor)
        if answer["done"]:
            self._taken()  # the worker closed it with its last page
            if not answer["values"]:
                raise StopIteration
        return Rows(self._columns, zip(*answer["values"], strict=True))

    def __aiter__(self) -> Pages:
        return self

    async def __anext__(self) -> Rows:
        try:
            return self.__next__()
        except StopIteration:
            raise StopAsyncIteration from None

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Pages:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        cursor = self._taken()
        if cursor is not None:
            self._channel.forgotten.append(cursor)

    def _taken(self) -> int | None:
        cursor: int | None = self._cursor
        object.__setattr__(self, "_cursor", None)
        return cursor
