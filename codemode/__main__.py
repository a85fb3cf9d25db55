"""The command `codemode`, and `python -m codemode`: what a process does before it loads the command line.

A snippet needs an interpreter of its own, which takes as long to load as everything else: it is started first.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from codemode.loading import loading

_RUNS_AT_ONCE = "run"  # where the word is no command, a process ends by itself that nobody needed
_RUNS_NOTHING = ("--help", "-h")


def main() -> None:
    """Run the command that the arguments name, and leave with its exit code."""
    try:
        with loading():
            if _RUNS_AT_ONCE in sys.argv[1:] and not any(word in sys.argv[1:] for word in _RUNS_NOTHING):
                _begin()
            from codemode.cli import main as command
    except KeyboardInterrupt:  # before there is anything that could say more
        sys.exit(130)
    try:
        command()
    finally:
        import signal

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # all is said and done; the exit code would be another one


def _begin() -> None:
    from sandbox import interpreter
    from sandbox.errors import SandboxUnavailable

    with suppress(SandboxUnavailable, OSError):  # it comes up again where the sandbox is asked for
        interpreter.begin()


if __name__ == "__main__":
    main()
