"""`logging`, made anew: loggers, handlers and formatters that write to the snippet's streams, and to nothing else.

The library's own keeps every logger of the process, and its records hold tracebacks and frames.
"""

from __future__ import annotations

import string
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sandbox import report
from sandbox.compile import FILENAME, is_snippet
from sandbox.facade import Facade, facade
from sandbox.facades.system import no_files
from sandbox.formatting import format_text, guard_method
from sandbox.guards import allow_writes
from sandbox.names import text_of

if TYPE_CHECKING:
    from sandbox.run import Run

_LEVELS = {"NOTSET": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50}
_LEVEL_NAMES = {number: name for name, number in _LEVELS.items() if name not in ("WARN", "FATAL")}
_BASIC = {
    "%": "%(levelname)s:%(name)s:%(message)s",
    "{": "{levelname}:{name}:{message}",
    "$": "${levelname}:${name}:${message}",
}


def level_name(level: Any) -> Any:
    """`WARNING` for 30, and 30 for `WARNING`."""
    return _LEVEL_NAMES.get(level) or _LEVELS.get(level, f"Level {level}")


def _level_number(level: int | str) -> int:
    if isinstance(level, str):
        if level not in _LEVELS:
            raise ValueError(f"Unknown level: {level!r}")
        return _LEVELS[level]
    return level


class LogRecord:
    """One message on its way to the handlers; no frame and no traceback is in it."""

    def __init__(
        self, name: str, level: int, msg: Any, args: Any, error: BaseException | None = None, extra: Any = None
    ) -> None:
        now = time.time()
        line, function = _caller()
        self.name, self.msg = name, msg
        self.args = args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
        self.exc_info = None if error is None else (type(error), error, None)
        self.exc_text: str | None = None
        self.stack_info = None
        self.levelno, self.levelname = level, level_name(level)
        self.created, self.msecs, self.lineno, self.funcName = now, now % 1 * 1000, line, function
        self.filename = self.pathname = FILENAME
        self.module, self.process, self.processName, self.threadName = "snippet", 1, "MainProcess", "MainThread"
        for each, value in dict(extra or {}).items():
            key = text_of(each)
            if key in ("message", "asctime") or key in vars(self):
                raise KeyError(f"Attempt to overwrite {key!r} in LogRecord")
            vars(self)[key] = value

    def getMessage(self) -> str:  # noqa: N802 - the library's name
        """The message with its arguments in place."""
        return str(self.msg) % self.args if self.args else str(self.msg)


def _caller() -> tuple[int, str]:
    """The line and function of the snippet that logs; no frame leaves here."""
    frame = sys._getframe(1)
    while frame is not None and not is_snippet(frame.f_code.co_filename):
        frame = frame.f_back  # type: ignore[assignment]
    return (0, "<module>") if frame is None else (frame.f_lineno, frame.f_code.co_name)


