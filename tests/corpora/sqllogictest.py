"""Reads sqllogictest files: records between blank lines, each a statement or a query with its answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .statements import Script, Statement


def scripts(path: Path) -> Iterator[Script]:
    script = Script(path)
    for line, record in _records(path.read_text(encoding="utf-8", errors="replace")):
        words = record[0].split()
        if words[0] == "halt":
            break
        if words[0] in ("statement", "query"):
            sql = "\n".join(record[1:]).split("\n----")[0].strip()
            if sql:
                script.statements.append(Statement(path, line + 1, sql))
    yield script


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that SQLite is meant to run, with the number of its first line."""
    record: list[str] = []
    meant = True
    first = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith("#") and not record:
            continue
        if line.strip() == "":
            if record and meant:
                yield first, record
            record, meant = [], True
        elif not record and line.split()[0] in ("skipif", "onlyif"):
            meant = meant and _is_ours(line)
        else:
            first = first if record else number
            record.append(line)


def _is_ours(condition: str) -> bool:
    word, _, rest = condition.partition(" ")
    is_sqlite = rest.split("#")[0].strip() == "sqlite"
    return is_sqlite if word == "onlyif" else not is_sqlite
