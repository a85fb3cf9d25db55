"""`traceback`, `warnings` and `logging`, made anew: they write to the snippet's streams and show only its frames."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox import report
from sandbox.facade import Facade, facade

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


def warnings_contents(run: Run) -> dict[str, Any]:
    """`warnings` for one run: shown on stderr, or recorded, or raised."""
    state: dict[str, Any] = {"action": "default", "record": None}

    def warn(message: Any, category: Any = UserWarning, stacklevel: int = 1, source: Any = None, **_: Any) -> None:
        if isinstance(message, Warning):
            warning, category = message, type(message)
        else:
            warning = category(message)
        if state["action"] == "error":
            raise warning
        if state["record"] is not None:
            state["record"].append(Warned(warning, category))
        elif state["action"] != "ignore":
            run.streams.stderr.write(f"{category.__name__}: {warning}\n")

    def simplefilter(action: str, category: Any = Warning, lineno: int = 0, append: bool = False) -> None:
        state["action"] = action

    def filterwarnings(action: str, message: str = "", category: Any = Warning, *_: Any, **__: Any) -> None:
        if not message and category is Warning:
            state["action"] = action

    def resetwarnings() -> None:
        state["action"] = "default"

    class catch_warnings:  # noqa: N801 - the library's name
        """Keep the filters for the length of a `with` block, and record warnings if asked."""

        def __init__(self, *, record: bool = False, action: str | None = None, **_: Any) -> None:
            self._record = record
            self._action = action
            self._outer: dict[str, Any] = {}

        def __enter__(self) -> list[Warned] | None:
            self._outer = dict(state)
            if self._record:
                state["record"] = []
            if self._action:
                state["action"] = self._action
            return state["record"] if self._record else None

        def __exit__(self, *_: object) -> None:
            state.update(self._outer)

    found = {"warn": warn, "simplefilter": simplefilter, "filterwarnings": filterwarnings}
    return {**found, "resetwarnings": resetwarnings, "catch_warnings": catch_warnings}


_LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50}
_LEVEL_NAMES = {number: name for name, number in _LEVELS.items() if name not in ("WARN", "FATAL")}


class Logger:
    """A logger that writes `LEVEL:name:message` to the snippet's stderr; handlers are accepted and ignored."""

    def __init__(self, name: str, run: Run, levels: dict[str, int]) -> None:
        self.name = name
        self.handlers: list[Any] = []
        self.propagate = True
        self._run = run
        self._levels = levels

    @property
    def level(self) -> int:
        """The level set for this logger, 0 if none is."""
        return self._levels.get(self.name, 0)

    def setLevel(self, level: int | str) -> None:  # noqa: N802 - the library's name
        """Let messages from this level on pass."""
        self._levels[self.name] = _LEVELS[level.upper()] if isinstance(level, str) else level

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        """Whether a message of this level is written."""
        return level >= (self.level or self._levels.get("root", 30))

    getEffectiveLevel = lambda self: self.level or self._levels.get("root", 30)  # noqa: N815, E731

    def addHandler(self, handler: Any) -> None:  # noqa: N802
        """Accepted; there is one place to write to."""
        self.handlers.append(handler)

    def removeHandler(self, handler: Any) -> None:  # noqa: N802
        """Accepted."""
        self.handlers = [each for each in self.handlers if each is not handler]

    def hasHandlers(self) -> bool:  # noqa: N802
        """Whether a handler was added."""
        return bool(self.handlers)

    def log(self, level: int, message: Any, *args: Any, exc_info: Any = None, **_: Any) -> None:
        """Write a message of a level."""
        if not self.isEnabledFor(level):
            return
        text = str(message)
        if args:
            text = text % (args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args)
        self._run.streams.stderr.write(f"{_LEVEL_NAMES.get(level, level)}:{self.name}:{text}\n")
        error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1] if exc_info else None
        if error is not None:
            self._run.streams.stderr.write(report.traceback_text(error) + "\n")

    def debug(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 10."""
        self.log(10, message, *args, **keywords)

    def info(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 20."""
        self.log(20, message, *args, **keywords)

    def warning(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 30."""
        self.log(30, message, *args, **keywords)

    warn = warning

    def error(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 40."""
        self.log(40, message, *args, **keywords)

    def critical(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 50."""
        self.log(50, message, *args, **keywords)

    def exception(self, message: Any, *args: Any, **keywords: Any) -> None:
        """Level 40, with the traceback of the exception being handled."""
        self.log(40, message, *args, **{"exc_info": True, **keywords})


class _Accepted:
    """A handler or formatter: accepted, and without effect."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def setLevel(self, level: Any) -> None:  # noqa: N802
        """Accepted."""

    def setFormatter(self, formatter: Any) -> None:  # noqa: N802
        """Accepted."""


_Accepted.__module__ = "logging"  # so that it may be a base: see Guards.check_base


def logging_facade(run: Run) -> Facade:
    """`logging`, in the small."""
    levels: dict[str, int] = {"root": 30}
    loggers: dict[str, Logger] = {}

    def get_logger(name: str | None = None) -> Logger:
        return loggers.setdefault(name or "root", Logger(name or "root", run, levels))

    def basic_config(*_: Any, level: Any = None, **__: Any) -> None:
        if level is not None:
            get_logger().setLevel(level)

    root = get_logger()
    shortcuts = ["debug", "info", "warning", "warn", "error", "critical", "exception", "log"]
    contents: dict[str, Any] = {name: getattr(root, name) for name in shortcuts}
    contents.update(_LEVELS, getLogger=get_logger, basicConfig=basic_config, Logger=Logger)
    contents.update(StreamHandler=_Accepted, NullHandler=_Accepted, Formatter=_Accepted, Handler=_Accepted)
    contents["getLevelName"] = lambda level: _LEVEL_NAMES.get(level, f"Level {level}")
    return facade("logging", contents)
