"""Reads tests/cases/*.sql: SQL with the verdict expected, as data.

A case begins with `-- case: name` and ends at the next one; what is no directive is its SQL.

    -- allowed: kind                  runs to its end; `kind` as Statement has it (explain, create_table, …)
    -- refused: rule, layer           a broken rule of the policy
    -- error: code, layer             an error of the tree that is no refusal (sql.syntax, sql.no_such_table, …)
    -- after: sql                     run first, by the user, one line each; all of them must be allowed
    -- rows: json                     what it answers, where that is worth holding
    -- params: json                   bound to it: a list, or an object for :name
    -- hint: words                    the hint of its refusal holds these words
    -- repair: sql                    what the hint leads to, one line each; all of them must be allowed
    -- snippet: python                the same where the way out is a helper (\\n begins a new line)
    -- host: method                   the same where it is the host's: a method of Session. Both need a whole session
    -- escapes                        \\uXXXX in the SQL stands for that character
    -- in order                       (first line of a file) its cases share one database, each sees what came before

Layers, in the order in which they speak: gate (the text), keyword (its first words), sqlglot, authorizer (when it is
prepared), sqlite (its own words then), running (the authorizer or SQLite while it runs), schema (afterwards).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "cases"


@dataclass
class Case:
    file: str
    name: str
    sql: str = ""
    expected: tuple[str, ...] = ()
    after: list[str] = field(default_factory=list)
    rows: Any = None
    params: Any = ()
    hint: str = ""
    repair: list[str] = field(default_factory=list)
    snippet: list[str] = field(default_factory=list)
    host: list[str] = field(default_factory=list)


def read_cases(path: Path) -> Iterator[Case]:
    case: Case | None = None
    escapes = False
    for line in [*path.read_text().splitlines(), "-- case: "]:
        directive = re.match(
            r"-- (case|allowed|refused|error|after|rows|params|hint|repair|snippet|host|escapes)\b:?\s?(.*)$", line
        )
        if directive is None:
            if case is not None:
                case.sql += line + "\n"
            continue
        word, value = directive.groups()
        if word == "case":
            if case is not None:
                case.sql = _unescaped(case.sql.strip("\n")) if escapes else case.sql.strip("\n")
                yield case
            case, escapes = Case(path.stem, value), False
        elif case is None:
            raise AssertionError(f"{path.name}: {line} stands before the first case")
        elif word in ("allowed", "refused", "error"):
            case.expected = (word, *[part.strip() for part in value.split(",") if part.strip()])
        elif word in ("after", "repair", "snippet", "host"):
            getattr(case, word).append(value.replace("\\n", "\n") if word == "snippet" else value)
        elif word in ("rows", "params"):
            setattr(case, word, json.loads(value))
        elif word == "hint":
            case.hint = value
        else:
            escapes = True


def shares_a_database(path: Path) -> bool:
    return path.read_text().startswith("-- in order")


def _unescaped(sql: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), sql)
