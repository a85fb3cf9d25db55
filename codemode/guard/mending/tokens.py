"""A statement as a list of tokens, blanks and comments among them: what text surgery needs to know about SQL.

Joined, the tokens are the text again. Whoever changes one changes nothing else of what was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]\[]*\]|--[^\n]*|/\*.*?\*/"
    r"|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?!\w)|[^\W\d]\w*|\s+|::|->>|->|\|\||&&|<=>|<>|<=|>=|==|!=|!~\*|!~|~\*|#>>|#>|@>|."
    r"|\n",
    re.DOTALL,
)
_OPENING = {"(": 1, ")": -1}


def tokens(text: str) -> list[str]:
    """The tokens of `text`."""
    return _TOKEN.findall(text)


def replaced(pattern: str, instead: str, text: str) -> str:
    """`re.sub` without case, that leaves what touches a text in single quotes or a comment as it is."""
    taken = _taken(text, ("'", "--", "/*"))

    def put(found: re.Match[str]) -> str:
        touches = any(start < found.end() and found.start() < end for start, end in taken)
        return found[0] if touches else found.expand(instead)

    return re.sub(pattern, put, text, flags=re.IGNORECASE)


def changed_outside(pattern: re.Pattern[str], change: Callable[[re.Match[str]], str], text: str) -> str:
    """`pattern.sub` that leaves what begins within a text or name in quotes, or a comment, as it is."""
    taken = _taken(text, ("'", '"', "`", "--", "/*"))

    def put(found: re.Match[str]) -> str:
        return found[0] if any(start <= found.start() < end for start, end in taken) else change(found)

    return pattern.sub(put, text)


def _taken(text: str, kinds: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where the tokens that begin so are."""
    taken, at = [], 0
    for part in tokens(text):
        if part.startswith(kinds):
            taken.append((at, at + len(part)))
        at += len(part)
    return taken


def is_blank(token: str) -> bool:
    """Whether `token` is white space or a comment."""
    return token.isspace() or token.startswith(("--", "/*"))


def squeezed(text: str) -> str:
    """`text` with one blank for each white space and comment outside of its texts and names."""
    runs = groupby(tokens(text), is_blank)
    return "".join(" " if blank else "".join(run) for blank, run in runs).strip()


def is_word(token: str) -> bool:
    """Whether `token` is a bare word: a keyword or a name without quotes."""
    return token[:1].isalpha() or token[:1] == "_"


def is_text(token: str) -> bool:
    """Whether `token` is a text in single quotes."""
    return token.startswith("'")


def content(token: str) -> str:
    """What a text in single quotes says."""
    return token[1:-1].replace("''", "'")


def following(parts: Sequence[str], at: int) -> int:
    """The place of the first token after `at` that is no blank; the end where there is none."""
    at += 1
    while at < len(parts) and is_blank(parts[at]):
        at += 1
    return at


def preceding(parts: Sequence[str], at: int) -> int:
    """The place of the last token before `at` that is no blank, or -1."""
    at -= 1
    while at >= 0 and is_blank(parts[at]):
        at -= 1
    return at


def word(parts: Sequence[str], at: int) -> str:
    """The token at `at` in capitals, or nothing outside of the list."""
    return parts[at].upper() if 0 <= at < len(parts) else ""


def closing(parts: Sequence[str], at: int) -> int | None:
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(parts)):
        depth += _OPENING.get(parts[place], 0)
        if depth == 0:
            return place
    return None


def opening(parts: Sequence[str], at: int) -> int | None:
    """The place of the bracket that the one at `at` closes."""
    depth = 0
    for place in range(at, -1, -1):
        depth += _OPENING.get(parts[place], 0)
        if depth == 0:
            return place
    return None


def split(parts: Iterable[str], mark: str = ",") -> list[str]:
    """The pieces of `parts` between the marks that stand in no bracket, trimmed."""
    pieces: list[list[str]] = [[]]
    depth = 0
    for part in parts:
        depth += _OPENING.get(part, 0)
        if part == mark and depth == 0:
            pieces.append([])
        else:
            pieces[-1].append(part)
    return ["".join(piece).strip() for piece in pieces]


def top_level(parts: Sequence[str], wanted: str, start: int = 0) -> int | None:
    """The place of the keyword `wanted` outside of all brackets, from `start` on."""
    depth = 0
    for place in range(start, len(parts)):
        depth += _OPENING.get(parts[place], 0)
        if depth == 0 and parts[place].upper() == wanted:
            return place
    return None


def operand_before(parts: Sequence[str], at: int) -> int | None:
    """Where the operand that ends just before `at` begins: a name, a value, a call with FILTER or OVER, a bracket."""
    start = _operand(parts, at)
    while start is not None:
        before = preceding(parts, start)
        if parts[start].upper() in ("OVER", "FILTER"):
            start = _operand(parts, start)
        elif before > 0 and parts[before] == "::":  # x::text
            start = _operand(parts, before)
        else:
            break
    return start


def _operand(parts: Sequence[str], at: int) -> int | None:
    end = preceding(parts, at)
    if end < 0:
        return None
    start = end
    if parts[end] == ")":
        opened = opening(parts, end)
        if opened is None:
            return None
        start = opened
        before = preceding(parts, opened)
        if before >= 0 and is_word(parts[before]) and parts[before].upper() not in _NOT_CALLED:
            start = before
    elif not (is_word(parts[end]) or parts[end][:1] in "'\"`[?:" or parts[end][:1].isdigit()):
        return None
    while (dot := preceding(parts, start)) > 0 and parts[dot] == ".":
        start = preceding(parts, dot)
    return start


def bracketed(text: str) -> str:
    """`text`, which keeps its meaning next to any operator: in brackets, where it is more than one operand."""
    parts = tokens(text)
    return text if operand_before(parts, len(parts)) == 0 else f"({text})"


def operand_after(parts: Sequence[str], at: int) -> int | None:
    """The last token of the operand just behind `at`: a name, a value, a call, or a bracket."""
    end = following(parts, at)
    if end >= len(parts):
        return None
    while word(parts, end + 1) == "." and end + 2 < len(parts):
        end += 2
    if parts[end] == "(" or (is_word(parts[end]) and word(parts, end + 1) == "("):
        return closing(parts, end if parts[end] == "(" else end + 1)
    return end


_KEYWORDS = "SELECT WHERE AND OR NOT IN ON BY THEN ELSE WHEN CASE FROM VALUES AS HAVING SET LIKE BETWEEN IS EXISTS"
_NOT_CALLED = frozenset(_KEYWORDS.split())
