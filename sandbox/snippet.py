"""One snippet in its child: from the request to the "done" frame that says how it ended."""

from __future__ import annotations

import json
import signal
from typing import Any

from sandbox import mended, modules, report
from sandbox.answering import answer
from sandbox.child import Entry, Request
from sandbox.compile import packed
from sandbox.confine import use_headroom
from sandbox.connection import Connection, Stream
from sandbox.form import Form
from sandbox.helpers import Helpers
from sandbox.live import Live
from sandbox.printing import Printer
from sandbox.protocol import encoded
from sandbox.refusal import SnippetRefused

_printers: list[Printer] = []  # the one whose text the timer sends; a signal's handler is given nothing else
# The variables that a connection's snippet finds, those made before it and those kept for it. They stay here, since to
# take them apart in a process that is about to end would be a waste.
_lives: dict[Connection, Live] = {}
_stock: list[Connection] = []  # those that nobody has yet


def _on_timer(*_: object) -> None:
    for printer in _printers:
        printer.on_timer()


def preload() -> None:
    """Import all that snippets may use, and set the timer's handler: a confined child can do neither."""
    modules.preload()
    signal.signal(signal.SIGALRM, _on_timer)


def stock() -> None:
    """Make the variables of as many snippets as a child sees: the one that warms it, and its own.

    A child that makes them itself counts references to some hundred functions, classes and names, each on a page that
    it copies then. What was run so far leaves nothing behind: to replace it copies pages too.
    """
    report.forget_sources()
    for _ in range(len(ENTRY.warm) + 1):
        connection = Connection(_Nobody(), 0)
        live = _lives[connection] = Live(connection)
        live.make()
        _stock.append(connection)


def connect(stream: Stream, frame_bytes: int) -> Connection:
    """A connection whose snippet finds its variables made."""
    if not _stock:
        return Connection(stream, frame_bytes)
    connection = _stock.pop()
    connection.attach(stream, frame_bytes)
    return connection


def serve(connection: Connection, request: Request) -> None:
    """Run one snippet and send how it ended; with `keep` on the variables that the last such one left."""
    live = _lives.get(connection) or Live(connection)
    if request["keep"]:
        _lives[connection] = live
    printer = Printer(connection.send_text, connection.can_send_now)
    _printers[:] = [printer]
    connection.begin(printer.flush)
    live.begin(request["functions"], printer.write)
    done = _advised(_ending(connection, request, live), request)
    printer.flush()
    _printers.clear()
    live.end()
    connection.end()
    connection.send(["done", done])


def _ending(connection: Connection, request: Request, live: Live) -> dict[str, Any]:
    helpers = live.helpers
    try:
        source = request["code"].decode("utf-8", "surrogatepass")
        inputs = json.loads(request["inputs"].decode("utf-8", "surrogatepass"))
        compiled = live.compile(source, inputs, request["compiled"])
        if request["tells"]:
            connection.send(["code", packed(compiled)])  # now: from here on the snippet might say what it likes
        live.prepare(inputs)
        if request["waits"]:
            connection.read()  # leave to run what was only compiled so far: the worker gives it in the session's turn
    except SnippetRefused as refused:
        return _failed("rejected", refused, helpers)
    except ValueError as error:  # an input that cannot be a variable: the host's mistake, told in its words
        return _failed("rejected", error, helpers, code="code.refused")
    except MemoryError as error:
        use_headroom()
        return _failed("error", error, helpers)
    try:
        value = live.evaluate(compiled)
        text, info = answer(connection, value, request["limits"], Form(**request["form"]))
        connection.finish()  # a posted call may still fail, and then the run has
    except MemoryError as error:
        use_headroom()
        return _failed("error", error, helpers)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt are a snippet's own too
        return _failed("error", error, helpers)
    warnings = [*helpers.warnings, *info.pop("warnings", ())]
    if compiled.only_defined and value is None and not request["keep"]:
        warnings.append(f"nothing calls {compiled.only_defined}(): end the snippet with a call of it")
    return {"status": "completed", "value": text, "info": info, "warnings": warnings}


def _failed(status: str, error: BaseException, helpers: Helpers, **changes: Any) -> dict[str, Any]:
    return {"status": status, "error": {**_sendable(report.describe(error)), **changes}, "warnings": helpers.warnings}


def _advised(done: dict[str, Any], request: Request) -> dict[str, Any]:
    """`done` with a snippet that would run, where the error of this one says what to mend."""
    error = done.get("error")
    if error is not None and error["code"] != "code.memory":
        try:
            source, inputs = request["code"].decode(), json.loads(request["inputs"])
            found = None if error["suggestion"] else mended.suggestion(source, error, inputs)
            if found is not None:
                error["suggestion"], error["sql"] = found, None  # what is suggested is a snippet, not a statement
        except Exception:  # noqa: BLE001 - advice that fails must not hide the error that it was for
            error["suggestion"] = None
    return done


def _sendable(value: Any) -> Any:
    """The same with lone surrogates replaced: an exception's text is the snippet's own."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, (list, tuple)):
        return [_sendable(item) for item in value]
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    return value


_USUAL = b"""
import json
class Point:
    def __init__(self, x):
        self.x = x
rows = [{"a": Point(i).x, "b": f"{i:>3}"} for i in range(3)]
print(json.dumps(rows))
for row in helpers.db.query("SELECT 1", [1]):
    row["a"] += 1
try:
    rows[0]["none"]
except KeyError as error:
    text = str(error)
return rows
"""


_ANSWER = encoded(["ok", {"columns": ["a"], "values": [[1]], "truncated": False, "rows_read": 1}])


class _Nobody:
    """A stream that goes nowhere and always answers the same."""

    def sendall(self, data: bytes) -> None:
        """Throw it away."""

    def recv(self, most: int, flags: int = 0) -> bytes:
        """What a query answers."""
        return _ANSWER


def _warm(code: bytes) -> None:
    """Run a snippet, and show it to nobody."""
    limits = {"result_bytes": 1 << 20, "spill_bytes": 0}
    request = {
        "code": code,
        "inputs": b"{}",
        "functions": [],
        "limits": limits,
        "form": {},
        "keep": False,
        "waits": False,
        "compiled": None,
        "tells": False,
    }
    serve(connect(_Nobody(), 1 << 20), request)


ENTRY = Entry(serve, (lambda: _warm(_USUAL),), preload, stock, connect)
