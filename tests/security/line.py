"""One line of the table: what was tried, who stopped it, and what was not stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """`tried` and `held` are counted in this run; `problems` are what a reader needs to repeat a failure."""

    area: str
    what: str
    tried: int
    held: int
    note: str = ""
    problems: tuple[str, ...] = ()
    absent: bool = False  # cannot be run here, and `note` says why: neither passed nor failed

    @property
    def ok(self) -> bool:
        return self.absent or (0 < self.tried == self.held and not self.problems)

    @property
    def verdict(self) -> str:
        return "not run" if self.absent else "pass" if self.ok else "FAIL"


def table(lines: list[Line]) -> str:
    """The lines in columns."""
    rows = [
        ("area", "what", "tried", "held", "", "note"),
        *((line.area, line.what, f"{line.tried:,}", f"{line.held:,}", line.verdict, line.note) for line in lines),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        f"{area:<{widths[0]}}  {what:<{widths[1]}}  {tried:>{widths[2]}}  {held:>{widths[3]}}  {verdict:<{widths[4]}}"
        f"  {note}".rstrip()
        for area, what, tried, held, verdict, note in rows
    )
