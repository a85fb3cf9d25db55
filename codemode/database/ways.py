"""Ways back: what the pages of a session were before each of its last changes, one after the other in a file.

    undo.ways                  for each change: a header, the way as JSON, the numbers of its pages, their images

One file, because to make, name and delete one for each change takes longer than most changes. What is not whole at its
end, because a process was killed there, does not count and is written over.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, BinaryIO, Literal, NamedTuple

import msgspec

Kind = Literal["undo", "redo"]

PAGE_SIZE = 4_096  # of every session's file, and nobody can change it
_MAGIC = b"way1"
_HEADER = struct.Struct("<4sIIIQ")  # magic, checksum, bytes of JSON, pages, bytes of all
_COPY_BYTES = 1024 * 1024
_HELD_BYTES = 1024 * 1024  # of one change in memory; a larger one waits in a file


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one state to another; `reason` says why it cannot be gone, where it has none of the pages."""

    kind: Kind
    start: int  # the id of the state that it leads from
    end: int
    pages: int = 0  # of the database at its end
    form: int = 0  # user_version at both ends
    hollow: bool = False  # nothing that users made differs: undo goes through it to the one before
    what: str = ""
    execution_id: str = ""
    timestamp: str = ""
    reason: str | None = None


class WayWriter:
    """Collects the images of one change; `scratch` names the file where many of them wait."""

    def __init__(self, scratch: Callable[[], Path]) -> None:
        self._scratch = scratch
        self._held: list[bytes] = []
        self._held_bytes = self._bytes = self._checksum = 0
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self.pages: dict[int, None] = {}  # a set that keeps its order

    def add(self, page: int, image: bytes) -> None:
        """Keep one page as it was."""
        self.pages[page] = None
        self._checksum = zlib.crc32(image, self._checksum)
        self._held.append(image)
        self._held_bytes += len(image)
        self._bytes += len(image)
        if self._held_bytes >= _HELD_BYTES:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._path = self._scratch()
            self._file = self._path.open("x+b")
        self._file.writelines(self._held)
        self._held, self._held_bytes = [], 0

    def _head(self, way: Way) -> bytes:
        """Everything of the way that stands before its images."""
        numbers = struct.pack(f"<{len(self.pages)}I", *self.pages)
        text = msgspec.json.encode(way)
        checksum = zlib.crc32(text, zlib.crc32(numbers, self._checksum))
        size = _HEADER.size + len(text) + len(numbers) + self._bytes
        return _HEADER.pack(_MAGIC, checksum, len(text), len(self.pages), size) + text + numbers

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return self._bytes

    def write(self, target: IO[bytes], way: Way) -> int:
        """Append the whole way to the unbuffered file `target`; the number of bytes."""
        head = self._head(way)
        if self._file is None:
            _write(target, b"".join([head, *self._held]))
        else:
            _write(target, head)
            self._spill()
            self._file.seek(0)
            while chunk := self._file.read(_COPY_BYTES):
                _write(target, chunk)
        return len(head) + self._bytes

    def close(self) -> None:
        """Let go of the file in which images wait."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


def _write(file: IO[bytes], data: bytes) -> None:
    """All of `data`: a disk that is nearly full takes a part, and says so only to the next write."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


class Kept(NamedTuple):
    """One way in the file: where it is."""

    way: Way
    offset: int
    size: int


class WayFile:
    """One way, opened to be read: its images by page."""

    def __init__(self, file: BinaryIO, kept: Kept) -> None:
        self._handle, self.way = os.dup(file.fileno()), kept.way
        header = os.pread(self._handle, _HEADER.size, kept.offset)
        _, self._checksum, length, count, _ = _HEADER.unpack(header)
        self._text = os.pread(self._handle, length, kept.offset + _HEADER.size)
        self._numbers = os.pread(self._handle, 4 * count, kept.offset + _HEADER.size + length)
        self._images_at = kept.offset + _HEADER.size + length + 4 * count
        self._places = {page: place for place, (page,) in enumerate(struct.iter_unpack("<I", self._numbers))}

    def pages(self) -> Iterable[int]:
        """The pages whose images are there."""
        return self._places.keys()

    def image(self, page: int) -> bytes:
        """The page as it was at the end of the way."""
        return os.pread(self._handle, PAGE_SIZE, self._images_at + self._places[page] * PAGE_SIZE)

    def check(self) -> None:
        """Read all of it; raises ValueError where it is not what was written."""
        checksum = 0
        for page in self._places:
            checksum = zlib.crc32(self.image(page), checksum)
        if zlib.crc32(self._text, zlib.crc32(self._numbers, checksum)) != self._checksum:
            raise ValueError("its checksum is another")

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


