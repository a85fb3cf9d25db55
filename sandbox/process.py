"""One process of this interpreter's, started and ended.

Not by `subprocess`, which loads as much as all that a command needs to begin the sandbox's interpreter, and it begins
it before everything else.
"""

from __future__ import annotations

import fcntl
import os
from _signal import SIGCHLD, SIGKILL  # type: ignore[import-not-found]  # what `signal` is made of
from contextlib import suppress


class Process:
    """Started in a session of its own, so that a Ctrl-C in the worker's terminal is not for it.

    It has `descriptor` as its number `at`, /dev/null to read from and to print to, and what it writes to its standard
    error can be read from `errors`. Other descriptors that can be inherited are its own to close. Raises OSError.
    """

    def __init__(self, command: list[str], environment: dict[str, str], descriptor: int, at: int) -> None:
        self.returncode: int | None = None
        errors, theirs = os.pipe()
        ours = [theirs]  # all that is closed again here, also where no further descriptor is to be had
        try:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            ours.append(null)
            # Copies above all places, so that none is put where another one still is: where the worker's own are
            # closed.
            for each in (null, null, theirs, descriptor):
                ours.append(fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, at + 1))  # noqa: PERF401 - those before a fault
            above = ours[2:]
            self.pid = os.posix_spawn(
                command[0],
                command,
                environment,
                file_actions=[(os.POSIX_SPAWN_DUP2, *pair) for pair in zip(above, (0, 1, 2, at), strict=True)],
                setsid=True,
                setsigdef=(SIGCHLD,),  # ignored, as a program may have it, nobody learns how a child ended
            )
        except BaseException:
            os.close(errors)
            raise
        finally:
            for each in ours:
                os.close(each)
        self.errors = os.fdopen(errors, "rb", buffering=0)

    def poll(self) -> int | None:
        """How it ended, as `subprocess` tells it; None while it runs."""
        if self.returncode is None:
            self._reap(os.WNOHANG)
        return self.returncode

    def wait(self, seconds: float | None = None) -> int | None:
        """The same, when it has ended or this time is over; None waits for ever."""
        if seconds is not None and self.poll() is None:
            self._rest(seconds)
        if self.returncode is None:
            self._reap(0 if seconds is None else os.WNOHANG)
        return self.returncode

    def kill(self) -> None:
        """End it where it runs: its number is nobody else's before it was waited for."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ended meanwhile, where nobody has to wait for it
                os.kill(self.pid, SIGKILL)

    def _rest(self, seconds: float) -> None:
        import select

        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(seconds * 1000)
        finally:
            os.close(descriptor)

    def _reap(self, options: int) -> None:
        try:
            pid, status = os.waitpid(self.pid, options)
        except ChildProcessError:
            self.returncode = 0  # somebody else waited for it, or SIGCHLD is ignored: how it ended is not known
            return
        if pid:
            self.returncode = os.waitstatus_to_exitcode(status)
