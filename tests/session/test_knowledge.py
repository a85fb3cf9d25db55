"""The fifth source system in a session: made, filled and asked by snippets, each of its errors repaired.

`knowledge_fill.txt` computes by hand, in Python, what the statements here have to answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from knowledge import COLUMNS, FULL_TEXT, NEEDED, PARTIAL, RANGES, UNIQUE, VALUES, VIEWS

from codemode import Session, Worker
from codemode.cli import main

CASES = Path(__file__).parents[1] / "cases"
SCRIPT = (CASES / "knowledge.sql").read_text(encoding="utf-8")
FILL = Path(__file__).with_name("knowledge_fill.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("knowledge")


@pytest.fixture(scope="module")
def session(data_dir: Path) -> Iterator[Session]:
    with Worker(data_dir=data_dir) as worker:
        yield worker.session("knowledge")


@pytest.fixture(scope="module")
def expected(session: Session) -> dict[str, Any]:
    """The answers, from the snippet that filled the tables."""
    return ran(session, FILL, schema=SCRIPT)


def ran(session: Session, code: str, **inputs: Any) -> Any:
    outcome = session.run(code, inputs=inputs)
    assert outcome.ok, outcome.error
    return outcome.result


def listed(text: str) -> list[str]:
    return text.split(", ")


def test_the_session_reports_everything_that_is_listed_name_by_name(
    session: Session, expected: dict[str, Any], data_dir: Path
) -> None:
    reported = ran(session, "return [helpers.schema.describe_table(name) for name in helpers.schema.get_tables()]")
    told = CliRunner().invoke(main, ["describe", "-s", "knowledge", "--json", "--data-dir", str(data_dir)])
    assert told.exit_code == 0, told.output
    for tables in (reported, json.loads(told.stdout)["result"]):
        _expect_schema({table["table"]: table for table in tables})


def test_the_script_run_again_changes_nothing_and_says_so(session: Session, expected: dict[str, Any]) -> None:
    outcome = session.run("return len(helpers.db.script(schema))", inputs={"schema": SCRIPT})
    assert outcome.result == 41
    assert outcome.db.tables_changed == ()
    assert outcome.db.rows_written == 0


def _expect_schema(found: dict[str, Any]) -> None:
    full_text = {f"{table.removesuffix('_items')}_fts": columns for table, columns in FULL_TEXT.items()}
    columns = {name: [column["name"] for column in table["columns"]] for name, table in found.items()}
    wanted = {
        table: listed(f"{names}, {NEEDED[table]}" if table in NEEDED else names) for table, names in COLUMNS.items()
    }
    assert columns == wanted | {name: listed(names) for name, names in (full_text | VIEWS).items()}
    rules = {table: [check["rule"] for check in entry["checks"]] for table, entry in found.items()}
    for place, values in VALUES.items():
        table, column = place.split(".")
        assert f"{column} IN ({', '.join(map(repr, values.split('|')))})" in rules[table]
    for place, values in RANGES.items():
        table, column = place.split(".")
        assert f"{column} BETWEEN {values}" in rules[table]
    for table, key in UNIQUE.items():
        assert any(index["unique"] and index["columns"] == listed(key) for index in found[table]["indexes"])
    for table, held in PARTIAL.items():
        assert any(index["on"].endswith(f" WHERE {held}") for index in found[table]["indexes"])
    for table, entry in found.items():
        composite = [index for index in entry["indexes"] if len(index["columns"]) > 1]
        assert composite or table not in ("conversations", "knowledge_items", "feature_usage", "performance_metrics")
    for table in FULL_TEXT:
        assert [name.rpartition("_")[2] for name in found[table]["triggers"]] == ["delete", "insert", "update"]


ASKED = """
q = helpers.db.query
plan = helpers.db.explain
recent = '''SELECT c.id, json_group_array(t.file_name ORDER BY t.file_name) FILTER (WHERE t.id IS NOT NULL) AS files
    FROM conversations AS c LEFT JOIN json_each(c.context_files) AS f
    LEFT JOIN tracked_files AS t ON t.file_path = f.value
    WHERE c.session_id = ? GROUP BY c.id ORDER BY c.created_at DESC LIMIT 5'''
related = '''WITH RECURSIVE edge (one, other, strength) AS (
        SELECT from_knowledge_id, to_knowledge_id, strength FROM knowledge_relationships
        UNION ALL SELECT to_knowledge_id, from_knowledge_id, strength FROM knowledge_relationships),
    near (id, strength, path) AS (
        SELECT ?1, 1.0, json_array(?1)
        UNION ALL SELECT e.other, n.strength * e.strength, json_insert(n.path, '$[#]', e.other)
        FROM near AS n JOIN edge AS e ON e.one = n.id
        WHERE n.strength * e.strength >= 0.3 AND json_array_length(n.path) <= 3
          AND e.other NOT IN (SELECT value FROM json_each(n.path)))
    SELECT k.id, round(max(n.strength), 6) AS strength FROM near AS n JOIN knowledge_items AS k ON k.id = n.id
    WHERE k.id <> ?1 GROUP BY k.id ORDER BY strength DESC, k.id'''
