"""`sys`, `io`, `contextlib`, `pprint`, `string`: the parts that touch the run's streams or guards."""

from __future__ import annotations

import operator
import pprint
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from sandbox import formatting
from sandbox.facade import Facade
from sandbox.guards import allow_writes

if TYPE_CHECKING:
    from sandbox.run import Run

_MOST_RECURSION = 20_000  # deeper, and C code that recurses (repr, sorted keys) can overrun the process's stack


class SysFacade(Facade):
    """`sys`, whose `stdout` and `stderr` a snippet may replace, as with the real one."""

    @property
    def stdout(self) -> Any:
        """Where `print` goes."""
        return vars(self)["_streams"].stdout

    @property
    def stderr(self) -> Any:
        """Where warnings and tracebacks go."""
        return vars(self)["_streams"].stderr

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("stdout", "stderr"):
            raise AttributeError(f"sys.{name} cannot be changed")
        setattr(vars(self)["_streams"], name, value)


allow_writes(SysFacade)  # its own __setattr__ judges


def sys_facade(run: Run) -> SysFacade:
    """Make `sys` for one run: what describes the interpreter, nothing that leads into it."""
    same = (
        "byteorder float_info getrecursionlimit getsizeof hash_info int_info intern maxsize maxunicode platform version"
    )
    same += " version_info getdefaultencoding get_int_max_str_digits set_int_max_str_digits copyright"
    made = SysFacade()
    vars(made).update({name: getattr(sys, name) for name in same.split()})
    vars(made).update(
        _title="sys", _streams=run.streams, __stdout__=run.streams.original, exit=leave, exc_info=_exc_info,
        exception=_exception, setrecursionlimit=_set_recursion_limit,
    )  # fmt: skip
    return made


def leave(status: Any = None) -> NoReturn:
    """`exit`, `quit` and `sys.exit`."""
    raise SystemExit(status)


def _exception() -> BaseException | None:
    return sys.exc_info()[1]


def _exc_info() -> tuple[Any, Any, None]:
    """The exception being handled; its traceback, which leads to frames, stays here."""
    kind, error, _ = sys.exc_info()
    return kind, error, None


def _set_recursion_limit(limit: int) -> None:
    sys.setrecursionlimit(min(operator.index(limit), _MOST_RECURSION))  # exactly: a subclass compares as it likes


def no_files(*args: Any, **keywords: Any) -> NoReturn:
    """`open`: there is no file system in a child."""
    raise PermissionError(
        "open() is not available: a snippet has no files. Keep data in the session's database with helpers.db "
        "(helpers.db.batch_insert, helpers.db.query, helpers.db.save_state), and text in io.StringIO"
    )


def io_contents(run: Run) -> dict[str, Any]:
    """`io.open` says what to use instead."""
    return {"open": no_files}


def contextlib_contents(run: Run) -> dict[str, Any]:
    """Redirection of this run's streams."""
    return {
        "redirect_stdout": run.streams.redirection("stdout"),
        "redirect_stderr": run.streams.redirection("stderr"),
    }


def pprint_contents(run: Run) -> dict[str, Any]:
    """`pprint`, printing to this run's stream rather than the process's."""

    class PrettyPrinter(pprint.PrettyPrinter):
        """A pretty printer whose default stream is the snippet's."""

        def __init__(
            self, indent: int = 1, width: int = 80, depth: int | None = None, stream: Any = None, **keywords: Any
        ) -> None:
            super().__init__(indent, width, depth, run.streams.stdout if stream is None else stream, **keywords)

    PrettyPrinter.__module__ = "pprint"

    def show(value: Any, stream: Any = None, *args: Any, **keywords: Any) -> None:
        """Pretty-print a value."""
        text = pprint.pformat(value, *args, **keywords)
        (run.streams.stdout if stream is None else stream).write(text + "\n")

    def pp(value: Any, *args: Any, sort_dicts: bool = False, **keywords: Any) -> None:
        """Pretty-print a value, keeping the order of dicts."""
        show(value, *args, sort_dicts=sort_dicts, **keywords)

    same = ("isreadable", "isrecursive", "pformat", "saferepr")
    return {**{name: getattr(pprint, name) for name in same}, "pprint": show, "pp": pp, "PrettyPrinter": PrettyPrinter}


def string_contents(run: Run) -> dict[str, Any]:
    """`string.Formatter`, guarded."""
    return {"Formatter": formatting.formatter_class(run.guards.read_any)}
