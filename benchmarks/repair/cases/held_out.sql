-- Written last, after the mends; nothing was tuned to these, and those that fail stay.

-- case: average arrival delay by airline name
-- answer: SELECT a.name, avg(f.arr_delay) FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY a.name
SELECT a.airline_name, AVG(f.arrival_delay) FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY a.airline_name

-- case: a subquery with a wrong table
-- answer: SELECT count(*) FROM flights WHERE dest IN (SELECT faa FROM airports WHERE alt > 5000)
SELECT COUNT(*) FROM flights WHERE dest IN (SELECT faa FROM airport WHERE alt > 5000)

-- case: monthly with TO_CHAR and a cast
-- answer: SELECT strftime('%Y-%m', datetime(time_hour)), count(*) FROM flights GROUP BY 1
SELECT TO_CHAR(time_hour::timestamp, 'YYYY-MM') AS month, COUNT(*) FROM flights GROUP BY 1 ORDER BY 1

-- case: a rolling window in SQL Server
-- answer: SELECT date(time_hour), count(*) FROM flights WHERE date(time_hour) >= '2013-01-17' GROUP BY 1 ORDER BY 2 DESC LIMIT 1
SELECT TOP 1 CAST(time_hour AS DATE), COUNT(*) FROM flights WHERE CONVERT(DATE, time_hour) >= '2013-01-17' GROUP BY CAST(time_hour AS DATE) ORDER BY COUNT(*) DESC

-- case: share with NULLIF and ::float
-- answer: SELECT origin, CAST(count(*) FILTER (WHERE dep_delay > 0) AS REAL) / nullif(count(*), 0) FROM flights GROUP BY origin
SELECT origin, SUM(CASE WHEN dep_delay > 0 THEN 1 ELSE 0 END)::float / NULLIF(COUNT(*), 0) FROM flights GROUP BY origin

-- case: nested functions
-- answer: SELECT upper(substr(name, 1, 3)), length(name) FROM airlines ORDER BY name
SELECT UPPER(LEFT(name, 3)), CHAR_LENGTH(name) FROM airlines ORDER BY name

-- case: hours between
-- answer: SELECT origin, (unixepoch(max(time_hour)) - unixepoch(min(time_hour))) / 3600 FROM weather GROUP BY origin
SELECT origin, TIMESTAMPDIFF(HOUR, MIN(time_hour), MAX(time_hour)) AS hours FROM weather GROUP BY origin

-- case: weekday name of the busiest day
-- answer: SELECT CASE strftime('%w', time_hour) WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday' WHEN '2' THEN 'Tuesday' WHEN '3' THEN 'Wednesday' WHEN '4' THEN 'Thursday' WHEN '5' THEN 'Friday' ELSE 'Saturday' END AS d FROM flights GROUP BY d ORDER BY count(*) DESC LIMIT 1
SELECT DAYNAME(time_hour) AS d FROM flights GROUP BY d ORDER BY COUNT(*) DESC FETCH FIRST 1 ROW ONLY

-- case: latest weather by origin
-- answer: SELECT origin, temp FROM (SELECT origin, temp, row_number() OVER (PARTITION BY origin ORDER BY time_hour DESC) AS n FROM weather) WHERE n = 1
SELECT DISTINCT ON (origin) origin, temp FROM weather ORDER BY origin, time_hour DESC

-- case: top two by group with QUALIFY and an alias
-- answer: SELECT origin, carrier, n, r FROM (SELECT origin, carrier, count(*) AS n, row_number() OVER (PARTITION BY origin ORDER BY count(*) DESC) AS r FROM flights GROUP BY origin, carrier) WHERE r <= 2
SELECT origin, carrier, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY origin ORDER BY COUNT(*) DESC) AS r FROM flights GROUP BY origin, carrier QUALIFY r <= 2

-- case: string aggregation of distinct carriers by origin
-- answer: SELECT origin, group_concat(carrier, '|') FROM (SELECT DISTINCT origin, carrier FROM flights ORDER BY origin, carrier) GROUP BY origin
SELECT origin, STRING_AGG(DISTINCT carrier, '|' ORDER BY carrier) FROM flights GROUP BY origin

-- case: percentile in BigQuery
-- answer: SELECT percentile_cont(dep_delay, 0.5) FROM flights
SELECT APPROX_QUANTILES(dep_delay, 2)[OFFSET(1)] FROM flights

-- case: IF with a foreign function
-- answer: SELECT sum(iif(ifnull(arr_delay, 0) > 30, 1, 0)) FROM flights
SELECT SUM(IF(ISNULL(arr_delay, 0) > 30, 1, 0)) FROM flights

-- case: JSON path of PostgreSQL with a double-quoted key
-- answer: SELECT 5
SELECT JSON_EXTRACT('{"a": [1, 5]}', "$.a[1]")

