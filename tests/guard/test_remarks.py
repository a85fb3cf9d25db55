"""Statements that SQLite takes and that mean something else: what is said of them, and of what is right nothing.

A part that is said to be NULL, never true or without effect is so on rows of every kind, which is shown here by running
what was written beside what is to be written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from guard_desk import Desk

TRIPS = (
    """CREATE TABLE trip (id INTEGER PRIMARY KEY, day TEXT, city TEXT, zip TEXT, km INTEGER, hours INTEGER, cost REAL,
        year INTEGER, month INTEGER, info TEXT)""",
    "CREATE TABLE town (name TEXT, people INTEGER)",
    "INSERT INTO town VALUES ('Oslo', 700000), ('Bern', 130000)",
    """INSERT INTO trip (day, city, zip, km, hours, cost, year, month, info) VALUES
        ('2013-01-05 09:30:00', 'Oslo', '007', 10, 3, 1.5, 2013, 1, '{"who": "Ann"}'),
        ('2013-11-25', 'Bern', '12', 7, 2, 2.0, 2013, 11, '{"who": "Bob"}'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
)


@pytest.fixture(scope="module")
def trips(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("trips"))
    for sql in TRIPS:
        assert desk.submit(sql).verdict[0] == "allowed", sql
    yield desk
    desk.close()


def remarks(desk: Desk, sql: str) -> tuple[str, ...]:
    return desk.guard.check(sql).remarks


# What was written as the condition of a SELECT, its rows, what is to be written (which the remark says), and its rows.
CONDITIONS = [
    ("date(day) = 2013-01-05", 0, "'2013-01-05'", "date(day) = '2013-01-05'", 1),
    ("city = NULL", 0, "city IS NULL", "city IS NULL", 1),
    ("city <> NULL", 0, "city IS NOT NULL", "city IS NOT NULL", 2),
    ("city NOT IN ('Oslo', NULL)", 0, "city IS NOT NULL", "city NOT IN ('Oslo') AND city IS NOT NULL", 1),
    ("strftime('%Y', day) = 2013", 0, "CAST(strftime('%Y', day) AS INTEGER)", "strftime('%Y', day) = '2013'", 2),
    ("substr(day, 1, 4) < 2014", 0, "CAST(substr(day, 1, 4) AS INTEGER)", "substr(day, 1, 4) < '2014'", 2),
    ("strftime('%H', day) IN (9, 10)", 0, "no text equals", "CAST(strftime('%H', day) AS INTEGER) IN (9, 10)", 1),
    ("strftime('%m', day) BETWEEN 1 AND 3", 0, "AS INTEGER", "CAST(strftime('%m', day) AS INTEGER) BETWEEN 1 AND 3", 1),
    ("strftime('%m', day) = '1'", 0, "'01'", "strftime('%m', day) = '01'", 1),
    ("date(day) = '2013-1-5'", 0, "'2013-01-05'", "date(day) = '2013-01-05'", 1),
    ("datetime(day) = '2013-11-25'", 0, "'2013-01-05 09:00:00'", "datetime(day) = '2013-11-25 00:00:00'", 1),
    ("datetime(day) > '2013-01-05T09:00:00'", 1, "09:00:00", "datetime(day) > '2013-01-05 09:00:00'", 2),
    ("time(day) IN ('09:30', '10:00')", 0, "'09:00:00'", "time(day) IN ('09:30:00', '10:00:00')", 1),
    ("info -> '$.who' = 'Ann'", 0, "->>", "info ->> '$.who' = 'Ann'", 1),
    ("city = 'Bern' OR 'Oslo'", 1, "city IN ('Bern', 'Oslo')", "city IN ('Bern', 'Oslo')", 2),
    ("city LIKE 'B%' OR 'O%'", 1, "city LIKE 'B%' OR city LIKE 'O%'", "city LIKE 'B%' OR city LIKE 'O%'", 2),
    ("month = 1 OR 2", 3, "month IN (1, 2)", "month IN (1, 2)", 1),
    ("NOT month = 1 OR 2", 3, "write the comparison out", "NOT month IN (1, 2)", 1),
    ("city <> 'Oslo' OR city <> 'Bern'", 2, "city NOT IN ('Oslo', 'Bern')", "city NOT IN ('Oslo', 'Bern')", 0),
    ("km > 1 AND month = 1 AND month = 11", 0, "month IN (1, 11)", "km > 1 AND month IN (1, 11)", 2),
    ("upper(city) = 'Oslo'", 0, "'OSLO'", "upper(city) = 'OSLO'", 1),
    ("lower(city) IN ('Oslo', 'bern')", 1, "'oslo'", "lower(city) IN ('oslo', 'bern')", 2),
    ("1 < hours < 3", 2, "1 < hours AND hours < 3", "1 < hours AND hours < 3", 1),
    ("~(km > 8)", 2, "NOT (km > 8)", "NOT (km > 8)", 1),
    ("km BETWEEN 12 AND 8", 0, "the smaller value", "km BETWEEN 8 AND 12", 1),
    ("city = '%er%'", 0, "city LIKE '%er%'", "city LIKE '%er%'", 1),
    ("city IN (SELECT city FROM town)", 2, "town has no city", "city IN (SELECT name FROM town)", 2),
    ("CASE city WHEN NULL THEN 1 END", 0, "CASE WHEN city IS NULL", "CASE WHEN city IS NULL THEN 1 END", 1),
]


