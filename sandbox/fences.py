"""Takes a snippet out of what models wrap it in, without moving a single line."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*([\w+.-]*)[^`]*$")  # at any depth: lists put fences far to the right
_ONE_LINE = re.compile(r"^\s*(`{1,3})(?:(?:python3?|py)\s)?([^`]+)\1\s*$")
_TAG = re.compile(r"^\s*</?(?:code|python|tool_code|execute|execute_python)>\s*$", re.IGNORECASE)
_QUOTED = re.compile(r"^> ?(?!>>)")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.)(?: |$)")
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
        _, language, start = opened
        if not blocks and not language and not any(map(str.strip, lines[start:])):
            blocks.append(("", range(start - 1)))  # closed but never opened: the code is before it
        else:
            blocks.append((language, range(start, len(lines))))
    return blocks


def _rank(language: str) -> int:
    return 0 if language in _PYTHON else 1 if not language else 2


def dedent(text: str) -> str | None:
    """Remove the indentation that all lines share; None if there is none."""
    dedented = textwrap.dedent(text)
    return None if dedented == text else dedented


def _dedent_rest(text: str) -> str | None:
    """The same where whoever copied the code cut the indentation of its first line alone."""
    first, _, rest = text.strip("\n").partition("\n")
    dedented = dedent(rest)
    if dedented is None or first[:1].isspace():
        return None
    return "\n" * (len(text) - len(text.lstrip("\n"))) + f"{first}\n{dedented}"


def _one_line(text: str) -> str | None:
    """What a single line has between backticks."""
    lines = text.split("\n")
    written = [number for number, line in enumerate(lines) if line.strip()]
    match = _ONE_LINE.match(lines[written[0]]) if len(written) == 1 else None
    return None if match is None else "\n" * written[0] + match[2].strip()


def _untag(text: str) -> str | None:
    """Blank a tag around the code: `<code>` and its like."""
    lines = text.split("\n")
    if not any(map(_TAG.match, lines)):
        return None
    return "\n".join("" if _TAG.match(line) else line for line in lines)


def _unquote(text: str) -> str | None:
    """Without the mark of a quotation, where every line has it."""
    lines = text.split("\n")
    if not all(_QUOTED.match(line) for line in lines if line.strip()):
        return None
    return "\n".join(_QUOTED.sub("", line) for line in lines)


def _unprompt(text: str) -> str | None:
    """What was typed at the prompts of an interpreter; its output is blanked."""
    lines = text.split("\n")
    if not any(line.lstrip().startswith(">>>") for line in lines):
        return None
    return "\n".join(_PROMPT.sub("", line) if _PROMPT.match(line) else "" for line in lines)


def _readings(text: str) -> Iterator[str | None]:
    yield text
    inside = unwrap(text)
    base = text if inside is None else inside
    yield from (inside, dedent(text), None if inside is None else dedent(inside))
    yield from (_unprompt(base), _dedent_rest(base), _untag(text), _one_line(text))


def _all_readings(text: str) -> Iterator[str | None]:
    yield from _readings(text)
    if (unquoted := _unquote(text)) is not None:
        yield from _readings(unquoted)


def candidates(text: str) -> Iterator[str]:
    """Ways to read a submitted text, best first and the text itself before all; all have the submitted lines.

    Each is made when it is asked for: nearly always the first one is Python.
    """
    known: set[str] = set()
    for reading in _all_readings(text):
        if reading is not None and reading not in known:
            known.add(reading)
            yield reading
