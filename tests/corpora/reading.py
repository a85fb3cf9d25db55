"""Finds the collections in a folder, by what their files hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import sqllogictest, sqltest, tcl, text_to_sql
from .statements import Script, split


def scripts(folder: Path) -> Iterator[Script]:
    """Every script below `folder`, or in the one file that it is."""
    if folder.is_file():
        yield from _of_file(folder)
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield from _of_file(path)
    yield from text_to_sql.scripts(folder)


def _of_file(path: Path) -> Iterator[Script]:
    if path.suffix == ".sql":
        yield Script(path, list(split(path.read_text(encoding="utf-8", errors="replace"), path)))
    elif path.suffix == ".sqltest":
        yield from sqltest.scripts(path)
    elif path.suffix in (".test", ".slt"):
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from (tcl if tcl.COMMAND.search(text) else sqllogictest).scripts(path)
