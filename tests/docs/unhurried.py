"""`codemode` with all the time there is to look at data: what a page shows of it must not depend on a busy machine."""

from __future__ import annotations

import importlib
import sys

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
    return BOUNDS if words & {"describe", "explain"} else _OF_ERRORS if words & {"run", "query"} else ()


if __name__ == "__main__":
    from codemode.__main__ import main

    for module, name in lifted(set(sys.argv)):
        setattr(importlib.import_module(module), name, LONG_SECONDS)
    main()
