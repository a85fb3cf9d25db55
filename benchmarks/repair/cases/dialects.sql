-- Syntax of other databases.

-- case: TOP
-- answer: SELECT * FROM flights ORDER BY dep_delay DESC LIMIT 3
SELECT TOP 3 * FROM flights ORDER BY dep_delay DESC

-- case: TOP in parentheses
-- answer: SELECT carrier, count(*) FROM flights GROUP BY carrier ORDER BY 2 DESC LIMIT 2
SELECT TOP (2) carrier, COUNT(*) AS n FROM flights GROUP BY carrier ORDER BY n DESC

-- case: TOP with brackets
-- answer: SELECT name FROM airlines ORDER BY name LIMIT 4
SELECT TOP 4 [name] FROM [dbo].[airlines] ORDER BY [name]

-- case: FETCH FIRST
-- answer: SELECT name FROM airlines ORDER BY name LIMIT 4
SELECT name FROM airlines ORDER BY name FETCH FIRST 4 ROWS ONLY

-- case: OFFSET … FETCH NEXT
-- answer: SELECT name FROM airlines ORDER BY name LIMIT 4 OFFSET 2
SELECT name FROM airlines ORDER BY name OFFSET 2 ROWS FETCH NEXT 4 ROWS ONLY

-- case: OFFSET alone
-- answer: SELECT name FROM airlines ORDER BY name LIMIT -1 OFFSET 10
SELECT name FROM airlines ORDER BY name OFFSET 10

-- case: ROWNUM
-- answer: SELECT carrier FROM airlines LIMIT 5
SELECT carrier FROM airlines WHERE ROWNUM <= 5

-- case: ILIKE
-- answer: SELECT faa FROM airports WHERE name LIKE '%newark%'
SELECT faa FROM airports WHERE name ILIKE '%newark%'

-- case: NOT ILIKE
-- answer: SELECT count(*) FROM airports WHERE name NOT LIKE '%intl%'
SELECT COUNT(*) FROM airports WHERE name NOT ILIKE '%intl%'

-- case: a cast with ::
-- answer: SELECT avg(CAST(dep_delay AS REAL)) FROM flights
SELECT AVG(dep_delay::float) FROM flights

-- case: a share with ::numeric and round
-- answer: SELECT carrier, round(100.0 * count(*) / (SELECT count(*) FROM flights), 2) FROM flights GROUP BY carrier
SELECT carrier, ROUND(100 * COUNT(*)::numeric / (SELECT COUNT(*) FROM flights), 2) FROM flights GROUP BY carrier

-- case: ::int of a quotient
-- answer: SELECT CAST(round(distance / 100.0) AS INTEGER) AS bucket, count(*) FROM flights GROUP BY 1
SELECT (distance / 100.0)::int AS bucket, COUNT(*) FROM flights GROUP BY 1

-- case: ::text
-- answer: SELECT carrier || flight FROM flights ORDER BY 1 LIMIT 3
SELECT carrier || flight::text FROM flights ORDER BY 1 LIMIT 3

-- case: DISTINCT ON
-- answer: SELECT origin, dest, distance FROM (SELECT origin, dest, distance, row_number() OVER (PARTITION BY origin ORDER BY distance DESC, dest) AS n FROM flights) WHERE n = 1
SELECT DISTINCT ON (origin) origin, dest, distance FROM flights ORDER BY origin, distance DESC, dest

-- case: QUALIFY
-- answer: SELECT origin, dest, n FROM (SELECT origin, dest, count(*) AS n, row_number() OVER (PARTITION BY origin ORDER BY count(*) DESC, dest) AS r FROM flights GROUP BY origin, dest) WHERE r = 1
SELECT origin, dest, COUNT(*) AS n FROM flights GROUP BY origin, dest QUALIFY ROW_NUMBER() OVER (PARTITION BY origin ORDER BY COUNT(*) DESC, dest) = 1

-- case: a window function in WHERE
-- answer: SELECT carrier, flight FROM (SELECT carrier, flight, row_number() OVER (PARTITION BY carrier ORDER BY distance DESC, flight, time_hour) AS r FROM flights) WHERE r = 1
SELECT carrier, flight FROM flights WHERE ROW_NUMBER() OVER (PARTITION BY carrier ORDER BY distance DESC, flight, time_hour) = 1

-- case: the alias of a window function in WHERE
-- answer: SELECT carrier, n, rnk FROM (SELECT carrier, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) AS rnk FROM flights GROUP BY carrier) WHERE rnk <= 3
SELECT carrier, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS rnk FROM flights GROUP BY carrier HAVING rnk <= 3

-- case: an aggregate in WHERE
-- answer: SELECT carrier, count(*) FROM flights GROUP BY carrier HAVING count(*) > 300
SELECT carrier, COUNT(*) FROM flights WHERE COUNT(*) > 300 GROUP BY carrier

-- case: the alias of an aggregate in WHERE
-- answer: SELECT carrier, count(*) AS n FROM flights GROUP BY carrier HAVING count(*) > 300
SELECT carrier, COUNT(*) AS n FROM flights WHERE n > 300 GROUP BY carrier

