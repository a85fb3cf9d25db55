"""A body in pieces as its lines: only a line feed ends one, whatever else Unicode takes for the end of a line."""

from __future__ import annotations


class Lines:
    """What of the body has not ended in a line feed is held until it has; the end of a stream ends no line."""

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
