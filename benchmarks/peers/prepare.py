"""SQLite's own preparing of a statement, which is never run: the floor of judging one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import apsw

from benchmarks.scenario import Contender

NAME = "SQLite prepare"


def preparing(connection: apsw.Connection, texts: Callable[[], Sequence[str]]) -> Contender:
    """Prepare what `texts` answers, each anew."""
    cursor = connection.cursor()
    cursor.exec_trace = lambda _cursor, _sql, _bindings: False  # ends it before its first step

    def run() -> None:
        prepared = 0
        for text in texts():
            try:
                cursor.execute(text, can_cache=False)
            except apsw.ExecTraceAbort:
                prepared += 1
        if not prepared:
            raise AssertionError("nothing was prepared")

    return Contender(NAME, run)
