"""Runs scripts and prints what was refused: each refusal with its rule, then a table by file and rule."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from .judge import Judge, Word
from .statements import Script, Statement

_SHOWN = 100  # characters of a statement
VERDICTS = ("ran", "slow", "invalid", "named", "false")


@dataclass
class Report:
    verdicts: dict[Path, Counter[str]] = field(default_factory=dict)
    rules: dict[Path, Counter[str]] = field(default_factory=dict)
    false: list[tuple[Statement, Word]] = field(default_factory=list)

    def add(self, statement: Statement, word: Word) -> None:
        self.verdicts.setdefault(statement.file, Counter())[word.verdict] += 1
        if word.rule:
            self.rules.setdefault(statement.file, Counter())[word.rule] += 1
        if word.verdict == "false":
            self.false.append((statement, word))

    def total(self, verdict: str) -> int:
        return sum(counts[verdict] for counts in self.verdicts.values())


def run(scripts: Iterable[Script], *, listing: TextIO | None = sys.stdout) -> Report:
    """Judge every statement; each refusal is printed to `listing` as it is found."""
    report = Report()
    for script in scripts:
        for statement, word in judged(script):
            report.add(statement, word)
            if listing is not None and word.rule:
                listing.write(line(statement, word) + "\n")
    return report


def judged(script: Script) -> Iterator[tuple[Statement, Word]]:
    with tempfile.TemporaryDirectory() as directory:
        judge = Judge(Path(directory), script.database, script.schema)
        try:
            for statement in script.statements:
                yield statement, judge.judge(statement.sql)
        finally:
            judge.close()


def line(statement: Statement, word: Word) -> str:
    sql = " ".join(statement.sql.split())[:_SHOWN]
    kind = "FALSE REFUSAL" if word.verdict == "false" else "by policy"
    return f"{statement.file}:{statement.line}: {kind}: {word.rule}: {word.message}\n    {sql}"


def table(report: Report) -> str:
    """How many statements of each file ran or were refused, and by which rule."""
    rules = sorted({rule for counts in report.rules.values() for rule in counts})
    heads = [*VERDICTS, *rules]
    width = max([len(str(path)) for path in report.verdicts] + [len("all files")])
    lines = [f"{'':{width}}  " + "  ".join(f"{head:>7}" for head in heads)]
    for path in [*report.verdicts, None]:
        counts: Counter[str] = Counter()
        for of in report.verdicts if path is None else [path]:
            counts += report.verdicts[of] + report.rules.get(of, Counter())
        cells = "  ".join(f"{counts[head]:>{max(7, len(head))}}" for head in heads)
        lines.append(f"{path or 'all files'!s:{width}}  {cells}")
    return "\n".join(lines)
