"""`codemode` with all the time there is to look at data: what a page shows of it must not depend on a busy machine."""

from __future__ import annotations

import importlib
import sys

BOUNDS = (
    ("codemode.session.profiles", "DESCRIBE_SECONDS"),
    ("codemode.session.profiles", "_FIND_SECONDS"),
    ("codemode.session.advice", "ADVICE_SECONDS"),
    ("codemode.session.advice", "_COUNT_SECONDS"),
    ("codemode.session.trial", "_RUN_SECONDS"),
)
LONG_SECONDS = 60.0

if __name__ == "__main__":
    from codemode.__main__ import main

    if {"describe", "explain"} & set(sys.argv):  # others need not load it
        for module, name in BOUNDS:
            setattr(importlib.import_module(module), name, LONG_SECONDS)
    main()
