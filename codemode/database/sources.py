"""Where an import reads from: a file or a stream, plain or gzip, readable twice and in constant memory.

What is not a regular file (standard input, a named pipe) is spooled to a temporary file first, since types are
inferred in one pass and rows are read in another. So is what has no length though it has content (/proc).
"""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from codemode.errors import RequestInvalid, StorageFull

GZIP_MAGIC = b"\x1f\x8b"
LINE_CHARACTERS = 16 * 1024 * 1024  # of a line or a record: what is longer fits into no row
_MARKS = {  # of byte order, where the decoder does not take them off
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
BUFFER_BYTES = 1024 * 1024  # decompressing in small steps costs more than the inflating itself


class Text:
    """A text whose lines have an end: a few megabytes of gzip may be one line of gigabytes, which nobody can hold."""

    def __init__(self, text: IO[str], name: str) -> None:
        self._text, self._name = text, name
        self.read = text.read

    def readline(self) -> str:
        """The next line, "" at the end."""
        line = self._text.readline(LINE_CHARACTERS + 1)
        if len(line) > LINE_CHARACTERS:
            raise RequestInvalid(
                f"{self._name}: a line has more than {LINE_CHARACTERS:,} characters",
                hint="is it a text of rows? each row is a line of its own",
            )
        return line

    def __iter__(self) -> Iterator[str]:
        return iter(self.readline, "")


class _Checked(io.RawIOBase):
    """A stream that asks `check` before each piece: a few kilobytes of gzip may be gigabytes of blank lines."""

    def __init__(self, stream: BinaryIO, check: Callable[[], None]) -> None:
        super().__init__()
        self._stream, self._check = stream, check

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: Any, /) -> int | None:
        self._check()
        return cast(io.BufferedIOBase, self._stream).readinto(buffer)


class Source:
    """One input that can be opened again and again; `name` is what error messages call it.

    `check` is called before each megabyte, and raises to give up.
    """

    def __init__(
        self,
        file: Path | BinaryIO,
        *,
        name: str | None = None,
        encoding: str = "utf-8",
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name or (str(file) if isinstance(file, Path) else "standard input")
        self.encoding, self._check = encoding, check
        self._mark = _MARKS.get(self._known_encoding(encoding), b"")
        if isinstance(file, Path):
            self._file = _opened(file, self.name)
        else:
            self._file = file if _can_be_read_twice(file) else spooled(file, self.name)
        with _told(self.name):
            self.size = self._file.seek(0, io.SEEK_END)
            self._file.seek(0)
            self.compressed = self._file.read(2) == GZIP_MAGIC
        self._state = self._state_now()

    def _known_encoding(self, encoding: str) -> str:
        try:
            "".encode(encoding)
            return codecs.lookup(encoding).name
        except (LookupError, ValueError):  # a name with a NUL is a ValueError, one with a surrogate a UnicodeError
            raise RequestInvalid(
                f"unknown encoding {encoding[:40]!r}", hint="for example utf-8, utf-16, cp1252"
            ) from None

    def position(self) -> int:
        """How many bytes of the file, as it lies on disk, the running pass has consumed."""
        return self._file.tell()

    def is_unchanged(self) -> bool:
        """Whether nobody has written to the file since it was opened."""
        return self._state == self._state_now()

    def _state_now(self) -> tuple[int, int]:
        found = os.fstat(self._file.fileno())
        return found.st_size, found.st_mtime_ns

    @contextmanager
    def binary(self) -> Iterator[BinaryIO]:
        """The bytes from the start, decompressed; damage in the compression is a `RequestInvalid`."""
        self._file.seek(0)
        stream = gzip.GzipFile(fileobj=self._file, mode="rb") if self.compressed else self._file
        try:
            yield cast(BinaryIO, io.BufferedReader(_Checked(cast(BinaryIO, stream), self._check), BUFFER_BYTES))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RequestInvalid(f"{self.name}: damaged gzip file: {error}", hint="download it again") from None
        except OSError as error:  # of the reading alone: whoever takes what was read is not in here
            raise _unreadable(self.name, error) from None

    @contextmanager
    def text(self) -> Iterator[Text]:
        """The text from the start, line ends untouched; a byte that does not decode is told with its line."""
        with self.binary() as stream:
            if stream.read(len(self._mark)) != self._mark:
                stream.seek(0)
            try:
                yield Text(io.TextIOWrapper(stream, encoding=self.encoding, newline=""), self.name)
            except UnicodeDecodeError as error:
                raise self._undecodable(error) from None
            except UnicodeError as error:  # a wrong byte order mark, and the like
                raise RequestInvalid(f"{self.name}: not {self.encoding} text: {error}") from None

    def _undecodable(self, error: UnicodeDecodeError) -> RequestInvalid:
        # The decoder works in blocks, so its error cannot name the line: look for it again, line by line.
        place, byte = self.name, error.object[error.start]
        with self.binary() as stream:
            told = "\n".encode(self.encoding).endswith(b"\n")  # not so in UTF-16
            lines = iter(lambda: stream.readline(LINE_CHARACTERS), b"") if told else ()
            for number, line in enumerate(lines, 1):
                try:
                    line.decode(self.encoding)
                except UnicodeDecodeError as found:
                    place, byte = f"{self.name}, line {number}", found.object[found.start]
                    break
        hint = "save it as UTF-8, or name its encoding, such as cp1252 or utf-16"
        return RequestInvalid(f"{place}: not {error.encoding} text (byte 0x{byte:02x})", hint=hint)

    def close(self) -> None:
        """Give the file back; a spooled copy is removed with it."""
        self._file.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_readable(path: Path) -> None:
    """Refuse what is no file or may not be read, before any work is done; a pipe is not touched."""
    with _told(str(path)):
        if stat.S_ISDIR(path.stat().st_mode):
            raise RequestInvalid(f"{path} is a directory", hint="name the files in it")
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise RequestInvalid(f"no such file: {name}", hint="check the spelling and the folder") from None
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: OSError | ValueError) -> RequestInvalid:
    return RequestInvalid(f"cannot read {name}: {getattr(error, 'strerror', None) or error}")


def _opened(path: Path, name: str) -> BinaryIO:
    check_readable(path)
    with _told(name):
        file = path.open("rb")
    if _can_be_read_twice(file):
        return file
    with file:
        return spooled(file, name)


def _can_be_read_twice(stream: BinaryIO) -> bool:
    """Whether it is a file, with a length, that stands at its beginning."""
    try:
        found = os.fstat(stream.fileno())
        return stat.S_ISREG(found.st_mode) and found.st_size > 0 and stream.tell() == 0
    except (OSError, ValueError):  # a stream of no file raises what is both
        return False


def spooled(stream: BinaryIO, name: str) -> BinaryIO:
    """A temporary file with what is left of the stream; raises RequestInvalid and StorageFull."""
    import tempfile

    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed by Source.close, gone with it
    try:
        while piece := _piece(stream, name):
            copy.write(piece)
        copy.seek(0)
    except OSError as error:
        copy.close()
        hint = "free space there, or name another place in TMPDIR"
        raise StorageFull(f"no copy of {name} in {tempfile.gettempdir()}: {error.strerror}", hint=hint) from None
    except BaseException:
        copy.close()
        raise
    return copy


def _piece(stream: BinaryIO, name: str) -> bytes:
    with _told(name):
        return stream.read(BUFFER_BYTES)
