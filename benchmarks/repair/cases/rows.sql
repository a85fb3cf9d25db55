-- Ambiguous names, constraints, numbers of values, full text, JSON.

-- case: an ambiguous key
-- answer: SELECT a.carrier, count(*) FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY 1
SELECT carrier, COUNT(*) FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY carrier

-- case: an ambiguous key in WHERE
-- answer: SELECT count(*) FROM flights JOIN planes ON flights.tailnum = planes.tailnum WHERE planes.tailnum LIKE 'N1%'
SELECT COUNT(*) FROM flights JOIN planes ON flights.tailnum = planes.tailnum WHERE tailnum LIKE 'N1%'

-- case: ambiguous in ORDER BY
-- answer: SELECT f.flight, a.name FROM flights f JOIN airlines a ON f.carrier = a.carrier ORDER BY f.carrier, f.flight, f.time_hour LIMIT 3
SELECT f.flight, a.name FROM flights f JOIN airlines a ON f.carrier = a.carrier ORDER BY carrier, f.flight, f.time_hour LIMIT 3

-- case: ambiguous in three tables
-- answer: SELECT count(*) FROM flights f JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour WHERE f.origin = 'JFK'
SELECT COUNT(*) FROM flights f JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour WHERE origin = 'JFK'

-- case: an ambiguous name that is not of the join
-- answer: SELECT f.year, count(*) FROM flights f JOIN planes p ON f.tailnum = p.tailnum GROUP BY 1
SELECT year, COUNT(*) FROM flights f JOIN planes p ON f.tailnum = p.tailnum GROUP BY year

-- case: a key that exists
-- setup: CREATE UNIQUE INDEX airlines_carrier ON airlines (carrier)
-- after: SELECT count(*) FROM airlines WHERE carrier = 'UA'
-- shows: [[1]]
INSERT INTO airlines (carrier, name) VALUES ('UA', 'United')

-- case: too few values
-- after: SELECT carrier, name FROM airlines WHERE carrier = 'ZZ'
-- shows: [["ZZ", null]]
INSERT INTO airlines VALUES ('ZZ')

-- case: too many values
-- after: SELECT carrier FROM airlines WHERE carrier = 'ZZ'
-- shows: [["ZZ"]]
INSERT INTO airlines (carrier) VALUES ('ZZ', 'Zig Zag')

-- case: UNION of different widths
-- answer: SELECT carrier, name FROM airlines UNION ALL SELECT faa, NULL FROM airports
SELECT carrier, name FROM airlines UNION ALL SELECT faa FROM airports

-- case: IN with two columns
-- answer: SELECT count(*) FROM flights WHERE dest IN (SELECT faa FROM airports WHERE tz = -8)
SELECT COUNT(*) FROM flights WHERE dest IN (SELECT faa, name FROM airports WHERE tz = -8)

-- case: full text with a hyphen
-- setup: CREATE VIRTUAL TABLE names USING fts5(name)
-- setup: INSERT INTO names SELECT name FROM airports
-- answer: SELECT count(*) FROM airports WHERE name LIKE '%Dallas-Fort%' OR name LIKE '%Dallas Fort%'
SELECT COUNT(*) FROM names WHERE names MATCH 'Dallas-Fort'

-- case: full text with an apostrophe
-- setup: CREATE VIRTUAL TABLE names USING fts5(name)
-- setup: INSERT INTO names SELECT name FROM airports
-- answer: SELECT count(*) FROM airports WHERE name LIKE '%O''Hare%' OR name LIKE '%O Hare%'
SELECT COUNT(*) FROM names WHERE names MATCH 'O''Hare'

-- case: full text on an ordinary table
-- answer: SELECT count(*) FROM airports WHERE name LIKE '%Kennedy%'
SELECT COUNT(*) FROM airports WHERE name MATCH 'Kennedy'

-- case: malformed JSON
-- setup: CREATE TABLE docs (body TEXT)
-- setup: INSERT INTO docs VALUES ('{"a": 1}'), ('no json'), ('{"a": 2}')
-- answer: SELECT 3
SELECT SUM(json_extract(body, '$.a')) FROM docs

-- case: malformed JSON, by ->>
-- setup: CREATE TABLE docs (body TEXT)
-- setup: INSERT INTO docs VALUES ('{"a": 1}'), ('{"a": '), ('{"a": 2}')
-- answer: SELECT 2
SELECT MAX(body ->> '$.a') FROM docs

-- case: a bad JSON path
-- answer: SELECT 'x'
SELECT json_extract('{"a": {"b": "x"}}', 'a.b')

-- case: ON CONFLICT without an index
-- after: SELECT name FROM airlines WHERE carrier = 'UA'
-- shows: [["United"]]
INSERT INTO airlines (carrier, name) VALUES ('UA', 'United') ON CONFLICT (carrier) DO UPDATE SET name = excluded.name

-- case: HAVING without GROUP BY
-- answer: SELECT carrier, flight, dep_delay FROM flights WHERE dep_delay > 500
SELECT carrier, flight, dep_delay FROM flights HAVING dep_delay > 500

-- case: a number of arguments
-- answer: SELECT round(avg(dep_delay), 2) FROM flights
SELECT ROUND(AVG(dep_delay), 2, 1) FROM flights

-- case: ORDER BY a number that is too large
-- answer: SELECT carrier, count(*) FROM flights GROUP BY carrier ORDER BY 2 DESC
SELECT carrier, COUNT(*) FROM flights GROUP BY carrier ORDER BY 3 DESC