@pytest.mark.parametrize(("written", "rows", "word", "meant", "rows_meant"), CONDITIONS)
def test_a_condition_that_holds_for_all_or_none(
    trips: Desk, written: str, rows: int, word: str, meant: str, rows_meant: int
) -> None:
    [remark] = remarks(trips, f"SELECT id FROM trip WHERE {written}")
    assert word in remark
    assert remarks(trips, f"SELECT id FROM trip WHERE {meant}") == ()
    assert len(trips.submit(f"SELECT id FROM trip WHERE {written}").rows) == rows
    assert len(trips.submit(f"SELECT id FROM trip WHERE {meant}").rows) == rows_meant


# Expressions of one row or of all, their answers, and the same for what is to be written.
VALUES = [
    ("strftime(day, '%Y')", None, "strftime('%Y', day)", "2013"),
    ("strftime('%B', day)", None, "strftime('%m', day)", "01"),
    ("date(day, '+1 week')", None, "date(day, '+7 days')", "2013-01-12"),
    ("date('2013-1-5')", None, "date('2013-01-05')", "2013-01-05"),
    ("date(year, month, 5)", None, "printf('%04d-%02d-%02d', year, month, 5)", "2013-01-05"),
    ("date(year || '-' || month || '-05')", None, "date(printf('%04d-%02d-05', year, month))", "2013-01-05"),
    ("date(day) - 7", 2006, "date(day, '-7 days')", "2012-12-29"),
    ("date('2013-01-09') - date(day)", 0, "julianday('2013-01-09') - julianday(date(day))", 4.0),
    ("day - min(day)", 0, "julianday(day) - julianday(min(day))", 0.0),
    ("day - 7", 2006, "date(day, '-7 days')", "2012-12-29"),
    ("day - km", 2003, "date(day, '-' || km || ' days')", "2012-12-26"),
    ("date('2014-01-09') - day", 1, "julianday('2014-01-09') - julianday(day)", pytest.approx(368.6, abs=0.1)),
    ("format(day, 'yyyy-MM')", "2013-01-05 09:30:00", "strftime('%Y-%m', day)", "2013-01"),
    ("format(cost, 2)", "1.5", "printf('%.2f', cost)", "1.50"),
    ("city + ', ' + zip", 7, "city || ', ' || zip", "Oslo, 007"),
    ("CAST(day AS DATE)", 2013, "date(day)", "2013-01-05"),
    ("CAST(zip AS STRING)", 7, "CAST(zip AS TEXT)", "007"),
    ("round(km / hours, 2)", 3.0, "round(km * 1.0 / hours, 2)", 3.33),
    ("CAST(km / hours AS REAL)", 3.0, "CAST(km AS REAL) / hours", 10 / 3),
    ("CAST(km AS DECIMAL(10, 2)) / hours", 3, "CAST(km AS REAL) / hours", 10 / 3),
    ("km / hours * 100.0", 300.0, "km * 1.0 / hours * 100.0", pytest.approx(1000 / 3)),
    ("avg(km / hours)", 3.0, "avg(km * 1.0 / hours)", pytest.approx(10 / 3)),
    ("sum(km > 5) / count(*) * 50", 50, "sum(km > 5) * 1.0 / count(*) * 50", 50.0),
    ("ceil(km / hours)", 3, "ceil(km * 1.0 / hours)", 4.0),
    ("printf('%.1f', km / hours)", "3.0", "printf('%.1f', km * 1.0 / hours)", "3.3"),
    ("round(1234 + id, -2)", 1235.0, "round((1234 + id) / 100.0) * 100", 1200.0),
]


