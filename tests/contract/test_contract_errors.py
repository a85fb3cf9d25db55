"""Errors of a host's calls are the same whoever asks: the class, the words, and everything that helps to go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from patience import HANG_SECONDS

from codemode import Limits, Session, Worker
from codemode.errors import (
    CannotUndo,
    CheckpointExists,
    CodemodeError,
    RequestInvalid,
    SessionBusy,
    SessionExists,
    SessionExpired,
    SessionNotFound,
)
from tests.contract.backends import Backend

SEED = "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE NOT NULL); INSERT INTO t VALUES (1, 'one')"
MANY = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000)"
WRONG: dict[str, Callable[[Any], Any]] = {
    "sql.syntax": lambda s: s.exec("SELEC 1"),
    "sql.refused": lambda s: s.exec("ATTACH 'x' AS y"),
    "sql.refused, by only reading": lambda s: s.query("DELETE FROM t RETURNING a", read_only=True),
    "sql.refused, a write without rows": lambda s: s.query("DELETE FROM t"),
    "sql.multiple_statements": lambda s: s.exec("SELECT 1; SELECT 2"),
    "sql.no_such_table": lambda s: s.query("SELECT * FROM tt"),
    "sql.no_such_column": lambda s: s.query("SELECT bb FROM t"),
    "sql.no_such_function": lambda s: s.value("SELECT conncat(a, b) FROM t"),
    "sql.constraint": lambda s: s.exec("INSERT INTO t VALUES (2, 'one')"),
    "sql.constraint, of records": lambda s: s.batch_insert("t", [{"a": 5, "b": "x"}, {"a": 5, "b": "y"}]),
    "sql.already_exists": lambda s: s.create_table("t", "a"),
    "sql.parameters": lambda s: s.query("SELECT ?, ?", [1]),
    "sql.parameters, of another kind": lambda s: s.query("SELECT ?", {1, 2}),
    "sql.value": lambda s: s.query("SELECT ?", [2**64]),
    "sql.value, of a surrogate": lambda s: s.query("SELECT ?", ["\ud800"]),
    "sql.value, of an object": lambda s: s.query("SELECT ?", [object()]),
    "sql.value, of a record": lambda s: s.batch_insert("t", [{"a": 7, "b": "x"}, {"a": 8, "b": 2**70}]),
    "sql.value, of the state": lambda s: s.save_state("x", object()),
    "sql.runtime": lambda s: s.value("SELECT json('{')"),
    "request.invalid, no text": lambda s: s.exec(5),
    "request.invalid, a batch of numbers": lambda s: s.batch([5]),
    "request.invalid, a size": lambda s: list(s.pages("SELECT 1", size=0)),
    "request.invalid, a size that is none": lambda s: list(s.pages("SELECT 1", size=True)),
    "request.invalid, a size as text": lambda s: list(s.pages("SELECT 1", size="5")),
    "request.invalid, a size of many digits": lambda s: list(s.pages("SELECT 1", size=10**5000)),
    "request.invalid, half a character": lambda s: s.value("SELECT '\ud800'"),
    "request.invalid, half a character in pages": lambda s: list(s.pages("SELECT '\ud800'")),
    "request.invalid, a key of the state": lambda s: s.get_state({}),
    "request.invalid, an option": lambda s: s.batch_insert("t", [], on_conflict="upsert"),
    "request.invalid, an unknown option": lambda s: s.batch_insert("t", [], colums=["a"]),
    "request.invalid, records that are none": lambda s: s.batch_insert("t", [5]),
    "request.invalid, records that are a dict": lambda s: s.batch_insert("t", {"a": 1}),
    "request.invalid, a key that is no text": lambda s: s.batch_insert("t", [{1: 2}]),
    "request.invalid, a list of the wrong length": lambda s: s.batch_insert("t", [[1, 2, 3]], columns=["a", "b"]),
    "request.invalid, a column twice": lambda s: s.batch_insert("t", [{"a": 1, "A": 2}]),
    "request.invalid, columns that are none": lambda s: s.batch_insert("t", [], columns=5),
    "request.invalid, a conflict that is no word": lambda s: s.batch_insert("t", [], on_conflict=["ignore"]),
    "request.invalid, an idempotency key": lambda s: s.run("return 1", idempotency_key=5.0),
    "request.invalid, a length of cells": lambda s: s.run("return 1", max_cell=0.5),
    "request.invalid, a size of the result": lambda s: s.run("return 1", max_result_bytes=float("nan")),
    "request.invalid, a form of the result": lambda s: s.run("return 1", result_format="table"),
    "request.invalid, a form that is no word": lambda s: s.run("return 1", result_format=7),
    "request.invalid, how much of the log": lambda s: s.logs("all"),
    "request.invalid, more than the log": lambda s: s.logs(2**70),
    "request.invalid, more changes than are told": lambda s: s.table_changes(limit=10_001),
    "request.invalid, which of the log": lambda s: s.logs(kind=5),
    "request.invalid, a kind of the log": lambda s: s.logs(kind="exce"),
    "request.invalid, how many changes": lambda s: s.table_changes(limit=-1),
    "request.invalid, changes of what": lambda s: s.table_changes(["t"]),
    "request.invalid, how many slow statements": lambda s: s.slow_statements(None),
    "sql.value, in pages": lambda s: list(s.pages("SELECT ?", [2**64])),
    "sql.value, in a stream": lambda s: s.stream("SELECT ?", [object()]),
    "sql.no_such_column, of a record": lambda s: s.batch_insert("t", [{"a": 1, "b": 2}, {"a": 2, "bb": 3}]),
    "sql.no_such_table, of records": lambda s: s.batch_insert("tt", [{"a": 1}]),
    "sql.no_such_table, described": lambda s: s.describe_table("tt"),
    "sql.no_such_table, of columns": lambda s: s.get_columns("tt"),
    "request.invalid, a name of a table": lambda s: s.get_columns(5),
    "request.invalid, a schema": lambda s: s.create_table("n", 5),
    "sql.syntax, in a script": lambda s: s.script("DELETE FROM t; SELEC 1"),
    "sql.no_such_column, explained": lambda s: s.explain("SELECT c FROM t"),
    "sql.no_such_column, in pages": lambda s: list(s.pages("SELECT c FROM t")),
    "sql.runtime, in the middle of pages": lambda s: list(
        s.pages(f"{MANY} SELECT json(iif(i < 3900, 1, '{{')) FROM n")
    ),
    "session.no_such_checkpoint": lambda s: [s.checkpoint("one"), s.restore("onee")],
    "session.no_such_checkpoint, to delete": lambda s: s.delete_checkpoint("one"),
    "session.no_such_checkpoint, to compare": lambda s: s.diff("one"),
    "session.checkpoint_exists": lambda s: [s.checkpoint("one"), s.checkpoint("one")],
    "request.invalid, a name of a checkpoint": lambda s: s.checkpoint("../x"),
    "request.invalid, a name to delete": lambda s: s.delete_checkpoint("../x"),
    "session.cannot_undo": lambda s: s.redo(),
    "request.invalid, an id to fork to": lambda s: s.fork("../x"),
    "request.invalid, nothing to export": lambda s: s.export(None, "not-written.csv"),
    "request.invalid, a format of exports": lambda s: s.export("t", "not-written.csv", file_format="xlsx"),
    "request.invalid, a format of imports": lambda s: s.import_file(__file__, "n", file_format="CSV"),
    "request.invalid, a file that is none": lambda s: s.import_file(5, "n"),
    "request.invalid, a NUL in a file's name": lambda s: s.export_file("a\0b"),
    "request.invalid, a name that is too long": lambda s: s.export("t", f"{'n' * 300}.csv"),
    "request.invalid, a table to import into": lambda s: s.import_file(__file__, 5, file_format="csv"),
    "request.invalid, a text for NULL": lambda s: s.import_file(__file__, "n", file_format="csv", null=[None]),
    "request.invalid, texts for NULL": lambda s: s.import_file(__file__, "n", file_format="csv", null=5),
    "request.invalid, a delimiter": lambda s: s.import_file(__file__, "n", file_format="csv", delimiter=";;"),
    "request.invalid, no delimiter": lambda s: s.import_file(__file__, "n", file_format="csv", delimiter=5),
    "request.invalid, an encoding": lambda s: s.import_file(__file__, "n", file_format="csv", encoding=None),
    "request.invalid, what if it exists": lambda s: s.import_file(__file__, "n", file_format="csv", if_exists="ask"),
    "request.invalid, a sample": lambda s: [s.checkpoint("one"), s.diff("one", sample=1_000)],
}  # fmt: skip
ATTRIBUTES = ("code", "message", "hint", "did_you_mean", "available", "sql", "suggestion", "retryable")


def raised(call: Callable[[Any], Any], session: Any) -> CodemodeError:
    session.script(SEED)
    with pytest.raises(CodemodeError) as found:
        call(session)
    return found.value


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_the_one_of_the_engine(whole: Any, here: Session, name: str) -> None:
    found, expected = raised(WRONG[name], whole), raised(WRONG[name], here)
    assert expected.code == name.partition(",")[0]
    assert type(found) is type(expected)
    assert str(found) == str(expected)
    for attribute in ATTRIBUTES:
        assert getattr(found, attribute) == getattr(expected, attribute), attribute
    assert whole.query("SELECT * FROM t") == here.query("SELECT * FROM t") == [{"a": 1, "b": "one"}]


LOST = {
    "a statement": lambda s: s.query("SELECT '\ud800'"),
    "a batch": lambda s: s.batch(["SELECT '\ud800'"]),
    "a schema": lambda s: s.create_table("n", "\ud800"),
    "a table": lambda s: s.describe_table("\ud800"),
    "a key": lambda s: s.get_state("\ud800"),
    "a long key": lambda s: s.get_state("k" * 100_000),
    "a checkpoint": lambda s: s.checkpoint("\ud800"),
    "a fork": lambda s: s.fork(5),
    "a format": lambda s: s.run("return 1", result_format=object()),
    "a record": lambda s: s.batch_insert("t", [{"\ud800": 1}]),
    "functions": lambda s: s.run("return 1", functions=["f"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_what_no_request_can_hold_is_an_error_of_the_tree_too(whole: Any, name: str) -> None:
    assert raised(LOST[name], whole).code in ("request.invalid", "sql.syntax", "sql.no_such_column")


def test_a_session_that_is_not_there(complete: Backend) -> None:
    with pytest.raises(SessionNotFound):
        complete.session("never-made", create=False)


@pytest.mark.parametrize("session_id", ["", "../x", "a/b", "é", "x" * 129, 5])
def test_an_id_that_is_none(complete: Backend, session_id: Any) -> None:
    with pytest.raises(RequestInvalid):
        complete.session(session_id)


ASKED_OF_THE_WORKER: dict[str, Callable[[Any], Any]] = {
    "to make anew": lambda w: w.session("one", renew="false"),
    "to make": lambda w: w.session("one", create=1),
    "to keep variables": lambda w: w.session("one", stateful=0),
    "to keep": lambda w: w.pin("one", None),
    "where": lambda w: w.sessions(workspace_id=["w"]),
    "of which type": lambda w: w.sessions(type=2**70),
    "in which state": lambda w: w.sessions(status=[]),
    "in which state that there is not": lambda w: w.sessions(status="gone"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED_OF_THE_WORKER)
def test_what_is_asked_of_a_worker_is_judged_alike(complete: Backend, reference: Worker, name: str) -> None:
    def told(worker: Any) -> tuple[str, ...]:
        with pytest.raises(RequestInvalid) as found:
            ASKED_OF_THE_WORKER[name](worker)
        return str(found.value), *found.value.available

    assert told(complete.worker) == told(reference)


class Seconds(float):
    """As numpy's float64 is."""


