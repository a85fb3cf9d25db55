"""`traceback` and `warnings`, made anew: they write to the snippet's streams and show only its frames."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
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


class Warned:
    """One recorded warning."""

    def __init__(self, message: Any, category: Any) -> None:
        self.message = message
        self.category = category

    def __str__(self) -> str:
        return f"{self.category.__name__}: {self.message}"


@dataclass
class _Filters:
    """What happens to warnings now."""

    action: str = "default"
    record: list[Warned] | None = None


def warnings_contents(run: Run) -> dict[str, Any]:
    """`warnings` for one run: shown on stderr, or recorded, or raised."""
    filters = _Filters()

    def warn(message: Any, category: Any = UserWarning, stacklevel: int = 1, source: Any = None, **_: Any) -> None:
        if isinstance(message, Warning):
            warning, category = message, type(message)
        else:
            warning = category(message)
        if filters.action == "error":
            raise warning
        if filters.record is not None:
            filters.record.append(Warned(warning, category))
        elif filters.action != "ignore":
            run.streams.stderr.write(f"{category.__name__}: {warning}\n")

    def simplefilter(action: str, category: Any = Warning, lineno: int = 0, append: bool = False) -> None:
        filters.action = action

    def filterwarnings(action: str, message: str = "", category: Any = Warning, *_: Any, **__: Any) -> None:
        if not message and category is Warning:
            filters.action = action

    def resetwarnings() -> None:
        filters.action = "default"

    return {
        "warn": warn,
        "simplefilter": simplefilter,
        "filterwarnings": filterwarnings,
        "resetwarnings": resetwarnings,
        "catch_warnings": _catch_warnings(filters),
    }


def _catch_warnings(filters: _Filters) -> type:
    class catch_warnings:  # noqa: N801 - the library's name
        """Keep the filters for the length of a `with` block, and record warnings if asked."""

        def __init__(self, *, record: bool = False, action: str | None = None, **_: Any) -> None:
            self._record = record
            self._action = action
            self._outer = filters

        def __enter__(self) -> list[Warned] | None:
            self._outer = replace(filters)
            if self._record:
                filters.record = []
            if self._action:
                filters.action = self._action
            return filters.record if self._record else None

        def __exit__(self, *_: object) -> None:
            filters.action, filters.record = self._outer.action, self._outer.record

    return catch_warnings
