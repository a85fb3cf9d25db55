"""What went wrong, in words on standard error or as JSON on standard output, and the exit code that goes with it."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from codemode.cli.ended import Ended
from codemode.cli.output import emit, printable
from codemode.errors import CodemodeError, RequestInvalid, StorageFull, WorkerInternal, WorkerUnavailable

FAILED, USAGE, UNAVAILABLE, INTERRUPTED = 1, 2, 3, 130
USAGE_CODES = {
    "request.invalid", "session.not_found", "session.expired", "session.exists", "session.no_such_checkpoint",
    "session.checkpoint_exists", "session.cannot_undo", "record.not_found", "record.exists",
}  # fmt: skip
LISTED = 20  # names of `available` that people are shown; JSON has them all


def exit_code(code: str) -> int:
    """1 for what the snippet or statement did, 2 for what the caller asked, 3 for what the machine could not give."""
    if code in USAGE_CODES:
        return USAGE
    return FAILED if code.startswith(("sql.", "code.")) else UNAVAILABLE


def report(error: BaseException, *, as_json: bool) -> int:
    """Tell an error and answer its exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _interrupted(error)
    if isinstance(error, click.ClickException):
        return _usage(error, as_json)
    known = _known(error)
    problem = describe(known)
    if as_json:
        emit({"ok": False, "result": None, "warnings": [], "error": problem})
    else:
        tell(problem)
    return exit_code(known.code)


def _interrupted(error: BaseException) -> int:
    ended = error if isinstance(error, Ended) else error.__cause__  # click has an Abort of its own
    click.echo("interrupted", err=True)
    return 128 + ended.number if isinstance(ended, Ended) else INTERRUPTED


def _usage(error: click.ClickException, as_json: bool) -> int:
    if as_json:
        problem = describe(_wrong_usage(error))
        emit({"ok": False, "result": None, "warnings": [], "error": problem})
    else:
        error.show()
    return USAGE


def _wrong_usage(error: click.ClickException) -> RequestInvalid:
    message = error.format_message()
    context: click.Context | None = getattr(error, "ctx", None)
    names: list[str] = []
    if context is not None and isinstance(context.command, click.Group):
        names = context.command.list_commands(context)
    # Without any word click's message is the whole help.
    if isinstance(error, click.exceptions.NoArgsIsHelpError) or message == "Missing command.":
        return RequestInvalid("Missing command.", available=names)
    return RequestInvalid(message, available=names if message.startswith("No such command") else ())


def _known(error: BaseException) -> CodemodeError:
    """The error itself, or the class of the tree that stands for it."""
    if isinstance(error, CodemodeError):
        return error
    if isinstance(error, OSError):
        what = f"cannot use {error.filename}" if error.filename else "cannot read or write"
        many = error.errno in (errno.EMFILE, errno.ENFILE)
        hint = "raise the limit of open files (ulimit -n)" if many else "check its permissions and the free space"
        return StorageFull(f"{what}: {error.strerror or error}", hint=hint)
    if isinstance(error, RuntimeError) and str(error).startswith("can't start new thread"):
        return WorkerUnavailable("no thread can be started", hint="raise the user's limit of processes (ulimit -u)")
    details = _written_down(error)
    return WorkerInternal(f"internal fault: {type(error).__name__}", hint=f"please report it with {details}")


def _written_down(error: BaseException) -> str:
    """A traceback is for the people who mend codemode, so it goes to a file."""
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="codemode-fault-", suffix=".txt")
    with os.fdopen(handle, "w", errors="backslashreplace") as file:
        file.writelines(traceback.format_exception(error))
    return str(Path(path))


def describe(error: CodemodeError) -> dict[str, Any]:
    """The error as the object that JSON answers carry."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "did_you_mean": error.did_you_mean,
        "available": error.available,
        "sql": error.sql,
        "suggestion": error.suggestion,
        "retryable": error.retryable,
    }


def tell(problem: dict[str, Any], *, err: bool = True) -> None:
    """Print an error for people: message, way out, names, code."""
    hint, meant = problem.get("hint") or "", problem.get("did_you_mean") or ()
    names = problem.get("available") or ()
    told = problem["message"].endswith(f" {', '.join(names)}")
    head = click.style("error:", fg="red", bold=True)
    where = f" (line {problem['line']})" if problem.get("line") else ""
    lines = [f"{head} {printable(problem['message'])}{where}"]
    lines += [f"  {printable(line)}" for line in _frames(problem)]
    lines += _labelled("hint", hint)
    lines += _labelled("did you mean", "" if all(name in hint for name in meant) else _list(meant))
    lines += _labelled("available", "" if told else _list(names))
    lines += _labelled("sql", _first_line(problem.get("sql")))
    lines += _suggestion(problem.get("suggestion"))
    lines.append(click.style(f"  [{problem['code']}]", dim=True))
    click.echo("\n".join(lines), err=err)


def _frames(problem: dict[str, Any]) -> list[str]:
    """The traceback, without the exception where the message has told it already."""
    lines = (problem.get("traceback") or "").rstrip().splitlines()
    return lines[:-1] if lines and problem["message"][:40] in lines[-1] else lines


def _suggestion(text: str | None) -> list[str]:
    """What would run instead, on lines of its own where it has several."""
    first, *others = (text or "").split("\n")
    return [*_labelled("try", first), *(f"       {printable(line)}" for line in others)]


def _labelled(label: str, text: str | None) -> list[str]:
    return [f"  {click.style(f'{label}:', bold=True)} {printable(text)}"] if text else []


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(names[:LISTED])
    return shown if len(names) <= LISTED else f"{shown}, … ({len(names) - LISTED:,} more)"


def _first_line(text: str | None) -> str | None:
    if not text:
        return None
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:200]}…"