def test_numbers_of_kinds_of_their_own_are_numbers(whole: Any) -> None:
    assert whole.run("return 1", timeout=Seconds(5)).result == 1


@pytest.mark.parametrize("seconds", [600, 600.5, float("inf")])
def test_a_timeout_that_is_lowered_says_so_in_the_same_words(whole: Any, here: Session, seconds: float) -> None:
    found, expected = (session.run("return 1", timeout=seconds).warnings for session in (whole, here))
    assert found == expected
    assert "was lowered to 60 s" in found[0]


@pytest.mark.parametrize("switch", ["atomic", "dry_run", "read_only"])
@pytest.mark.parametrize("value", ["false", 0], ids=repr)
def test_what_only_passes_for_a_switch_is_refused(whole: Any, switch: str, value: object) -> None:
    with pytest.raises(RequestInvalid, match=f"{switch} is True or False"):
        whole.run("return 1", **{switch: value})


def test_a_session_that_was_removed(backend: Backend, whole: Any) -> None:
    backend.worker.remove(whole.id)
    for call in (lambda: whole.query("SELECT 1"), lambda: whole.run("return 1"), lambda: backend.worker.info(whole.id)):
        with pytest.raises(SessionNotFound):
            call()


def test_a_session_that_expired_says_so_until_it_is_renewed(complete: Backend) -> None:
    session = complete.session("expiring", limits=Limits(idle_seconds=0.05))
    time.sleep(0.1)
    calls: list[Callable[[], Any]] = [
        lambda: session.query("SELECT 1"),
        lambda: session.run("return 1"),
        lambda: complete.session("expiring"),
        lambda: complete.session("expiring", create=False),
    ]
    for call in calls:
        with pytest.raises(SessionExpired) as found:
            call()
        assert found.value.code == "session.expired"
    assert complete.session("expiring", limits=Limits(idle_seconds=60), renew=True).value("SELECT 1") == 1


