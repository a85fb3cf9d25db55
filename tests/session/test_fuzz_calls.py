"""Helper calls as an escaped child could send them: any method, any arguments, in any order."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codemode import Limits, Session, Worker
from codemode.errors import CodemodeError
from codemode.session import execution
from codemode.session.calls import _METHODS, _RESULT_METHODS, Calls
from codemode.session.host import HostFunctions
from codemode.session.statements import Statements
from codemode.session.transaction import Transaction
from sandbox.errors import HelperFailed, ProtocolViolation

TENANT = "local"
SQL = """
SELECT 1
SELECT * FROM t, t AS u
SELECT a FROM t ORDER BY b
INSERT INTO t (b) VALUES (?)
INSERT OR ROLLBACK INTO t VALUES (1, 1)
DELETE FROM t
UPDATE t SET b = 1 RETURNING a
CREATE TABLE t2 (x)
DROP TABLE t2
ALTER TABLE t RENAME TO u
ALTER TABLE u RENAME TO t
EXPLAIN SELECT 1
DROP TABLE t
CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)
CREATE TABLE c (x REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)
INSERT INTO c VALUES (99)
DELETE FROM c
CREATE VIRTUAL TABLE f USING fts5(z)
CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'x'); END
DROP TRIGGER g
BEGIN
COMMIT
VACUUM
SELECT 1; SELECT 2
""".splitlines()
names = st.sampled_from(["a", "b", "t", "t2", "c", "f", "x\0y", '"', "session_state", "execution_logs", "", "\ud800"])
words = st.sampled_from(["error", "ignore", "replace", "update", "create", "key", "types", "on_conflict", "TEXT"])
numbers = st.sampled_from([0, 1, 2, 3, -1, 2**63 - 1, -(2**63), 2**64 - 1]) | st.integers(-3, 40)
atoms = st.none() | st.booleans() | st.floats() | numbers | names | words | st.sampled_from(SQL) | st.binary(max_size=2)
values = st.recursive(
    atoms,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | words | st.binary(max_size=2), inner),
    max_leaves=8,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "on_conflict": words | values,
        "key": st.lists(names, max_size=2) | values,
        "create": st.booleans() | values,
        "types": st.dictionaries(names, words) | values,
    },
)
PROPER = {str: st.sampled_from(SQL) | names, int: numbers, bool: st.booleans(), dict: options}


def arguments(method: str) -> st.SearchStrategy[list[object]]:
    _, kinds = (_METHODS | _RESULT_METHODS).get(method, (None, (str,)))
    proper = st.tuples(*(st.one_of(PROPER.get(kind, values), values) for kind in kinds)).map(list)
    return proper | st.lists(values, max_size=4)


BATCHES = ["db.batch_begin", "db.batch_rows", "db.batch_end", "db.pages_open", "db.pages_next", "db.exec"]
methods = st.sampled_from([*_METHODS, *BATCHES * 3, *_RESULT_METHODS, "host.f", "host.", "db.nothing", ""])
calls_made = st.lists(methods.flatmap(lambda method: st.tuples(st.just(method), arguments(method))), max_size=20)


@pytest.fixture(scope="module")
def fuzzed(worker: Worker) -> Session:
    session = worker.session(limits=Limits(query_seconds=1))
    session.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    return session


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls_made, st.sampled_from(["atomic", "each", "dry_run", "read_only"]), st.booleans())
@example([("db.batch_begin", ["t", [], {}])], "atomic", True)
@example([("db.batch_begin", ["t", ["a"], {"on_conflict": ["x"], "key": [1], "types": "x"}])], "atomic", True)
@example([("db.batch_begin", ["t", None, {}]), ("db.batch_rows", [1, [[5, "x"]], []])], "atomic", True)
@example([("db.query", ["SELECT 1", None, -5])], "atomic", True)
def test_no_call_gets_further_than_a_refusal(
    worker: Worker, fuzzed: Session, made: list[tuple[str, list[object]]], mode: str, ends_well: bool
) -> None:
    with worker.registry.turn((TENANT, fuzzed.id), 5) as opened:
        transaction = Transaction(opened, mode)
        calls = Calls(Statements(opened, transaction, "ex"), HostFunctions({"f": lambda *_, **__: 1}), dict)
        refused = {}
        for method, args in made:
            try:
                calls(method, args)
            except HelperFailed as failed:
                refused[failed.code] = (method, args)
            except ProtocolViolation:
                ends_well = False
                break
        assert "worker.internal" not in refused, refused
        calls.pages.close_all()
        with suppress(CodemodeError):  # a deferred foreign key
            transaction.finish(keep=ends_well)
        assert not opened.connection.in_transaction
        assert transaction.depth == 0
    assert fuzzed.value("SELECT 1") == 1


def test_a_batch_that_a_child_leaves_open_is_undone(worker: Worker, table: Session) -> None:
    with worker.registry.turn((TENANT, table.id), 5) as opened:
        transaction = Transaction(opened, "atomic")
        calls = Calls(Statements(opened, transaction, "ex"), HostFunctions(), dict)
        calls("db.exec", ["INSERT INTO t VALUES (10, 'whole')"])
        batch = calls("db.batch_begin", ["t", None, {}])["batch"]
        calls("db.batch_rows", [batch, [[11, "part"]]])
        transaction.finish(keep=True)
    assert table.value("SELECT group_concat(a) FROM t") == "1,2,3,10"


def test_a_turn_that_is_cut_short_leaves_no_transaction(table: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(execution, "value_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            table.run("helpers.db.exec('DELETE FROM t')")
    assert table.value("SELECT count(*) FROM t") == 3
    assert table.run("helpers.db.exec('DELETE FROM t')['changes']").result == 3
    assert table.value("SELECT count(*) FROM t") == 0
