"""What a tenant may use at once and a minute: sessions, bytes, executions. Holds for all processes of a data directory.

    DATA_DIR/quotas/<sha256 of tenant>/   slot-0 … slot-N   sessions

An execution holds the lock of one of its tenant's slot files; whoever makes a session holds that of `sessions`
while he counts. The kernel gives a lock back when its process dies, however it dies. The files are never deleted: a
lock on a deleted file keeps nobody out. How fast executions may begin is in the catalogue (`codemode.catalog.rates`).
A tenant without a quota costs nothing: neither a file nor a statement.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from codemode.counts import plural
from codemode.database.clock import since_boot_ms, sure_ms
from codemode.errors import QuotaExceeded, SessionBusy, TooManyAtOnce
from codemode.service.callers import Caller
from codemode.session.files import storage_errors
from codemode.session.turn import file_lock
from codemode.settings import Settings
from codemode.values import Quotas
from codemode.worker import Worker

_LATER_SECONDS = 60  # Retry-After where nothing but the tenant itself makes room
_MAKING_SECONDS = 10.0  # how long making a session waits for others of its tenant that are being made
_FRESH_SECONDS = 1.0  # how old the measured bytes of a tenant may be …
_COST = 20  # … or so many times what measuring took, where that is longer


def default_quotas(settings: Settings) -> Quotas:
    """What a tenant may use that has no numbers of its own."""
    return Quotas(
        sessions=settings.tenant_sessions,
        bytes=settings.tenant_bytes,
        executions=settings.tenant_executions,
        executions_per_minute=settings.tenant_executions_per_minute,
    )


class Admission:
    """That an execution may run; until `end` it counts. One that is dropped ends too: its slot is given back."""

    def __init__(self, slot: int | None = None) -> None:
        self._release = None if slot is None else weakref.finalize(self, os.close, slot)

    def end(self) -> None:
        """It is over; called again it does nothing."""
        if self._release is not None:
            self._release()

    def __enter__(self) -> Admission:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


@dataclass(frozen=True, slots=True)
class _Measured:
    size: int
    until: float


class Gate:
    """Lets a tenant's work in within its quotas. Its methods block: they are called in threads."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._measured: dict[str, _Measured] = {}
        self._measuring: dict[str, threading.Lock] = {}  # one for each tenant: a large one must not hold up others

    def admit(self, caller: Caller, *, writes: bool) -> Admission:
        """Let one execution in, or one upload; raises TooManyAtOnce, and QuotaExceeded where it `writes`."""
        if writes:
            self.check_bytes(caller)
        return self.execution(caller)

    def execution(self, caller: Caller) -> Admission:
        """Let one execution in; raises TooManyAtOnce."""
        quotas = caller.quotas
        # The slot first: an execution that finds none has not used up its minute.
        admission = Admission(self._slot(caller.tenant, quotas.executions) if quotas.executions else None)
        if quotas.executions_per_minute:
            wait = self._worker.rates.take(caller.tenant, quotas.executions_per_minute, since_boot_ms())
            if wait:
                admission.end()
                raise TooManyAtOnce(
                    f"the tenant has begun its {plural(quotas.executions_per_minute, 'execution')} of a minute",
                    hint=f"the next one may begin in {ceil(wait / 1000)} s",
                    retry_after=ceil(wait / 1000),
                )
        return admission

    def check_bytes(self, caller: Caller) -> None:
        """Raise QuotaExceeded where the tenant's sessions have their bytes already."""
        most = caller.quotas.bytes
        if most and (used := self.used_bytes(caller.tenant)) >= most:
            raise QuotaExceeded(
                f"the tenant's sessions have {used:,} bytes, and its quota is {most:,}",
                hint="delete sessions or checkpoints, or compact sessions; reading goes on",
                retry_after=_LATER_SECONDS,
            )

    @contextmanager
    def new_session(self, caller: Caller) -> Iterator[None]:
        """What runs inside makes one session; raises QuotaExceeded where the tenant has its number already."""
        self.check_bytes(caller)
        most = caller.quotas.sessions
        if not most:
            yield
            return
        # Counted and made under one lock: of two that come for the last one, in whichever processes, one is refused.
        with self._making(caller.tenant):
            if self._worker.registry.catalog.count(caller.tenant, sure_ms()) >= most:
                raise QuotaExceeded(
                    f"the tenant has its {plural(most, 'session')}",
                    hint="delete sessions, or let them expire",
                    retry_after=_LATER_SECONDS,
                )
            yield

    def used_bytes(self, tenant: str) -> int:
        """What the tenant's sessions have on disk, measured at most a moment ago."""
        known, began = self._measured.get(tenant), time.monotonic()
        if known is not None and began < known.until:
            return known.size
        with self._measuring.setdefault(tenant, threading.Lock()):  # who comes meanwhile has the same answer
            known = self._measured.get(tenant)
            if known is not None and began < known.until:
                return known.size
            registry = self._worker.registry
            size = sum(registry.files((tenant, each)).size_bytes() for each in registry.catalog.ids(tenant))
            done = time.monotonic()
            self._measured[tenant] = _Measured(size, done + max(_FRESH_SECONDS, _COST * (done - began)))
            return size

    def running(self, tenant: str, most: int) -> int:
        """How many of the tenant's executions hold a slot now, in all processes."""
        held = 0
        for number in range(most):
            with suppress(FileNotFoundError):
                slot = os.open(self._directory(tenant) / f"slot-{number}", os.O_RDWR | os.O_CLOEXEC)
                try:
                    held += _is_locked(slot)
                finally:
                    os.close(slot)
        return held

    def _slot(self, tenant: str, most: int) -> int:
        directory = self._directory(tenant)
        with storage_errors(directory):
            for number in range(most):
                slot = _opened(directory / f"slot-{number}")
                if _locked(slot):
                    return slot
                os.close(slot)
        raise TooManyAtOnce(
            f"the tenant has {plural(most, 'execution')} at once already",
            hint="wait until one of them is over",
            retry_after=1,
        )

    @contextmanager
    def _making(self, tenant: str) -> Iterator[None]:
        directory = self._directory(tenant)
        with storage_errors(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(file_lock(directory / "sessions", _MAKING_SECONDS))
            except SessionBusy:
                raise TooManyAtOnce(
                    "many sessions of the tenant are being made at this moment", hint="try again", retry_after=1
                ) from None
            yield

    def _directory(self, tenant: str) -> Path:
        return self._worker.data_dir / "quotas" / hashlib.sha256(tenant.encode()).hexdigest()


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


# Locks of the open file (OFD), not flock: those can be asked about without being taken, and whoever looks at a tenant's
# use must not keep its executions out for that moment.
_WHOLE_FILE = struct.pack("hh4xqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)  # struct flock of 64-bit Linux


def _locked(slot: int) -> bool:
    try:
        fcntl.fcntl(slot, fcntl.F_OFD_SETLK, _WHOLE_FILE)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: another one has it
        return False
    return True


def _is_locked(slot: int) -> bool:
    found = fcntl.fcntl(slot, fcntl.F_OFD_GETLK, _WHOLE_FILE)
    return bool(struct.unpack_from("h", found)[0] != fcntl.F_UNLCK)
