"""What one execution did so far: counted while it runs, told in its outcome, its log entry and the totals."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable

from msgspec import Struct, field

from codemode.database.execute import Cost
from codemode.database.journal import Entry
from codemode.values import Event, Notice, Progress, SlowStatement, Totals

_WARNINGS = 50  # an outcome's warnings are for reading
_PROGRESS_SECONDS = 0.25  # between two figures of progress: people read them
_ENTRIES = 10_000  # as many as the log keeps; they wait in memory for the execution's end


class Tally(Struct):
    """The figures of one execution, or of one call of the host."""

    rows_read: int = 0
    rows_written: int = 0
    most_rows: int = 0  # of one answer
    longest_seconds: float = 0.0  # of one statement
    largest_state: int = 0  # of one value, in bytes
    warnings: dict[str, None] = {}
    cuts: list[str] = []  # the warnings of answers that were cut, one for each
    kinds: dict[str, int] = {}  # of the warnings, and how many of each
    slow: list[SlowStatement] = []
    slow_statements: int = 0
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_ENTRIES))
    _news: list[Event] = []  # a few: warnings are, and a figure of progress replaces another
    _progress_at: float = field(default_factory=lambda: time.monotonic() + _PROGRESS_SECONDS)

    def warn(self, text: str, kind: str = "other") -> None:
        """Remember a warning once."""
        if len(self.warnings) < _WARNINGS and text not in self.warnings:
            self.warnings[text] = None
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            self._news.append(Notice(text=text))

    def warn_all(self, texts: Iterable[str], kind: str) -> None:
        """Remember several warnings of one kind."""
        for text in texts:
            self.warn(text, kind)

    def progressed(self, table: str, rows: int) -> None:
        """So many rows were inserted into `table` by a call that goes on; most of the figures are not kept."""
        now = time.monotonic()
        if now >= self._progress_at:
            self._progress_at = now + _PROGRESS_SECONDS
            self._news = [each for each in self._news if isinstance(each, Notice)]
            self._news.append(Progress(table=table, rows=rows))

    def news(self) -> list[Event]:
        """What there is to tell since the last call."""
        news, self._news = self._news, []
        return news

    def whole_after_all(self) -> None:
        """Take the warning back where the one answer that was cut is kept whole."""
        if len(self.cuts) == 1 and self.cuts[0] in self.warnings:
            del self.warnings[self.cuts[0]]
            del self.kinds["truncated"]

    def totals(self, cost: Cost) -> Totals:
        """What was counted, as one addition to the session's totals."""
        return Totals(
            rows_read=self.rows_read,
            rows_written=self.rows_written,
            vm_steps=cost.vm_steps,
            scan_steps=cost.scan_steps,
            sorts=cost.sorts,
            auto_indexes=cost.auto_indexes,
            slow_statements=self.slow_statements,
            warnings=self.kinds.copy(),
        )
