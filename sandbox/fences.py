"""Takes a snippet out of what models wrap it in, without moving a single line."""

from __future__ import annotations

import re
import textwrap

_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})\s*([\w+.-]*)[^`]*$")
_PYTHON = {"python", "py", "python3", "py3", "pycon"}


def normalise(text: str) -> str:
    """One kind of line end, no byte-order mark: so that our lines are the parser's lines."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def unwrap(text: str) -> str | None:
    """Blank every line that is not inside a code fence; None if there is no fence.

    Blocks marked as Python win over unmarked ones, and those over any other; an unclosed fence lasts to the end.
    """
    lines = text.split("\n")
    blocks = _blocks(lines)
    if not blocks:
        return None
    best = min(_rank(language) for language, _ in blocks)
    kept = {number for language, numbers in blocks if _rank(language) == best for number in numbers}
    return "\n".join(line if number in kept else "" for number, line in enumerate(lines))


def _blocks(lines: list[str]) -> list[tuple[str, range]]:
    blocks: list[tuple[str, range]] = []
    opened: tuple[str, str, int] | None = None
    for number, line in enumerate(lines):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened = (fence[1], fence[2].lower(), number + 1)
        elif opened is not None and fence and not fence[2] and fence[1].startswith(opened[0]):
            blocks.append((opened[1], range(opened[2], number)))
            opened = None
    if opened is not None:
        blocks.append((opened[1], range(opened[2], len(lines))))
    return blocks


def _rank(language: str) -> int:
    return 0 if language in _PYTHON else 1 if not language else 2


def dedent(text: str) -> str | None:
    """Remove the indentation that all lines share; None if there is none."""
    dedented = textwrap.dedent(text)
    return None if dedented == text else dedented


def candidates(text: str) -> list[str]:
    """Ways to read a submitted text, best first; all have the submitted lines."""
    inside = unwrap(text)
    readings = (text, inside, dedent(text), None if inside is None else dedent(inside))
    return [reading for reading in readings if reading is not None]
