"""A child's entry for tests: the real one under an audit hook, which tells what it sees as output of the child.

A snippet whose first line is `# unguarded` runs without the language layer: it shows that the oracle notices.
"""

from __future__ import annotations

import _socket
import sys
from json import dumps, loads  # now: a snippet may set others
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import escape_oracle

from sandbox import live, snippet
from sandbox.child import Request
from sandbox.connection import Connection
from sandbox.helpers import Helpers

TOLD, END = "\x1e", "\x1f"  # around what the oracle tells, in the output

_rounds: list[escape_oracle.Library] = []
_real_ending = snippet._ending


def _tell(kind: str, text: str) -> None:
    if _connections:
        _connections[-1].send(["out", TOLD + dumps([kind, text]) + END])


_connections: list[Connection] = []
_oracle = escape_oracle.Oracle(_tell)


class Watched(Helpers):
    """The helpers, with what an escape shows its catch to, and with a secret."""

    __slots__ = ("_secret", "facts")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        object.__setattr__(self, "_secret", escape_oracle.SECRET)
        object.__setattr__(self, "facts", {})

    def show(self, value: object) -> None:
        """Judge what a snippet holds."""
        _oracle.show(value)

    def reached(self) -> None:
        """The line before should have failed."""
        _oracle.reached()


def _preload() -> None:
    snippet.preload()
    live.Helpers = Watched  # type: ignore[misc]
    snippet._ending = _audited


def _note_library() -> None:
    """What the library holds before any snippet ran: as of the last time that the launcher warms up."""
    if len(_rounds) < 3:
        _rounds.append(escape_oracle.Library())


def _audited(connection: Connection, request: Request, variables: live.Live) -> dict[str, Any]:
    """Run the snippet as the real entry does, watched from its text to its outcome."""
    if not isinstance(connection._stream, _socket.socket):
        return _real_ending(connection, request, variables)  # warming up: nobody to tell
    _connections.append(connection)
    _oracle.watching = True
    try:
        if request["code"].startswith(b"# unguarded"):
            return _unguarded(request)
        return _real_ending(connection, request, variables)
    finally:
        _oracle.watching = False
        _compare()
        _connections.pop()


def _compare() -> None:
    """Tell what differs from the zygote's first hour: of a snippet that does nothing, what an earlier one left."""
    for name in _rounds[-1].changes():
        _tell("breach", f"the library was changed: {name}")


def _unguarded(request: Request) -> dict[str, Any]:
    done: dict[str, Any] = {"status": "completed", "value": "null", "info": {}, "warnings": []}
    try:
        helpers = Watched(None, ())
        helpers.facts.update(loads(request["inputs"])["facts"])
        exec(compile(request["code"], "<snippet>", "exec"), {"helpers": helpers})
    except BaseException as error:
        told = {"code": "code.runtime", "message": f"{type(error).__name__}: {error}"[:500]}
        done = {"status": "error", "error": told, "warnings": []}
    return done


ENTRY = snippet.ENTRY._replace(warm=(*snippet.ENTRY.warm, _note_library), preload=_preload)
