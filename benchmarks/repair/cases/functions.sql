-- Functions of texts, numbers, aggregates and JSON of other databases.

-- case: LEFT
-- answer: SELECT substr(name, 1, 3), count(*) FROM airports GROUP BY 1
SELECT LEFT(name, 3), COUNT(*) FROM airports GROUP BY LEFT(name, 3)

-- case: RIGHT
-- answer: SELECT count(*) FROM planes WHERE substr(tailnum, -2) = 'UA'
SELECT COUNT(*) FROM planes WHERE RIGHT(tailnum, 2) = 'UA'

-- case: LEN
-- answer: SELECT max(length(name)) FROM airlines
SELECT MAX(LEN(name)) FROM airlines

-- case: CHARINDEX
-- answer: SELECT substr(name, 1, instr(name, ' ') - 1) FROM airlines ORDER BY carrier
SELECT SUBSTRING(name, 1, CHARINDEX(' ', name) - 1) FROM airlines ORDER BY carrier

-- case: STRPOS
-- answer: SELECT count(*) FROM airports WHERE instr(name, 'Intl') > 0
SELECT COUNT(*) FROM airports WHERE STRPOS(name, 'Intl') > 0

-- case: LOCATE
-- answer: SELECT count(*) FROM airports WHERE instr(name, 'Intl') > 0
SELECT COUNT(*) FROM airports WHERE LOCATE('Intl', name) > 0

-- case: POSITION
-- answer: SELECT count(*) FROM airports WHERE instr(name, 'Intl') > 0
SELECT COUNT(*) FROM airports WHERE POSITION('Intl' IN name) > 0

-- case: ISNULL of T-SQL
-- answer: SELECT sum(ifnull(dep_delay, 0)) FROM flights
SELECT SUM(ISNULL(dep_delay, 0)) FROM flights

-- case: NVL
-- answer: SELECT sum(coalesce(arr_delay, 0)) FROM flights
SELECT SUM(NVL(arr_delay, 0)) FROM flights

-- case: GREATEST and LEAST
-- answer: SELECT sum(max(dep_delay, 0)), sum(min(dep_delay, 0)) FROM flights WHERE dep_delay IS NOT NULL
SELECT SUM(GREATEST(dep_delay, 0)), SUM(LEAST(dep_delay, 0)) FROM flights WHERE dep_delay IS NOT NULL

-- case: DECODE
-- answer: SELECT CASE origin WHEN 'JFK' THEN 'Kennedy' WHEN 'LGA' THEN 'LaGuardia' ELSE 'Newark' END, count(*) FROM flights GROUP BY 1
SELECT DECODE(origin, 'JFK', 'Kennedy', 'LGA', 'LaGuardia', 'Newark') AS airport, COUNT(*) FROM flights GROUP BY 1

-- case: STDDEV
-- about: 1e-9
-- answer: SELECT carrier, sqrt((sum(dep_delay * dep_delay) - sum(dep_delay) * sum(dep_delay) * 1.0 / count(dep_delay)) / (count(dep_delay) - 1)) FROM flights GROUP BY carrier HAVING count(dep_delay) > 1
SELECT carrier, STDDEV(dep_delay) FROM flights GROUP BY carrier HAVING COUNT(dep_delay) > 1

-- case: STDDEV_POP and VARIANCE
-- about: 1e-9
-- answer: SELECT sqrt(avg(distance * distance) - avg(distance) * avg(distance)), (sum(distance * distance) - sum(distance) * sum(distance) * 1.0 / count(distance)) / (count(distance) - 1) FROM flights
SELECT STDDEV_POP(distance), VARIANCE(distance) FROM flights

-- case: PERCENTILE_CONT
-- answer: SELECT percentile_cont(dep_delay, 0.9) FROM flights
SELECT PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY dep_delay) FROM flights

-- case: PERCENTILE_CONT by carrier
-- answer: SELECT carrier, median(arr_delay) FROM flights GROUP BY carrier
SELECT carrier, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY arr_delay) AS median_delay FROM flights GROUP BY carrier

-- case: APPROX_QUANTILE-like
-- answer: SELECT percentile_cont(arr_delay, 0.95) FROM flights
SELECT QUANTILE(arr_delay, 0.95) FROM flights

-- case: COUNTIF of BigQuery
-- answer: SELECT carrier, count(*) FILTER (WHERE dep_delay > 15) FROM flights GROUP BY carrier
SELECT carrier, COUNTIF(dep_delay > 15) FROM flights GROUP BY carrier

-- case: COUNT_IF and a share
-- answer: SELECT 1.0 * count(*) FILTER (WHERE dep_delay > 15) / count(*) FROM flights
SELECT 1.0 * COUNT_IF(dep_delay > 15) / COUNT(*) FROM flights

