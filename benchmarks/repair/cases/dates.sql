-- Date functions of other databases.

-- case: NOW
-- answer: SELECT count(*) FROM flights WHERE time_hour < datetime('now')
SELECT COUNT(*) FROM flights WHERE time_hour < NOW()

-- case: GETDATE and YEAR
-- answer: SELECT CAST(strftime('%Y', 'now') AS INTEGER) - 2013
SELECT YEAR(GETDATE()) - 2013

-- case: CURDATE
-- answer: SELECT date('now')
SELECT CURDATE()

-- case: YEAR and MONTH
-- answer: SELECT 2013, month, count(*) FROM (SELECT CAST(strftime('%m', time_hour) AS INTEGER) AS month FROM flights WHERE strftime('%Y', time_hour) = '2013') GROUP BY month
SELECT YEAR(time_hour), MONTH(time_hour), COUNT(*) FROM flights WHERE YEAR(time_hour) = 2013 GROUP BY YEAR(time_hour), MONTH(time_hour)

-- case: DATE_TRUNC of PostgreSQL, by day
-- answer: SELECT date(time_hour), count(*) FROM flights GROUP BY 1
SELECT DATE_TRUNC('day', time_hour) AS day, COUNT(*) FROM flights GROUP BY 1

-- case: DATE_TRUNC by month
-- answer: SELECT strftime('%Y-%m-01', time_hour), count(*) FROM flights GROUP BY 1
SELECT DATE_TRUNC('month', time_hour) AS month, COUNT(*) AS flights FROM flights GROUP BY DATE_TRUNC('month', time_hour)

-- case: DATE_TRUNC by week
-- answer: SELECT date(time_hour, '-6 days', 'weekday 1'), count(*) FROM flights GROUP BY 1
SELECT DATE_TRUNC('week', time_hour) AS week, COUNT(*) FROM flights GROUP BY 1 ORDER BY 1

-- case: DATE_TRUNC by hour
-- answer: SELECT strftime('%Y-%m-%d %H:00:00', time_hour), count(*) FROM flights GROUP BY 1
SELECT date_trunc('hour', time_hour) AS h, count(*) FROM flights GROUP BY 1

-- case: DATE_TRUNC of BigQuery
-- answer: SELECT strftime('%Y-01-01', time_hour), count(*) FROM flights GROUP BY 1
SELECT DATE_TRUNC(time_hour, YEAR), COUNT(*) FROM flights GROUP BY 1

-- case: DATE_TRUNC by quarter
-- answer: SELECT '2013-01-01', count(*) FROM flights WHERE time_hour < '2013-04-01'
SELECT DATE_TRUNC('quarter', time_hour) AS q, COUNT(*) FROM flights GROUP BY 1 ORDER BY 1 LIMIT 1

-- case: EXTRACT
-- answer: SELECT CAST(strftime('%H', time_hour) AS INTEGER), count(*) FROM flights GROUP BY 1
SELECT EXTRACT(HOUR FROM time_hour) AS hour_of_day, COUNT(*) FROM flights GROUP BY 1

-- case: EXTRACT of the day of the week
-- answer: SELECT CAST(strftime('%w', time_hour) AS INTEGER), avg(dep_delay) FROM flights GROUP BY 1
SELECT EXTRACT(DOW FROM time_hour) AS dow, AVG(dep_delay) FROM flights GROUP BY dow

-- case: EXTRACT of a cast
-- answer: SELECT CAST(strftime('%d', time_hour) AS INTEGER), count(*) FROM flights GROUP BY 1
SELECT EXTRACT(DAY FROM time_hour::timestamp) AS d, COUNT(*) FROM flights GROUP BY 1

-- case: DATE_PART
-- answer: SELECT CAST(strftime('%d', time_hour) AS INTEGER), count(*) FROM flights GROUP BY 1
SELECT DATE_PART('day', time_hour), COUNT(*) FROM flights GROUP BY 1

-- case: DATEPART of T-SQL
-- answer: SELECT CAST(strftime('%m', time_hour) AS INTEGER), count(*) FROM flights GROUP BY 1
SELECT DATEPART(month, time_hour), COUNT(*) FROM flights GROUP BY DATEPART(month, time_hour)

-- case: DATEDIFF of MySQL
-- answer: SELECT CAST(julianday(date(max(time_hour))) - julianday(date(min(time_hour))) AS INTEGER) FROM flights
SELECT DATEDIFF(MAX(time_hour), MIN(time_hour)) FROM flights

-- case: DATEDIFF of T-SQL in days
-- answer: SELECT CAST(julianday(date(max(time_hour))) - julianday(date(min(time_hour))) AS INTEGER) FROM flights
SELECT DATEDIFF(day, MIN(time_hour), MAX(time_hour)) AS days FROM flights

-- case: DATEDIFF in hours
-- answer: SELECT (unixepoch(max(time_hour)) - unixepoch(min(time_hour))) / 3600 FROM flights
SELECT DATEDIFF(HOUR, MIN(time_hour), MAX(time_hour)) FROM flights

