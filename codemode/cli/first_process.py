"""Process 1 of a container: hands signals on to the service and reaps whatever becomes its child.

When a zygote dies, its children become those of process 1, and stay as zombies unless that waits for them. The service
cannot do it itself: it would take the exit codes of processes that it waits for by name.
"""

from __future__ import annotations

import os
import signal
import sys

_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def stand_in() -> None:
    """Return in a process that is not the first of its namespace; one that is stays behind and looks after it.

    Called before there are threads: only the one that forks is in the new process.
    """
    if os.getpid() != 1:
        return
    # Held back until somebody can take them: process 1 ignores what it has no handler for.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    service = os.fork()
    if service:
        for number in _PASSED_ON:
            signal.signal(number, lambda got, _frame: os.kill(service, got))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        sys.stdout.flush()
        os._exit(_status_of(service))
    os.setpgid(0, 0)  # a terminal's Ctrl-C goes to a whole group: it would come twice, and the second one means haste
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)


def _status_of(service: int) -> int:
    """Reap children until it is the service that ended; its exit code, 128 and the signal where one ended it."""
    while True:
        ended, status = os.wait()
        if ended == service:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
