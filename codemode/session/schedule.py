"""Backups that the service makes by itself: everything, again and again, the old ones deleted once a new one is good.

    TO/codemode-<id of the data directory>-<time>.zip

The files are all that is known: the newest one says when the next is due, so that a restart neither repeats a backup
nor puts one off, and a file has such a name only after it was read back. Of several processes on a data directory one
makes it: whoever has the lock, and still finds it due then. Deleted is only what bears this data directory's id.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from codemode.database.clock import iso, now_ms
from codemode.errors import CodemodeError
from codemode.session.backups import back_up
from codemode.session.files import clear, storage_errors
from codemode.session.registry import Registry
from codemode.settings import BackupSettings
from codemode.values import Backup

_log = logging.getLogger("codemode")
_NAME = re.compile(r"codemode-([0-9a-f]{12})-(\d{8}T\d{6}Z)\.zip")
_TIME = "%Y%m%dT%H%M%SZ"
_LOOK_SECONDS = 30.0  # how late one may be: other processes make them, and clocks are set, while this one waits
_RETRY_SECONDS = 300.0  # after one that failed
_NICE = 10


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside the catalogue: the id of this data directory, and why the newest attempt failed, if so."""

    id: str
    error: str | None = None


class _Stopped(Exception):
    """The service ends: a backup under way is given up."""


class Schedule:
    """Makes the backups that `settings` ask for, in a thread of its own, until it is stopped."""

    def __init__(self, registry: Registry, settings: BackupSettings) -> None:
        self._registry, self._settings = registry, settings
        self._data_dir = registry.storage.data_dir
        self.directory = directory_for(self._data_dir, settings)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, where there is anything to do."""
        if self._settings.every_seconds is not None:
            self._thread = threading.Thread(target=self._run, name="codemode-backups", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Give up what is under way, and wait for that."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):
            # Of this thread alone: who waits for a snippet comes before who waits for nothing.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        wait = 0.0
        while not self._stop.wait(wait):
            wait = min(_LOOK_SECONDS, self._settings.every_seconds or _LOOK_SECONDS)
            try:
                self.run_due()
            except _Stopped:
                return
            except Exception as error:  # noqa: BLE001 - one backup that fails must not end all later ones
                wait = min(_RETRY_SECONDS, self._settings.every_seconds or _RETRY_SECONDS)
                known = isinstance(error, CodemodeError)
                _log.error("the backup failed; it is tried again in %g s: %s", wait, error, exc_info=not known)
                self._note(error)

    def run_due(self) -> Backup | None:
        """Make a backup if one is due and nobody else makes it."""
        if not self._is_due():
            return None
        with self._alone() as standing:
            if standing is None or not self._is_due():
                return None
            self._sweep(standing)
            made = self._make(standing)
            self._prune(standing, made)
            return made

    def _make(self, standing: Standing) -> Backup:
        with storage_errors(self.directory):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        moment = datetime.fromtimestamp(now_ms() / 1000, UTC).strftime(_TIME)
        made = back_up(self._registry, self.directory / f"codemode-{standing.id}-{moment}.zip", progress=self._go_on)
        _log.info("backup %s: %s bytes, sessions: %s", made.file, made.size_bytes, made.sessions)
        return made

    def _go_on(self, _done: int, _total: int) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _prune(self, standing: Standing, made: Backup) -> None:
        if not made.complete:
            # The older ones may hold the only good copy of what is missing here.
            names = ", ".join(each.id for each in made.left_out[:5])
            text = f"sessions are not in the newest backup, and no old one is deleted: {names}"
            _log.error("%s (%s)", text, made.file)
            _keep(self._data_dir, Standing(id=standing.id, error=text))
            return
        _keep(self._data_dir, Standing(id=standing.id))
        now, found = now_ms(), _scheduled(self.directory, standing.id)
        # Those of the future last: made while the clock was wrong, they are older than what is made since.
        for _, path in sorted(found, key=lambda each: each[0] > now)[self._settings.keep :]:
            with suppress(OSError):
                path.unlink()
                _log.info("the old backup %s is deleted", path)

    def _sweep(self, standing: Standing) -> None:
        """Delete what a process that was killed while it made one has left."""
        for left in self.directory.glob(f".codemode-{standing.id}-*.part"):
            clear(left)

    def _is_due(self) -> bool:
        every, last = self._settings.every_seconds, last_scheduled(self._data_dir, self._settings)
        return every is not None and (last is None or now_ms() - last >= every * 1000)

    def _note(self, error: Exception) -> None:
        text = str(error) if isinstance(error, CodemodeError) else type(error).__name__
        with suppress(CodemodeError):
            _keep(self._data_dir, Standing(id=_known(self._data_dir).id, error=text))

    @contextmanager
    def _alone(self) -> Iterator[Standing | None]:
        """The standing of the data directory, locked against other processes; None where one of them has the lock."""
        path = self._data_dir / "backup.lock"
        with storage_errors(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            yield _known(self._data_dir)
        finally:
            os.close(handle)


def directory_for(data_dir: Path, settings: BackupSettings) -> Path:
    """Where backups go that no place is named for."""
    return Path(settings.to).expanduser().absolute() if settings.to else data_dir / "backups"


def last_scheduled(data_dir: Path, settings: BackupSettings) -> int | None:
    """When the newest backup of the schedule was made, in milliseconds since 1970; None where there is none.

    One of the future counts for nothing: the clock was wrong once, and backups must not wait for it to be right.
    """
    known = _read(data_dir)
    if known is None:
        return None
    made = _scheduled(directory_for(data_dir, settings), known.id)
    return next((moment for moment, _ in made if moment <= now_ms()), None)


def standing(data_dir: Path, settings: BackupSettings) -> dict[str, str | None]:
    """When the newest scheduled backup was made, and why the newest attempt failed; nothing without a schedule."""
    known = _read(data_dir)
    if known is None and settings.every_seconds is None:
        return {}
    last = last_scheduled(data_dir, settings)
    return {
        "last_backup": None if last is None else iso(last),
        "backup_error": known.error if known is not None else None,
    }


def _scheduled(directory: Path, data_id: str) -> list[tuple[int, Path]]:
    """The schedule's own backups with the milliseconds at which they were made, newest first."""
    found = []
    for path in directory.iterdir() if directory.is_dir() else ():
        name = _NAME.fullmatch(path.name)
        if name is not None and name[1] == data_id and path.is_file() and not path.is_symlink():
            with suppress(ValueError):  # of no day that there is
                moment = datetime.strptime(name[2], _TIME).replace(tzinfo=UTC)
                found.append((int(moment.timestamp() * 1000), path))
    return sorted(found, reverse=True)


def _known(data_dir: Path) -> Standing:
    known = _read(data_dir)
    if known is None:
        known = Standing(id=secrets.token_hex(6))
        _keep(data_dir, known)
    return known


def _read(data_dir: Path) -> Standing | None:
    try:
        return msgspec.json.decode((data_dir / "backup.json").read_bytes(), type=Standing)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(data_dir: Path, standing: Standing) -> None:
    path = data_dir / "backup.json"
    fresh = path.with_name(f"backup.json.{secrets.token_hex(4)}")
    with storage_errors(path):
        try:
            fresh.write_bytes(msgspec.json.encode(standing))
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
