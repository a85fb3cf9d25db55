"""Regular expressions as GLOB, which SQLite has: only those that GLOB can say exactly."""

from __future__ import annotations

import re

from codemode.guard.mending.tokens import content, is_text

_PIECE = re.compile(r"\.\*|\.|\\([dws])|\\(\W)|\[\^?[\w-]+\]|\[\[:(?:alpha|digit):\]\]|[^\\\[\](){}|?*+^$.]")
_CLASSES = {"d": "[0-9]", "w": "[A-Za-z0-9_]", "s": "[ \t\n\r]", "[[:alpha:]]": "[A-Za-z]", "[[:digit:]]": "[0-9]"}


def matched(value: str, pattern: str, *, folded: bool = False) -> str | None:
    """A condition for `value` to match the regular expression in the text `pattern`; None where GLOB cannot say it."""
    if not is_text(pattern):
        return None
    glob = _glob(content(pattern))
    if glob is None:
        return None
    if folded:
        return f"lower({value}) GLOB '{glob.lower()}'"
    return f"{value} GLOB '{glob}'"


def _glob(pattern: str) -> str | None:
    from_start, to_end = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    inner = pattern[1 if from_start else 0 : len(pattern) - 1 if to_end else None]
    said, at = [] if from_start else ["*"], 0
    while at < len(inner):
        found = _PIECE.match(inner, at)
        if found is None:
            return None
        repeated = re.compile(r"\{(\d{1,2})\}").match(inner, found.end())
        piece = _said(found)
        if repeated and piece != "*":
            piece, at = piece * int(repeated[1]), repeated.end()
        else:
            at = found.end()
        if inner[at : at + 1] in ("?", "*", "+", "{"):
            return None
        said.append(piece)
    return "".join([*said, "" if to_end else "*"]).replace("**", "*").replace("'", "''")


def _said(found: re.Match[str]) -> str:
    text = found[0]
    if found[1]:
        return _CLASSES[found[1]]
    if found[2]:
        return f"[{text[1]}]" if text[1] in "*?[" else text[1]
    return {".*": "*", ".": "?"}.get(text) or _CLASSES.get(text, text)
