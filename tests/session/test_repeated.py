"""A text that a session runs again: what its children compiled stays the session's, and goes with it."""

from __future__ import annotations

from typing import Any

from codemode import Session, Worker


def kept(worker: Worker) -> list[Any]:
    """The keys of the sessions for whose texts code is kept."""
    codes = worker.sandbox._codes._codes
    return [owner[0] for (owner, _), code in codes.items() if code is not None]


def run(session: Session, code: str, **options: Any) -> Any:
    outcome = session.run(code, **options)
    assert outcome.ok, outcome.error
    return outcome.result


def test_it_answers_for_what_is_in_the_database_now(worker: Worker) -> None:
    session = worker.session()
    run(session, "helpers.db.exec('create table t (n)')")
    code = "helpers.db.exec('insert into t values (?)', [n])\nreturn helpers.db.value('select sum(n) from t')"
    assert [run(session, code, inputs={"n": n}) for n in (1, 2, 3, 4)] == [1, 3, 6, 10]
    assert (session.tenant, session.id) in kept(worker)


def test_it_is_shown_in_errors_as_the_first_time(worker: Worker) -> None:
    session = worker.session()
    code = "def f():\n    return 1 / 0\n\nf()"
    first, *others = (session.run(code).error for _ in range(4))
    assert first is not None
    assert first.line == 2
    assert others == [first] * 3


def test_a_session_that_is_removed_leaves_none(worker: Worker) -> None:
    one, other = worker.session(), worker.session()
    for session in (one, other):
        for _ in range(3):
            assert run(session, "return 1") == 1
    worker.remove(one.id)
    assert [session for _, session in kept(worker)].count(other.id) == 1
    assert one.id not in [session for _, session in kept(worker)]
