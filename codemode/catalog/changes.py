"""What an update sets: the columns that were given, and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeAlias, TypeVar

from msgspec import UNSET, UnsetType

Value = TypeVar("Value")
Given: TypeAlias = Value | UnsetType  # UNSET: not given, so it stays as it is


class Changes:
    """The SET of one update, with its parameters; those of the condition come first."""

    def __init__(self, *condition: Any) -> None:
        self.params: list[Any] = list(condition)
        self._columns: list[str] = []

    def to(self, column: str, value: Given[Any], parse: Callable[[Any], Any] = lambda value: value) -> Self:
        """Set the column to the parsed value, unless it was not given."""
        if value is not UNSET:
            self.params.append(parse(value))
            self._columns.append(f"{column} = ?{len(self.params) + 1}")
        return self

    @property
    def text(self) -> str:
        """What stands after SET."""
        return ", ".join(self._columns)