-- case: SAFE_DIVIDE
-- answer: SELECT carrier, sum(dep_delay) * 1.0 / nullif(count(dep_delay), 0) FROM flights GROUP BY carrier
SELECT carrier, SAFE_DIVIDE(SUM(dep_delay), COUNT(dep_delay)) FROM flights GROUP BY carrier

-- case: BOOL_OR
-- answer: SELECT origin, max(dep_delay > 300) FROM flights GROUP BY origin
SELECT origin, BOOL_OR(dep_delay > 300) FROM flights GROUP BY origin

-- case: ARRAY_AGG
-- answer: SELECT origin, json_group_array(DISTINCT carrier) FROM (SELECT origin, carrier FROM flights) GROUP BY origin
SELECT origin, ARRAY_AGG(DISTINCT carrier) FROM flights GROUP BY origin

-- case: JSON_AGG
-- answer: SELECT json_group_array(faa) FROM airports WHERE tz = -9
SELECT JSON_AGG(faa) FROM airports WHERE tz = -9

-- case: LISTAGG
-- answer: SELECT group_concat(carrier, ', ' ORDER BY carrier) FROM airlines
SELECT LISTAGG(carrier, ', ') WITHIN GROUP (ORDER BY carrier) FROM airlines

-- case: GROUP_CONCAT of MySQL
-- answer: SELECT group_concat(carrier, '; ' ORDER BY carrier DESC) FROM airlines
SELECT GROUP_CONCAT(carrier ORDER BY carrier DESC SEPARATOR '; ') FROM airlines

-- case: STRING_AGG of T-SQL
-- answer: SELECT string_agg(carrier, ',' ORDER BY name) FROM airlines
SELECT STRING_AGG(carrier, ',') WITHIN GROUP (ORDER BY name) FROM airlines

-- case: STRING_AGG with DISTINCT
-- answer: SELECT group_concat(tz, ', ') FROM (SELECT DISTINCT tz FROM airports WHERE tz IS NOT NULL)
SELECT STRING_AGG(DISTINCT tz, ', ') FROM airports WHERE tz IS NOT NULL

-- case: APPROX_COUNT_DISTINCT
-- answer: SELECT count(DISTINCT tailnum) FROM flights
SELECT APPROX_COUNT_DISTINCT(tailnum) FROM flights

-- case: COUNT of two distinct columns
-- answer: SELECT count(*) FROM (SELECT DISTINCT origin, dest FROM flights)
SELECT COUNT(DISTINCT origin, dest) FROM flights

-- case: SPLIT_PART
-- answer: SELECT DISTINCT substr(tzone, 1, instr(tzone, '/') - 1) FROM airports WHERE tzone IS NOT NULL
SELECT DISTINCT SPLIT_PART(tzone, '/', 1) FROM airports WHERE tzone IS NOT NULL

-- case: SPLIT_PART, the second
-- answer: SELECT substr(tzone, instr(tzone, '/') + 1) AS city, count(*) FROM airports WHERE tzone IS NOT NULL GROUP BY city
SELECT SPLIT_PART(tzone, '/', 2) AS city, COUNT(*) FROM airports WHERE tzone IS NOT NULL GROUP BY city

-- case: SUBSTRING_INDEX
-- answer: SELECT substr(name, 1, instr(name || ' ', ' ') - 1) FROM airlines ORDER BY carrier
SELECT SUBSTRING_INDEX(name, ' ', 1) FROM airlines ORDER BY carrier

-- case: LPAD
-- answer: SELECT DISTINCT printf('%04d', sched_dep_time) FROM flights ORDER BY 1 LIMIT 5
SELECT DISTINCT LPAD(sched_dep_time, 4, '0') FROM flights ORDER BY 1 LIMIT 5

-- case: REPEAT
-- answer: SELECT carrier, substr('**********', 1, count(*) / 100) FROM flights GROUP BY carrier
SELECT carrier, REPEAT('*', COUNT(*) / 100) FROM flights GROUP BY carrier

-- case: INITCAP
-- answer: SELECT DISTINCT type FROM planes ORDER BY 1
SELECT DISTINCT INITCAP(type) FROM planes ORDER BY 1

-- case: REGEXP_LIKE
-- answer: SELECT count(*) FROM planes WHERE tailnum GLOB 'N[0-9]*'
SELECT COUNT(*) FROM planes WHERE REGEXP_LIKE(tailnum, '^N[0-9]')

-- case: REGEXP
-- answer: SELECT count(*) FROM airports WHERE name LIKE '%Intl'
SELECT COUNT(*) FROM airports WHERE name REGEXP 'Intl$'

