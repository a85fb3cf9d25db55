"""One worker for all tests of a process, and a new session for each test."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from postgres_cluster import Cluster, binaries, shared

from codemode import Session, Worker

# An example takes as long as a busy machine makes it. Where CI is set they are the same ones each time, as ever.
settings.register_profile(
    "patient",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")

# Started in the background of a script the tests ignore SIGINT, and so would every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """While tests are collected next to nothing becomes garbage, and what they are stays: nobody looks for it there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What handles signals is the same after a test: the next one may be about them."""
    before = [signal.getsignal(number) for number in _ENDING]
    yield
    assert [signal.getsignal(number) for number in _ENDING] == before


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(data_dir=tmp_path_factory.mktemp("data")) as worker:
        yield worker


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL server with a database `migrated` that is in the newest form; one for all processes of the run."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg_pool", reason="psycopg is not installed: pip install 'codemode[postgres]'")
    from codemode.catalog.opening import open_catalogue

    def migrate(made: Cluster) -> None:
        open_catalogue(made.address("migrated"), Path()).close()

    base = tmp_path_factory.getbasetemp()
    with shared(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base, migrate) as cluster:
        yield cluster


@pytest.fixture
def session(worker: Worker) -> Session:
    return worker.session()


@pytest.fixture
def table(session: Session) -> Session:
    """A session with `t(a INTEGER PRIMARY KEY, b TEXT)` and the rows 1 to 3."""
    session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    session.batch_insert("t", [{"a": n, "b": str(n)} for n in (1, 2, 3)])
    return session
