"""Sessions against a model: whatever happens in whatever order, what was committed is there, and nothing else.

Two workers share one data directory, and few sessions stay open in each, so that every use may find the session used,
expired, removed or made anew by the other. HYPOTHESIS_PROFILE=deep looks for longer; `make stress` does.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from session_model import ENDINGS, STEPS, Data, Model, execute, source

from codemode import Limits, Session, Worker
from codemode.database import clock
from codemode.errors import CannotUndo, SessionExpired, SessionNotFound

DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
IDLE = 100.0  # seconds; the clock is moved in steps of 40, so that no moment is in doubt
LIMITS = Limits(open_sessions=1, idle_seconds=IDLE, execution_seconds=20)
NAMES = st.sampled_from(["a", "b", "c"])
WHERE = st.integers(0, 1)
NUMBERS = st.integers(0, 3)
TABLE = "CREATE TABLE t (x INTEGER NOT NULL UNIQUE)"


class Clock:
    """The engine's clock, which the tests move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def module(self) -> Any:
        return SimpleNamespace(
            time_ns=lambda: time.time_ns() + int(self.ahead * 1e9),
            clock_gettime_ns=lambda which: time.clock_gettime_ns(which) + int(self.ahead * 1e9),
            CLOCK_BOOTTIME=time.CLOCK_BOOTTIME,
        )

    @property
    def now(self) -> float:
        return time.time() + self.ahead


class Place:
    """One data directory and two workers on it, for all examples: starting a worker takes longer than most of them."""

    def __init__(self) -> None:
        self.directory = tempfile.mkdtemp(prefix="codemode-model-")
        self.clock = Clock()
        self.workers = [self.worker(), self.worker()]
        self.examples = 0

    def worker(self) -> Worker:
        return Worker(data_dir=self.directory, limits=LIMITS)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        shutil.rmtree(self.directory)


