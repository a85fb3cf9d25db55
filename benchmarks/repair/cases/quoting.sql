-- Quotes and signs that mean something else in SQLite.

-- case: a text in double quotes
-- answer: SELECT count(*) FROM flights WHERE carrier = 'UA'
SELECT COUNT(*) FROM flights WHERE carrier = "UA"

-- case: a list in double quotes
-- answer: SELECT count(*) FROM flights WHERE origin IN ('JFK', 'LGA')
SELECT COUNT(*) FROM flights WHERE origin IN ("JFK", "LGA")

-- case: LIKE in double quotes
-- answer: SELECT faa FROM airports WHERE name LIKE '%Kennedy%'
SELECT faa FROM airports WHERE name LIKE "%Kennedy%"

-- case: CASE in double quotes
-- answer: SELECT CASE WHEN dep_delay > 15 THEN 'late' ELSE 'on time' END AS s, count(*) FROM flights GROUP BY s
SELECT CASE WHEN dep_delay > 15 THEN "late" ELSE "on time" END AS s, COUNT(*) FROM flights GROUP BY s

-- case: values in double quotes
-- after: SELECT name FROM airlines WHERE carrier = 'ZZ'
-- shows: [["Zig Zag"]]
INSERT INTO airlines (carrier, name) VALUES ("ZZ", "Zig Zag")

-- case: strftime in double quotes
-- answer: SELECT strftime('%m', time_hour), count(*) FROM flights GROUP BY 1
SELECT strftime("%m", time_hour), COUNT(*) FROM flights GROUP BY 1

-- case: a separator in double quotes
-- answer: SELECT group_concat(carrier, '; ') FROM airlines
SELECT GROUP_CONCAT(carrier, "; ") FROM airlines

-- case: typographic quotes
-- answer: SELECT count(*) FROM flights WHERE origin = 'JFK'
SELECT COUNT(*) FROM flights WHERE origin = ‘JFK’

-- case: a backslash before a quote
-- after: SELECT name FROM airlines WHERE carrier = 'OH'
-- shows: [["O'Hare Air"]]
INSERT INTO airlines (carrier, name) VALUES ('OH', 'O\'Hare Air')

-- case: an apostrophe that is not doubled
-- after: SELECT name FROM airlines WHERE carrier = 'OH'
-- shows: [["O'Hare Air"]]
INSERT INTO airlines (carrier, name) VALUES ('OH', 'O'Hare Air')

-- case: no quotes at all
-- answer: SELECT count(*) FROM flights WHERE origin = 'JFK'
SELECT COUNT(*) FROM flights WHERE origin = JFK

-- case: a keyword as a column alias
-- answer: SELECT carrier, count(*) FROM flights GROUP BY carrier
SELECT carrier, COUNT(*) AS group FROM flights GROUP BY carrier

-- case: a keyword as a table alias
-- answer: SELECT o.carrier FROM airlines o ORDER BY 1
SELECT order.carrier FROM airlines order ORDER BY 1

-- case: a keyword as a column
-- after: SELECT count(*) FROM pragma_table_info('steps')
-- shows: [[3]]
CREATE TABLE steps (id INTEGER, order INTEGER, group TEXT)

-- case: a name with a blank
-- answer: SELECT avg(dep_delay) AS "mean delay" FROM flights
SELECT AVG(dep_delay) AS mean delay FROM flights

-- case: a name with a hyphen
-- after: SELECT count(*) FROM "late-flights"
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
CREATE TABLE late-flights AS SELECT * FROM flights WHERE dep_delay > 60

-- case: a name that begins with a digit
-- after: SELECT count(*) FROM "2013_flights"
-- equals: SELECT count(*) FROM flights WHERE year = 2013
CREATE TABLE 2013_flights AS SELECT * FROM flights WHERE year = 2013

-- case: a trailing comma in SELECT
-- answer: SELECT carrier, name FROM airlines ORDER BY 1
SELECT carrier, name, FROM airlines ORDER BY 1

-- case: == and a missing bracket
-- answer: SELECT count(*) FROM flights WHERE (origin = 'JFK' OR origin = 'LGA')
SELECT COUNT(*) FROM flights WHERE (origin == 'JFK' OR origin == 'LGA'

-- case: a code fence
-- answer: SELECT count(*) FROM flights
```sql
SELECT COUNT(*) FROM flights
```
