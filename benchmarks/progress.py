"""What is measured now and how long the rest may take, on standard error."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TextIO

_ERASE = "\r\x1b[K"


class Progress:
    """One line that is written over on a terminal; a line for each scenario anywhere else."""

    def __init__(self, scenarios: int, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._scenarios = scenarios
        self._done = -1
        self._title = ""
        self._began = time.monotonic()
        self._rewrites = self._stream.isatty()

    def begin(self, title: str) -> None:
        """The next scenario is measured from now on."""
        self._done += 1
        self._title = title
        if not self._rewrites:
            self._stream.write(f"{self._where()}\n")
            self._stream.flush()

    def note(self, doing: str) -> None:
        """What of it is being done."""
        if self._rewrites:
            line = f"{self._where()}: {doing}"[: shutil.get_terminal_size().columns - 1]  # one that wraps would stay
            self._stream.write(f"{_ERASE}{line}")
            self._stream.flush()

    def clear(self) -> None:
        """Make room for what is said on standard output."""
        if self._rewrites:
            self._stream.write(_ERASE)
            self._stream.flush()

    def _where(self) -> str:
        return f"[{self._done + 1}/{self._scenarios}{self._left()}] {self._title}"

    def _left(self) -> str:
        """From what the scenarios before took on average."""
        if not self._done:
            return ""
        left = (time.monotonic() - self._began) / self._done * (self._scenarios - self._done)
        return f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
