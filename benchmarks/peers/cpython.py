"""CPython's own `exec` of a snippet's text, in a warm process of its own with nothing around it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.scenario import Contender

NAME = "CPython exec"
_LOOP = """
import json, sys
for line in sys.stdin:
    names = {"__name__": "__main__"}
    exec(compile(json.loads(line), "<text>", "exec"), names)
    print(json.dumps(names["answer"]), flush=True)
"""


@contextmanager
def working(text: str, answer: Any) -> Iterator[Contender]:
    """One text that leaves its value in `answer`, run again and again: all its memory but the first time's is warm."""
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asked, answers = process.stdin, process.stdout
        if asked is None or answers is None:
            raise AssertionError("a process without pipes")

        def run() -> None:
            asked.write(f"{json.dumps(text)}\n")
            asked.flush()
            if json.loads(answers.readline()) != answer:
                raise AssertionError("CPython's answer is another one")

        yield Contender(NAME, run)
        asked.close()  # its loop ends
