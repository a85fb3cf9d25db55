"""In which form a caller wants rows: what each is and loses, `sandbox.formats` says."""

from __future__ import annotations

from typing import NamedTuple

FORMATS = ("objects", "columns", "csv", "markdown", "auto")


class Form(NamedTuple):
    """What a caller wants: one of FORMATS, and how many characters a cell may have (None: all of them)."""

    kind: str = "objects"
    max_cell: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether values are answered as they are."""
        return self.kind == "objects" and self.max_cell is None
