"""The flights that left New York in 2013, in a session that no test changes; and a clock that tests set."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from codemode import Session, Worker
from codemode.cli.demo import CHECKOUT, TABLES
from codemode.database import clock


@pytest.fixture(scope="session")
def flights(worker: Worker) -> Session:
    session = worker.session()
    for name in TABLES:
        session.import_file(CHECKOUT / name, null="NA")
    return session


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set the wall clock, and the time since boot, some seconds on, for the engine alone."""
    shifts = {"wall": 0.0, "boot": 0.0}
    fake = SimpleNamespace(
        time_ns=lambda: time.time_ns() + int(shifts["wall"] * 1e9),
        clock_gettime_ns=lambda which: time.clock_gettime_ns(which) + int(shifts["boot"] * 1e9),
        CLOCK_BOOTTIME=time.CLOCK_BOOTTIME,
    )
    monkeypatch.setattr(clock, "time", fake)
    # The registry holds the clock by its name: begin anew in place, before and after.
    monkeypatch.setattr(clock.sure_ms, "_offset", clock.sure_ms._offset)
    monkeypatch.setattr(clock.sure_ms, "_ahead_since", None)
    return lambda **given: shifts.update(given)
