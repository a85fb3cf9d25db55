"""Compaction gives pages back, keeps everything else, and ends in time whatever the session's indexes compute."""

from __future__ import annotations

import pytest

from codemode import Limits, Session, Worker
from codemode.errors import StatementTimeout


def test_free_pages_go_back_to_the_disk(session: Session) -> None:
    session.exec("CREATE TABLE t (x)")
    session.exec("CREATE INDEX i ON t (trim(x, 'y'))")
    session.batch_insert("t", ({"x": "y" * 1000 + str(n)} for n in range(2000)))
    session.exec("DELETE FROM t WHERE rowid > 10")
    sizes = session.compact()
    assert sizes["after"] < sizes["before"] / 10
    assert session.value("SELECT count(*) FROM t WHERE trim(x, 'y') = '5'") == 1
    assert session.metrics()["database_size"] == sizes["after"]
    assert session.logs()


def test_compaction_has_a_deadline(worker: Worker) -> None:
    session = worker.session(limits=Limits(execution_seconds=0.005))
    session.exec("CREATE TABLE t (x)")
    session.load("u", [("x", "TEXT")], ((f"{n:0500d}",) for n in range(60_000)))
    with pytest.raises(StatementTimeout):
        session.compact()
    assert session.value("SELECT count(*) FROM u") == 60_000