class Formatter:
    """Text from a record, by a `%`, `{` or `$` template."""

    def __init__(self, fmt: str | None = None, datefmt: str | None = None, style: str = "%", **_: Any) -> None:
        self.fmt = fmt or {"%": "%(message)s", "{": "{message}", "$": "${message}"}[style]
        self.datefmt = datefmt
        self.style = style

    def formatTime(self, record: Any, datefmt: str | None = None) -> str:  # noqa: N802
        """The record's time, to the millisecond where no format is given."""
        moment = time.localtime(record.created)
        if datefmt:
            return time.strftime(datefmt, moment)
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', moment)},{int(record.msecs):03d}"

    def format(self, record: Any) -> str:
        """The whole text, with the traceback of an exception below."""
        if type(record) is not LogRecord:
            raise TypeError(f"a Formatter takes a LogRecord, not {type(record).__name__!r}")
        vars(record).update(message=record.getMessage(), asctime=self.formatTime(record, self.datefmt))
        text = self._fill(dict(vars(record)))
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return f"{text}\n{record.exc_text}" if record.exc_text else text

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The traceback of an exception, given as `sys.exc_info()` gives it."""
        return report.traceback_text(ei[1])

    def _fill(self, values: dict[str, Any]) -> str:
        if self.style == "{":
            return format_text(self.fmt, (), values, _no_attributes)
        if self.style == "$":
            return string.Template(self.fmt).substitute(values)
        return self.fmt % values


def _formatting(it: Any) -> Any:
    """The `format` of a formatter or handler, which may be a str: its own reads any attribute."""
    return guard_method(it.format, _no_attributes)


def _no_attributes(value: Any, name: str) -> Any:
    raise AttributeError(f"a log format cannot read the attribute {name!r}")


class _Shared:
    """What all loggers of a run have together."""

    def __init__(self, last_resort: Callable[[str], Any], get: Callable[[str], Any]) -> None:
        self.last_resort, self.get = last_resort, get  # where a message without a handler goes; the logger of a name
        self.off = 0  # messages up to this level are not written

    def disable(self, level: int | str = 50) -> None:
        """Write no message up to this level."""
        self.off = _level_number(level)


class Filtering:
    """What loggers and handlers share: a level and filters."""

    def __init__(self, level: int | str = 0) -> None:
        self.level = _level_number(level)
        self.filters: list[Any] = []

    def setLevel(self, level: int | str) -> None:  # noqa: N802
        """Let messages from this level on pass."""
        self.level = _level_number(level)

    def addFilter(self, filter: Any) -> None:  # noqa: N802, A002
        """Add a filter: a callable, or an object with `filter`."""
        self.filters.append(filter)

    def removeFilter(self, filter: Any) -> None:  # noqa: N802, A002
        """Remove a filter."""
        self.filters = [each for each in self.filters if each is not filter]

    def filter(self, record: Any) -> bool:
        """Whether every filter lets a record pass."""
        return all((each.filter if hasattr(each, "filter") else each)(record) for each in self.filters)


class Handler(Filtering):
    """Where records go; a snippet's own handlers define `emit`."""

    def __init__(self, level: int | str = 0) -> None:
        super().__init__(level)
        self.formatter: Any = None

    def setFormatter(self, formatter: Any) -> None:  # noqa: N802
        """Set what makes the text."""
        self.formatter = formatter

    def format(self, record: Any) -> str:
        """The text of a record."""
        return str(_formatting(self.formatter or Formatter())(record))

    def handle(self, record: Any) -> None:
        """Emit a record that the filters let pass."""
        if self.filter(record):
            self.emit(record)

    def emit(self, record: Any) -> None:
        """Nothing, unless a subclass does."""

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing to close."""


class Filter:
    """Lets the records of one logger and those below it pass."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def filter(self, record: Any) -> bool:
        """Whether a record may pass."""
        return not self.name or f"{record.name}.".startswith(f"{self.name}.")


