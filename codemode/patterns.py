"""Regular expressions that are compiled when they are first used.

Compiling those of the guard and the database takes a sixth of what a command loads, and most processes use few of them.
"""

from __future__ import annotations

import re
from typing import Any, cast


class _Compiled:
    """Has what a compiled pattern has, as attributes of its own: found as fast as there."""


class _Later(_Compiled):
    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        for each in dir(compiled):
            if not each.startswith("_"):
                setattr(self, each, getattr(compiled, each))
        self.__class__ = _Compiled  # type: ignore[assignment]  # without this method, which makes every look slow
        return getattr(compiled, name)


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` answers, for a constant of a module; a wrong one is told at its first use."""
    return cast("re.Pattern[str]", _Later(text, flags))
