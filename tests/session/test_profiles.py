"""describe_table and find_column on the flights data, on odd tables, and when there is no time."""

from __future__ import annotations

import pytest

from codemode import Session
from codemode.session import profiles


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time; what is said must not depend on it here."""
    monkeypatch.setattr(profiles, "DESCRIBE_SECONDS", 60.0)


def joined(session: Session, table: str) -> dict[tuple[str, str], float]:
    found = session.describe_table(table)["joins"]
    return {(join["column"], f"{join['table']}.{join['references']}"): join["overlap"] for join in found}


@pytest.mark.usefixtures("unhurried")
def test_the_joins_of_the_flights_are_found(flights: Session) -> None:
    found = joined(flights, "flights")
    assert found[("carrier", "airlines.carrier")] == 1
    assert found[("origin", "airports.faa")] == 1
    assert found[("dest", "airports.faa")] == pytest.approx(101 / 105, abs=0.02)  # four airports are not listed
    assert found[("tailnum", "planes.tailnum")] == pytest.approx(0.82, abs=0.05)
    assert {("month", "weather.month"), ("day", "weather.day"), ("hour", "weather.hour"), ("origin", "weather.origin"),
            ("time_hour", "weather.time_hour")} <= set(found)  # fmt: skip
    assert ("year", "planes.year") not in found, "the year of a flight is not that of the plane"
    assert {column for column, _ in found} == {
        "carrier", "origin", "dest", "tailnum", "month", "day", "hour", "time_hour",
    }  # fmt: skip


@pytest.mark.usefixtures("unhurried")
def test_joins_are_found_from_the_other_side_too(flights: Session) -> None:
    assert ("carrier", "flights.carrier") in joined(flights, "airlines")
    assert ("faa", "flights.dest") in joined(flights, "airports")
    assert set(joined(flights, "planes")) == {("tailnum", "flights.tailnum")}
    unique = {j["table"]: j["unique"] for j in flights.describe_table("flights")["joins"]}
    assert unique == {"airlines": True, "airports": True, "planes": True, "weather": False}


@pytest.mark.usefixtures("unhurried")
def test_a_large_table_is_profiled_from_a_sample_and_bounds_are_counted(flights: Session) -> None:
    found = flights.describe_table("flights")
    columns = {column["name"]: column for column in found["columns"]}
    assert found["row_count"] == 336_776
    assert found["profile"] | {"seconds": 0} == {
        "rows_examined": 10_000, "whole_table": False, "seconds": 0, "left_out": [],
    }  # fmt: skip
    delay = columns["dep_delay"]
    assert (delay["nulls"], delay["min"], delay["max"]) == (8_255, -43, 1_301), "counted over all rows"
    assert delay["estimated"] == ["stored", "distinct", "frequent"]
    assert columns["carrier"]["distinct"] == 16
    assert columns["tailnum"]["distinct"] == pytest.approx(4_043, rel=0.35)
    assert columns["origin"]["frequent"][0] == {"value": "EWR", "share": pytest.approx(0.359, abs=0.02)}
    assert flights.describe_table("flights")["columns"] == found["columns"], "the same sample each time"


@pytest.mark.usefixtures("unhurried")
def test_keys_are_found_in_values_and_checked_on_all_rows(flights: Session) -> None:
    def keys(table: str) -> list[list[str]]:
        return [key["columns"] for key in flights.describe_table(table)["candidate_keys"]]

    assert keys("airlines") == [["carrier"], ["name"]]
    assert keys("planes") == [["tailnum"]]
    assert keys("weather") == [["origin", "time_hour"]]
    assert keys("flights") == [], "no two columns are a key"


def test_columns_are_found_by_what_they_mean(flights: Session) -> None:
    def found(table: str, wanted: str) -> str | None:
        answer = flights.find_column(table, wanted)
        return answer and answer["name"]

    assert found("flights", "departure delay") == "dep_delay"
    assert found("flights", "airline") == "carrier"
    assert found("flights", "JFK") == "origin"
    assert found("weather", "temperature") == "temp"
    assert found("airlines", "United Air Lines Inc.") == "name"
    assert found("flights", "colour") is None


def test_no_time_is_said_and_nothing_is_made_up(flights: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "DESCRIBE_SECONDS", 0.0)
    found = flights.describe_table("flights")
    assert found["row_count"] == 336_776
    assert found["profile"]["rows_examined"] == 0
    assert any(text.startswith("joins with ") for text in found["profile"]["left_out"])
    assert any(text.startswith("exact NULLs") for text in found["profile"]["left_out"])
    assert found["candidate_keys"] == found["joins"] == []
    assert len(found["sample_rows"]) == 5


def test_a_snippet_may_describe_what_it_has_just_written(session: Session) -> None:
    outcome = session.run(
        "helpers.db.batch_insert('t', [{'a': n % 7, 'b': None} for n in range(50)], create=True)\n"
        "found = helpers.schema.describe_table('T')\n"
        "return found.table, found.row_count, [(c['distinct'], c['nulls']) for c in found.columns]",
        dry_run=True,
    )
    assert outcome.result == ["t", 50, [[7, 0], [0, 50]]]


ODD = """
CREATE TABLE "or""der" ("sel ect" TEXT, "rowid" INTEGER, twice AS (length("sel ect") * 2));
INSERT INTO "or""der" ("sel ect", "rowid") VALUES ('x', 1), ('yy', 2);
CREATE TABLE pairs (a, b, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 1), (1, 2), (2, 1);
CREATE VIEW seen AS SELECT a, count(*) AS n FROM pairs GROUP BY a;
CREATE VIRTUAL TABLE docs USING fts5 (title, body);
INSERT INTO docs VALUES ('a', 'b');
CREATE TABLE empty (a UNIQUE, b REFERENCES pairs (a));
"""


def test_tables_of_every_kind_are_described(session: Session) -> None:
    session.script(ODD)
    found = {name: session.describe_table(name) for name in session.get_tables()}
    assert [column["max"] for column in found['or"der']["columns"]] == ["yy", 2, 4]
    assert found["pairs"]["candidate_keys"] == [{"columns": ["a", "b"], "source": "primary key"}]
    assert (found["seen"]["row_count"], found["seen"]["columns"][1]["max"]) == (2, 2)
    assert (found["docs"]["row_count"], found["docs"]["columns"][0]["min"]) == (1, "a")
    assert (found["empty"]["row_count"], found["empty"]["columns"][0]["min"]) == (0, None)
    assert found["empty"]["candidate_keys"] == [{"columns": ["a"], "source": "unique index"}]


def test_a_table_with_gaps_and_one_with_wide_rows_are_sampled_within_bounds(session: Session) -> None:
    session.script("CREATE TABLE gaps (id INTEGER PRIMARY KEY, v); CREATE TABLE wide (id INTEGER PRIMARY KEY, v)")
    rows = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {}) "
    session.exec(rows.format(30_000) + "INSERT INTO gaps SELECT n * n * n, n % 5 FROM n")
    session.exec(rows.format(30) + "INSERT INTO wide SELECT n, randomblob(1000000) FROM n")
    gaps, wide = session.describe_table("gaps"), session.describe_table("wide")
    assert gaps["columns"][1]["distinct"] == 5
    assert gaps["profile"]["rows_examined"] == 10_000
    assert wide["row_count"] == 30
    assert 0 < wide["profile"]["rows_examined"] <= 8, "8 MB at most are held"
    assert wide["columns"][1]["min"] == "<1,000,000 bytes>"


def test_a_view_is_read_with_its_users_rights_and_not_the_engines(session: Session) -> None:
    session.exec("CREATE VIEW spying AS SELECT geopoly_area('a') AS path")
    for call in (session.describe_table, lambda name: session.find_column(name, "path")):
        with pytest.raises(Exception, match=r"geopoly_area\(\) is not available"):
            call("spying")


def test_a_view_that_never_ends_is_given_up_within_the_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "_FIND_SECONDS", 0.2)
    numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT n FROM n"
    session.exec(f"CREATE VIEW endless AS {numbers}")
    found = session.find_column("endless", "n")
    assert found is not None
    assert found["because"] == "name"


def test_no_table_is_looked_at_when_the_time_is_over(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look takes as long as there are tables: of 16,000 all of them took 12 s, and then nothing was answered."""
    session.script("".join(f"CREATE TABLE t{n} (a);" for n in range(30)))
    monkeypatch.setattr(profiles, "DESCRIBE_SECONDS", 0.0)
    looked: list[str] = []
    source_of = profiles.source_of
    monkeypatch.setattr(
        profiles, "source_of", lambda connection, name: looked.append(name) or source_of(connection, name)
    )
    left_out = session.describe_table("t7")["profile"]["left_out"]
    assert looked == ["t7", "t0"]
    assert any("t0, t1, t10" in each for each in left_out)
