"""Why a snippet was not run at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandbox.errors import SandboxError


class Problem(NamedTuple):
    """One thing to change before the snippet can run: its line in the submitted text, what, and the way out."""

    line: int | None
    message: str
    hint: str | None = None


class SnippetRefused(SandboxError):
    """Nothing ran: `code.syntax` for text that is no Python, `code.refused` for Python that is not allowed here."""

    def __init__(self, code: str, problems: Sequence[Problem]) -> None:
        self.code = code
        self.problems = [(each.line, each.message, each.hint) for each in problems]
        super().__init__("; ".join(f"line {line}: {message}" for line, message, _ in self.problems))
