"""Cut a script into its statements, where SQLite itself would."""

from __future__ import annotations

import re

import apsw

# Everything in which a semicolon means nothing: quoted text and names, comments. An unterminated one runs to the end.
_OPAQUE = re.compile(
    r"""'(?:[^']|'')*(?:'|$) | "(?:[^"]|"")*(?:"|$) | `(?:[^`]|``)*(?:`|$) | \[[^\]]*(?:\]|$)
        | --[^\n]* | /\*.*?(?:\*/|$) | ;""",
    re.VERBOSE | re.DOTALL,
)


def statements(script: str) -> list[str]:
    """The statements of `script`, in order, without empty ones; the body of a trigger stays whole.

    Each semicolon outside of quotes and comments is shown to SQLite, which knows whether a trigger is still open.
    """
    found, start = [], 0
    for token in _OPAQUE.finditer(script):
        if token.group() == ";" and apsw.complete(script[start : token.end()]):
            found.append(script[start : token.end()])
            start = token.end()
    found.append(script[start:])
    return [text.strip() for text in found if _OPAQUE.sub(_without_comments, text).strip()]


def _without_comments(token: re.Match[str]) -> str:
    return "" if token.group()[:2] in {"--", "/*"} or token.group() == ";" else token.group()
