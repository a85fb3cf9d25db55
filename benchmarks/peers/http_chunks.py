"""Records sent to a running service, some hundred at a time: a program that has them elsewhere, and no snippet."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load.serving import serving
from benchmarks.peers import customers
from benchmarks.scenario import Contender
from codemode import Client

CHUNK = 500
INSERTING = f"{CHUNK} rows a request"
_SHARE = 50_000  # of the records: the time of the others is worked out, since each request costs the same


@contextmanager
def inserting(count: int) -> Iterator[Contender]:
    """So many records by a client of `codemode serve` over loopback, each chunk a request and a transaction."""
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder), CODEMODE_LOG_LEVEL="warning") as (address, _),
        Client(address) as client,
    ):
        share = min(count, _SHARE)

        def run() -> float:
            session = client.session()
            session.create_table("customers", customers.SCHEMA)
            records = customers.records(share)
            started = time.perf_counter()
            while chunk := list(islice(records, CHUNK)):
                session.batch_insert("customers", chunk)
            took = time.perf_counter() - started
            totals = session.query_one(customers.TOTALS)
            assert totals is not None
            customers.check(share, totals.values())
            client.remove(session.id)
            return took * count / share

        yield Contender(INSERTING, run)
