"""`warnings`, made anew for one run: shown on the snippet's stderr, recorded, or raised."""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.compile import FILENAME, is_snippet
from sandbox.own import is_class

if TYPE_CHECKING:
    from sandbox.run import Run

_ACTIONS = ("error", "ignore", "always", "all", "default", "module", "once")


class _Filter(NamedTuple):
    action: str
    category: Any
    message: re.Pattern[str] | None = None
    line: int = 0

    def applies(self, text: str, category: type[Warning], line: int) -> bool:
        """Whether it decides about this warning."""
        return (
            issubclass(category, self.category)
            and (self.message is None or self.message.match(text) is not None)
            and self.line in (0, line)
        )


_AT_FIRST = [_Filter("ignore", kind) for kind in (PendingDeprecationWarning, ImportWarning, ResourceWarning)]


class Warned:
    """One recorded warning."""

    def __init__(self, message: Warning, category: type[Warning], place: tuple[str, int], source: Any) -> None:
        self.message = message
        self.category = category
        self.filename, self.lineno = place
        self.file = self.line = None
        self.source = source

    def __str__(self) -> str:
        return (
            f"{{message : {self.message!r}, category : {self.category.__name__!r}, filename : {self.filename!r}, "
            f"lineno : {self.lineno}, line : {self.line!r}}}"
        )


class _Warnings:
    """The filters of one run, newest first, and what they have let through already."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.filters = list(_AT_FIRST)
        self.record: list[Warned] | None = None
        self.shown: set[tuple[Any, ...]] = set()  # since the filters were changed
        self._once: set[tuple[Any, ...]] = set()

    def warn(self, message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **_: Any) -> None:
        """Show a warning, record it or raise it, as the first filter that applies says."""
        if isinstance(message, Warning):
            warning, category = message, type(message)
        else:
            category = UserWarning if category is None else category
            if not is_class(category) or not issubclass(category, Warning):
                raise TypeError(f"category must be a Warning subclass, not {type(category).__name__!r}")
            warning = category(message)
        text, place = str(message), _place(stacklevel)
        filters = self.filters
        action = next((each.action for each in filters if each.applies(text, category, place[1])), "default")
        if action == "error":
            raise warning
        if action == "ignore" or self._is_known(action, text, category, place):
            return
        if self.record is not None:
            self.record.append(Warned(warning, category, place, source))
        else:
            self._run.streams.stderr.write(f"{category.__name__}: {warning}\n")

    def _is_known(self, action: str, text: str, category: type[Warning], place: tuple[str, int]) -> bool:
        """Whether the same was shown before, as far as this action asks."""
        if action in ("always", "all"):
            return False
        known = self._once if action == "once" else self.shown
        key = (text, category, *(place if action == "default" else ()))
        before = key in known
        known.add(key)
        return before

    def simplefilter(self, action: str, category: Any = Warning, lineno: int = 0, append: bool = False) -> None:
        """Decide about warnings of a category."""
        self._add(_Filter(_known(action), category, None, lineno), append)

    def filterwarnings(
        self,
        action: str,
        message: str = "",
        category: Any = Warning,
        module: str = "",
        lineno: int = 0,
        append: bool = False,
    ) -> None:
        """Decide about warnings of a category whose text begins as the pattern says; all are of one module."""
        pattern = re.compile(message, re.IGNORECASE) if message else None
        if not module or re.match(module, "__main__"):
            self._add(_Filter(_known(action), category, pattern, lineno), append)

    def _add(self, made: _Filter, append: bool) -> None:
        rest = [each for each in self.filters if each != made]
        if not append:
            self.change([made, *rest])
        elif len(rest) == len(self.filters):
            self.change([*rest, made])

    def change(self, filters: list[_Filter]) -> None:
        """Let these decide from now on."""
        self.filters = filters
        self.shown.clear()

    def resetwarnings(self) -> None:
        """Let no filter decide."""
        self.change([])


def _known(action: str) -> str:
    if action not in _ACTIONS:
        raise ValueError(f"invalid action: {action!r}")
    return action


def _place(stacklevel: int) -> tuple[str, int]:
    """File and line of the snippet's frame that is so many calls up, or of its outermost; no frame leaves here."""
    frame: FrameType | None = sys._getframe(1)
    place, left = (FILENAME, 1), max(stacklevel, 1)
    while frame is not None and left:
        if is_snippet(frame.f_code.co_filename):
            place, left = (frame.f_code.co_filename, frame.f_lineno), left - 1
        frame = frame.f_back
    return place


def warnings_contents(run: Run) -> dict[str, Any]:
    """`warnings` for one run."""
    made = _Warnings(run)
    names = ("warn", "simplefilter", "filterwarnings", "resetwarnings")
    return {**{name: getattr(made, name) for name in names}, "catch_warnings": _catch_warnings(made)}


def _catch_warnings(warnings: _Warnings) -> type:
    class catch_warnings:  # noqa: N801 - the library's name
        """Keep the filters for the length of a `with` block, and record warnings if asked."""

        def __init__(
            self,
            *,
            record: bool = False,
            module: Any = None,
            action: str | None = None,
            category: Any = Warning,
            lineno: int = 0,
            append: bool = False,
        ) -> None:
            self._record = record
            self._first = None if action is None else (action, category, lineno, append)
            self._outer: tuple[list[_Filter], list[Warned] | None] | None = None

        def __enter__(self) -> list[Warned] | None:
            if self._outer is not None:
                raise RuntimeError("Cannot enter catch_warnings twice")
            self._outer = (warnings.filters, warnings.record)
            warnings.change(warnings.filters)
            if self._record:
                warnings.record = []
            if self._first is not None:
                warnings.simplefilter(*self._first)
            return warnings.record if self._record else None

        def __exit__(self, *_: object) -> None:
            if self._outer is None:
                raise RuntimeError("Cannot exit catch_warnings without entering first")
            filters, warnings.record = self._outer
            warnings.change(filters)

    return catch_warnings
