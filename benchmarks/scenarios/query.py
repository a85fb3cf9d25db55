"""Rows of a table into a snippet as dicts, in one answer and page by page, beside the same in one process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager

from benchmarks.peers import apsw_rows, customers
from benchmarks.scenario import SUBJECT, AtMost, Contender, Contenders, Scenario, Sides
from codemode import Worker

# Each counts what it read, in the same way as its peer. The parts between quotes are in the snippet's own process.
_QUERY = f'return sum(row["id"] for row in helpers.db.query("{customers.SELECT}"))'
PAGES = f'return sum(row["id"] for page in helpers.db.pages("{customers.SELECT}") for row in page)'


def _contenders(code: str, *, keep: bool) -> Callable[[int], Contenders]:
    @contextmanager
    def contenders(size: int) -> Sides:
        with Worker() as worker, apsw_rows.reading(size, keep=keep) as peer:
            session = worker.session()
            session.create_table("customers", customers.SCHEMA)
            session.batch_insert("customers", customers.records(size))

            def subject() -> None:
                outcome = session.run(code)
                if outcome.result != size * (size - 1) // 2:
                    raise AssertionError(f"the snippet read other rows: {outcome.error}")

            yield [Contender(SUBJECT, subject), peer]

    return contenders


SCENARIOS = (
    Scenario(
        "rows of one query into a snippet",
        of="rows of five columns",
        sizes=(100, 1_000, 10_000),
        contenders=_contenders(_QUERY, keep=True),
        bounds=(AtMost(apsw_rows.READING, 2.5),),
        quick=10_000,  # of fewer, what a snippet costs anyway is most
    ),
    Scenario(
        "rows of a table through pages",
        of="rows of five columns",
        sizes=(10_000, 100_000, 1_000_000),
        contenders=_contenders(PAGES, keep=False),
        bounds=(AtMost(apsw_rows.READING, 2.5),),
    ),
)