-- case: an aggregate of an aggregate
-- answer: SELECT max(n) FROM (SELECT count(*) AS n FROM flights GROUP BY carrier)
SELECT MAX(COUNT(*)) FROM flights GROUP BY carrier

-- case: EXCEPT of columns
-- answer: SELECT faa, name, lat, lon, alt FROM airports WHERE faa = 'JFK'
SELECT * EXCEPT (tz, dst, tzone) FROM airports WHERE faa = 'JFK'

-- case: EXCLUDE of a column
-- answer: SELECT name FROM airlines ORDER BY name
SELECT * EXCLUDE (carrier) FROM airlines ORDER BY name

-- case: GROUP BY ALL
-- answer: SELECT origin, carrier, count(*) FROM flights GROUP BY 1, 2
SELECT origin, carrier, COUNT(*) FROM flights GROUP BY ALL

-- case: GROUP BY ROLLUP
-- answer: SELECT origin, count(*) FROM flights GROUP BY origin UNION ALL SELECT NULL, count(*) FROM flights
SELECT origin, COUNT(*) FROM flights GROUP BY ROLLUP (origin)

-- case: WITH ROLLUP
-- answer: SELECT carrier, sum(distance) FROM flights GROUP BY carrier UNION ALL SELECT NULL, sum(distance) FROM flights
SELECT carrier, SUM(distance) FROM flights GROUP BY carrier WITH ROLLUP

-- case: parentheses around the parts of a UNION
-- answer: SELECT * FROM (SELECT carrier, count(*) AS n FROM flights GROUP BY carrier ORDER BY n DESC LIMIT 2) UNION ALL SELECT * FROM (SELECT carrier, count(*) AS n FROM flights GROUP BY carrier ORDER BY n LIMIT 2)
(SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier ORDER BY n DESC LIMIT 2) UNION ALL (SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier ORDER BY n LIMIT 2)

-- case: LIMIT before UNION
-- answer: SELECT * FROM (SELECT name FROM airlines ORDER BY name LIMIT 1) UNION ALL SELECT * FROM (SELECT name FROM airports ORDER BY name LIMIT 1)
SELECT name FROM airlines ORDER BY name LIMIT 1 UNION ALL SELECT name FROM airports ORDER BY name LIMIT 1

-- case: a VALUES list with column names
-- answer: SELECT code, carrier_name FROM (SELECT 'UA' AS code, 'U' AS carrier_name UNION ALL SELECT 'AA', 'A')
SELECT v.code, v.carrier_name FROM (VALUES ('UA', 'U'), ('AA', 'A')) AS v(code, carrier_name)

-- case: an alias of a derived table with column names
-- answer: SELECT max(n) FROM (SELECT carrier AS c, count(*) AS n FROM flights GROUP BY carrier)
SELECT MAX(t.n) FROM (SELECT carrier, COUNT(*) FROM flights GROUP BY carrier) AS t(c, n)

-- case: UPDATE with JOIN
-- after: SELECT count(*) FROM flights WHERE tailnum = 'jet'
-- equals: SELECT count(*) FROM flights JOIN planes USING (tailnum) WHERE engine = 'Turbo-jet'
UPDATE flights f JOIN planes p ON f.tailnum = p.tailnum SET f.tailnum = 'jet' WHERE p.engine = 'Turbo-jet'

-- case: UPDATE … FROM of T-SQL
-- after: SELECT count(*) FROM flights WHERE dest = 'x'
-- equals: SELECT count(*) FROM flights JOIN airports ON dest = faa WHERE tz = -8
UPDATE f SET f.dest = 'x' FROM flights f INNER JOIN airports a ON f.dest = a.faa WHERE a.tz = -8

-- case: DELETE with JOIN
-- after: SELECT count(*) FROM flights
-- equals: SELECT count(*) FROM flights WHERE tailnum IS NULL OR tailnum NOT IN (SELECT tailnum FROM planes WHERE engines = 4)
DELETE f FROM flights f JOIN planes p ON f.tailnum = p.tailnum WHERE p.engines = 4

-- case: DELETE … USING
-- after: SELECT count(*) FROM flights
-- equals: SELECT count(*) FROM flights WHERE dest NOT IN (SELECT faa FROM airports WHERE tz = -8)
DELETE FROM flights USING airports WHERE flights.dest = airports.faa AND airports.tz = -8

-- case: DELETE with LIMIT
-- after: SELECT count(*) FROM airlines
-- shows: [[14]]
DELETE FROM airlines ORDER BY name LIMIT 2

-- case: ON DUPLICATE KEY UPDATE
-- setup: CREATE UNIQUE INDEX airlines_carrier ON airlines (carrier)
-- after: SELECT name FROM airlines WHERE carrier = 'UA'
-- shows: [["United"]]
INSERT INTO airlines (carrier, name) VALUES ('UA', 'United') ON DUPLICATE KEY UPDATE name = VALUES(name)

