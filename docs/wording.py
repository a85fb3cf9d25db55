"""What regions are written with: tables, the first words of docstrings, the fields of a struct."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def sentence(text: str | None) -> str:
    """The first sentence of a docstring, in one line."""
    first = " ".join((text or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", first + " ")[0].strip()


def paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(inspect.cleandoc(text or "").partition("\n\n")[0].split())


def _annotations(kind: type) -> Iterator[tuple[str, str]]:
    for each in reversed([base for base in kind.__mro__ if base.__module__.startswith("codemode")]):
        body = ast.parse(inspect.getsource(each)).body[0]
        assert isinstance(body, ast.ClassDef)
        for line in body.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                yield line.target.id, ast.unparse(line.annotation)


def fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str, str]]:
    """Name, type as the source has it, and default of each field of a struct, those that it inherits among them."""
    texts = dict(_annotations(kind))
    for field in msgspec.structs.fields(kind):
        made = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        yield field.name, texts[field.name], "" if made is msgspec.NODEFAULT else f"`{made!r}`"


WIDTH = 120
_WORD = re.compile(r"(?:`[^`]*`|[^\s`]|`)+")
_MARK = re.compile(r"[-+*>|=]|#+|\d+[.)]")  # what would begin something else at the beginning of a line
_ITEM = re.compile(r"(\s*)([-*+]|\d+[.)])\s+")
_APART = ("|", "#", "<", ">", "    ")  # tables, headings, comments, quotations, code


def wrapped(text: str) -> str:
    """A page with every paragraph filled anew that has a line over WIDTH; code, tables and headings as they are."""
    lines: list[str] = []
    block: list[str] = []
    fenced = False
    for line in text.split("\n"):
        item = _ITEM.match(line)
        fence = line.lstrip().startswith("```")
        kept = fence or fenced or not line.strip() or (not item and line.startswith(_APART))
        if kept or item:
            lines += _filled(block)
            block = []
        (lines if kept else block).append(line)
        fenced ^= fence
    return "\n".join([*lines, *_filled(block)])


def _filled(block: list[str]) -> list[str]:
    if all(len(line) <= WIDTH for line in block):
        return block
    item = _ITEM.match(block[0])
    begun = item[0] if item else block[0][: -len(block[0].lstrip())]
    indent, lines = " " * len(begun), []
    for word in _words(" ".join(block)[len(begun) :], WIDTH - len(begun)):
        if lines and len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append((indent if lines else begun) + word)
    return lines


def _words(text: str, room: int) -> list[str]:
    """What a line may not be broken in: words, code up to its commas, and what would begin a list with its word."""
    found: list[str] = []
    for word in _WORD.findall(text):
        for part in re.split(r"(?<=,)\s", word) if len(word) > room else (word,):
            if found and _MARK.fullmatch(part):
                found[-1] += f" {part}"
            else:
                found.append(part)
    return found
