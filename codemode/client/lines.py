"""A body in pieces as its lines, and lines as the events that a service sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codemode.client.problems import problem
from codemode.plain import decode


class Lines:
    """What of the body has not ended in a line feed is held until it has; the end of a stream ends no line.

    Only a line feed ends one, whatever else Unicode takes for the end of a line.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        first, *others = piece.split(b"\n")
        self._rest.append(first)
        if not others:
            return []
        line, self._rest = b"".join(self._rest), [others[-1]]
        return [line, *others[:-1]]


class ServerEvents:
    """Reads server-sent events, line by line: the name of each, and its document."""

    def __init__(self) -> None:
        self._name, self._data = b"", b""

    def feed(self, line: bytes) -> Iterator[tuple[str, Any]]:
        """The event that ends with this line; raises the CodemodeError that a problem tells of."""
        if line.startswith(b"event: "):
            self._name = line[7:]
        elif line.startswith(b"data: "):
            self._data = line[6:]
        elif not line and self._data:
            name, data, self._data = self._name.decode(), decode(self._data), b""
            if name == "problem":
                raise problem(data)
            yield name, data