-- case: the operator ~
-- answer: SELECT count(*) FROM planes WHERE tailnum GLOB 'N1*'
SELECT COUNT(*) FROM planes WHERE tailnum ~ '^N1'

-- case: REGEXP_REPLACE of digits
-- answer: SELECT DISTINCT replace(replace(model, '-', ''), '-', '') FROM planes WHERE manufacturer = 'EMBRAER' ORDER BY 1
SELECT DISTINCT REGEXP_REPLACE(model, '-', '') FROM planes WHERE manufacturer = 'EMBRAER' ORDER BY 1

-- case: REGEXP_EXTRACT
-- answer: SELECT DISTINCT substr(time_hour, 1, 4) FROM flights
SELECT DISTINCT REGEXP_EXTRACT(time_hour, '^[0-9]{4}') FROM flights

-- case: STARTS_WITH
-- answer: SELECT count(*) FROM airports WHERE substr(name, 1, 3) = 'San'
SELECT COUNT(*) FROM airports WHERE STARTS_WITH(name, 'San')

-- case: CONTAINS
-- answer: SELECT faa FROM airports WHERE instr(name, 'Kennedy') > 0
SELECT faa FROM airports WHERE CONTAINS(name, 'Kennedy')

-- case: RAND in ORDER BY
SELECT carrier FROM airlines ORDER BY RAND() LIMIT 3

-- case: TRUNCATE of a number
-- answer: SELECT trunc(avg(distance)) FROM flights
SELECT TRUNCATE(AVG(distance), 0) FROM flights

-- case: JSON_BUILD_OBJECT
-- answer: SELECT json_object('carrier', carrier, 'name', name) FROM airlines ORDER BY carrier LIMIT 2
SELECT JSON_BUILD_OBJECT('carrier', carrier, 'name', name) FROM airlines ORDER BY carrier LIMIT 2

-- case: JSON_VALUE
-- answer: SELECT 'x'
SELECT JSON_VALUE('{"a": {"b": "x"}}', '$.a.b')

-- case: the operator #>>
-- answer: SELECT 'x'
SELECT '{"a": {"b": "x"}}' #>> '{a,b}'

-- case: TO_NUMBER
-- answer: SELECT sum(CAST(substr(tailnum, 2, 1) AS REAL)) FROM planes WHERE tailnum GLOB 'N1*'
SELECT SUM(TO_NUMBER(SUBSTR(tailnum, 2, 1))) FROM planes WHERE tailnum LIKE 'N1%'

-- case: ANY_VALUE
-- answer: SELECT f.carrier, a.name, count(*) FROM flights f JOIN airlines a ON a.carrier = f.carrier GROUP BY f.carrier
SELECT f.carrier, ANY_VALUE(a.name), COUNT(*) FROM flights f JOIN airlines a ON a.carrier = f.carrier GROUP BY f.carrier

-- case: CORR
-- about: 1e-9
-- answer: SELECT (avg(x * y) - avg(x) * avg(y)) / sqrt((avg(x * x) - avg(x) * avg(x)) * (avg(y * y) - avg(y) * avg(y))) FROM (SELECT dep_delay AS x, arr_delay AS y FROM flights WHERE dep_delay IS NOT NULL AND arr_delay IS NOT NULL)
SELECT CORR(dep_delay, arr_delay) FROM flights

-- case: GENERATE_SERIES
-- answer: SELECT value FROM json_each('[1,2,3,4,5]')
SELECT * FROM GENERATE_SERIES(1, 5) AS g

-- case: UNNEST of a literal
-- answer: SELECT value FROM json_each('["JFK","LGA"]')
SELECT x FROM UNNEST(ARRAY['JFK', 'LGA']) AS x

-- case: a misspelt function
-- answer: SELECT upper(name) FROM airlines ORDER BY 1
SELECT UPER(name) FROM airlines ORDER BY 1

-- case: AVERAGE
-- answer: SELECT avg(distance) FROM flights
SELECT AVERAGE(distance) FROM flights

-- case: CONCAT with a wrong number
-- answer: SELECT carrier || ' ' || name FROM airlines ORDER BY 1
SELECT CONCATENATE(carrier, ' ', name) FROM airlines ORDER BY 1

-- case: CONVERT
-- answer: SELECT max(CAST(flight AS TEXT)) FROM flights
SELECT MAX(CONVERT(VARCHAR(10), flight)) FROM flights

-- case: TRY_CAST
-- answer: SELECT max(CAST(flight AS INTEGER)) FROM flights
SELECT MAX(TRY_CAST(flight AS INTEGER)) FROM flights

-- case: SAFE_CAST
-- answer: SELECT sum(CAST(flight AS INTEGER)) FROM flights
SELECT SUM(SAFE_CAST(flight AS INT64)) FROM flights
