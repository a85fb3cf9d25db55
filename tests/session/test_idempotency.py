"""The same key answers with the stored outcome and runs nothing: after failures, restarts, kills and in a race."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from codemode import Limits, Outcome, Session, Settings, Worker
from codemode.database import idempotency, journal
from codemode.errors import RequestInvalid, StorageFull

INSERT = """helpers.db.exec('INSERT INTO t (b) VALUES (?)', ['x'])
print('done')
return helpers.db.value('SELECT count(*) FROM t')"""


def same(first: Outcome, second: Outcome) -> bool:
    assert not first.replayed
    assert second.replayed
    return msgspec.structs.replace(second, replayed=False) == first


def count(session: Session) -> Any:
    return session.value("SELECT count(*) FROM t")


@pytest.mark.parametrize(
    "code",
    [
        INSERT,
        "return helpers.db.query('SELECT * FROM t')",
        "helpers.db.exec('DELETE FROM t')\nhelpers.db.commit()\nreturn {'a': [1.5, None, 'é\\ud800'], 'b': 7 ** 9000}",
        "helpers.db.exec('DELETE FROM t')\nraise ValueError('no')",
        "helpers.db.exec('DELETE FROM t')\nhelpers.db.commit()\nraise ValueError('no')",
        "helpers.db.value('SELECT nope FROM t')",
        "def broken(",
        "print('x' * 300_000)\nreturn [1] * 100_000",
        "helpers.db.exec('INSERT INTO child VALUES (9)')",  # its commit fails
    ],
)
@pytest.mark.parametrize("options", [{}, {"atomic": False}, {"dry_run": True}, {"read_only": True}], ids=str)
def test_the_second_answer_is_the_first_and_changes_nothing(table: Session, code: str, options: Any) -> None:
    table.exec("CREATE TABLE child (a REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)")
    first = table.run(code, idempotency_key="k", **options)
    after = table.query("SELECT * FROM t")
    second = table.run(code, idempotency_key="k", **options)
    assert same(first, second)
    assert table.query("SELECT * FROM t") == after


def test_a_timeout_is_answered_again(table: Session) -> None:
    code = INSERT.replace("return", "while True: pass\nreturn")
    first = table.run(code, idempotency_key="k", timeout=0.3)
    assert first.status == "timeout"
    assert same(first, table.run(code, idempotency_key="k", timeout=30))


def test_an_outcome_survives_a_restart(tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        with Worker(data_dir=tmp_path) as worker:
            session = worker.session("s")
            session.create_table("t", "b", if_not_exists=True)
            answers.append([session.run(INSERT, idempotency_key="ok"), session.run("1/0", idempotency_key="bad")])
            assert count(session) == 1
    assert all(map(same, *answers))


@pytest.mark.parametrize(
    ("code", "options"),
    [
        (INSERT + " ", {}),
        (INSERT, {"inputs": {"a": 1}}),
        (INSERT, {"atomic": False}),
        (INSERT, {"dry_run": True}),
        (INSERT, {"functions": {"f": print}}),
        (INSERT, {"max_result_bytes": 100}),
    ],
)
def test_a_key_stands_for_one_request(table: Session, code: str, options: Any) -> None:
    table.run(INSERT, idempotency_key="k")
    with pytest.raises(RequestInvalid, match="stands for another request"):
        table.run(code, idempotency_key="k", **options)
    assert count(table) == 4


def test_the_order_of_inputs_and_the_timeout_do_not_matter(table: Session) -> None:
    first = table.run("return a", inputs={"a": {"x": 1, "y": 2}, "b": 1}, idempotency_key="k", timeout=5)
    again = table.run("return a", inputs={"b": 1, "a": {"y": 2, "x": 1}}, idempotency_key="k", on_output=print)
    assert same(first, again)


def test_keys_are_of_their_session(worker: Worker) -> None:
    first, second = worker.session(), worker.session()
    assert first.run("return 1", idempotency_key="k").result == 1
    assert second.run("return 2", idempotency_key="k").result == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\0", "\ud800", 7, b"k"])
def test_a_key_is_short_printable_text(session: Session, key: Any) -> None:
    with pytest.raises(RequestInvalid, match="idempotency key"):
        session.run("return 1", idempotency_key=key)


def test_an_outcome_that_cannot_be_kept_is_answered_with_a_warning(
    table: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remember(*_: Any) -> None:
        raise StorageFull("no space")

    monkeypatch.setattr(journal.Journal, "remember", remember)
    outcome = table.run("helpers.db.exec('DELETE FROM t'); helpers.db.commit(); return 1", idempotency_key="k")
    assert (outcome.result, outcome.db.committed, count(table)) == (1, True, 0)
    assert "could not be kept under its idempotency key: no space" in outcome.warnings[0]


def test_what_was_printed_is_handed_on_again(session: Session) -> None:
    printed: list[str] = []
    for _ in range(2):
        session.run("print('a')", idempotency_key="k", on_output=printed.append)
    assert printed == ["a\n", "a\n"]


def test_the_log_tells_a_replay_from_a_run(session: Session) -> None:
    first = session.run("return 1", idempotency_key="k")
    session.run("return 1", idempotency_key="k")
    found = [(entry.kind, entry.execution_id) for entry in session.logs()]
    assert found == [("replay", first.execution_id), ("execution", first.execution_id)]


def test_callers_at_the_same_time_get_one_execution(table: Session) -> None:
    answers: list[Outcome] = []
    code = "import time\ntime.sleep(0.2)\n" + INSERT
    threads = [threading.Thread(target=lambda: answers.append(table.run(code, idempotency_key="k"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.replayed for answer in answers) == [False, True, True, True]
    assert len({answer.execution_id for answer in answers}) == 1
    assert count(table) == 4


def test_asynchronous_callers_get_one_execution(table: Session) -> None:
    async def both() -> list[Outcome]:
        return await asyncio.gather(*(table.run_async(INSERT, idempotency_key="k") for _ in range(2)))

    answers = asyncio.run(both())
    assert sorted(answer.replayed for answer in answers) == [False, True]
    assert count(table) == 4


def test_what_was_cancelled_and_left_nothing_runs_again(table: Session) -> None:
    code = "print('in')\nwhile wait: pass\n" + INSERT

    def run(wait: bool) -> Outcome:
        return table.run(code, inputs={"wait": wait}, idempotency_key="k", on_output=lambda _: table.cancel())

    assert run(True).status == "cancelled"
    assert not table.run("return 1", idempotency_key="k").replayed


def test_what_was_cancelled_after_a_commit_does_not_run_again(table: Session) -> None:
    code = INSERT.replace("print('done')", "helpers.db.commit()\nprint('in')\nwhile True: pass")
    first = table.run(code, idempotency_key="k", on_output=lambda _: table.cancel())
    assert (first.status, first.db.committed) == ("cancelled", True)
    assert same(first, table.run(code, idempotency_key="k"))
    assert count(table) == 4


def test_a_key_is_forgotten_after_a_day(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, code in (("wrote", INSERT), ("failed", "1/0")):
        table.run(code, idempotency_key=key)
    monkeypatch.setattr(idempotency, "KEPT_MS", 0)
    assert not table.run("1/0", idempotency_key="failed").replayed
    assert not table.run(INSERT, idempotency_key="wrote").replayed
    assert count(table) == 5
    assert table.value("SELECT count(*) FROM _codemode_idempotency") == 0, "even the last one is older than no time"


def test_old_results_make_room_and_their_keys_stay(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "KEPT_BYTES", 5_000)
    codes = [f"helpers.db.exec('DELETE FROM t WHERE a = {n}')\nreturn 'x' * 2000" for n in range(4)]
    for n, code in enumerate(codes):
        table.run(code, idempotency_key=str(n))
    found = [table.run(code, idempotency_key=str(n)) for n, code in enumerate(codes)]
    assert [outcome.result is None for outcome in found] == [True, True, False, False]
    assert all(outcome.replayed and outcome.ok and outcome.db.committed for outcome in found)
    assert "make room" in found[0].warnings[0]


def test_the_log_holds_a_bounded_number_of_keys(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_KEYS", 2)
    for n in range(4):
        session.run(f"return {n}", idempotency_key=str(n))
    assert [session.run(f"return {n}", idempotency_key=str(n)).replayed for n in (3, 2, 1)] == [True, True, False]


def test_stored_results_do_not_push_out_the_log(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path, settings=Settings(log_bytes=300_000)) as worker:
        session = worker.session("s")
        for n in range(20):
            session.run(f"return 'x' * 100_000  # {n}", idempotency_key=str(n))
        assert len(session.logs()) == 20


def test_a_session_with_short_values_keeps_long_outcomes(worker: Worker) -> None:
    session = worker.session(limits=Limits(value_bytes=1_000))
    code = "helpers.db.create_table('t', 'a')\nreturn 'x' * 5000"
    assert same(session.run(code, idempotency_key="k"), session.run(code, idempotency_key="k"))
    session.compact()
    assert session.run(code, idempotency_key="k").replayed


def test_an_outcome_that_does_not_fit_the_quota_undoes_the_data(worker: Worker) -> None:
    session = worker.session(limits=Limits(database_bytes=100_000))
    code = "helpers.db.create_table('t', 'a')\nreturn 'x' * 200_000"
    first = session.run(code, idempotency_key="k")
    assert first.error is not None
    assert first.error.code == "sql.disk_quota"
    assert session.get_tables() == []
    assert same(first, session.run(code, idempotency_key="k"))


@pytest.mark.parametrize(
    "verb", ["INSERT INTO {} (key) VALUES ('k')", "DELETE FROM {}", "DROP TABLE {}", "UPDATE {} SET outcome = '{{}}'"]
)
def test_no_snippet_writes_the_stored_outcomes(session: Session, verb: str) -> None:
    session.run("helpers.db.create_table('t', 'a')", idempotency_key="k")
    outcome = session.run(f"helpers.db.exec({verb.format('_codemode_idempotency')!r})")
    assert outcome.error is not None
    assert outcome.error.code == "sql.refused"
    assert session.run("helpers.db.create_table('t', 'a')", idempotency_key="k").replayed
    assert session.get_tables() == ["t"]


def test_a_restore_forgets_no_key_and_a_fork_begins_without(table: Session) -> None:
    table.checkpoint("before")
    first = table.run(INSERT, idempotency_key="k")
    table.checkpoint("after")
    table.restore("before")
    assert count(table) == 3
    assert same(first, table.run(INSERT, idempotency_key="k"))
    assert count(table) == 3
    forked = table.fork()
    assert not forked.run(INSERT, idempotency_key="k").replayed
    assert count(forked) == 4


GONE = {
    "other results": lambda session: [session.run(f"return [{n}] * 100", max_result_bytes=50) for n in range(20)],
    "an undo": lambda session: session.undo(),
    "a restore, and another result of its number": lambda session: (
        session.restore("before"), session.run("return ['other'] * 100", max_result_bytes=50)
    ),
}  # fmt: skip


@pytest.mark.parametrize("go", GONE.values(), ids=GONE.keys())
def test_a_result_whose_table_is_gone_is_not_pointed_to(table: Session, go: Callable[[Session], object]) -> None:
    large: Any = {"code": "return list(range(100))", "max_result_bytes": 50, "idempotency_key": "k"}
    table.checkpoint("before")
    first = table.run(**large)
    assert same(first, table.run(**large))
    go(table)
    again = table.run(**large)
    assert (first.result_info.handle, again.result_info.handle) == ("_result_1", None)
    assert again.result == first.result
    assert "_result_1" not in again.result_info.how_to_read
    assert "_result_1 does not keep this result" in again.warnings[-1]


KILLED = """
import os, signal, sys
from codemode import Worker
from codemode.session import transaction

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
with Worker(data_dir=sys.argv[1]) as worker:
    session = worker.session("s")
    session.create_table("t", "b", if_not_exists=True)
    {patch}  # here: the host's own create_table ends in the same way
    session.run(sys.argv[2], idempotency_key="k", atomic={atomic})
