"""Triggers that fire where the user has more rights than in a statement of their own kind."""

from __future__ import annotations

import pytest

from codemode import Session

SCHEMA = """
CREATE TABLE numbered (i INTEGER PRIMARY KEY AUTOINCREMENT, x);
INSERT INTO numbered (x) VALUES (1);
CREATE TABLE parent (a INTEGER PRIMARY KEY);
CREATE TABLE child (a REFERENCES parent ON DELETE CASCADE);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);
CREATE TRIGGER poison AFTER DELETE ON child BEGIN {}; END;
"""


@pytest.mark.parametrize("body", ["DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 9e18"])
@pytest.mark.parametrize("statement", ["DROP TABLE parent", "DELETE FROM parent", "DELETE FROM child"])
def test_no_trigger_writes_sqlites_own_tables(session: Session, statement: str, body: str) -> None:
    outcome = session.run(f"helpers.db.script({SCHEMA.format(body)!r})")
    assert outcome.ok, outcome.error
    assert session.run(f"helpers.db.exec({statement!r})").error.code == "sql.refused"
    assert session.query("SELECT seq FROM sqlite_sequence") == [{"seq": 1}]
    assert session.value("SELECT count(*) FROM child") == 1


TREE = """
CREATE TABLE said (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES said (id) ON DELETE CASCADE, body TEXT);
CREATE INDEX said_parent ON said (parent);
CREATE VIRTUAL TABLE said_fts USING fts5(body, content='said', content_rowid='id');
CREATE TRIGGER said_i AFTER INSERT ON said BEGIN INSERT INTO said_fts (rowid, body) VALUES (new.id, new.body); END;
CREATE TRIGGER said_d AFTER DELETE ON said BEGIN
    INSERT INTO said_fts (said_fts, rowid, body) VALUES ('delete', old.id, old.body);
END;
"""


def test_a_long_thread_goes_by_its_cascade_with_its_full_text(session: Session) -> None:
    session.script(TREE)
    session.batch_insert("said", [{"id": n, "parent": n - 1 or None, "body": "word"} for n in range(1, 301)])
    outcome = session.run("helpers.db.exec('DELETE FROM said WHERE id = 1')")
    assert outcome.ok, outcome.error
    assert session.value("SELECT count(*) FROM said") == 0
    assert session.value("SELECT count(*) FROM said_fts WHERE said_fts MATCH 'word'") == 0


WIDE = "CREATE TABLE wide ({})".format(", ".join(f"c{n}" for n in range(190)))
ONE = f"INSERT INTO wide VALUES ({', '.join('0' * 190)});"


def test_a_bomb_of_triggers_stops_and_a_large_one_much_sooner(session: Session) -> None:
    """Each level holds a copy of the trigger's registers: with a thousand of the largest they would be gigabytes."""
    fires = "CREATE TRIGGER again AFTER INSERT ON t WHEN new.n < {} BEGIN INSERT INTO t VALUES (new.n + 1); {} END"
    session.script(f"CREATE TABLE t (n); {WIDE}; {fires.format(500, '')}")
    insert = "helpers.db.exec('INSERT INTO t VALUES (0)')"
    assert session.run(insert).ok
    session.script(f"DROP TRIGGER again; {fires.format('1e9', '')}")
    assert session.run(insert).error.code == "sql.limit"
    session.script(f"DROP TRIGGER again; {fires.format(15, ONE * 10)}")
    assert session.run(insert).error.code == "sql.limit", "the same statement as before, with another trigger under it"
    assert session.value("SELECT count(*) FROM t") == 501
    assert session.run("helpers.db.batch_insert('t', [{'n': 20}, {'n': 0}])").error.code == "sql.limit"
