"""Reads .sqltest files, the later form of tests derived from SQLite's: `setup NAME {…}` and `test NAME {…}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .statements import Script, Statement, split
from .tcl import closing_brace

_BLOCK = re.compile(r"^(@setup|setup|test)[ \t]+([^\s{]+)[ \t]*(\{?)", re.MULTILINE)


def scripts(path: Path) -> Iterator[Script]:
    """Each test in a database of its own, after the setups that it names."""
    text = path.read_text(encoding="utf-8", errors="replace")
    setups: dict[str, list[Statement]] = {}
    before: list[Statement] = []
    at = 0
    while (found := _BLOCK.search(text, at)) is not None:
        at = found.end()
        word, name, brace = found.groups()
        if word == "@setup":
            before = before + setups.get(name, [])
            continue
        if not brace:
            continue
        end = closing_brace(text, found.end() - 1)
        statements = list(split(text[found.end() : end], path, text.count("\n", 0, found.end()) + 1))
        at = end
        if word == "setup":
            setups[name] = statements
        else:
            yield Script(path, before + statements)
            before = []
