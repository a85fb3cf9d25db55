"""Where a snippet's printing goes: `print`, `sys.stdout`, `sys.stderr` and redirection."""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable, Iterable
from typing import Any

Write = Callable[[str], None]


class Stream:
    """A text stream that only writes."""

    __slots__ = ("_write", "name")
    encoding = "utf-8"
    errors = "strict"
    closed = False

    def __init__(self, name: str, write: Write) -> None:
        self.name = f"<{name}>"
        self._write = write

    def write(self, text: str) -> int:
        """Write text; answers its length, as every text stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._write(str.__str__(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """Never a terminal."""
        return False

    def writable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Never."""
        return False


class Streams:
    """The standard streams of one run, as the snippet may redirect them."""

    def __init__(self, write_out: Write) -> None:
        self.original = Stream("stdout", write_out)
        self._errors = Stream("stderr", write_out)
        self.restore()

    def restore(self) -> None:
        """Undo redirections: the next snippet of a kept child prints to its own outcome."""
        self.stdout: Any = self.original
        self.stderr: Any = self._errors

    def print(
        self,
        *values: Any,
        sep: str | None = " ",
        end: str | None = "\n",
        file: Any = None,
        flush: bool = False,
    ) -> None:
        """The builtin `print`; one write per call."""
        target = self.stdout if file is None else file
        if type(target) is not Stream:
            builtins.print(*values, sep=sep, end=end, file=target, flush=flush)
            return
        if type(sep) is str and type(end) is str:
            target._write(sep.join(map(str, values)) + end)
            return
        buffer = io.StringIO()
        builtins.print(*values, sep=sep, end=end, file=buffer)
        target._write(buffer.getvalue())

    def redirection(self, which: str) -> type:
        """`contextlib.redirect_stdout` or `redirect_stderr` for these streams."""
        streams = self

        class Redirect:
            """Send printing to another stream for the length of a `with` block."""

            def __init__(self, target: Any) -> None:
                self._target = target
                self._outer: list[Any] = []

            def __enter__(self) -> Any:
                self._outer.append(getattr(streams, which))
                setattr(streams, which, self._target)
                return self._target

            def __exit__(self, *_: object) -> None:
                setattr(streams, which, self._outer.pop())

        Redirect.__name__ = Redirect.__qualname__ = f"redirect_{which}"
        return Redirect