class Logger(Filtering):
    """A logger in a hierarchy of dotted names."""

    def __init__(self, name: str, parent: Any, shared: _Shared) -> None:
        super().__init__()
        self.name = name
        self.parent = parent
        self.handlers: list[Any] = []
        self.propagate = True
        self.disabled = False
        self._shared = shared

    def getEffectiveLevel(self) -> int:  # noqa: N802
        """The level set here or at the nearest parent that has one."""
        return int(next((each.level for each in _upwards(self) if each.level), 0))

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        """Whether a message of this level is written."""
        return not self.disabled and level > self._shared.off and level >= self.getEffectiveLevel()

    def addHandler(self, handler: Any) -> None:  # noqa: N802
        """Add a place to write to."""
        if not any(each is handler for each in self.handlers):
            self.handlers.append(handler)

    def removeHandler(self, handler: Any) -> None:  # noqa: N802
        """Remove one."""
        self.handlers = [each for each in self.handlers if each is not handler]

    def hasHandlers(self) -> bool:  # noqa: N802
        """Whether this logger or one above it has a handler."""
        return any(True for _ in _handlers(self))

    def getChild(self, suffix: str) -> Any:  # noqa: N802
        """A logger below this one."""
        return self._shared.get(suffix if self.parent is None else f"{self.name}.{suffix}")

    def log(self, level: int, msg: Any, *args: Any, exc_info: Any = None, extra: Any = None, **_: Any) -> None:
        """Write a message of a level."""
        if not self.isEnabledFor(level):
            return
        record = LogRecord(self.name, level, msg, args, _error(exc_info), extra)
        if not self.filter(record):
            return
        found = list(_handlers(self))
        for handler in found:
            if level >= handler.level:
                handler.handle(record)
        if not found and level >= _LEVELS["WARNING"]:
            self._shared.last_resort(Formatter().format(record) + "\n")

    def debug(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 10."""
        self.log(10, msg, *args, **keywords)

    def info(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 20."""
        self.log(20, msg, *args, **keywords)

    def warning(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 30."""
        self.log(30, msg, *args, **keywords)

    warn = warning

    def error(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 40."""
        self.log(40, msg, *args, **keywords)

    def critical(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 50."""
        self.log(50, msg, *args, **keywords)

    fatal = critical

    def exception(self, msg: Any, *args: Any, **keywords: Any) -> None:
        """Level 40, with the traceback of the exception being handled."""
        self.log(40, msg, *args, **{"exc_info": True, **keywords})


def _error(exc_info: Any) -> BaseException | None:
    """The exception that is meant: one itself, what `sys.exc_info()` gave, or for True the one being handled."""
    found = exc_info[1] if type(exc_info) is tuple and len(exc_info) == 3 else exc_info
    if found and not isinstance(found, BaseException):
        found = sys.exc_info()[1]
    return found if isinstance(found, BaseException) else None


def _upwards(logger: Any) -> Iterator[Any]:
    while logger is not None:
        yield logger
        logger = logger.parent


def _handlers(logger: Any) -> Iterator[Any]:
    for each in _upwards(logger):
        yield from each.handlers
        if not each.propagate:
            return


# A snippet may inherit from these (see Guards.check_base) and sets their attributes; a Logger it may only be given.
for _base in (Handler, Formatter, Filter):
    _base.__module__ = "logging"
allow_writes(Handler, Formatter, Filter, Logger, LogRecord)


def logging_facade(run: Run) -> Facade:
    """`logging` for one run."""
    root, get_logger, shared = _loggers(lambda text: run.streams.stderr.write(text))
    stream_handler = _stream_handler(run)
    basic_config = _basic_config(root, stream_handler)
    shortcuts = ("debug", "info", "warning", "warn", "error", "critical", "exception", "log")
    return facade("logging", {
        **_LEVELS, **{name: _shortcut(root, basic_config, name) for name in shortcuts},
        "getLogger": get_logger, "basicConfig": basic_config, "getLevelName": level_name, "BASIC_FORMAT": _BASIC["%"],
        "StreamHandler": stream_handler, "Handler": Handler, "NullHandler": type("NullHandler", (Handler,), {}),
        "Formatter": Formatter, "Filter": Filter, "Logger": Logger, "LogRecord": LogRecord, "FileHandler": no_files,
        "shutdown": lambda: None, "disable": shared.disable,
    })  # fmt: skip


def _stream_handler(run: Run) -> type[Handler]:
    class StreamHandler(Handler):
        """Writes to a stream; the snippet's stderr unless another is given."""

        terminator = "\n"

        def __init__(self, stream: Any = None) -> None:
            super().__init__()
            self.stream = run.streams.stderr if stream is None else stream

        def emit(self, record: Any) -> None:
            """Write the record's text."""
            self.stream.write(_formatting(self)(record) + self.terminator)

    StreamHandler.__module__ = "logging"
    return StreamHandler


def _loggers(write: Callable[[str], Any]) -> tuple[Logger, Callable[..., Logger], _Shared]:
    """The root, what answers the logger of a name, and what they share; `write` takes what no handler does."""
    loggers: dict[str, Logger] = {}

    def get_logger(name: str | None = None) -> Logger:
        if not name or name == "root":
            return root
        if name not in loggers:
            parent = name.rpartition(".")[0]
            loggers[name] = Logger(name, get_logger(parent) if parent else root, shared)
        return loggers[name]

    shared = _Shared(write, get_logger)
    root = Logger("root", None, shared)
    root.level = _LEVELS["WARNING"]
    return root, get_logger, shared


def _basic_config(root: Logger, stream_handler: Callable[[Any], Handler]) -> Callable[..., None]:
    def basic_config(
        *, level: Any = None, format: str | None = None, datefmt: str | None = None, style: str = "%",  # noqa: A002
        stream: Any = None, handlers: Any = None, filename: Any = None, force: bool = False, **_: Any,
    ) -> None:  # fmt: skip
        if filename is not None:
            no_files()
        if root.handlers and not force:
            return
        root.handlers = list(handlers) if handlers else [stream_handler(stream)]
        for handler in root.handlers:
            if handler.formatter is None:
                handler.setFormatter(Formatter(format or _BASIC[style], datefmt, style))
        if level is not None:
            root.setLevel(level)

    return basic_config


def _shortcut(root: Logger, basic_config: Callable[..., None], name: str) -> Callable[..., None]:
    def log(*args: Any, **keywords: Any) -> None:
        if not root.handlers:
            basic_config()
        getattr(root, name)(*args, **keywords)

    return log
