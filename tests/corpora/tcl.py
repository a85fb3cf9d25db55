"""Reads test files that SQLite's TCL tests and those derived from them are written in: do_execsql_test and its like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .statements import Script, split

COMMAND = re.compile(r"(?<![\w$])(?:do_\w*(?:execsql|catchsql)\w*|execsql|catchsql)\b")
_BARE = re.compile(r"[^\s;\]{}\"]+")


def scripts(path: Path) -> Iterator[Script]:
    """One database for the file; a test on a database of its own is a script of its own."""
    text = path.read_text(encoding="utf-8", errors="replace")
    shared = Script(path)
    at = 0
    while (found := COMMAND.search(text, at)) is not None:
        words, at = _words(text, found.end())
        place = _sql_of(found[0], words)
        if place is None:
            continue
        start, sql = place
        alone = "specific_db" in found[0] or "in_memory" in found[0]
        script = Script(path) if alone else shared
        script.statements.extend(split(sql, path, text.count("\n", 0, start) + 1))
        if alone:
            yield script
    yield shared


Word = tuple[int, str, bool]  # where it begins, what it holds, whether TCL would put something else in its place


def _sql_of(command: str, words: list[Word]) -> tuple[int, str] | None:
    before = 0 if command in ("execsql", "catchsql") else 2 if "specific_db" in command else 1
    while before and len(words) > 2 and words[0][1].startswith("-"):  # an option and its value
        words = words[2:]
    if len(words) <= before or words[before][2]:
        return None
    return words[before][0], words[before][1]


def _words(text: str, at: int) -> tuple[list[Word], int]:
    """The words of a TCL command from `at` on, and where it ends."""
    words: list[Word] = []
    while at < len(text):
        while text[at : at + 1] in (" ", "\t") or text.startswith("\\\n", at):
            at += 2 if text[at] == "\\" else 1
        sign = text[at : at + 1]
        if sign == "{":
            end = closing_brace(text, at)
            words.append((at + 1, text[at + 1 : end], False))
            at = end + 1
        elif sign == '"':
            end = _closing_quote(text, at)
            inside = text[at + 1 : end]
            words.append((at + 1, inside, "$" in inside or "[" in inside or "\\" in inside))
            at = end + 1
        elif (bare := _BARE.match(text, at)) is not None:
            words.append((at, bare[0], bare[0].startswith(("$", "["))))
            at = bare.end()
        else:
            break
    return words, at


def closing_brace(text: str, at: int) -> int:
    """Where the brace that opens at `at` is closed."""
    depth = 0
    for found in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, at):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return len(text)


def _closing_quote(text: str, at: int) -> int:
    found = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL).match(text, at + 1)
    return found.end() - 1 if found else len(text)