class Ways:
    """The file of one session; only whoever has the session's turn writes to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None  # the file that the next line tells of
        self._found: list[Kept] = []

    def keep(self, writer: WayWriter, way: Way, scratch: Callable[[], Path], most: int, most_bytes: int) -> None:
        """Append a way, and of those before it keep at least the last `most` of each kind that fit into `most_bytes`.

        The new one is kept whatever its size. The file has up to twice as many of them, and twice as many bytes.
        """
        try:
            file = self._path.open("r+b", buffering=0)
        except FileNotFoundError:
            file = self._path.open("x+b", buffering=0)  # what a crash leaves of the first one is none, as of the next
        with file:
            found = self._all(file)
            end = found[-1].offset + found[-1].size if found else 0
            if len(found) >= 4 * most or end + writer.size > 2 * most_bytes:
                self._rewrite(file, _last(found, most, most_bytes - writer.size), writer, way, scratch)
                return
            file.seek(end)
            size = writer.write(file, way)
            file.truncate()  # what a crash has left, where it was longer
            self._found = [*found, Kept(way, end, size)]
            self._seen = _identity(file)

    def _rewrite(
        self, old: BinaryIO, kept: list[Kept], writer: WayWriter, way: Way, scratch: Callable[[], Path]
    ) -> None:
        """Make the file anew, of some of the ways that are there and a new one, beside it; then rename it."""
        fresh = scratch()
        try:
            with fresh.open("xb", buffering=0) as file:
                for each in kept:
                    _copy(old, each, file)
                writer.write(file, way)
            fresh.rename(self._path)
        finally:
            fresh.unlink(missing_ok=True)

    def find(self, kind: Kind, start: int) -> WayFile | None:
        """The newest way of `kind` from the state `start`, or None."""
        try:
            file = self._path.open("rb", buffering=0)
        except FileNotFoundError:
            return None
        with file:
            for kept in reversed(self._all(file)):
                if (kept.way.kind, kept.way.start) == (kind, start):
                    return WayFile(file, kept)
        return None

    def leads(self, kind: Kind, start: int, end: int) -> bool:
        """Whether the newest way of `kind` from `start` leads to `end`."""
        found = self.find(kind, start)
        if found is None:
            return False
        found.close()
        return found.way.end == end and found.way.reason is None

    def clear(self) -> None:
        """Forget all of them."""
        self._path.unlink(missing_ok=True)

    def _all(self, file: BinaryIO) -> list[Kept]:
        """Every whole way, the oldest first; looked for only where the file is not as it was."""
        seen = _identity(file)
        if seen != self._seen:
            self._found, self._seen = list(_whole(file.fileno(), seen[1])), seen
        return self._found


def _identity(file: BinaryIO) -> tuple[int, int, int]:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


def _whole(handle: int, size: int) -> Iterable[Kept]:
    offset = 0
    while offset < size:
        try:
            magic, _, length, count, total = _HEADER.unpack(os.pread(handle, _HEADER.size, offset))
            if magic != _MAGIC or total < _HEADER.size + length + count * (4 + PAGE_SIZE) or offset + total > size:
                return
            way = msgspec.json.decode(os.pread(handle, length, offset + _HEADER.size), type=Way)
        except (struct.error, msgspec.DecodeError):
            return
        yield Kept(way, offset, total)
        offset += total


def _last(found: list[Kept], most: int, most_bytes: int) -> list[Kept]:
    """The newest ones of each kind, as many as there may be, in their order."""
    kept: list[Kept] = []
    counts: dict[Kind, int] = {"undo": 0, "redo": 0}
    for each in reversed(found):
        counts[each.way.kind] += 1
        if counts[each.way.kind] > most:
            continue
        most_bytes -= each.size
        if most_bytes < 0:
            break
        kept.append(each)
    return kept[::-1]


def _copy(source: BinaryIO, kept: Kept, target: IO[bytes]) -> None:
    for start in range(kept.offset, kept.offset + kept.size, _COPY_BYTES):
        _write(target, os.pread(source.fileno(), min(_COPY_BYTES, kept.offset + kept.size - start), start))
