"""The directory of one session: where its files are, and how a new one is made, removed or set aside.

    DATA_DIR/sessions/<sha256 of tenant and id>/   lock   session.db   log.db   undo.ways   checkpoints/

Whoever changes what is in there holds the directory's lock file. The lock lives beside the directory's other
files but is never deleted while the directory stays: a lock on a deleted file protects nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from codemode.database.clock import now_ms, sure_ms
from codemode.database.directory import moving
from codemode.database.template import MAKING
from codemode.errors import RequestInvalid, SessionBusy, StorageFull
from codemode.moments import ulid
from codemode.session.ids import directory_name

_MAKING_MS = 3_600_000  # whoever makes a session puts its lock into the directory within milliseconds
EXPORTING = "export-"  # begins the name of a directory in which a copy of a session is made for a client
RESTORING = "restoring-"  # begins the name of a directory in which sessions are made ready
_COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class SessionFiles:
    """Paths below one session's directory; each is made once, since every turn asks for several."""

    directory: Path

    @classmethod
    def of(cls, data_dir: Path, tenant: str, session_id: str) -> SessionFiles:
        """The files of a session of `tenant` below `data_dir`."""
        return cls(data_dir / "sessions" / directory_name(tenant, session_id))

    @cached_property
    def lock(self) -> Path:
        """Locked by the process whose turn it is."""
        return self.directory / "lock"

    @cached_property
    def database(self) -> Path:
        """The session's data."""
        return self.directory / "session.db"

    @cached_property
    def log(self) -> Path:
        """The execution log."""
        return self.directory / "log.db"

    @cached_property
    def checkpoints(self) -> Path:
        """The directory of the session's checkpoints; made with the first one."""
        return self.directory / "checkpoints"

    @cached_property
    def undo(self) -> Path:
        """What the last changes can be undone with."""
        return self.directory / "undo.ways"

    def size_bytes(self) -> int:
        """Bytes on disk of everything in the directory; 0 when there is none."""
        try:
            return sum(found.stat().st_size for found in self.directory.rglob("*") if found.is_file())
        except FileNotFoundError:  # a checkpoint deleted a WAL file while we looked, or the session was removed
            return self.database.stat().st_size if self.database.exists() else 0
        except OSError as error:
            raise storage_full(self.directory, error) from None

    def prepare(self) -> None:
        """Make the directory; raises StorageFull."""
        with storage_errors(self.directory):
            while not self.directory.is_dir():
                try:
                    self.directory.mkdir(mode=0o700, parents=True)
                except FileExistsError:  # by somebody else, who may have removed it again
                    if os.path.lexists(self.directory) and not self.directory.is_dir():
                        raise

    def create(self, template: bytes, log: bytes) -> None:
        """Make session.db from `template`: whole or not at all, and durable before anybody is told of it.

        The log is made from `log` where there is none, and before: it is no session's, as long as there is no database.
        """
        fresh = self.directory / f"new-{ulid()}.db"
        with storage_errors(self.directory):
            found = _names(self.directory)
            for name in found:
                if name.startswith("new-"):  # by a process that was killed here
                    (self.directory / name).unlink()
            try:
                if self.log.name not in found:
                    for name in found.intersection(f"{self.log.name}{each}" for each in _COMPANIONS):
                        (self.directory / name).unlink()  # of one that is gone: as below
                    fresh.write_bytes(log)
                    fresh.rename(self.log)
                with fresh.open("xb") as file:
                    file.write(template)
                    file.flush()
                    os.fsync(file.fileno())
                self.adopt(fresh)
            finally:
                fresh.unlink(missing_ok=True)

    def adopt(self, fresh: Path) -> None:
        """Make the whole and durable file `fresh` the session's database, where there is none."""
        with storage_errors(self.directory):
            # A write-ahead log whose database is gone would be replayed into the new file: its pages are another's.
            self.set_aside_database(f"orphan-{now_ms()}")
            self.undo.unlink(missing_ok=True)  # no way back from the new one leads into the old one
            fresh.rename(self.database)

    @contextmanager
    def unfinished(self) -> Iterator[Path]:
        """A path for a file that is being made below `checkpoints`; what is not renamed by the end is deleted."""
        path = self.fresh()
        try:
            yield path
        finally:
            for companion in ("", *_COMPANIONS):
                with suppress(OSError):  # what it was made for is done, or told: the next opening sweeps it
                    path.with_name(path.name + companion).unlink(missing_ok=True)

    def fresh(self) -> Path:
        """A path for a file that is to be made below `checkpoints`; what a killed process leaves there is swept."""
        with storage_errors(self.checkpoints):
            self.checkpoints.mkdir(mode=0o700, exist_ok=True)
        return self.checkpoints / f"new-{ulid()}.db"

    def sweep(self) -> None:
        """Delete what a process that was killed has left unfinished; only under the directory's lock."""
        with storage_errors(self.checkpoints):
            for name in _names(self.checkpoints):
                if name.startswith("new-"):
                    (self.checkpoints / name).unlink(missing_ok=True)
                elif name == self.undo.name:  # where it was kept before it moved
                    (self.checkpoints / name).rename(self.undo)

    def set_aside_database(self, suffix: str) -> None:
        """Rename session.db with its companions, so that nothing of it is lost."""
        with storage_errors(self.directory):
            found = _names(self.directory)
            names = [name for name in (f"session.db{each}" for each in ("", *_COMPANIONS)) if name in found]
            with moving(self.directory) if names else nullcontext():
                for name in names:
                    (self.directory / name).rename(self.directory / name.replace(".db", f".db.{suffix}", 1))

    def remove(self) -> None:
        """Delete everything of the session, its lock included.

        The directory is renamed first: a crash half-way leaves rubbish that the sweeper deletes, never a
        session with half of its files.
        """
        rubbish = self.directory.with_name(f"removed-{ulid()}")
        with storage_errors(self.directory):
            try:
                with moving(self.directory):
                    self.directory.rename(rubbish)
            except FileNotFoundError:
                return
            clear(rubbish)


