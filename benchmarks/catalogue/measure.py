"""How long the questions take: in turns, for a tenant of each size, and for a small one beside no large ones at all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.catalogue.questions import QUESTIONS, Asked, Asker, rows_in

BOUND_MS = 5.0  # of the median of every question, for a tenant of every size
_WARM = 5  # times that each is asked before it is timed: its statement is prepared, its pages are read


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """One question for one tenant, in milliseconds; `rows` is how many the fullest answer had."""

    question: str
    tenant: str
    times: int
    p50_ms: float
    p95_ms: float
    rows: int


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a small tenant: how much longer it takes for all that the large ones have."""

    question: str
    alone_ms: float
    beside_ms: float
    ratio: float


def measured(askers: Mapping[str, Asker], times: int, told: Callable[[str], None]) -> list[Took]:
    """Every question for each tenant."""
    found = []
    for question in QUESTIONS:
        for kind, asker in askers.items():
            told(f"{question.title}, {kind} tenant")
            rows = _warmed(question, asker)
            taken = [_timed(question, asker, turn) for turn in range(times)]
            found.append(
                Took(
                    question=question.title, tenant=kind, times=times, rows=rows,
                    p50_ms=statistics.median(taken), p95_ms=sorted(taken)[int(0.95 * (times - 1))],
                )
            )  # fmt: skip
    return found


def compared(alone: Asker, beside: Asker, times: int, told: Callable[[str], None]) -> list[Beside]:
    """Every question of the same small tenant in both catalogues, in turns: whatever slows one down slows both."""
    found = []
    for question in QUESTIONS:
        told(f"{question.title}, with and without large tenants")
        for asker in (alone, beside):
            _warmed(question, asker)
        pairs = [(_timed(question, alone, turn), _timed(question, beside, turn)) for turn in range(times)]
        medians = [statistics.median(each) for each in zip(*pairs, strict=True)]
        found.append(
            Beside(
                question=question.title, alone_ms=medians[0], beside_ms=medians[1], ratio=medians[1] / medians[0]
            )
        )  # fmt: skip
    return found


def _warmed(question: Asked, asker: Asker) -> int:
    rows = max(rows_in(question.ask(asker, turn)) for turn in range(_WARM))
    if question.finds and not rows:
        raise AssertionError(f"{question.title} finds nothing in {asker.tenant}")
    return rows


def _timed(question: Asked, asker: Asker, turn: int) -> float:
    began = time.perf_counter()
    question.ask(asker, turn)
    return (time.perf_counter() - began) * 1_000