def test_a_session_that_is_busy_says_so(complete: Backend) -> None:
    session = complete.session(limits=Limits(queue_seconds=0.05, execution_seconds=HANG_SECONDS))
    session.exec("CREATE TABLE t (a)")
    running = threading.Thread(target=session.run, args=("while True: pass",))
    running.start()
    try:
        busy = []
        until = time.monotonic() + HANG_SECONDS
        while not busy and time.monotonic() < until:
            try:
                session.exec("INSERT INTO t VALUES (1)")
            except SessionBusy as error:
                busy.append(error)
        assert busy
        assert busy[0].retryable
        assert session.query("SELECT count(*) > 0 AS some FROM t", read_only=True)
        with pytest.raises(SessionBusy):
            session.run("return 1")
    finally:
        while running.is_alive():
            session.cancel()
            running.join(0.05)


def test_an_execution_is_cancelled_by_another_thread(whole: Any) -> None:
    outcomes: list[Any] = []
    whole.exec("CREATE TABLE t (a)")
    code = "helpers.db.exec('INSERT INTO t VALUES (1)')\nwhile True: pass"
    running = threading.Thread(target=lambda: outcomes.append(whole.run(code)))
    running.start()
    until = time.monotonic() + HANG_SECONDS
    while running.is_alive() and time.monotonic() < until:
        whole.cancel()
        running.join(0.05)
    assert (outcomes[0].status, outcomes[0].error.code) == ("cancelled", "code.cancelled")
    assert whole.value("SELECT count(*) FROM t") == 0
    assert whole.cancel() is False


