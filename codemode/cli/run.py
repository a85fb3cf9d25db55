"""`codemode run`: one snippet, its output as it comes, its result, and what it cost."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from codemode.cli.app import App, command, renew_option, session_option
from codemode.cli.failures import FAILED, UNAVAILABLE, exit_code, tell
from codemode.cli.fields import tenant_option
from codemode.cli.output import duration, emit, note, size, standard_input, stream, warn
from codemode.cli.table import records, show
from codemode.counts import plural
from codemode.errors import RequestInvalid

if TYPE_CHECKING:
    from codemode.session.request import RunOptions
    from codemode.session.session import Session
    from codemode.values import Outcome, ResultInfo

_CANCEL_SECONDS = 0.02  # between two attempts
_FIRST_ROWS = 20  # of a result that is kept as a table: enough to see what it is


_FORMATS = ("table", "objects", "columns", "csv", "markdown", "auto")  # a table, and sandbox.formats.FORMATS

format_option = click.option(
    "--format",
    "result_format",
    type=click.Choice(_FORMATS),
    default="table",
    help="How rows are shown; a table shows the first 20 of a large result.",
)


@command("run", short_help="Run a Python snippet in a session.")
@click.argument("file", required=False)
@click.option("-c", "--code", metavar="CODE", help="The snippet itself.")
@session_option
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=JSON",
    help="A variable; NAME=@FILE reads it from a file: the text of .sql, .txt, .csv and .md, else JSON.",
)
@click.option("--timeout", type=float, metavar="SECONDS", help="Less than the limit of the session.")
@click.option("--dry-run", is_flag=True, help="Run, say what would change, and undo it.")
@click.option("--no-atomic", is_flag=True, help="Keep each call's changes even if the snippet fails later.")
@click.option("--idempotency-key", metavar="KEY", help="Answer a second run of the same KEY with the first's outcome.")
@format_option
@click.option("--max-cell", type=int, metavar="N", help="Clip texts of these rows to N characters, and say so.")
@renew_option
@tenant_option
def run(
    app: App, file: str | None, code: str | None, session_id: str | None, inputs: tuple[str, ...], **options: Any
) -> int:
    """Run the snippet in FILE, or on standard input (-), or given with -c.

    Without --session it runs in a new session, whose id is printed on standard error and which lives for 24 hours.
    `codemode sessions add` makes one with limits of its own.
    """
    source = read_snippet(file, code)
    variables = dict(_parse_input(text) for text in inputs)
    if options["idempotency_key"] is not None and session_id is None:
        raise click.UsageError("--idempotency-key needs --session: keys are the session's")
    arguments = {"timeout": options["timeout"], "dry_run": options["dry_run"], "atomic": not options["no_atomic"]}
    arguments |= {"idempotency_key": options["idempotency_key"], "max_cell": options["max_cell"]}
    if options["result_format"] != "table":
        arguments["result_format"] = options["result_format"]
    with app.worker(once=True) as worker:
        if session_id is None:
            _expect_good(app, source, {"inputs": variables, **arguments})
        session = app.session(worker, session_id, options["tenant"], create=True, renew=options["renew"])
        printed = Printed(None if app.as_json else session.cancel)
        arguments["on_output"] = None if app.as_json else printed
        outcome = run_interruptibly(session, lambda: session.run(source, inputs=variables, **arguments))
    if printed.broken:
        raise BrokenPipeError
    if app.as_json:
        emit(outcome)
    else:
        printed.end_line()
        show_outcome(outcome, as_table=options["result_format"] == "table")
    # An outcome is never wrong usage: where the snippet misused a helper, the snippet failed.
    return 0 if outcome.error is None else UNAVAILABLE if exit_code(outcome.error.code) == UNAVAILABLE else FAILED


def _expect_good(app: App, source: str, options: dict[str, Any]) -> None:
    """Refuse what no execution can be made of before a session is made for it, which would stay and be of no use."""
    from codemode.session.request import checked_request

    checked_request(app.resolved().settings.limits, source, cast("RunOptions", options))


def read_snippet(file: str | None, code: str | None) -> str:
    """The source text, from wherever it was said to be."""
    if code is not None:
        if file is not None:
            raise click.UsageError("give a FILE or -c CODE, not both")
        text, name = code, "the text of -c"
    elif file not in (None, "-"):
        text, name = read_text(str(file), "give a snippet itself with -c"), str(file)
    elif file is None and standard_input().isatty():
        raise click.UsageError("give a FILE, - for standard input, or -c CODE")
    else:
        text, name = _decoded(standard_input().buffer.read(), "standard input"), "standard input"
    if not text.strip():
        raise RequestInvalid(f"{name} is empty", hint="a snippet is Python source text")
    return text


def read_text(path: str, otherwise: str = "check the spelling and the folder") -> str:
    """The text of a file that the user named; `otherwise` is the hint where there is none."""
    if not path:
        raise RequestInvalid("the name of a file is empty", hint="is a variable of the shell not set?")
    try:
        return _decoded(Path(path).read_bytes(), path)
    except FileNotFoundError:
        raise RequestInvalid(f"no such file: {path}", hint=otherwise) from None
    except IsADirectoryError:
        raise RequestInvalid(f"{path} is a directory", hint="name a file in it") from None
    except (OSError, ValueError) as error:
        raise RequestInvalid(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _decoded(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise RequestInvalid(f"{name} is a binary file", hint="a snippet is Python source text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{name}, line {line}: not UTF-8 text (byte 0x{data[error.start]:02x})"
        raise RequestInvalid(message, hint="save it as UTF-8") from None


_TEXTS = (".sql", ".txt", ".csv", ".md")  # files that are no JSON: a script, or data to be taken apart


def _parse_input(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise RequestInvalid(f"--input {text!r}: expected NAME=JSON", hint="for example --input limit=10")
    if value.startswith("@"):
        path = value[1:]
        value = read_text(path)
        if path.lower().endswith(_TEXTS):
            return name, value
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError) as error:
        hint = f"text is quoted: --input '{name}=\"text\"'"
        raise RequestInvalid(f"--input {name}: not JSON: {error}", hint=hint) from None


class Printed:
    """Passes on what a snippet prints; where its reader left, the snippet is cancelled instead of failing."""

    def __init__(self, cancel: Callable[[], Any] | None) -> None:
        self.broken = False
        self._cancel, self._last = cancel, "\n"

    def __call__(self, text: str) -> None:
        """Print a piece of output."""
        if self.broken or not text:
            return
        try:
            click.echo(stream(text), nl=False)
            self._last = text[-1]
        except BrokenPipeError:
            self.broken = True
            if self._cancel:
                self._cancel()

    def end_line(self) -> None:
        """Begin a new line where the output did not end with one."""
        if self._last != "\n":
            click.echo()


def run_interruptibly(session: Session, execute: Callable[[], Outcome]) -> Outcome:
    """Run in a second thread, so that Ctrl-C reaches this one at once and ends the execution there."""
    answers: list[Outcome] = []
    faults: list[BaseException] = []
    over = threading.Event()  # a `join` that is interrupted takes the thread for ended (Python 3.11, bpo-45274)

    def work() -> None:
        try:
            answers.append(execute())
        except BaseException as error:  # noqa: BLE001 - raised again below, where the caller waits
            faults.append(error)
        finally:
            over.set()

    threading.Thread(target=work, name="execution", daemon=True).start()
    try:
        over.wait()
    except KeyboardInterrupt:
        while not over.wait(_CANCEL_SECONDS):  # the data is rolled back before the program ends
            session.cancel()  # again and again: it may not have begun yet
        raise
    if faults:
        raise faults[0]
    return answers[0]


def show_outcome(outcome: Outcome, *, as_table: bool = True, err: bool = True) -> None:
    """The result, or what went wrong; then warnings and the cost, on standard error unless `err` is False."""
    import msgspec

    if outcome.error is None:
        show_result(outcome, as_table=as_table, err=err)
    else:
        tell(msgspec.to_builtins(outcome.error), err=err)
        if outcome.db.rolled_back:
            undone = "nothing was changed: all writes of the snippet were undone"
            partly = "what commit() or a call of its own made permanent stays; the writes after it were undone"
            note(partly if outcome.db.committed else undone, err=err)
    for warning in outcome.warnings:
        warn(warning, err=err)
    if outcome.variables is not None:
        why = f": {outcome.variables_reason}" if outcome.variables_reason else ""
        note(f"variables {outcome.variables}{why}", err=err)
    if outcome.replayed:
        note(f"nothing ran: this is the outcome of {outcome.execution_id}, kept under its idempotency key", err=err)
    note(cost(outcome), err=err)


def show_result(outcome: Outcome, *, as_table: bool, err: bool) -> None:
    """Rows as a table, of a large result the first ones; text and numbers plainly, anything else as JSON."""
    result, info = outcome.result, outcome.result_info
    shown = (info.shown if info else None) or 0
    if as_table and info is not None and info.handle is not None and isinstance(result, list):
        result = result[:_FIRST_ROWS]
        shown = len(result)
    if as_table and _is_rows(result):
        columns, rows = records(result)
        show(columns, rows)
    elif isinstance(result, str):
        click.echo(stream(result), nl=as_table or not result.endswith("\n"))
    elif result is not None:
        from codemode.plain import json_text

        indent = 2 if as_table and isinstance(result, dict | list) else None
        click.echo(stream(json_text(result, indent=indent)))
    if info is not None and info.handle is not None:
        _tell_handle(outcome, info, shown, err=err)
    elif info is not None and info.truncated:
        note(f"the result is cut: {info.how_to_read}", err=err)


def _tell_handle(outcome: Outcome, info: ResultInfo, shown: int, *, err: bool) -> None:
    """Where the whole of a result is, and the commands that read it."""
    is_text = info.columns[0].name == "part"
    what = f"JSON text of the {info.type}" if is_text else f"{shown:,} of {plural(info.row_count or 0, 'row')} shown"
    note(f"{what}; all of it is kept as the table {info.handle} ({size(info.bytes)})", err=err)
    order = "part" if is_text else "rowid"
    sql = f"SELECT * FROM {info.handle} ORDER BY {order} LIMIT 100 OFFSET {shown}"  # noqa: S608 - the engine's own name
    note(f"read on: codemode query -s {outcome.session_id} '{sql}'", err=err)
    note(f"take out: codemode export {info.handle} -s {outcome.session_id} --to FILE", err=err)


def _is_rows(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and all(isinstance(row, dict) and row for row in result)


def cost(outcome: Outcome) -> str:
    """One line: how it ended and what it took."""
    use, usage = outcome.db, outcome.usage
    parts = [
        f"{'dry run ' if use.dry_run else ''}{outcome.status} in {duration(usage.duration_ms)}",
        f"{plural(use.rows_read, 'row')} read",
        f"{use.rows_written:,} written",
        f"{size(usage.peak_memory_bytes)} of memory",
    ]
    if use.tables_changed and not use.rolled_back:
        parts.append(f"changed {', '.join(use.tables_changed)}")
    return " · ".join(parts)
