"""After a large load SQLite knows its tables: plans fit without anybody asking for ANALYZE."""

from __future__ import annotations

from codemode import Session

LOAD = "helpers.db.batch_insert('t', ({'a': n % 3, 'b': n} for n in range(12_000)))"


def analysed(session: Session) -> bool:
    found = session.value("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'")
    return bool(found) and session.value("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 't'") > 0


def test_a_large_load_is_analysed_and_a_small_one_is_not(session: Session) -> None:
    session.script("CREATE TABLE t (a, b); CREATE INDEX by_a ON t (a); CREATE INDEX by_b ON t (b)")
    session.run("helpers.db.batch_insert('t', [{'a': 1, 'b': 1}])")
    assert not analysed(session)
    session.run(LOAD)
    assert analysed(session)
    plan = session.explain("SELECT * FROM t WHERE a = 1 AND b = 1")["plan"]
    assert "by_b" in plan[0], "the index that tells more"


def test_a_load_that_is_undone_is_not_analysed(session: Session) -> None:
    session.script("CREATE TABLE t (a, b); CREATE INDEX by_a ON t (a)")
    assert session.run(LOAD, dry_run=True).ok
    assert not session.run(LOAD + "\n1/0").ok
    assert not analysed(session)


def test_a_hosts_own_load_is_analysed(session: Session) -> None:
    session.script("CREATE TABLE t (a, b); CREATE INDEX by_a ON t (a)")
    session.load("t", [("a", "INTEGER"), ("b", "INTEGER")], ((n % 3, n) for n in range(12_000)), if_exists="append")
    assert analysed(session)
