"""`traceback`, made anew: it writes to the snippet's streams and shows only its frames."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox import report

if TYPE_CHECKING:
    from sandbox.run import Run


def traceback_contents(run: Run) -> dict[str, Any]:
    """The functions that make text of an exception."""

    def format_exception(error: Any, value: Any = None, tb: Any = None, **_: Any) -> list[str]:
        shown = value if isinstance(value, BaseException) else error
        return [line + "\n" for line in report.traceback_text(shown).split("\n")]

    def format_exception_only(error: Any, value: Any = None, **_: Any) -> list[str]:
        shown = value if isinstance(value, BaseException) else error
        return [report.summary(shown) + "\n"]

    def format_exc(*_: Any, **__: Any) -> str:
        error = sys.exc_info()[1]
        return "NoneType: None\n" if error is None else report.traceback_text(error) + "\n"

    def print_exc(limit: Any = None, file: Any = None, **_: Any) -> None:
        (file or run.streams.stderr).write(format_exc())

    def print_exception(error: Any, value: Any = None, tb: Any = None, *, file: Any = None, **_: Any) -> None:
        (file or run.streams.stderr).write("".join(format_exception(error, value)))

    def format_tb(*_: Any, **__: Any) -> list[str]:
        return []

    return {
        "format_exception": format_exception,
        "format_exception_only": format_exception_only,
        "format_exc": format_exc,
        "print_exc": print_exc,
        "print_exception": print_exception,
        "format_tb": format_tb,
    }
