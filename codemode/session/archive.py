"""The file of a backup: a ZIP of database files and one manifest that says what each of them is.

    manifest.json                                   what is in here, with the size and SHA-256 of every other member
    sessions/<sha256 of tenant and id>/session.db   log.db   checkpoints/<name in hexadecimal>.db
    catalog.db                                      of a backup of everything
    records.db                                      of any other: what was said and shown in its sessions

A reader believes nothing of it: names are compared and never used as paths, sizes bound what is read, and the bytes of
a member count only when their hash is the manifest's.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Self, cast

import msgspec

from codemode.catalog.participants import Participant
from codemode.errors import BackupDamaged, RequestInvalid, SessionNewer
from codemode.session.files import storage_errors, storage_full
from codemode.values import LeftOut

FORMAT = 1
MANIFEST = "manifest.json"
CATALOG = "catalog.db"
RECORDS = "records.db"
_MANIFEST_BYTES = 256 * 1024 * 1024  # of some 200,000 sessions
_INDEX_BYTES = 64 * 1024 * 1024  # of the ZIP's own list of members, which Python reads as a whole
_PIECE = 1024 * 1024
_LEVEL = 1  # of zlib: a third of the time of the default for some percent more bytes
_NAME = re.compile(
    r"catalog\.db|records\.db|sessions/[0-9a-f]{64}/(?:session\.db|log\.db|checkpoints/(?:[0-9a-f]{2}){1,64}\.db)"
)
_HINT = "use another backup"
_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError,
    struct.error,
)  # fmt: skip

Moment = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]  # milliseconds since 1970
Step = Callable[[int], None]  # gets the bytes that were done; raises to give up


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One database file of a backup."""

    name: str
    size_bytes: int
    sha256: str
    user_version: int


class CheckpointCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint; `created_at` in nanoseconds since 1970."""

    name: str
    created_at: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    file: Member


class SessionCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One session as it was at `taken_at`; times in milliseconds since 1970, UTC.

    `between_executions`: no execution had the session at that moment. `notes` say what is missing of it.
    """

    tenant: str
    id: str
    taken_at: Moment
    between_executions: bool
    created_at: Moment
    idle_ms: int
    pinned: bool
    stateful: bool
    owner: str | None
    limits: dict[str, Any]
    participants: tuple[Participant, ...]
    database: Member
    log: Member | None = None
    checkpoints: tuple[CheckpointCopy, ...] = ()
    notes: tuple[str, ...] = ()

    def members(self) -> Iterator[Member]:
        """Its files."""
        yield self.database
        if self.log is not None:
            yield self.log
        yield from (each.file for each in self.checkpoints)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds; `tenant` and `session` say what was asked for, None for all."""

    format: int
    codemode: str
    created_at: Moment
    tenant: str | None
    session: str | None
    sessions: tuple[SessionCopy, ...]
    left_out: tuple[LeftOut, ...] = ()
    catalog: Member | None = None
    records: Member | None = None

    @property
    def catalogue(self) -> Member | None:
        """The file in which the records of its sessions are, where it has them."""
        return self.catalog or self.records

    def members(self) -> Iterator[Member]:
        """Every file beside the manifest."""
        yield from (each for each in (self.catalog, self.records) if each is not None)
        for each in self.sessions:
            yield from each.members()


class ArchiveWriter:
    """Writes a new archive at `path`, which only its owner may read."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=_LEVEL)

    def add(self, name: str, path: Path, user_version: int, step: Step) -> Member:
        """Add the file `path` as `name`."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self._zip.open(name, "w", force_zip64=True) as target:
            while piece := source.read(_PIECE):
                digest.update(piece)
                target.write(piece)
                size += len(piece)
                step(len(piece))
        return Member(name=name, size_bytes=size, sha256=digest.hexdigest(), user_version=user_version)

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest, and make everything durable."""
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; without `finish` it is no archive."""
        self._zip.fp = None  # an archive that was given up gets no list of members: closing it would write one
        self._file.close()


class ArchiveReader:
    """Reads the archive at `path`; every method raises BackupDamaged for what is not as it has to be.

    Raises RequestInvalid for a file that cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a device may have no end, and a pipe no beginning
                raise RequestInvalid(f"{path} is no file", hint="name a backup; a pipe has to be written to a file")
            self._file = path.open("rb")
        except OSError as error:
            raise RequestInvalid(
                f"cannot read {path}: {error.strerror}", hint="`codemode backup ls` lists backups, and where they are"
            ) from None
        try:
            with _checked(path):
                _expect_small_index(self._file)
                self._zip = zipfile.ZipFile(self._file)
                self._entries = self._listed()
                self.manifest = self._manifest()
                self._expect_members()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._file.close()

    def verify(self, step: Step = lambda size: None) -> None:
        """Read every member and compare it with the manifest."""
        for member in self.manifest.members():
            for _ in self._pieces(member, step):
                pass

    def extract(self, member: Member, target: Path, step: Step) -> None:
        """Write a member to the new file `target`, durably; on an error half of it may be there."""
        with storage_errors(target):
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            for piece in self._pieces(member, step):
                with storage_errors(target):
                    file.write(piece)
            with storage_errors(target):
                file.flush()
                os.fsync(file.fileno())

    def _pieces(self, member: Member, step: Step) -> Iterator[bytes]:
        digest, left = hashlib.sha256(), member.size_bytes
        with _checked(self.path), self._zip.open(self._entries[member.name]) as source:
            # One byte more than there may be: a member that holds more than it declares ends there, however much it is.
            while piece := source.read(min(_PIECE, left + 1)):
                left -= len(piece)
                if left < 0:
                    break
                digest.update(piece)
                yield piece
                step(len(piece))
        if left or digest.hexdigest() != member.sha256:
            raise BackupDamaged(f"{member.name} in {self.path} is not what was written", hint=_HINT)

    def _listed(self) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for each in self._zip.infolist():
            if each.filename in entries:
                raise ValueError(f"{each.filename!r} is in it twice")
            mode = each.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or each.flag_bits & 1:
                raise ValueError(f"{each.filename!r} is no plain file")
            if each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Python bounds what it decompresses of these alone: of others it makes gigabytes of a kilobyte.
                raise ValueError(f"{each.filename!r} is compressed in another way")
            entries[each.filename] = each
        return entries

    def _manifest(self) -> Manifest:
        entry = self._entries.get(MANIFEST)
        if entry is None or entry.file_size > _MANIFEST_BYTES:
            raise ValueError("it has no manifest" if entry is None else "its manifest is too large")
        with self._zip.open(entry) as source:
            text = source.read(_MANIFEST_BYTES + 1)
        form = msgspec.json.decode(text, type=_Form).format
        if form > FORMAT:
            raise SessionNewer(
                f"the backup has format {form}, and this codemode knows formats up to {FORMAT}",
                hint="upgrade codemode, or use the version that wrote it",
            )
        return msgspec.json.decode(text, type=Manifest)

    def _expect_members(self) -> None:
        """The manifest and the archive name the same files, each once, of the same sizes, and no others."""
        told = list(self.manifest.members())
        if len({each.name for each in told}) != len(told):
            raise ValueError("its manifest names a file twice")
        if strange := {each.name for each in told} ^ (self._entries.keys() - {MANIFEST}):
            raise ValueError(f"{min(strange)!r} is in the manifest or in the archive, and not in both")
        if len({(each.tenant, each.id) for each in self.manifest.sessions}) != len(self.manifest.sessions):
            raise ValueError("its manifest has a session twice")
        for each in told:
            if not _NAME.fullmatch(each.name):
                raise ValueError(f"{each.name!r} is no name of a file in a backup")
            if each.size_bytes != self._entries[each.name].file_size:
                raise ValueError(f"{each.name} is not as long as its manifest says")