def test_ways_back_that_are_closed(whole: Any, backend: Backend) -> None:
    with pytest.raises(CannotUndo):
        whole.undo()
    whole.checkpoint("one")
    with pytest.raises(CheckpointExists):
        whole.checkpoint("one")
    assert whole.checkpoint("one", replace=True).name == "one"
    with pytest.raises(SessionExists):
        whole.fork(whole.id)


def test_sessions_are_listed_pinned_and_told(backend: Backend, whole: Any, reference: Worker) -> None:
    assert whole.id in [info.id for info in backend.worker.sessions()]
    assert whole.id in [info.id for info in backend.worker.sessions(type="work", status="active")]
    assert backend.worker.sessions(workspace_id="nowhere") == []
    with pytest.raises(RequestInvalid) as wrong:
        backend.worker.sessions(status="gone")
    assert list(wrong.value.available) == ["active", "closed", "expired"]
    backend.worker.pin(whole.id)
    assert backend.worker.info(whole.id).pinned
    assert backend.worker.info(whole.id).expires_at is None
    backend.worker.pin(whole.id, False)
    assert not backend.worker.info(whole.id).pinned
    # What the machine has is not told to tenants.
    assert reference.metrics().keys() - backend.worker.metrics().keys() <= {"data_dir", "free_bytes"}
    assert backend.worker.sweep() == []
    assert isinstance(backend.worker.usage_by_day(), list)
