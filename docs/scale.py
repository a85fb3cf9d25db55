"""The regions about a large catalogue, from the run that `make bench-catalogue` recorded last."""

from __future__ import annotations

from wording import table

from benchmarks.amounts import amount
from benchmarks.catalogue.recorded import Recorded, newest

_KINDS = ("large", "middle", "small")
_NONE = "No run is recorded yet: `make bench-catalogue` records one."


def catalogue_run() -> str:
    """How large the catalogue was, and on what it was asked."""
    run = newest()
    if run is None:
        return _NONE
    machine = run.machine
    return (
        f"{run.sessions:,} sessions and {run.messages:,} messages of {run.tenants:,} tenants,"
        f" {amount(run.bytes, 'B')}, on {machine.cpu}, {machine.cores} cores, {amount(machine.memory_bytes, 'B')} of"
        f" memory, SQLite {run.versions['SQLite']}, at commit `{run.commit.id[:12]}`. The load average was"
        f" {run.load_average:.1f} before it began. {_verdict(run)}"
    )


def _verdict(run: Recorded) -> str:
    slow = sorted({each.question for each in run.questions if each.p50_ms > run.bound_ms})
    bound = f"the bound of {run.bound_ms:g} ms"
    return f"Above {bound}: {', '.join(slow)}." if slow else f"Every median is below {bound}."


def catalogue_questions() -> str:
    """The median, the slowest twentieth and the processor's time of each question, for a tenant of each size."""
    run = newest()
    if run is None:
        return _NONE
    took = {
        (each.question, each.tenant): f"{each.p50_ms:.2f} / {each.p95_ms:.2f} / {each.cpu_ms:.2f}"
        for each in run.questions
    }
    titles = list(dict.fromkeys(each.question for each in run.questions))
    rows = [[title, *(took.get((title, kind), "") for kind in _KINDS)] for title in titles]
    return table(["question, p50 / p95 / processor in ms", *(f"{kind} tenant" for kind in _KINDS)], rows)


def catalogue_beside() -> str:
    """The same questions of the small tenant, with and without the others."""
    run = newest()
    if run is None:
        return _NONE
    rows = [
        [each.question, f"{each.beside_ms:.2f}", f"{each.alone_ms:.2f}", f"{each.ratio:.2f}"] for each in run.beside
    ]
    return table(["question, processor in ms", "beside the large ones", "without them", "ratio"], rows)
