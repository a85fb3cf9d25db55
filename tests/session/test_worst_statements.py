"""The worst statement that one can write ends within its limit and two seconds, and the next ones work."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from worst_statements import Worst, setup, worst_statements, written_out

from codemode import Limits, Session, Worker

QUERY_SECONDS = 0.5
MORE_SECONDS = 2.0
WORST = list(worst_statements())
ENDINGS = {None, "sql.timeout", "sql.limit", "sql.disk_quota"}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Session, Session]]:
    with Worker(data_dir=tmp_path_factory.mktemp("worst")) as worker:
        session, other = worker.session("worst", limits=Limits(database_bytes=200_000_000)), worker.session("other")
        for sql in setup():
            session.exec(sql)
        other.exec("CREATE TABLE kept AS SELECT 7 AS x")
        yield worker.session("worst", limits=Limits(query_seconds=QUERY_SECONDS)), other


@pytest.mark.parametrize("worst", WORST, ids=[worst.name for worst in WORST])
def test_the_worst_statement_ends_and_the_next_ones_work(sessions: tuple[Session, Session], worst: Worst) -> None:
    session, other = sessions
    used, started = time.thread_time(), time.monotonic()
    outcome = session.run(
        "helpers.db.exec(sql, params)\n0", inputs={"sql": worst.sql, "params": worst.params}, dry_run=True
    )
    # The thread's own time: what the statement took, whatever else the machine has to do.
    used, took = time.thread_time() - used, time.monotonic() - started
    code = outcome.error.code if outcome.error else None
    assert used < QUERY_SECONDS + MORE_SECONDS, f"{used:.1f} s: {outcome.error}"
    assert took < 60, "hangs"
    never = "marked excerpt" in worst.name or worst.name.startswith("a query ")  # refused before they begin
    assert code == "sql.refused" if never else code in ENDINGS, outcome.error
    assert session.value("SELECT count(*) FROM pairs") == 1_000
    assert other.run("helpers.db.value('SELECT x FROM kept')").result == 7


def test_there_are_many_of_them_and_they_are_what_they_say() -> None:
    assert len({worst.name for worst in WORST}) == len(WORST) >= 100
    assert written_out("<<2, |(<<2 + |x@>>)>>") == "(x0 + x1), (x0 + x1)"
    assert all("<<" not in worst.sql for worst in WORST)
