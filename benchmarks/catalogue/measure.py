"""How long the questions take: in turns, for a tenant of each size, and for a small one beside no large ones at all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.catalogue.questions import QUESTIONS, Asked, Asker, rows_in

BOUND_MS = 5.0  # of the median of every question, for a tenant of every size


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """One question for one tenant, in milliseconds; `rows` is how many the fullest answer had.

    `cpu_ms` is the median of the processor's time: on a machine that others use, what it would take without them.
    """

    question: str
    tenant: str
    times: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float
    rows: int


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a small tenant, in the processor's milliseconds: with the large ones and without."""

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
            rows = _warmed(question, asker, times)
            taken, cpu = zip(*(_timed(question, asker, turn) for turn in range(times)), strict=True)
            found.append(
                Took(
                    question=question.title, tenant=kind, times=times, rows=rows,
                    p50_ms=statistics.median(taken), p95_ms=sorted(taken)[int(0.95 * (times - 1))],
                    cpu_ms=statistics.median(cpu),
                )
            )  # fmt: skip
    return found


def compared(alone: Asker, beside: Asker, times: int, told: Callable[[str], None]) -> list[Beside]:
    """Every question of the same small tenant in both catalogues, in turns: whatever slows one down slows both."""
    found = []
    for question in QUESTIONS:
        told(f"{question.title}, with and without large tenants")
        for asker in (alone, beside):
            _warmed(question, asker, times)
        pairs = [(_timed(question, alone, turn)[1], _timed(question, beside, turn)[1]) for turn in range(times)]
        medians = [statistics.median(each) for each in zip(*pairs, strict=True)]
        found.append(
            Beside(
                question=question.title, alone_ms=medians[0], beside_ms=medians[1], ratio=medians[1] / medians[0]
            )
        )  # fmt: skip
    return found


def _warmed(question: Asked, asker: Asker, times: int) -> int:
    """Ask all that is timed later: the statement is prepared then, and the system has the pages in memory."""
    rows = max(rows_in(question.ask(asker, turn)) for turn in range(times))
    if question.finds and not rows:
        raise AssertionError(f"{question.title} finds nothing in {asker.tenant}")
    return rows


def _timed(question: Asked, asker: Asker, turn: int) -> tuple[float, float]:
    """Milliseconds of the clock, and of the processor."""
    began, cpu = time.perf_counter(), time.thread_time()
    question.ask(asker, turn)
    return (time.perf_counter() - began) * 1_000, (time.thread_time() - cpu) * 1_000