@pytest.mark.parametrize(("written", "answer", "meant", "right"), VALUES)
def test_an_expression_that_loses_what_it_is_about(
    trips: Desk, written: str, answer: object, meant: str, right: object
) -> None:
    assert len(remarks(trips, f"SELECT {written} FROM trip WHERE id = 1")) >= 1
    assert remarks(trips, f"SELECT {meant} FROM trip WHERE id = 1") == ()
    assert [tuple(row) for row in trips.submit(f"SELECT {written} FROM trip WHERE id = 1").rows] == [(answer,)]
    assert [tuple(row) for row in trips.submit(f"SELECT {meant} FROM trip WHERE id = 1").rows] == [(right,)]


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT count(km > 8) FROM trip", "FILTER (WHERE km > 8)"),
        ("SELECT count(CASE WHEN km > 8 THEN 1 ELSE 0 END) FROM trip", "leave ELSE out"),
        ("SELECT sum('km') FROM trip", "names stand without quotes"),
        ("SELECT city FROM trip ORDER BY 'city' DESC", "names stand without quotes"),
        ("SELECT city FROM trip ORDER BY ? DESC", "never bound"),
        ("SELECT city, count(*) FROM trip GROUP BY :by", "never bound"),
        ("SELECT city, count(*) FROM trip", "add GROUP BY"),
        ("SELECT last_value(km) OVER (ORDER BY day) FROM trip", "UNBOUNDED FOLLOWING"),
        ("SELECT rank() OVER (PARTITION BY city) FROM trip", "OVER (ORDER BY x DESC)"),
        ("SELECT 100 * count(city) / round(count(*) / 3, 1) FROM trip", "* 1.0"),
        (
            "WITH c AS (SELECT city, count(*) AS n FROM trip GROUP BY 1) SELECT round(n / sum(n) OVER (), 2) FROM c",
            "1.0",
        ),
        ("SELECT day - lag(day) OVER (ORDER BY day) FROM trip", "julianday(day) - julianday(lag(day)"),
        (
            "WITH s AS (SELECT min(day) AS a, max(day) AS b FROM trip) SELECT b - a FROM s",
            "julianday(b) - julianday(a)",
        ),
        ("SELECT city FROM trip ANTI JOIN town ON city = name", "NOT EXISTS of town"),
        ("SELECT round(sum(km) * 100 / (SELECT sum(km) FROM trip), 1) FROM trip", "1.0"),
        ("SELECT city, sum(km) / count(*) FROM trip GROUP BY city", "sum(km) * 1.0 / count(*)"),
        ("SELECT count(*) FILTER (WHERE km > 8) / count(*) FROM trip", "* 1.0"),
        ("UPDATE trip SET km = 1 AND hours = 2 WHERE id = 9", "SET km = 1, hours = 2"),
        ("DELETE FROM trip WHERE id = 7 OR 8", "id IN (7, 8)"),
        ("CREATE TABLE mail (zip STRING, city TEXT)", "write TEXT"),
        ("CREATE VIEW late AS SELECT id FROM trip WHERE strftime('%H', day) > 12", "AS INTEGER"),
        ("INSERT INTO town SELECT city, km FROM trip WHERE zip = NULL", "zip IS NULL"),
        ("SELECT trip.city, count(*) FROM trip", "add GROUP BY"),
        ("CREATE TRIGGER g AFTER INSERT ON trip BEGIN DELETE FROM town WHERE name = NULL; END", "name IS NULL"),
        (
            "create trigger g before update of km on trip when new.km = null begin select 1; select 2; end;",
            "new.km IS NULL",
        ),
        (
            """CREATE TRIGGER IF NOT EXISTS g AFTER DELETE ON trip FOR EACH ROW BEGIN
                UPDATE town SET people = CASE WHEN people > 1 THEN 1 END;
                UPDATE town SET name = 5 AND people = 6;
            END""",
            "SET name = 5, people = 6",
        ),
    ],
)
def test_what_a_whole_statement_is_told(trips: Desk, sql: str, word: str) -> None:
    [remark] = remarks(trips, sql)
    assert word in remark


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trip SET city = NULL, km = 5 WHERE zip IS NULL",
        "UPDATE trip SET km = (hours = 2) AND month = 1 WHERE id = 9",
        "INSERT INTO trip (id, city) VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET city = NULL",
        "SELECT strftime('%Y', day) - 1 AS before FROM trip WHERE strftime('%Y', day) = '2013'",
        "SELECT id FROM trip WHERE strftime('%Y', day) = year AND substr(zip, 1, 1) = ?",
        "SELECT id FROM trip WHERE date(day) >= '2013' AND date(day) < '2013-02' AND datetime(day) > '2013-01-05'",
        "SELECT id FROM trip WHERE date(day, 'start of month', '+1 month', '-1 day') = date('now', 'localtime')",
        "SELECT date(km, 'unixepoch'), datetime(?, 'auto'), time('now', 'subsec'), unixepoch('now') FROM trip",
        "SELECT date(day, city), strftime(city, day), date(day, '+' || km || ' days') FROM trip",
        "SELECT strftime('%d.%m.%Y %H:%M', day, 'weekday 1'), strftime('%s', 'now'), strftime('100%%', day) FROM trip",
        "SELECT id FROM trip WHERE km BETWEEN 5 AND 10 AND day BETWEEN '2013-01-01' AND '2013-02-01'",
        "SELECT id FROM trip WHERE city BETWEEN 'a' AND 'M' OR zip BETWEEN 100 AND 90 OR city BETWEEN 'a' AND 'Ä'",
        "SELECT id FROM trip WHERE city <> 'Oslo' OR zip <> 'Bern' OR (city = 'Bern' AND (city = 'BERN' OR km = 1))",
        "SELECT id FROM trip AS a JOIN trip AS b USING (id) WHERE a.city = 'Oslo' AND b.city = 'Bern'",
        "SELECT avg(km / 2), avg(cost / hours) FROM trip WHERE km = 1 AND km = 1.0 AND city = 'Oslo' AND city = 'OSLO'",
        "SELECT upper(city) = 'ÖD2', lower(city) = 'é' FROM trip WHERE lower(city) <> upper(zip)",
        "SELECT id FROM trip WHERE date(day) <> '' AND strftime('%Y', day) IS NOT '' AND time(day) = '24:00:00'",
        "SELECT CASE WHEN city IN ('a', 'b') OR 0 OR 1 THEN 1 END FROM trip WHERE km & 4 AND hours",
        "SELECT id FROM trip WHERE (km > 5) = (hours > 5) AND (km < 3 OR hours > 5 OR 0) AND 1 = 1",
        "SELECT id FROM trip WHERE city IN (SELECT name FROM town WHERE people > km) OR km IN (SELECT rowid FROM town)",
        "SELECT id FROM trip WHERE city IN (SELECT t.city FROM town) OR id IN (SELECT id FROM trip)",
        "SELECT km - hours, zip - km, city - 7, cost - lag(cost) OVER (ORDER BY id), max(zip) - min(zip) FROM trip",
        "SELECT format(city, 'Ann'), format(city, 5), printf('%d', km), format(zip, km) FROM trip",
        "SELECT city, max(km) FROM trip",
        "SELECT city, count(*) OVER () FROM trip",
        "SELECT city, (SELECT count(*) FROM town) FROM trip",
        "SELECT 'all' AS city, count(*), sum(km) FROM trip",
        "SELECT name, (SELECT town.people + count(*) FROM trip), (SELECT x.people FROM town x) FROM town",
        "SELECT id, (SELECT o.city FROM (SELECT o.city, count(*) FROM trip)) FROM trip AS o",
        "CREATE TRIGGER g AFTER INSERT ON trip BEGIN INSERT INTO town SELECT new.city, count(*) FROM trip; END",
        "CREATE TRIGGER g AFTER INSERT ON trip WHEN new.km IS NULL BEGIN UPDATE trip SET km = NULL; END",
        "SELECT city, count(*) FROM trip WHERE city = 'Oslo'",
        "SELECT count(DISTINCT km > 5), count(CASE WHEN km > 5 THEN 1 END), sum(km > 5), count(km + 1) FROM trip",
        "SELECT round(cost / 3, 2), round(km / 3.0, 1), round(km * 1.0 / hours, 2), round(km / hours) FROM trip",
        "SELECT sum(cost) / count(*), sum(km) / sum(hours), CAST(sum(km) / count(*) AS INTEGER), sum(km) / 2 FROM trip",
        "SELECT round(km / 0.5, 1), round(1.0 * km / hours, 1), CAST(km AS REAL) / hours, avg(km) / 3 FROM trip",
        "WITH a AS (SELECT avg(km) AS km FROM trip) SELECT round(km / 2, 1) FROM a",
        "SELECT km + 5, '5' + km, 2013 - 01 - 01, km || ' km' FROM trip ORDER BY 1, city || 'x'",
        "SELECT last_value(km) OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM trip",
        "SELECT rank() OVER w, row_number() OVER () FROM trip WINDOW w AS (ORDER BY km)",
        "SELECT info -> '$.who' FROM trip WHERE info ->> '$.who' = 'Ann' AND info -> '$.who' = '\"Ann\"'",
        "SELECT 'x = NULL OR 2013-01-01', \"city\" FROM trip -- count(km > 5) = NULL",
        "CREATE TABLE other (day DATE DEFAULT (date('now')), string TEXT, CHECK (day IS date(day)))",
    ],
)
def test_of_what_is_right_nothing_is_said(trips: Desk, sql: str) -> None:
    assert trips.guard.check(sql.replace("t.city", "trip.city")).remarks == ()


