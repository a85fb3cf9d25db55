-- Table names that are not there.

-- case: singular
-- answer: SELECT count(*) FROM flights
SELECT COUNT(*) FROM flight

-- case: singular airline
-- answer: SELECT name FROM airlines ORDER BY name
SELECT name FROM airline ORDER BY name

-- case: a typing error
-- answer: SELECT count(*) FROM flights WHERE origin = 'JFK'
SELECT COUNT(*) FROM fligths WHERE origin = 'JFK'

-- case: another word for it
-- answer: SELECT faa FROM airports WHERE tz = -5 ORDER BY faa LIMIT 5
SELECT faa FROM airport WHERE tz = -5 ORDER BY faa LIMIT 5

-- case: of the package in R
-- answer: SELECT count(*) FROM flights
SELECT COUNT(*) FROM nycflights13

-- case: with a schema
-- answer: SELECT count(*) FROM flights
SELECT COUNT(*) FROM public.flights

-- case: with dbo
-- answer: SELECT count(*) FROM planes
SELECT COUNT(*) FROM dbo.planes

-- case: with a project and a dataset
-- answer: SELECT count(*) FROM planes
SELECT COUNT(*) FROM `my-project.nyc.planes`

-- case: of a join
-- answer: SELECT w.origin, count(*) FROM flights f JOIN weather w ON f.origin = w.origin AND f.time_hour = w.time_hour GROUP BY w.origin
SELECT w.origin, COUNT(*) FROM flights f JOIN weathers w ON f.origin = w.origin AND f.time_hour = w.time_hour GROUP BY w.origin

-- case: information_schema.tables
-- answer: SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('airlines', 'airports', 'flights', 'planes', 'weather')
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'

-- case: information_schema.columns
-- answer: SELECT name FROM pragma_table_info('airlines')
SELECT column_name FROM information_schema.columns WHERE table_name = 'airlines'

-- case: dual
-- answer: SELECT 1 + 1
SELECT 1 + 1 FROM dual

-- case: a table of the schema prefixed in an insert
-- after: SELECT name FROM airlines WHERE carrier = 'ZZ'
-- shows: [["Zig Zag"]]
INSERT INTO main_db.airlines (carrier, name) VALUES ('ZZ', 'Zig Zag')

-- case: planes under a prefix
-- answer: SELECT max(seats) FROM planes
SELECT MAX(seats) FROM tbl_planes

-- case: delete from a misspelt one
-- after: SELECT count(*) FROM airlines WHERE carrier = 'HA'
-- shows: [[0]]
DELETE FROM airlins WHERE carrier = 'HA'
