"""What a command waits for, said on a terminal: the turn of another process, before its own comes."""

from __future__ import annotations

import logging
import sys

from codemode.cli.output import note


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def say_waits() -> None:
    """Have waits for a session told to people who may wonder; a service's log has them already."""
    if sys.stderr.isatty() and not logging.getLogger().hasHandlers():
        log = logging.getLogger("codemode.session.turn")
        log.setLevel(logging.INFO)
        log.handlers[:] = [_Notes()]