"""
BEFORE_COMMIT = "transaction.Transaction.finish = die"
AFTER_COMMIT = (
    "end = transaction.Transaction.finish; transaction.Transaction.finish = lambda s, keep: die(end(s, keep=keep))"
)


def killed(data_dir: Path, patch: str, code: str, *, atomic: bool = True) -> None:
    script = KILLED.format(patch=patch, atomic=atomic)
    done = subprocess.run([sys.executable, "-c", script, str(data_dir), code], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_killed_between_the_commit_and_the_answer_the_retry_gets_it(tmp_path: Path) -> None:
    killed(tmp_path, AFTER_COMMIT, INSERT)
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        assert count(session) == 1
        outcome = session.run(INSERT, idempotency_key="k")
        assert (outcome.replayed, outcome.ok, outcome.result, outcome.stdout) == (True, True, 1, "done\n")
        assert outcome.db.committed
        assert count(session) == 1


def test_killed_before_the_commit_the_retry_runs(tmp_path: Path) -> None:
    killed(tmp_path, BEFORE_COMMIT, INSERT)
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        outcome = session.run(INSERT, idempotency_key="k")
        assert (outcome.replayed, outcome.ok) == (False, True)
        assert count(session) == 1


@pytest.mark.parametrize(
    ("atomic", "code"), [(False, INSERT), (True, f"{INSERT.partition(chr(10))[0]}\nhelpers.db.commit()")]
)
def test_killed_after_a_part_was_committed_the_retry_is_told_so(tmp_path: Path, atomic: bool, code: str) -> None:
    killed(tmp_path, BEFORE_COMMIT, code, atomic=atomic)
    with Worker(data_dir=tmp_path) as worker:
        session = worker.session("s")
        for _ in range(2):
            outcome = session.run(code, idempotency_key="k", atomic=atomic)
            assert outcome.error is not None
            assert (outcome.error.code, outcome.replayed, outcome.db.committed) == ("code.interrupted", True, True)
        assert count(session) == 1


RETRIED = """
import sys
from codemode import Worker
with Worker(data_dir=sys.argv[1]) as worker:
    session = worker.session("s")
    print("open", flush=True)
    for n in range(int(sys.argv[2]), 10_000):
        code = "helpers.db.exec('INSERT INTO t VALUES (?)', [n])"
        outcome = session.run(code, inputs={"n": n}, idempotency_key=str(n))
        assert outcome.ok, outcome
        print(n, flush=True)
"""


def test_killed_again_and_again_every_request_is_done_once(tmp_path: Path) -> None:
    with Worker(data_dir=tmp_path) as worker:
        worker.session("s").create_table("t", "n")
    last = 0
    for _ in range(6):
        there = subprocess.Popen([sys.executable, "-c", RETRIED, str(tmp_path), str(last)], stdout=subprocess.PIPE)
        assert there.stdout is not None
        for line in there.stdout:
            if line != b"open\n":
                last = max(last, int(line))
            if line != b"open\n" and last % 7 == 6:
                there.kill()  # while the next request is on its way
                last += 1
        there.wait()
        there.stdout.close()
    with Worker(data_dir=tmp_path) as worker:
        found = worker.session("s").query("SELECT n, count(*) AS times FROM t GROUP BY n ORDER BY n")
    assert all(row["times"] == 1 for row in found)
    assert {row["n"] for row in found} >= set(range(last))
