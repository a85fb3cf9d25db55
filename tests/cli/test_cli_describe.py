from __future__ import annotations


def test_a_table_is_described_for_people(cli, people):
    answer = cli("describe", "people", "-s", people)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "people: 3 rows"
    assert lines[1].split("  ")[0] == "column"
    row = next(line for line in lines if line.startswith("age"))
    assert row.split()[1:6] == ["INTEGER", "1", "2", "36", "85"]
    assert "New\\nYork" in answer.out, "control characters are shown as escapes"
    assert "\nkeys\n  name" in answer.out


def test_all_tables_at_a_glance(cli, people, tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text('visitor,day\nAda,1\nAda,2\nGrace,1\nGrace,3\n"O\'Brien, Zoë",3\n')
    assert cli("import", path, "-s", people).code == 0
    found = cli("describe", "-s", people)
    assert found.out.splitlines()[2].split()[:3] == ["people", "3", "3"]
    assert "visitor → people.name" in found.out
    as_data = cli("describe", "-s", people, "--json").json
    assert [each["table"] for each in as_data["result"]] == ["people", "visits"]
    assert as_data["ok"] is True


def test_values_of_another_type_than_declared_are_shown(cli, people):
    cli("run", "-s", people, "-c", "helpers.db.exec(\"INSERT INTO people (age) VALUES ('old')\")")
    assert "INTEGER (integer 67%, text 33%)" in cli("describe", "people", "-s", people).out


def test_json_is_the_answer_of_describe_table(cli, people):
    found = cli("describe", "PEOPLE", "-s", people, "--json").json["result"]
    assert (found["table"], found["row_count"]) == ("people", 3)
    assert found["columns"][1]["distinct"] == 2


def test_what_is_not_there_is_said(cli, people):
    assert cli("describe", "peple", "-s", people).code == 1
    assert "did you mean" in cli("describe", "peple", "-s", people).err
    assert cli("describe", "people", "-s", "nobody").code == 2
    assert cli("describe", "people").code == 2