class Sessions(RuleBasedStateMachine):
    """Every way in which a session is used or ends."""

    place: Place

    @initialize()
    def begin(self) -> None:
        self.place.examples += 1
        self.models: dict[str, Model] = {}
        self.touched: str | None = None

    def key(self, name: str) -> str:
        return f"{self.place.examples}-{name}"

    def worker(self, where: int) -> Worker:
        return self.place.workers[where]

    def is_over(self, model: Model) -> bool:
        return model.expired or (not model.pinned and self.place.clock.now - model.last_used > IDLE)

    def used(self, name: str) -> None:
        self.models[name].last_used, self.touched = self.place.clock.now, name

    def session(self, where: int, name: str) -> Session | None:
        """The session for a use; made where it is not there, None where it must be, and is, refused as expired."""
        model = self.models.get(name)
        if model is not None and self.is_over(model):
            try:
                self.worker(where).session(self.key(name))
            except SessionExpired:
                model.expired = True
                return None
            raise AssertionError(f"{name} is over and was opened")
        session = self.worker(where).session(self.key(name))
        if model is None:
            self.models[name] = Model(last_used=self.place.clock.now)
            session.exec(TABLE)
        self.used(name)
        return session

    @rule(
        where=WHERE,
        name=NAMES,
        steps=st.lists(st.tuples(st.sampled_from(STEPS), NUMBERS), max_size=5),
        mode=st.sampled_from(["atomic", "atomic", "each", "dry_run"]),
        ending=st.sampled_from([*ENDINGS[:-1], "ok", "ok"]),
    )
    def execute(self, where: int, name: str, steps: list[tuple[str, int]], mode: str, ending: str) -> None:
        session = self.session(where, name)
        if session is None:
            return
        model = self.models[name]
        model.data, expected = execute(model.data, steps, mode, ending)
        outcome = session.run(
            source(steps, ending),
            atomic=mode != "each",
            dry_run=mode == "dry_run",
            functions={"echo": lambda n: n},
            on_output=lambda _: session.cancel(),
        )
        told = (outcome.ok, outcome.db.committed, outcome.db.rolled_back)
        assert told == (expected.ok, expected.committed, expected.rolled_back), outcome
        assert outcome.db.dry_run == (mode == "dry_run")
        assert session.logs(limit=1, kind="execution")[0].execution_id == outcome.execution_id

    @rule(where=WHERE, name=NAMES, n=NUMBERS)
    def time_out(self, where: int, name: str, n: int) -> None:
        if session := self.session(where, name):
            outcome = session.run(source([("insert", n), ("make", n)], "timeout"), timeout=0.1)
            assert (outcome.status, outcome.db.committed) == ("timeout", False), outcome

    @rule(where=WHERE, name=NAMES, n=NUMBERS)
    def read_only(self, where: int, name: str, n: int) -> None:
        if session := self.session(where, name):
            outcome = session.run(source([("read", 0), ("insert", n)], "ok"), read_only=True)
            assert (outcome.ok, outcome.db.rolled_back, outcome.error.code) == (False, False, "sql.refused"), outcome

    @rule(where=WHERE, name=NAMES, n=NUMBERS)
    def call_from_the_host(self, where: int, name: str, n: int) -> None:
        if session := self.session(where, name):
            data = self.models[name].data
            session.batch_insert("t", [{"x": n}, {"x": n + 10}], on_conflict="ignore")
            session.save_state(f"k{n}", n)
            session.compact()
            data.rows |= {n, n + 10}
            data.state[f"k{n}"] = n

    @rule(where=WHERE, name=NAMES, label=st.sampled_from(["first", "second"]))
    def checkpoint(self, where: int, name: str, label: str) -> None:
        if session := self.session(where, name):
            session.checkpoint(label, replace=True)
            self.models[name].checkpoints[label] = copy.deepcopy(self.models[name].data)

    @rule(where=WHERE, name=NAMES, label=st.sampled_from(["first", "second"]))
    def restore(self, where: int, name: str, label: str) -> None:
        if session := self.session(where, name):
            model = self.models[name]
            assert {found.name for found in session.checkpoints()} == set(model.checkpoints)
            if label in model.checkpoints:
                session.restore(label)
                model.data = copy.deepcopy(model.checkpoints[label])

    @rule(where=WHERE, name=NAMES)
    def undo_and_redo(self, where: int, name: str) -> None:
        """There and back is where it was, whatever it was."""
        if session := self.session(where, name):
            with suppress(CannotUndo):  # it was compacted, or made just now
                session.undo()
                session.redo()

    @rule(name=NAMES, numbers=st.lists(st.integers(1000, 1030), min_size=2, max_size=4, unique=True))
    def run_at_once(self, name: str, numbers: list[int]) -> None:
        """Callers of both workers at the same time; every other one fails."""
        sessions = [self.session(where, name) for where in (0, 1)]
        if None in sessions:
            return
        outcomes: dict[int, Any] = {}

        def caller(turn: int, n: int) -> None:
            steps = [("insert", n), ("delete", n + 500)]
            outcomes[n] = sessions[turn % 2].run(source(steps, "raise" if turn % 2 else "ok"))

        callers = [threading.Thread(target=caller, args=pair) for pair in enumerate(numbers)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
        for turn, n in enumerate(numbers):
            assert outcomes[n].ok == (turn % 2 == 0)
            if outcomes[n].ok:
                self.models[name].data.rows.add(n)

    @rule(seconds=st.sampled_from([40.0, 160.0]))
    def wait(self, seconds: float) -> None:
        self.place.clock.ahead += seconds
        self.touched = None
        for name in self.models:
            self.compare(name, 0)

    @rule(where=WHERE)
    def sweep(self, where: int) -> None:
        over = {self.key(name) for name, model in self.models.items() if not model.expired and self.is_over(model)}
        swept = {key for key in self.worker(where).sweep() if key.startswith(f"{self.place.examples}-")}
        assert swept == over
        for model in self.models.values():
            model.expired = model.expired or self.is_over(model)

    @rule(where=WHERE, name=NAMES, pinned=st.sampled_from([True, True, False]))
    def pin(self, where: int, name: str, pinned: bool) -> None:
        if self.session(where, name):
            self.worker(where).pin(self.key(name), pinned)
            self.models[name].pinned = pinned
            self.wait(160.0)  # a pinned one is still there, with everything in it; an unpinned one is over

    @rule(where=WHERE, name=NAMES)
    def renew(self, where: int, name: str) -> None:
        model = self.models.get(name)
        session = self.worker(where).session(self.key(name), renew=True)
        if model is None or self.is_over(model):
            assert session.get_tables() == [], "nothing of the old one is there"
            session.exec(TABLE)
            self.models[name] = Model()
        self.used(name)

    @rule(where=WHERE, name=NAMES)
    def remove(self, where: int, name: str) -> None:
        refused = self.refused(lambda: self.worker(where).remove(self.key(name)))
        assert refused is (None if name in self.models else SessionNotFound)
        self.models.pop(name, None)
        self.touched = None

    @rule(where=WHERE, dice=st.integers(1, 6))
    def reopen(self, where: int, dice: int) -> None:
        if dice == 6:  # it takes as long as a hundred executions
            self.worker(where).close()
            self.place.workers[where] = self.place.worker()

    @invariant()
    def the_last_one_used_is_as_the_model_says(self) -> None:
        if getattr(self, "touched", None) is not None:
            self.compare(self.touched, 1)

    def teardown(self) -> None:
        for name in getattr(self, "models", {}):
            self.compare(name, 0)

    def compare(self, name: str, where: int) -> None:
        """Through readers, which count as a use of the session too."""
        model, worker = self.models[name], self.worker(where)
        if self.is_over(model):
            assert worker.info(self.key(name)).state == "expired"
            assert self.refused(lambda: worker.session(self.key(name)).get_tables()) is SessionExpired
            model.expired = True
            return
        assert worker.info(self.key(name)).state == "active"
        session = worker.session(self.key(name))
        rows = [row["x"] for page in session.pages("SELECT x FROM t") for row in page]
        kept = {row["key"]: int(row["value"]) for page in session.pages("SELECT * FROM session_state") for row in page}
        found = Data(set(rows), kept, set(session.get_tables()) - {"t"})
        assert (len(rows), found) == (len(found.rows), model.data)
        model.last_used = self.place.clock.now

    @staticmethod
    def refused(call: Callable[[], object]) -> type[Exception] | None:
        try:
            call()
        except (SessionExpired, SessionNotFound) as error:
            return type(error)
        return None


def test_sessions_are_what_the_model_says(monkeypatch: Any) -> None:
    place = Place()
    monkeypatch.setattr(clock, "time", place.clock.module())
    Sessions.place = place
    try:
        run_state_machine_as_test(
            Sessions,
            settings=settings(
                max_examples=200 if DEEP else 30,
                stateful_step_count=50 if DEEP else 20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
        assert list(Path(place.directory).glob("sessions/removed-*")) == []
    finally:
        place.close()