-- case: INSERT IGNORE
-- setup: CREATE UNIQUE INDEX airlines_carrier ON airlines (carrier)
-- after: SELECT count(*) FROM airlines WHERE carrier IN ('UA', 'ZZ')
-- shows: [[2]]
INSERT IGNORE INTO airlines (carrier, name) VALUES ('UA', 'again'), ('ZZ', 'Zig Zag')

-- case: INSERT with SET
-- after: SELECT name FROM airlines WHERE carrier = 'ZZ'
-- shows: [["Zig Zag"]]
INSERT INTO airlines SET carrier = 'ZZ', name = 'Zig Zag'

-- case: SELECT … INTO
-- after: SELECT count(*) FROM late
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
SELECT * INTO late FROM flights WHERE dep_delay > 60

-- case: MERGE
-- setup: CREATE UNIQUE INDEX airlines_carrier ON airlines (carrier)
-- setup: CREATE TABLE news AS SELECT 'UA' AS carrier, 'United' AS name UNION ALL SELECT 'ZZ', 'Zig Zag'
-- after: SELECT carrier, name FROM airlines WHERE carrier IN ('UA', 'ZZ') ORDER BY 1
-- shows: [["UA", "United"], ["ZZ", "Zig Zag"]]
MERGE INTO airlines a USING news n ON a.carrier = n.carrier WHEN MATCHED THEN UPDATE SET name = n.name WHEN NOT MATCHED THEN INSERT (carrier, name) VALUES (n.carrier, n.name)

-- case: TRUNCATE
-- after: SELECT count(*) FROM airlines
-- shows: [[0]]
TRUNCATE TABLE airlines

-- case: FOR UPDATE
-- answer: SELECT * FROM airlines WHERE carrier = 'UA'
SELECT * FROM airlines WHERE carrier = 'UA' FOR UPDATE

-- case: TABLESAMPLE
SELECT COUNT(*) FROM flights TABLESAMPLE BERNOULLI (10)

-- case: LATERAL
-- answer: SELECT o.origin, f.dest FROM (SELECT DISTINCT origin FROM flights) o JOIN flights f ON f.rowid = (SELECT rowid FROM flights WHERE origin = o.origin ORDER BY distance DESC, dest LIMIT 1)
SELECT o.origin, t.dest FROM (SELECT DISTINCT origin FROM flights) o CROSS JOIN LATERAL (SELECT dest FROM flights WHERE origin = o.origin ORDER BY distance DESC, dest LIMIT 1) t

-- case: PIVOT
-- answer: SELECT carrier, count(*) FILTER (WHERE origin = 'JFK'), count(*) FILTER (WHERE origin = 'LGA') FROM flights GROUP BY carrier
SELECT * FROM (SELECT carrier, origin, flight FROM flights) PIVOT (COUNT(flight) FOR origin IN ('JFK', 'LGA'))

-- case: = ANY of a list
-- answer: SELECT count(*) FROM flights WHERE origin IN ('JFK', 'LGA')
SELECT COUNT(*) FROM flights WHERE origin = ANY(ARRAY['JFK', 'LGA'])

-- case: = ANY of a subquery
-- answer: SELECT count(*) FROM flights WHERE dest IN (SELECT faa FROM airports WHERE tz = -8)
SELECT COUNT(*) FROM flights WHERE dest = ANY (SELECT faa FROM airports WHERE tz = -8)

-- case: DIV and MOD
-- answer: SELECT dep_time / 100, count(*) FROM flights WHERE dep_time % 2 = 0 GROUP BY 1
SELECT dep_time DIV 100, COUNT(*) FROM flights WHERE dep_time MOD 2 = 0 GROUP BY 1

-- case: && and !
-- answer: SELECT count(*) FROM flights WHERE origin = 'JFK' AND dep_delay > 0
SELECT COUNT(*) FROM flights WHERE origin = 'JFK' && dep_delay > 0

-- case: IGNORE NULLS
-- answer: SELECT DISTINCT origin FROM flights
SELECT DISTINCT origin FROM (SELECT origin, FIRST_VALUE(dep_time IGNORE NULLS) OVER (PARTITION BY origin ORDER BY time_hour) AS x FROM flights) q

-- case: a comment of MySQL
-- answer: SELECT count(*) FROM flights
SELECT COUNT(*) # all of them
FROM flights

-- case: a collation of MySQL
-- answer: SELECT name FROM airlines ORDER BY name
SELECT name FROM airlines ORDER BY name COLLATE utf8mb4_general_ci

-- case: NULL-safe equality
-- answer: SELECT count(*) FROM flights WHERE tailnum IS NULL
SELECT COUNT(*) FROM flights WHERE tailnum <=> NULL

-- case: STRAIGHT hints
-- answer: SELECT count(*) FROM flights
SELECT COUNT(*) FROM flights WITH (NOLOCK)

-- case: FROM first
-- answer: SELECT count(*) FROM flights
FROM flights SELECT COUNT(*)

-- case: BETWEEN SYMMETRIC
-- answer: SELECT count(*) FROM flights WHERE month BETWEEN 1 AND 3
SELECT COUNT(*) FROM flights WHERE month BETWEEN SYMMETRIC 3 AND 1
