"""`codemode db query`: what the catalogue holds, from the command line."""

from __future__ import annotations


def test_one_statement_asks_across_all_sessions(cli, people):
    sql = "SELECT count(*) AS n, :word AS word FROM sessions WHERE status = 'active'"
    answer = cli("db", "query", sql, "-p", "word=here", "--format", "csv")
    assert (answer.code, answer.out.split()) == (0, ["n,word", "1,here"])
    document = cli("--json", "db", "query", "SELECT id FROM sessions UNION ALL SELECT 2", "--max-rows", "1").json
    assert (document["result"], document["tenant"]) == ([{"id": people}], "local")
    assert document["result_info"]["truncated"] is True


def test_the_tables_are_listed_for_people_and_for_programs(cli):
    shown = cli("db", "query", "--tables").out
    assert all(name in shown for name in ("messages", "participants", "content"))
    assert "sessions" in [table["name"] for table in cli("--json", "db", "query", "--tables").json["result"]]


def test_what_cannot_be_asked_says_the_way_out(cli):
    refused = cli("db", "query", "DELETE FROM sessions")
    assert (refused.code, "one SELECT" in refused.err) == (1, True)
    assert "no tenant" in cli("db", "query", "SELECT 1", "--tenant", "nobody").err
    assert "--tables" in cli("db", "query").err