def begins_as_backup(path: Path) -> bool:
    """Whether the first member of a file is called as one of a backup: where it is damaged, it was one."""
    try:
        with path.open("rb") as file:
            head = file.read(30 + 256)
    except OSError:
        return False
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")].decode("latin-1")
    return head.startswith(b"PK\x03\x04") and (name == MANIFEST or _NAME.fullmatch(name) is not None)


class _Form(msgspec.Struct):
    format: int


@contextmanager
def _checked(path: Path) -> Iterator[None]:
    """What Python's own reading raises for a file that is broken, or made to break it."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the start of the file, where its index says that a member is
            raise storage_full(path, error) from None
        raise _broken(path, error) from None
    except (*_FAULTS, msgspec.DecodeError) as error:
        raise _broken(path, error) from None


def _broken(path: Path, why: object) -> BackupDamaged:
    return BackupDamaged(f"{path} is no whole backup: {why}", hint=_HINT)


def _expect_small_index(file: BinaryIO) -> None:
    """Look at the end of the file, as it is written here: Python would read whatever length of index it names."""
    size = file.seek(0, os.SEEK_END)
    tail_start = max(0, size - 98)  # ZIP64's record, its locator and the end record, without a comment
    file.seek(tail_start)
    tail = file.read()
    if len(tail) < 22 or tail[-22:-18] != b"PK\x05\x06":
        raise ValueError("it does not end as one: it was cut off, or something was added")
    (index,) = cast(tuple[int], struct.unpack("<L", tail[-10:-6]))
    if index == 0xFFFFFFFF or tail[-42:-38] == b"PK\x06\x07":
        if tail[:4] != b"PK\x06\x06" or len(tail) != 98:
            raise ValueError("the end of its index is not where it belongs")
        (index,) = cast(tuple[int], struct.unpack("<Q", tail[40:48]))
    if index > min(size, _INDEX_BYTES):
        raise ValueError("its index is too large")
    file.seek(0)
