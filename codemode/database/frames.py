"""The write-ahead log as a record of which pages a commit changed, and what they were before.

While nobody copies the log's pages into the database file, a page as it was before a commit still stands where it was:
in an earlier frame of the log, or in the file. Two files are read here beside SQLite, each in the way that keeps its
locks: the log as a plain file, because SQLite's locks are on the other two; the database through SQLite's own file
layer, because closing a plain file of it would drop the locks of every connection of this process.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import apsw

_HEADER, _FRAME_HEADER = 32, 24
_SALT = slice(16, 24)
_CHUNK = 256  # frames whose headers are read at once: 1 MB
_PAGES_IN_HEADER = struct.Struct(">28xI")
_FRAME = struct.Struct(">II8s")  # page, pages of the database after a commit or 0, salt


class Position(NamedTuple):
    """Where the log stands: its generation, its committed frames, and how many pages the database has."""

    salt: bytes
    frames: int
    pages: int


class FrameError(Exception):
    """The log is not what the connection says it is: somebody else writes to the session's files."""


class WriteAheadLog:
    """The log beside one open database; used only by whoever alone writes to it and moves its pages into the file."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._path = Path(f"{connection.filename}-wal")
        self.page_size = int(connection.pragma("page_size"))
        self._size = _FRAME_HEADER + self.page_size
        # Both stay the same files as long as the connection is open.
        self._log: int | None = None
        self._file: apsw.VFSFile | None = None
        self._salt, self._end = b"", 0  # what the next line knows: the frames 1 to _end of this generation
        self._latest: dict[int, int] = {}  # page → its last frame

    def position(self) -> Position:
        """Where the log stands now; raises apsw.LockedError while a cursor of the connection is open."""
        frames = self._connection.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)[0]
        salt = os.pread(self._handle(), _HEADER, 0)[_SALT]
        if frames <= 0:
            return Position(salt, 0, self._pages_in_file())
        _, pages, of = _FRAME.unpack(self._read(_FRAME.size, self._offset(frames)))
        if of != salt or pages == 0:
            raise FrameError("the last frame is no commit")
        return Position(salt, frames, pages)

    def changed(self, start: Position, end: Position, most: int) -> list[int]:
        """The pages up to the number `most` that were changed between the two positions, in order."""
        first = start.frames + 1 if start.salt == end.salt else 1
        found = {page for page, _ in self._frames(first, end)}
        return sorted(page for page in found if page <= most)

    def images(self, pages: list[int], start: Position, end: Position) -> Iterator[bytes]:
        """Each of `pages` as it was at `start`, although the log has gone on to `end`."""
        latest: dict[int, int] = {}  # the log began anew: everything before had been copied into the file
        if start.salt == end.salt:
            self._learn(start)
            latest = self._latest
        for page in pages:
            frame = latest.get(page)
            if frame is None:
                yield self._in_file().xRead(self.page_size, (page - 1) * self.page_size)
            else:
                yield self._read(self.page_size, self._offset(frame) + _FRAME_HEADER)

    def empty(self) -> bool:
        """Copy what no reader holds back into the file, and say whether that was all of it.

        Raises apsw.LockedError while a cursor is open.
        """
        frames, copied = self._connection.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        return frames == copied

    def close(self) -> None:
        """Close both files."""
        if self._log is not None:
            os.close(self._log)
            self._log = None
        if self._file is not None:
            self._file.xClose()
            self._file = None

    def _learn(self, until: Position) -> None:
        """Know the last frame of each page up to `until`; only what is new is read."""
        if until.salt != self._salt or until.frames < self._end:
            self._salt, self._end, self._latest = until.salt, 0, {}
        for page, frame in self._frames(self._end + 1, until):
            self._latest[page] = frame
        self._end = until.frames

    def _frames(self, first: int, end: Position) -> Iterator[tuple[int, int]]:
        """Page and number of each frame from `first` to the end."""
        for start in range(first, end.frames + 1, _CHUNK):
            count = min(_CHUNK, end.frames + 1 - start)
            chunk = self._read(count * self._size, self._offset(start))
            for number in range(count):
                page, _, salt = _FRAME.unpack_from(chunk, number * self._size)
                if salt != end.salt:
                    raise FrameError("a frame of another generation")
                yield page, start + number

    def _read(self, size: int, offset: int) -> bytes:
        found = os.pread(self._handle(), size, offset)
        if len(found) != size:
            raise FrameError("the log is shorter than the connection says")
        return found

    def _offset(self, frame: int) -> int:
        return _HEADER + (frame - 1) * self._size

    def _handle(self) -> int:
        if self._log is None:
            self._log = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._log

    def _in_file(self) -> apsw.VFSFile:
        if self._file is None:
            flags = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY
            self._file = apsw.VFSFile("", self._connection.filename, [flags, 0])
        return self._file

    def _pages_in_file(self) -> int:
        return int(_PAGES_IN_HEADER.unpack(self._in_file().xRead(_PAGES_IN_HEADER.size, 0))[0])
