"""Any bytes as a statement: the guard answers with a Statement or an error of its tree, and is closed afterwards.

`make fuzz` runs it under atheris; test_fuzz_targets.py runs the same function on a few texts.
"""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "guard"))

from atheris_run import fuzz, instrumented

with instrumented("codemode"):
    from guard_desk import Desk
    from mutants import GLUE, NAMES, SEEDS, WORDS

    from codemode.errors import CodemodeError
    from codemode.guard import Guard

# A first byte below this: what follows is text. From it on: each byte chooses a piece, so that coverage finds
# statements instead of spelling them.
PIECES_FROM = 128
PIECES = [*(f" {word} " for word in (*WORDS, *NAMES)), *GLUE]


def text_of(data: bytes) -> str:
    """The statement that `data` stands for; half surrogates and NUL are among them."""
    if not data or data[0] < PIECES_FROM:
        return data[1:].decode("utf-8", "surrogateescape")
    return "".join(PIECES[byte % len(PIECES)] for byte in data[1:])


def one_input(data: bytes) -> None:
    """Raises whatever is a finding."""
    desk = _desk()
    desk.connection.authorizer = None
    guard = Guard(desk.connection, desk.limits)  # a fresh one: no verdict is kept from the input before
    sql = text_of(data)
    with suppress(CodemodeError):
        statement = guard.check(sql)
        assert not (statement.reads_only and statement.tables_written), f"reads only, and writes: {sql!r}"
    assert guard.authorizer.kind is None, f"left open by {sql!r}"
    assert guard.authorizer.engine is False, f"left with the engine's rights by {sql!r}"
    assert not desk.connection.in_transaction, f"run, not only checked: {sql!r}"


def corpus() -> list[bytes]:
    """What to begin with: every case, and a few rows of pieces."""
    texts = [b"\x00" + sql.encode("utf-8", "surrogateescape") for sql in SEEDS if "\ud800" not in sql]
    return [*texts, *(bytes([PIECES_FROM, *range(at, at + 9)]) for at in range(0, 240, 9))]


@cache
def _desk() -> Desk:
    """Checking never steps a statement, so one database serves every input."""
    folder = tempfile.mkdtemp(prefix="fuzz-guard-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Desk(Path(folder))


if __name__ == "__main__":
    fuzz(one_input, corpus())
