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
