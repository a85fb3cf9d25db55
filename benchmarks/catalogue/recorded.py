"""A run over a large catalogue as a file: `docs/figures/catalogue.json` is the last one that was recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec

from benchmarks.catalogue.measure import Beside, Took
from benchmarks.machine import ROOT, Commit, Machine

FIGURES = ROOT / "docs" / "figures" / "catalogue.json"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, on what, and how busy the machine was before."""

    commit: Commit
    machine: Machine
    versions: dict[str, str]
    load_average: float
    sessions: int
    messages: int
    tenants: int
    bytes: int
    bound_ms: float
    questions: list[Took]
    beside: list[Beside]


def encoded(found: Recorded) -> str:
    """As JSON."""
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


def decoded(text: str) -> Recorded:
    """What such JSON holds."""
    return msgspec.json.decode(text, type=Recorded)


def newest(path: Path = FIGURES) -> Recorded | None:
    """The run that is recorded, or None where none is."""
    return decoded(path.read_text(encoding="utf-8")) if path.exists() else None
