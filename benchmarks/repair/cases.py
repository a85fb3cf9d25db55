"""Reads the cases: broken statements (`cases/KIND.sql`) and broken snippets (`cases/KIND.txt`), as models write them.

    -- case: name                  (`# case:` in snippets) what follows up to the next case, but for these, is its text
    -- setup: sql                  run first, by the host
    -- answer: sql                 a right statement of SQLite's: the repaired case must return its values
    -- columns: names              of a result with more columns only these are compared
    -- about: 1e-9                 numbers may differ by this part of them
    -- value: json                 what the repaired snippet must return
    -- stdout: text                what it must print
    -- after: sql                  asked afterwards, by the host …
    -- shows: json                 … and these are its rows
    -- equals: sql                 … or its rows are those that this statement had before the case ran

A case without answer, value, stdout and after only has to run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"
HELD_OUT = "held_out"  # files whose name begins so were written last, and nothing was tuned to them
_DIRECTIVE = re.compile(r"(?:--|#) (case|setup|answer|columns|about|value|stdout|after|shows|equals): ?(.*)$")
_READS = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(SELECT|WITH|VALUES|SHOW|DESC|DESCRIBE|PRAGMA|EXPLAIN|FROM|\(|\.|`)", re.IGNORECASE
)


@dataclass
class Case:
    """One broken text and what it should do."""

    kind: str
    name: str
    text: str = ""
    is_snippet: bool = False
    setup: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    @property
    def held_out(self) -> bool:
        """Whether it is one of those that nothing was tuned to."""
        return self.kind.startswith(HELD_OUT)

    @property
    def code(self) -> str:
        """The snippet that is submitted: a statement stands in the call that a model would choose."""
        if self.is_snippet:
            return self.text
        call = "query" if _READS.match(self.text) else "exec"
        return f"return helpers.db.{call}({self.text!r})"

    def json(self, word: str) -> Any:
        """The value of a directive that is JSON."""
        return json.loads(self.told[word])


def every_case() -> list[Case]:
    """All cases, by kind and as they stand in their files."""
    return [case for path in sorted(FOLDER.iterdir()) if path.suffix in (".sql", ".txt") for case in _read(path)]


def _read(path: Path) -> Iterator[Case]:
    case: Case | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        directive = _DIRECTIVE.match(line)
        if directive is None:
            if case is not None:
                case.text += f"{line}\n"
            continue
        word, value = directive.groups()
        if word == "case":
            if case is not None:
                yield _whole(case)
            case = Case(path.stem, value, is_snippet=path.suffix == ".txt")
        elif case is None:
            raise AssertionError(f"{path.name}: {line} stands before the first case")
        elif word == "setup":
            case.setup.append(value)
        else:
            case.told[word] = value
    if case is not None:
        yield _whole(case)


def _whole(case: Case) -> Case:
    case.text = case.text.strip("\n")
    return case
