"""One worker for all tests of a process, and a new session for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codemode import Session, Worker


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(data_dir=tmp_path_factory.mktemp("data")) as worker:
        yield worker


@pytest.fixture
def session(worker: Worker) -> Session:
    return worker.session()


@pytest.fixture
def table(session: Session) -> Session:
    """A session with `t(a INTEGER PRIMARY KEY, b TEXT)` and the rows 1 to 3."""
    session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    session.batch_insert("t", [{"a": n, "b": str(n)} for n in (1, 2, 3)])
    return session
