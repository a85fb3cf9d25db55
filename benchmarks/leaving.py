"""How a program of the benchmarks ends: with its exit code, also where nobody reads on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

_READER_LEFT = 141  # what a shell reports for a program that its reader left


def leave_with(main: Callable[[], int]) -> NoReturn:
    """Run `main` and leave with its exit code; without a word where whoever read the output left, as `head` does."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # the interpreter would flush it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _READER_LEFT
    sys.exit(code)