def _names(directory: Path) -> set[str]:
    """What is in `directory`; nothing where there is none. One look costs less than asking for each name."""
    try:
        return {found.name for found in directory.iterdir()}
    except FileNotFoundError:
        return set()


def sweep_rubbish(data_dir: Path) -> None:
    """Delete what a removal, a restore or an export left that was cut short, and what is empty for an hour."""
    with storage_errors(data_dir):
        for making in (*data_dir.glob(f"{EXPORTING}*"), *data_dir.glob(f"{MAKING}*")):
            with suppress(FileNotFoundError):  # one that goes on is younger: its making has the seconds of an execution
                if _is_old(making):
                    clear(making)
        for rubbish in (data_dir / "sessions").glob("removed-*"):
            clear(rubbish)
        for stage in (data_dir / "sessions").glob(f"{RESTORING}*"):
            _sweep_stage(stage)
        for directory in (data_dir / "sessions").iterdir():
            with suppress(OSError, SessionBusy):  # gone meanwhile, or in use again
                files = SessionFiles(directory)
                if _is_old(directory) and not files.database.exists():
                    _sweep_unmade(files)


def clear(directory: Path) -> None:
    """Delete a directory with everything in it, as far as that can be."""
    import shutil  # loads every kind of compression with it

    shutil.rmtree(directory, ignore_errors=True)


def _is_old(directory: Path) -> bool:
    return sure_ms() - directory.stat().st_mtime * 1000 > _MAKING_MS


def _sweep_stage(stage: Path) -> None:
    """Delete what a restore prepared, unless it goes on: then it holds the lock in there."""
    with suppress(OSError), _if_free(stage / "lock"):  # not locked yet: one that was left so is empty
        clear(stage)


def _sweep_unmade(files: SessionFiles) -> None:
    """Delete what a making or a fork that was killed left, where there is no database: it may be as large as one.

    Of a session whose database somebody took away the log and the checkpoints stay.
    """
    if not files.lock.exists():
        files.directory.rmdir()
        return
    with _if_free(files.lock):
        for folder in (files.checkpoints, files.directory):
            for name in _names(folder):
                if name.startswith("new-"):
                    (folder / name).unlink()
        with suppress(OSError):  # there are checkpoints, or there never were
            files.checkpoints.rmdir()
        if _names(files.directory) == {files.lock.name}:
            files.remove()


@contextmanager
def _if_free(lock: Path) -> Iterator[None]:
    """Hold `lock` while the block runs; raises OSError where somebody else does, or it is gone."""
    handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(lock.stat(), os.fstat(handle)):
            raise FileNotFoundError(lock)
        yield
    finally:
        os.close(handle)


def check_name(path: Path) -> None:
    """Refuse a path that no database can have; raises RequestInvalid."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RequestInvalid(f"{path} is not UTF-8, as names of databases are", hint="name another path") from None


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A directory beside `target` for what is being made; gone with everything in it when the block ends."""
    check_name(target)
    place = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.part")
    with storage_errors(place):
        place.mkdir(mode=0o700)
    try:
        yield place
    finally:
        clear(place)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file that nobody has open for writing."""
    import shutil  # loads every kind of compression with it

    with storage_errors(target):
        shutil.copyfile(source, target)


class storage_errors:  # noqa: N801 - a context manager, used like a function
    """Turn the operating system's errors below `path` into StorageFull with what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise storage_full(self._path, error) from None


def storage_full(path: Path, error: OSError) -> StorageFull:
    """The error for `path`, with what to do about it."""
    return StorageFull(f"{path} cannot be written: {error.strerror}", hint=_WAYS_OUT.get(error.errno or 0))


_WAYS_OUT = {
    errno.ENOSPC: "the disk is full: free space",
    errno.EDQUOT: "the disk quota is used up: free space",
    errno.EROFS: "the file system is read-only: choose another data directory",
    errno.EACCES: "check the directory's owner and permissions",
    errno.EPERM: "check the directory's owner and permissions",
    errno.ENOTDIR: "a file stands where a directory should be: move it away",
    errno.EEXIST: "a file stands where a directory should be: move it away",
    errno.EISDIR: "a directory stands where a file should be: move it away",
    errno.EMFILE: "too many open files: raise the limit, or lower open_sessions",
    errno.ENFILE: "too many files are open on this machine",
}