-- case: DATE_DIFF of BigQuery
-- answer: SELECT CAST(julianday(date(max(time_hour))) - julianday(date(min(time_hour))) AS INTEGER) FROM flights
SELECT DATE_DIFF(MAX(time_hour), MIN(time_hour), DAY) FROM flights

-- case: TIMESTAMPDIFF
-- answer: SELECT (unixepoch(max(time_hour)) - unixepoch(min(time_hour))) / 3600 FROM flights
SELECT TIMESTAMPDIFF(HOUR, MIN(time_hour), MAX(time_hour)) FROM flights

-- case: INTERVAL of PostgreSQL
-- answer: SELECT count(*) FROM flights WHERE time_hour >= date('2013-01-20', '-3 days')
SELECT COUNT(*) FROM flights WHERE time_hour >= DATE '2013-01-20' - INTERVAL '3 days'

-- case: INTERVAL of MySQL
-- answer: SELECT count(*) FROM flights WHERE time_hour >= date('2013-01-20', '-3 days')
SELECT COUNT(*) FROM flights WHERE time_hour >= DATE_SUB('2013-01-20', INTERVAL 3 DAY)

-- case: DATE_ADD with INTERVAL
-- answer: SELECT DISTINCT date(time_hour, '+1 month', 'floor') FROM flights ORDER BY 1
SELECT DISTINCT DATE_ADD(DATE(time_hour), INTERVAL 1 MONTH) FROM flights ORDER BY 1

-- case: DATEADD of T-SQL
-- answer: SELECT count(*) FROM flights WHERE date(time_hour) = date('2013-01-16', '+2 days')
SELECT COUNT(*) FROM flights WHERE DATE(time_hour) = DATEADD(day, 2, '2013-01-16')

-- case: DATE_FORMAT
-- answer: SELECT strftime('%Y-%m', time_hour), count(*) FROM flights GROUP BY 1
SELECT DATE_FORMAT(time_hour, '%Y-%m') AS ym, COUNT(*) FROM flights GROUP BY ym

-- case: DATE_FORMAT with minutes
-- answer: SELECT strftime('%H:%M', max(time_hour)) FROM flights
SELECT DATE_FORMAT(MAX(time_hour), '%H:%i') FROM flights

-- case: TO_CHAR of a date
-- answer: SELECT strftime('%Y-%m-%d', time_hour), count(*) FROM flights GROUP BY 1
SELECT TO_CHAR(time_hour, 'YYYY-MM-DD') AS d, COUNT(*) FROM flights GROUP BY 1

-- case: FORMAT_DATE of BigQuery
-- answer: SELECT strftime('%Y-%m', time_hour), count(*) FROM flights GROUP BY 1
SELECT FORMAT_DATE('%Y-%m', time_hour) AS ym, COUNT(*) FROM flights GROUP BY ym

-- case: a cast to date
-- answer: SELECT date(time_hour), count(*) FROM flights GROUP BY 1
SELECT time_hour::date AS d, COUNT(*) FROM flights GROUP BY d

-- case: TO_DATE
-- answer: SELECT count(*) FROM flights WHERE date(time_hour) = '2013-01-17'
SELECT COUNT(*) FROM flights WHERE DATE(time_hour) = TO_DATE('2013-01-17', 'YYYY-MM-DD')

-- case: a date of three columns
-- answer: SELECT printf('%04d-%02d-%02d', year, month, day), count(*) FROM flights GROUP BY 1
SELECT MAKE_DATE(year, month, day) AS d, COUNT(*) FROM flights GROUP BY d

-- case: LAST_DAY
-- answer: SELECT DISTINCT date(time_hour, 'start of month', '+1 month', '-1 day') FROM flights
SELECT DISTINCT LAST_DAY(time_hour) FROM flights

-- case: DAYNAME
-- answer: SELECT CASE strftime('%w', time_hour) WHEN '0' THEN 'Sunday' WHEN '1' THEN 'Monday' WHEN '2' THEN 'Tuesday' WHEN '3' THEN 'Wednesday' WHEN '4' THEN 'Thursday' WHEN '5' THEN 'Friday' ELSE 'Saturday' END, count(*) FROM flights GROUP BY 1
SELECT DAYNAME(time_hour) AS weekday, COUNT(*) FROM flights GROUP BY weekday

-- case: UNIX_TIMESTAMP
-- answer: SELECT max(unixepoch(time_hour)) FROM flights
SELECT MAX(UNIX_TIMESTAMP(time_hour)) FROM flights

-- case: EXTRACT(EPOCH) of a difference
-- answer: SELECT unixepoch(max(time_hour)) - unixepoch(min(time_hour)) FROM flights
SELECT EXTRACT(EPOCH FROM (MAX(time_hour) - MIN(time_hour))) FROM flights

-- case: GETDATE minus days
-- answer: SELECT count(*) FROM flights WHERE time_hour >= date('now', '-30 days')
SELECT COUNT(*) FROM flights WHERE time_hour >= DATEADD(day, -30, GETDATE())