active = "SELECT name FROM database_connections WHERE is_active = 1 AND connection_type = 'mysql' ORDER BY name"
successful = "SELECT count(*) FROM feature_usage WHERE success = 1 AND feature_name = ? AND started_at > ?"
answers = {
    "recent": [[row["id"], json.loads(row["files"])] for row in q(recent, ["s3"])],
    "productivity": [list(row.values()) for row in q('''SELECT event_type, sum(event_count), sum(total_time_saved),
        round(sum(mean_improvement * event_count) / sum(event_count), 6)
        FROM productivity_summary WHERE day > date('now', '-31 days') GROUP BY event_type ORDER BY 1''')],
    "related": [list(row.values()) for row in q(related, [1])],
    "adoption": [list(row.values()) for row in q('''SELECT feature_name, uses, unique_users, round(success_rate, 6),
        round(mean_duration, 6) FROM feature_adoption ORDER BY 1''')],
    "growth": [list(row.values()) for row in q('''SELECT day, knowledge_type, items, round(mean_confidence, 6)
        FROM knowledge_growth ORDER BY 1, 2''')],
    "about": helpers.db.value("SELECT count(*) FROM conversations_fts WHERE conversations_fts MATCH 'question: json'"),
}
plans = [plan(recent, ["s3"]), plan(active), plan(successful, ["search", "2020"]),
         plan("DELETE FROM ai_response_cache WHERE cache_created_at < datetime('now', '-30 days')")]
return answers, [each["indexes"] for each in plans]
"""


def test_the_questions_are_answered_as_python_answers_them(session: Session, expected: dict[str, Any]) -> None:
    answers, indexes = ran(session, f"import json\n{ASKED}")
    assert answers == expected
    assert len(answers["related"]) > 20
    assert "idx_conversations_session" in indexes[0]
    assert indexes[1:] == [["idx_connections_active"], ["idx_usage_successful"], ["idx_response_cache_created"]]


def test_the_full_text_that_the_original_never_filled_follows_every_change(
    session: Session, expected: dict[str, Any]
) -> None:
    code = """
def found(words):
    return helpers.db.value("SELECT count(*) FROM knowledge_fts WHERE knowledge_fts MATCH ?", [words])

x = helpers.db.exec
seen = [found("tags: json"), found("zebra")]
x("UPDATE knowledge_items SET tags = json_insert(tags, '$[#]', 'zebra') WHERE id <= 3")
x("INSERT OR REPLACE INTO knowledge_items (id, source_type, knowledge_type, title, content) "
  "VALUES (1, 'file', 'concept', 'replaced', 'json')")
seen += [found("tags: zebra"), found("replaced")]
x("DELETE FROM knowledge_items WHERE id = 2")
seen += [found("tags: zebra"), helpers.db.query("SELECT k.title FROM knowledge_fts AS f "
    "JOIN knowledge_items AS k ON k.id = f.rowid WHERE knowledge_fts MATCH 'zebra' ORDER BY f.rank")[0]["title"]]
