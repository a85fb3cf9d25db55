"""`codemode` with all the time there is to look at data: what a page shows of it must not depend on a busy machine."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

_OF_ERRORS = (("codemode.session.statements", "ADVICE_SECONDS"), ("codemode.session.opened", "ADVICE_SECONDS"))
BOUNDS = (
    *_OF_ERRORS,
    ("codemode.session.profiles", "DESCRIBE_SECONDS"),
    ("codemode.session.profiles", "_FIND_SECONDS"),
    ("codemode.session.advice", "ADVICE_SECONDS"),
    ("codemode.session.advice", "_COUNT_SECONDS"),
    ("codemode.session.trial", "_RUN_SECONDS"),
)
LONG_SECONDS = 60.0


def lifted(words: set[str]) -> tuple[tuple[str, str], ...]:
    """The bounds that a command of these words may meet; loading a module takes its time."""
    return BOUNDS if words & {"describe", "explain"} else _OF_ERRORS if words & {"run", "query", "serve"} else ()


class Popen(subprocess.Popen[Any]):
    """The same for what a page starts itself: `sys.executable -m codemode …`."""

    def __init__(self, args: Any, *others: Any, **named: Any) -> None:
        if isinstance(args, list) and args[:3] == [sys.executable, "-m", "codemode"]:
            args = [sys.executable, __file__, *args[3:]]
        super().__init__(args, *others, **named)


if __name__ == "__main__":
    from codemode.__main__ import main

    for module, name in lifted(set(sys.argv)):
        setattr(importlib.import_module(module), name, LONG_SECONDS)
    main()