@pytest.mark.parametrize(
    ("condition", "compared"),
    [
        ("strftime('%Y', day) = ?", {1: "strftime('%Y', day)"}),
        (
            "km = ? AND city = '?' AND substr(day, 1, 4) IN (?, '2012', ?)",
            {2: "substr(day, 1, 4)", 3: "substr(day, 1, 4)"},
        ),
        (":y < strftime('%Y', day) AND km > :km", {"y": "strftime('%Y', day)"}),
        ("date(day) BETWEEN ? AND ?", {1: "date(day)", 2: "date(day)"}),
        ("substr(?, 1, 2) = city AND km = ? AND length(city) = ? AND info ->> '$.n' = ?", {}),
        ("strftime('%Y', day) = ? -- why?", {}),
        ("CAST(strftime('%Y', day) AS INTEGER) = ?", {}),
    ],
)
def test_parameters_that_are_compared_with_a_text_are_known(
    trips: Desk, condition: str, compared: dict[int | str, str]
) -> None:
    statement = trips.guard.check(f"SELECT id FROM trip WHERE {condition}")
    assert (dict(statement.text_parameters), statement.remarks) == (compared, ())


def test_a_long_statement_is_not_read_for_it(trips: Desk) -> None:
    values = ", ".join(f"({n}, NULL)" for n in range(20_000))
    began = time.thread_time()
    assert remarks(trips, f"INSERT INTO town (people, name) VALUES {values}") == ()
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "part",
    ["x < ", "count ( a, ", "not in ( null", "(", "case when null ", "'a' + ", "1 or 2 ", "a.", "x <> 1 ", "x = 1 "],
)
def test_no_text_takes_long(part: str, trips: Desk) -> None:
    from codemode.guard.remarks import remarks as found

    began = time.thread_time()
    found(part * (3_999 // len(part)), (), trips.connection)
    assert time.thread_time() - began < 5


def test_columns_that_are_given_by_each_other_are_asked_once(trips: Desk) -> None:
    rows = "trip"
    for deeper, name in enumerate("abcdefgh"):
        given = "km" if deeper == 0 else "abcdefgh"[deeper - 1]
        rows = f"(SELECT {', '.join([f'{given} + {given} AS {name}'] * 3)} FROM {rows})"
    began = time.thread_time()
    assert "1.0" in remarks(trips, f"SELECT round(h / h, 2) AS share FROM {rows}")[0]
    assert time.thread_time() - began < 5