for index in ("knowledge_fts", "conversations_fts"):
    x(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
return seen
"""
    outcome = session.run(code, dry_run=True)
    assert outcome.result == [60, 0, 2, 1, 1, "Item 2"], outcome.error


def test_users_are_people_and_seconds_are_seconds(session: Session, expected: dict[str, Any]) -> None:
    """The original counted sessions as users, and divided seconds by a thousand."""
    found = ran(session, "return helpers.db.query('SELECT * FROM feature_adoption')")
    sessions = session.value("SELECT count(DISTINCT session_id) FROM feature_usage")
    assert {row["unique_users"] for row in found} == {7}
    assert sessions == 40
    assert all(5 <= row["mean_duration"] <= 55 for row in found)


def test_a_prompt_is_looked_up_by_its_hash_and_counted(session: Session, expected: dict[str, Any]) -> None:
    code = """
import hashlib
def ask(prompt):
    key = hashlib.sha256(prompt.encode()).hexdigest()
    return helpers.db.query_one('''INSERT INTO ai_response_cache (prompt_hash, prompt_preview, response)
        VALUES (?, ?, ?)
        ON CONFLICT (prompt_hash) DO UPDATE SET access_count = access_count + 1, last_accessed_at = datetime('now')
        RETURNING response, access_count''', [key, prompt[:80], f"new answer to {prompt}"])
return [list(ask(prompt).values()) for prompt in ("prompt 3", "prompt 3", "unseen", "unseen")]
"""
    assert session.run(code, dry_run=True).result == [
        ["answer 3", 2], ["answer 3", 3], ["new answer to unseen", 1], ["new answer to unseen", 2]
    ]  # fmt: skip


def test_retention_takes_what_is_old_in_portions_and_the_host_compacts(
    session: Session, expected: dict[str, Any]
) -> None:
    code = """
OLD = {"ai_response_cache": ("cache_created_at", "-30 days"), "file_processing_cache": ("created_at", "-30 days"),
       "performance_metrics": ("start_time", "-90 days")}
def sweep(table, column, age):
    while gone := helpers.db.exec(f'''DELETE FROM {table} WHERE id IN
            (SELECT id FROM {table} WHERE {column} < datetime('now', ?) LIMIT 64) RETURNING id''', [age])["rows_read"]:
        yield gone
swept = {table: list(sweep(table, *how)) for table, how in OLD.items()}
try:
    helpers.db.exec("VACUUM")  # the original ran it inside a transaction
except helpers.Error as error:
    return swept, error.code, error.hint
"""
    swept, refused, hint = ran(session, code)
    assert swept == {
        "ai_response_cache": [64, 36], "file_processing_cache": [50], "performance_metrics": [64, 64, 64, 8]
    }  # fmt: skip
    assert refused == "sql.refused"
    assert "compaction" in hint
    sizes = session.compact()
    assert sizes["after"] <= sizes["before"]
    assert session.value("SELECT count(*) FROM conversations_fts WHERE conversations_fts MATCH 'json'") == 300


def test_a_version_goes_up_and_down_and_is_recorded_once(session: Session, expected: dict[str, Any]) -> None:
    """The original inserted each version twice, which fails; code of before the migration works after it."""
    code = """
UP = '''
    ALTER TABLE knowledge_items ADD COLUMN reviewed_by TEXT;
    CREATE TRIGGER knowledge_reviewed AFTER UPDATE OF reviewed_by ON knowledge_items
    WHEN new.reviewed_by IS NOT NULL BEGIN
        UPDATE knowledge_items SET confidence = max(confidence, 0.9) WHERE id = new.id; SELECT 'a; b';
    END;
    INSERT INTO schema_version (version, description) VALUES (2, 'reviews; by whom');'''
DOWN = '''
    DROP TRIGGER knowledge_reviewed;
    ALTER TABLE knowledge_items DROP COLUMN reviewed_by;
    DELETE FROM schema_version WHERE version = 2;'''
OLDER = ("INSERT INTO knowledge_items (source_type, knowledge_type, title, content) "
         "VALUES ('file', 'concept', 't', 'c') RETURNING confidence")

def migrate():
    if helpers.db.value("SELECT max(version) FROM schema_version") < 2:
        return len(helpers.db.script(UP))
    return 0

seen = [migrate(), migrate(), helpers.db.exec(OLDER)["rows"][0]["confidence"]]
helpers.db.exec("UPDATE knowledge_items SET confidence = 0.1, reviewed_by = 'ann' WHERE id = 5")
seen.append(helpers.db.value("SELECT confidence FROM knowledge_items WHERE id = 5"))
try:
    helpers.db.script(UP.replace("COLUMN reviewed_by", "COLUMN reviewed_at").replace("knowledge_reviewed", "again"))
except helpers.Error as error:
    seen += [error.code, helpers.schema.has_column("knowledge_items", "reviewed_at")]
helpers.db.script(DOWN)
return [*seen, helpers.schema.has_column("knowledge_items", "reviewed_by"),
        helpers.db.value("SELECT group_concat(version) FROM schema_version"), helpers.db.exec(OLDER)["changes"]]
"""
    outcome = session.run(code, dry_run=True)
    assert outcome.result == [3, 0, 1.0, 0.9, "sql.constraint", False, False, "1", 1], outcome.error


PASTED = {
    "CREATE TABLE pg_items (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), tags JSONB NOT NULL DEFAULT '[]'::jsonb)": (
        "DEFAULT (lower(hex(randomblob(16))))"
    ),
    "CREATE INDEX pg_text ON knowledge_items USING GIN (to_tsvector('english', title || content))": "USING fts5(",
    "CREATE INDEX pg_tags ON knowledge_items USING GIN (tags)": "index one field",
    "CREATE TABLE pg_metrics (id INTEGER, start_time TEXT) PARTITION BY RANGE (start_time)": "leave partitions",
    "CREATE TABLE pg_2025 PARTITION OF performance_metrics FOR VALUES FROM ('25') TO ('26')": "leave partitions out",
    "SELECT id FROM knowledge_items WHERE 'json' = ANY(tags)": "IN (SELECT value FROM json_each(tags))",
    "CREATE EXTENSION pgcrypto": "leave it out",
    "VACUUM ANALYZE": "compaction",
}


def test_what_is_pasted_from_postgresql_is_told_the_way_of_sqlite(session: Session, expected: dict[str, Any]) -> None:
    code = """
told = []
for statement in pasted:
    try:
        helpers.db.exec(statement)
    except helpers.Error as error:
        told.append(f"{error.hint} {error.suggestion}")
        if error.suggestion:
            helpers.db.script(error.suggestion)
return told
"""
    told = session.run(code, inputs={"pasted": list(PASTED)}, dry_run=True)
    assert told.ok, told.error
    assert len(told.result) == len(PASTED)
    for (statement, way), said in zip(PASTED.items(), told.result, strict=True):
        assert way in said, statement
    assert sum(not re.search(" None$", said) for said in told.result) >= 4, "most come with a statement that runs"