-- case: BETWEEN dates with DATE literals
-- answer: SELECT count(*) FROM flights WHERE date(time_hour) BETWEEN '2013-01-16' AND '2013-01-17'
SELECT COUNT(*) FROM flights WHERE time_hour::date BETWEEN DATE '2013-01-16' AND DATE '2013-01-17'

-- case: a CTE with a typo in a column
-- answer: WITH late AS (SELECT carrier, dep_delay FROM flights WHERE dep_delay > 60) SELECT carrier, count(*) FROM late GROUP BY carrier
WITH late AS (SELECT carrier, dep_dealy FROM flights WHERE dep_dealy > 60) SELECT carrier, COUNT(*) FROM late GROUP BY carrier

-- case: a typo in a CTE's own column
-- answer: WITH d AS (SELECT dest, count(*) AS total FROM flights GROUP BY dest) SELECT dest FROM d WHERE total > 100
WITH d AS (SELECT dest, COUNT(*) AS total FROM flights GROUP BY dest) SELECT dest FROM d WHERE totals > 100

-- case: UPDATE with an alias and a join
-- after: SELECT count(*) FROM planes WHERE model = 'gone'
-- equals: SELECT count(*) FROM planes WHERE tailnum IN (SELECT tailnum FROM flights WHERE carrier = 'WN')
UPDATE p SET model = 'gone' FROM planes AS p INNER JOIN flights AS f ON p.tailnum = f.tailnum WHERE f.carrier = 'WN'

-- case: DELETE with an alias
-- after: SELECT count(*) FROM airlines
-- shows: [[15]]
DELETE a FROM airlines a WHERE a.carrier = 'HA'

-- case: REPLACE with ON DUPLICATE
-- setup: CREATE TABLE counts (k TEXT PRIMARY KEY, n INTEGER)
-- setup: INSERT INTO counts VALUES ('a', 1)
-- after: SELECT k, n FROM counts ORDER BY k
-- shows: [["a", 3], ["b", 1]]
INSERT INTO counts (k, n) VALUES ('a', 2), ('b', 1) ON DUPLICATE KEY UPDATE n = n + VALUES(n)

-- case: a table of PostgreSQL
-- after: SELECT count(*) FROM pragma_table_info('runs')
-- shows: [[5]]
CREATE TABLE runs (id BIGSERIAL PRIMARY KEY, label VARCHAR(80) NOT NULL, tags TEXT[] DEFAULT '{}', meta JSONB DEFAULT '{}'::jsonb, at TIMESTAMPTZ NOT NULL DEFAULT now())

-- case: a table of MySQL
-- after: SELECT count(*) FROM pragma_index_list('runs') WHERE origin = 'c'
-- shows: [[1]]
CREATE TABLE IF NOT EXISTS `runs` (`id` int(11) unsigned NOT NULL AUTO_INCREMENT, `label` varchar(80) DEFAULT NULL, PRIMARY KEY (`id`), KEY `label_idx` (`label`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4

-- case: an index with IF NOT EXISTS and USING
-- after: SELECT count(*) FROM pragma_index_list('flights')
-- shows: [[1]]
CREATE INDEX IF NOT EXISTS by_tail USING BTREE ON flights (tailnum)

-- case: DESCRIBE with a schema
-- answer: SELECT name FROM pragma_table_info('planes')
-- columns: name
DESCRIBE TABLE planes

-- case: counting with a wildcard in double quotes
-- answer: SELECT count(*) FROM planes WHERE manufacturer LIKE 'BOEING%'
SELECT COUNT(*) FROM planes WHERE manufacturer LIKE "BOEING%";

-- case: an ambiguous key under USING
-- answer: SELECT flights.tailnum, count(*) FROM flights JOIN planes ON flights.tailnum = planes.tailnum GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3
SELECT tailnum, COUNT(*) FROM flights JOIN planes ON flights.tailnum = planes.tailnum GROUP BY tailnum ORDER BY 2 DESC, tailnum LIMIT 3

-- case: standard deviation and a rounded average
-- about: 1e-9
-- answer: SELECT carrier, round(avg(distance), 1), sqrt(avg(distance * distance) - avg(distance) * avg(distance)) FROM flights GROUP BY carrier
SELECT carrier, ROUND(AVG(distance)::numeric, 1), STDDEV_POP(distance) FROM flights GROUP BY carrier

-- case: a recursive calendar
-- answer: WITH RECURSIVE d(x) AS (SELECT '2013-01-16' UNION ALL SELECT date(x, '+1 day') FROM d WHERE x < '2013-01-18') SELECT x FROM d
WITH RECURSIVE d(x) AS (SELECT DATE '2013-01-16' UNION ALL SELECT DATE_ADD(x, INTERVAL 1 DAY) FROM d WHERE x < '2013-01-18') SELECT x FROM d

-- case: LIMIT in MySQL's order with a wrong column
-- answer: SELECT name FROM airports ORDER BY alt DESC LIMIT 5, 5
SELECT name FROM airports ORDER BY elevation DESC LIMIT 5, 5

-- case: EXPLAIN of PostgreSQL
EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM flights WHERE dest = 'BOS'
