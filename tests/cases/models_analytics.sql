-- in order: a hundred statements as language models write them for analysis. A refusal here needs a repair that runs.

-- case: customers
-- allowed: create_table
CREATE TABLE customers (
    customer_id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT UNIQUE,
    segment TEXT,
    country TEXT,
    signup_date DATE NOT NULL
);

-- case: orders
-- allowed: create_table
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, order_date TIMESTAMP, status VARCHAR(20), amount DECIMAL(10, 2), channel TEXT, FOREIGN KEY (customer_id) REFERENCES customers(customer_id));

-- case: events
-- allowed: create_table
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER, event_name TEXT, ts INTEGER, properties JSON);

-- case: readings
-- allowed: create_table
CREATE TABLE readings (sensor TEXT, at TEXT, value REAL, PRIMARY KEY (sensor, at)) WITHOUT ROWID;

-- case: employees
-- allowed: create_table
CREATE TABLE employees (id INTEGER PRIMARY KEY, name TEXT, department TEXT, salary INTEGER, manager_id INTEGER, hired TEXT);

-- case: rows: customers
-- allowed: insert
INSERT INTO customers (customer_id, name, email, segment, country, signup_date) VALUES
(1, 'Ada', 'ada@x.test', 'pro', 'UK', '2024-01-15'), (2, 'Ben', 'ben@x.test', 'free', 'DE', '2024-01-20'),
(3, 'Cyd', NULL, 'pro', 'UK', '2024-02-03'), (4, 'Dee', 'dee@x.test', 'free', NULL, '2024-03-09');

-- case: rows: orders
-- allowed: insert
INSERT INTO orders VALUES (1, 1, '2024-02-01 10:00:00', 'paid', 120.5, 'web'), (2, 1, '2024-02-11 09:30:00', 'paid', 80, 'app'), (3, 2, '2024-02-14 12:00:00', 'refunded', 40, 'web'), (4, 3, '2024-03-01 08:00:00', 'paid', 300, 'web'), (5, 1, '2024-03-02 23:59:59', 'pending', 60, 'app'), (6, 3, '2024-04-01 00:00:00', 'paid', 10, NULL);

-- case: rows: events
-- allowed: insert
INSERT INTO events (user_id, event_name, ts, properties) VALUES (1, 'view', 1707000000, '{"page":"/","ms":120}'), (1, 'cart', 1707000060, '{"items":[{"sku":"a","qty":2},{"sku":"b","qty":1}]}'), (1, 'buy', 1707000120, '{"total":120.5}'), (2, 'view', 1707003600, '{"page":"/p"}'), (2, 'cart', 1707010000, NULL), (3, 'view', 1707090000, '{"page":"/","ms":80}');

-- case: rows: readings
-- allowed: insert
INSERT OR REPLACE INTO readings VALUES ('t1', '2024-01-01T00:00', 1.0), ('t1', '2024-01-01T01:00', 2.0), ('t1', '2024-01-01T02:00', 9.0), ('t2', '2024-01-01T00:00', 5.0), ('t2', '2024-01-01T01:00', NULL);

-- case: rows: employees
-- allowed: insert
INSERT INTO employees VALUES (1, 'Root', 'Board', 300, NULL, '2015-01-01'), (2, 'Eve', 'Eng', 200, 1, '2018-05-01'), (3, 'Fay', 'Eng', 150, 2, '2020-01-01'), (4, 'Gus', 'Ops', 100, 1, '2021-07-15'), (5, 'Hal', 'Eng', 150, 2, '2022-03-01');

-- case: revenue by month
-- allowed: select
-- rows: [["2024-02", 200.5, 2], ["2024-03", 300, 1], ["2024-04", 10, 1]]
SELECT strftime('%Y-%m', order_date) AS month, SUM(amount) AS revenue, COUNT(*) AS orders
FROM orders
WHERE status = 'paid'
GROUP BY month
ORDER BY month;

-- case: month over month growth
-- allowed: select
-- rows: [["2024-02", 200.5, null], ["2024-03", 300, 49.6], ["2024-04", 10, -96.7]]
WITH monthly AS (
    SELECT strftime('%Y-%m', order_date) AS month, SUM(amount) AS revenue FROM orders WHERE status = 'paid' GROUP BY 1
)
SELECT month, revenue, ROUND(100.0 * (revenue - LAG(revenue) OVER (ORDER BY month)) / NULLIF(LAG(revenue) OVER (ORDER BY month), 0), 1) AS growth_pct
FROM monthly ORDER BY month;

-- case: running total
-- allowed: select
SELECT order_id, amount, SUM(amount) OVER (ORDER BY order_date ROWS UNBOUNDED PRECEDING) AS running_total FROM orders;

-- case: moving average of a sensor
-- allowed: select
-- rows: [["t1", 1.0], ["t1", 1.5], ["t1", 4.0]]
SELECT sensor, AVG(value) OVER (PARTITION BY sensor ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS ma3 FROM readings WHERE sensor = 't1';

-- case: best order of each customer
-- allowed: select
-- rows: [[1, 1], [2, 3], [3, 4]]
SELECT customer_id, order_id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY amount DESC) AS rn FROM orders) t WHERE rn = 1 ORDER BY customer_id;

-- case: customers without orders
-- allowed: select
-- rows: [["Dee"]]
SELECT c.name FROM customers c LEFT JOIN orders o ON c.customer_id = o.customer_id WHERE o.order_id IS NULL;

-- case: average order value by segment
-- allowed: select
SELECT c.segment, ROUND(AVG(o.amount), 2) AS aov, COUNT(DISTINCT o.customer_id) AS buyers FROM orders o JOIN customers c USING (customer_id) GROUP BY c.segment HAVING COUNT(*) > 1 ORDER BY aov DESC;

-- case: cohorts by month of signup
-- allowed: select
WITH cohort AS (SELECT customer_id, strftime('%Y-%m', signup_date) AS cohort_month FROM customers),
activity AS (
    SELECT o.customer_id, c.cohort_month,
        (CAST(strftime('%Y', o.order_date) AS INTEGER) - CAST(substr(c.cohort_month, 1, 4) AS INTEGER)) * 12
        + CAST(strftime('%m', o.order_date) AS INTEGER) - CAST(substr(c.cohort_month, 6, 2) AS INTEGER) AS month_number
    FROM orders o JOIN cohort c ON c.customer_id = o.customer_id
)
SELECT cohort_month, month_number, COUNT(DISTINCT customer_id) AS users FROM activity GROUP BY 1, 2 ORDER BY 1, 2;

-- case: retention of week one
-- allowed: select
SELECT COUNT(DISTINCT CASE WHEN julianday(o.order_date) - julianday(c.signup_date) <= 30 THEN c.customer_id END) * 1.0 / COUNT(DISTINCT c.customer_id) AS retention FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id;

-- case: funnel
-- allowed: select
-- rows: [[3, 2, 1]]
SELECT COUNT(DISTINCT CASE WHEN event_name = 'view' THEN user_id END) AS viewed, COUNT(DISTINCT CASE WHEN event_name = 'cart' THEN user_id END) AS carted, COUNT(DISTINCT CASE WHEN event_name = 'buy' THEN user_id END) AS bought FROM events;

-- case: funnel in order of time
-- allowed: select
-- rows: [[1, 60, 60]]
SELECT v.user_id, MIN(c.ts) - MIN(v.ts) AS to_cart, MIN(b.ts) - MIN(c.ts) AS to_buy FROM events v JOIN events c ON c.user_id = v.user_id AND c.event_name = 'cart' AND c.ts > v.ts JOIN events b ON b.user_id = v.user_id AND b.event_name = 'buy' AND b.ts > c.ts WHERE v.event_name = 'view' GROUP BY v.user_id;

-- case: sessions by gaps of half an hour
-- allowed: select
-- rows: [[1, 1], [2, 2], [3, 1]]
WITH gaps AS (SELECT user_id, ts, CASE WHEN ts - LAG(ts) OVER (PARTITION BY user_id ORDER BY ts) > 1800 THEN 1 ELSE 0 END AS is_new FROM events),
numbered AS (SELECT user_id, ts, SUM(is_new) OVER (PARTITION BY user_id ORDER BY ts) AS session_no FROM gaps)
SELECT user_id, COUNT(DISTINCT session_no) AS sessions FROM numbered GROUP BY user_id;

-- case: daily active users
-- allowed: select
SELECT DATE(ts, 'unixepoch') AS day, COUNT(DISTINCT user_id) AS dau FROM events GROUP BY day ORDER BY day;

-- case: JSON fields
-- allowed: select
-- rows: [[1, "/", 120], [3, "/", 80]]
SELECT user_id, json_extract(properties, '$.page') AS page, properties ->> 'ms' AS ms FROM events WHERE json_extract(properties, '$.ms') IS NOT NULL;

-- case: JSON arrays as rows
-- allowed: select
-- rows: [["a", 2], ["b", 1]]
SELECT json_extract(item.value, '$.sku') AS sku, SUM(json_extract(item.value, '$.qty')) AS qty FROM events e, json_each(e.properties, '$.items') AS item WHERE e.event_name = 'cart' GROUP BY sku;

-- case: JSON keys that occur
-- allowed: select
SELECT DISTINCT j.key FROM events e CROSS JOIN json_each(e.properties) j WHERE e.properties IS NOT NULL ORDER BY 1;

-- case: result as JSON
-- allowed: select
SELECT json_object('id', customer_id, 'orders', json_group_array(json_object('id', order_id, 'amount', amount))) AS doc FROM orders GROUP BY customer_id;

-- case: quartiles by NTILE
-- allowed: select
SELECT quartile, MIN(amount), MAX(amount), COUNT(*) FROM (SELECT amount, NTILE(4) OVER (ORDER BY amount) AS quartile FROM orders) GROUP BY quartile;

-- case: median by hand
-- allowed: select
-- rows: [[70.0]]
SELECT AVG(amount) AS median FROM (SELECT amount FROM orders ORDER BY amount LIMIT 2 - (SELECT COUNT(*) FROM orders) % 2 OFFSET (SELECT (COUNT(*) - 1) / 2 FROM orders));

-- case: median as a function
-- allowed: select
-- rows: [[70.0]]
SELECT median(amount) FROM orders;

-- case: percentile rank
-- allowed: select
SELECT order_id, ROUND(PERCENT_RANK() OVER (ORDER BY amount), 3) AS pr, ROUND(CUME_DIST() OVER (ORDER BY amount), 3) AS cd FROM orders;

-- case: standard deviation by hand
-- allowed: select
SELECT SQRT(AVG(amount * amount) - AVG(amount) * AVG(amount)) AS stddev FROM orders;

-- case: z-scores
-- allowed: select
WITH stats AS (SELECT AVG(value) AS mean, SQRT(AVG(value * value) - AVG(value) * AVG(value)) AS sd FROM readings)
SELECT r.sensor, r.at, (r.value - s.mean) / s.sd AS z FROM readings r CROSS JOIN stats s WHERE ABS((r.value - s.mean) / s.sd) > 1.5;

-- case: correlation by hand
-- allowed: select
SELECT (COUNT(*) * SUM(x * y) - SUM(x) * SUM(y)) / (SQRT(COUNT(*) * SUM(x * x) - SUM(x) * SUM(x)) * SQRT(COUNT(*) * SUM(y * y) - SUM(y) * SUM(y))) AS r FROM (SELECT salary * 1.0 AS x, julianday('2024-01-01') - julianday(hired) AS y FROM employees);

-- case: linear trend
-- allowed: select
SELECT (n * sxy - sx * sy) / (n * sxx - sx * sx) AS slope FROM (SELECT COUNT(*) AS n, SUM(t) AS sx, SUM(amount) AS sy, SUM(t * t) AS sxx, SUM(t * amount) AS sxy FROM (SELECT julianday(order_date) AS t, amount FROM orders));

-- case: histogram
-- allowed: select
-- rows: [[0, 1], [40, 1], [60, 1], [80, 1], [120, 1], [300, 1]]
SELECT CAST(amount / 20 AS INTEGER) * 20 AS bucket, COUNT(*) AS n FROM orders GROUP BY bucket ORDER BY bucket;

-- case: histogram with bars
-- allowed: select
SELECT status, printf('%-10s', status) || replace(hex(zeroblob(COUNT(*))), '00', '#') AS bar FROM orders GROUP BY status;

-- case: pivot by CASE
-- allowed: select
-- rows: [[1, 120.5, 140], [2, 40, 0], [3, 300, 0]]
SELECT customer_id, SUM(CASE WHEN channel = 'web' THEN amount ELSE 0 END) AS web, SUM(CASE WHEN channel = 'app' THEN amount ELSE 0 END) AS app FROM orders GROUP BY customer_id;

-- case: pivot by FILTER
-- allowed: select
SELECT strftime('%m', order_date) AS m, COUNT(*) FILTER (WHERE status = 'paid') AS paid, COUNT(*) FILTER (WHERE status <> 'paid') AS other FROM orders GROUP BY 1;

-- case: totals below
-- allowed: select
SELECT channel, SUM(amount) AS total FROM orders GROUP BY channel UNION ALL SELECT 'TOTAL', SUM(amount) FROM orders;

-- case: share of the whole
-- allowed: select
SELECT channel, ROUND(100.0 * SUM(amount) / SUM(SUM(amount)) OVER (), 2) AS pct FROM orders GROUP BY channel;

-- case: Pareto
-- allowed: select
SELECT customer_id, total, SUM(total) OVER (ORDER BY total DESC) * 100.0 / SUM(total) OVER () AS cumulative_pct FROM (SELECT customer_id, SUM(amount) AS total FROM orders GROUP BY customer_id);

-- case: RFM
-- allowed: select
WITH rfm AS (SELECT customer_id, CAST(julianday('2024-05-01') - julianday(MAX(order_date)) AS INTEGER) AS recency, COUNT(*) AS frequency, SUM(amount) AS monetary FROM orders GROUP BY customer_id)
SELECT *, NTILE(3) OVER (ORDER BY recency DESC) AS r, NTILE(3) OVER (ORDER BY frequency) AS f, NTILE(3) OVER (ORDER BY monetary) AS m, CASE WHEN frequency > 2 THEN 'loyal' WHEN recency > 60 THEN 'at risk' ELSE 'new' END AS label FROM rfm;

-- case: days between orders
-- allowed: select
SELECT customer_id, AVG(gap) FROM (SELECT customer_id, JULIANDAY(order_date) - JULIANDAY(LAG(order_date) OVER (PARTITION BY customer_id ORDER BY order_date)) AS gap FROM orders) WHERE gap IS NOT NULL GROUP BY customer_id;

-- case: a calendar without holes
-- allowed: select
-- rows: [["2024-02", 3], ["2024-03", 2], ["2024-04", 1], ["2024-05", 0]]
WITH RECURSIVE months(m) AS (SELECT '2024-02-01' UNION ALL SELECT date(m, '+1 month') FROM months WHERE m < '2024-05-01')
SELECT strftime('%Y-%m', m), COUNT(order_id) FROM months LEFT JOIN orders ON strftime('%Y-%m', order_date) = strftime('%Y-%m', m) GROUP BY m;

-- case: the hierarchy
-- allowed: select
-- rows: [["Root", "Root"], ["Root > Eve", "Eve"], ["Root > Eve > Fay", "Fay"], ["Root > Eve > Hal", "Hal"], ["Root > Gus", "Gus"]]
WITH RECURSIVE chain AS (SELECT id, name, name AS path FROM employees WHERE manager_id IS NULL UNION ALL SELECT e.id, e.name, chain.path || ' > ' || e.name FROM employees e JOIN chain ON e.manager_id = chain.id) SELECT path, name FROM chain ORDER BY path;

-- case: second highest salary
-- allowed: select
-- rows: [[200]]
SELECT MAX(salary) FROM employees WHERE salary < (SELECT MAX(salary) FROM employees);

-- case: third by DENSE_RANK
-- allowed: select
-- rows: [["Fay"], ["Hal"]]
SELECT name FROM (SELECT name, DENSE_RANK() OVER (ORDER BY salary DESC) dr FROM employees) WHERE dr = 3 ORDER BY 1;

-- case: above the department's average
-- allowed: select
-- rows: [["Eve"]]
SELECT name FROM employees e WHERE salary > (SELECT AVG(salary) FROM employees WHERE department = e.department);

-- case: duplicates
-- allowed: select
SELECT salary, department, COUNT(*) AS n, GROUP_CONCAT(name, '; ') AS names FROM employees GROUP BY salary, department HAVING COUNT(*) > 1;

-- case: names in order, joined
-- allowed: select
-- rows: [["Eve, Fay, Hal"]]
SELECT group_concat(name, ', ' ORDER BY name) FROM employees WHERE department = 'Eng';

-- case: delete duplicates
-- allowed: delete
DELETE FROM employees WHERE rowid NOT IN (SELECT MIN(rowid) FROM employees GROUP BY name, department, salary);

-- case: gaps and islands
-- allowed: select
WITH d AS (SELECT DISTINCT date(order_date) AS day FROM orders), g AS (SELECT day, julianday(day) - ROW_NUMBER() OVER (ORDER BY day) AS grp FROM d)
SELECT MIN(day) AS start, MAX(day) AS finish, COUNT(*) AS days FROM g GROUP BY grp ORDER BY start;

-- case: fill missing readings with the last one
-- allowed: select
-- rows: [["2024-01-01T00:00", 5.0], ["2024-01-01T01:00", 5.0]]
SELECT at, COALESCE(value, (SELECT value FROM readings p WHERE p.sensor = r.sensor AND p.at < r.at AND p.value IS NOT NULL ORDER BY p.at DESC LIMIT 1)) FROM readings r WHERE sensor = 't2' ORDER BY at;

-- case: missing values of each column
-- allowed: select
-- rows: [[1, 1]]
SELECT SUM(email IS NULL) AS no_email, SUM(CASE WHEN country IS NULL THEN 1 ELSE 0 END) AS no_country FROM customers;

-- case: a profile of a column
-- allowed: select
SELECT COUNT(*) AS n, COUNT(amount) AS present, COUNT(DISTINCT amount) AS different, MIN(amount), MAX(amount), typeof(MAX(amount)) FROM orders;

-- case: anti join with EXCEPT
-- allowed: select
-- rows: [[4]]
SELECT customer_id FROM customers EXCEPT SELECT customer_id FROM orders;

-- case: both channels with INTERSECT
-- allowed: select
-- rows: [[1]]
SELECT customer_id FROM orders WHERE channel = 'web' INTERSECT SELECT customer_id FROM orders WHERE channel = 'app';

-- case: full outer join
-- allowed: select
SELECT c.name, o.order_id FROM customers c FULL OUTER JOIN orders o ON o.customer_id = c.customer_id ORDER BY c.name NULLS LAST, o.order_id;

-- case: self join for pairs
-- allowed: select
SELECT a.name, b.name FROM employees a JOIN employees b ON a.department = b.department AND a.id < b.id;

-- case: weekday of orders
-- allowed: select
SELECT CASE CAST(strftime('%w', order_date) AS INTEGER) WHEN 0 THEN 'Sun' WHEN 6 THEN 'Sat' ELSE 'weekday' END AS day, COUNT(*) FROM orders GROUP BY 1;

-- case: quarter of a date
-- allowed: select
SELECT strftime('%Y', order_date) || '-Q' || ((CAST(strftime('%m', order_date) AS INTEGER) + 2) / 3) AS quarter, SUM(amount) FROM orders GROUP BY quarter;

-- case: ISO week
-- allowed: select
SELECT strftime('%G-W%V', order_date) AS week, COUNT(*) FROM orders GROUP BY week;

-- case: domain of an address
-- allowed: select
-- rows: [["x.test", 3]]
SELECT substr(email, instr(email, '@') + 1) AS domain, COUNT(*) FROM customers WHERE email IS NOT NULL GROUP BY domain;

-- case: words of a text
-- allowed: select
-- rows: [["lorem", 2], ["ipsum", 1]]
WITH RECURSIVE split(word, rest) AS (SELECT '', 'lorem ipsum lorem' || ' ' UNION ALL SELECT substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1) FROM split WHERE rest <> '')
SELECT word, COUNT(*) AS n FROM split WHERE word <> '' GROUP BY word ORDER BY n DESC, word;

-- case: words by JSON
-- allowed: select
SELECT value AS word FROM json_each('["' || replace('a b c', ' ', '","') || '"]');

-- case: a view to work with
-- allowed: create_view
CREATE VIEW customer_value AS SELECT c.customer_id, c.name, COALESCE(SUM(o.amount), 0) AS lifetime_value, MAX(o.order_date) AS last_order FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id AND o.status = 'paid' GROUP BY c.customer_id;

-- case: the view
-- allowed: select
-- rows: [["Cyd", 310], ["Ada", 200.5]]
SELECT name, lifetime_value FROM customer_value WHERE lifetime_value > 100 ORDER BY lifetime_value DESC;

-- case: a summary table
-- allowed: create_table
CREATE TABLE monthly_summary AS WITH m AS (SELECT strftime('%Y-%m', order_date) AS month, amount FROM orders) SELECT month, COUNT(*) AS orders, TOTAL(amount) AS revenue FROM m GROUP BY month;

-- case: upsert of a summary
-- allowed: insert
INSERT INTO monthly_summary (month, orders, revenue) SELECT '2024-05', 0, 0.0 WHERE NOT EXISTS (SELECT 1 FROM monthly_summary WHERE month = '2024-05');

-- case: a unique key for it
-- allowed: create_index
CREATE UNIQUE INDEX IF NOT EXISTS monthly_summary_month ON monthly_summary(month);

-- case: upsert with counts
-- allowed: insert
INSERT INTO monthly_summary AS s (month, orders, revenue) VALUES ('2024-05', 2, 20.0), ('2024-06', 1, 5.0) ON CONFLICT(month) DO UPDATE SET orders = s.orders + excluded.orders, revenue = s.revenue + excluded.revenue RETURNING month, orders;

-- case: update by a common table expression
-- allowed: update
WITH totals AS (SELECT customer_id, SUM(amount) AS total FROM orders GROUP BY customer_id) UPDATE customers SET segment = CASE WHEN (SELECT total FROM totals WHERE totals.customer_id = customers.customer_id) > 200 THEN 'vip' ELSE segment END;

-- case: update from
-- allowed: update
-- rows: [[1, "vip"], [3, "vip"]]
UPDATE orders SET channel = COALESCE(orders.channel, 'unknown') FROM customers c WHERE c.customer_id = orders.customer_id AND c.segment = 'vip' AND orders.order_id IN (1, 6) RETURNING orders.customer_id, (SELECT segment FROM customers WHERE customer_id = orders.customer_id);

-- case: a computed column
-- allowed: alter_table
ALTER TABLE orders ADD COLUMN amount_cents INTEGER GENERATED ALWAYS AS (CAST(round(amount * 100) AS INTEGER)) VIRTUAL;

-- case: an index on an expression
-- allowed: create_index
CREATE INDEX idx_orders_month ON orders (strftime('%Y-%m', order_date), status) WHERE status <> 'pending';

-- case: the plan of a query
-- allowed: explain
EXPLAIN QUERY PLAN SELECT * FROM orders WHERE strftime('%Y-%m', order_date) = '2024-03' AND status <> 'pending';

-- case: row values
-- allowed: select
-- rows: [[4]]
SELECT order_id FROM orders WHERE (customer_id, status) = (3, 'paid') AND order_date BETWEEN '2024-03-01' AND '2024-03-31' ORDER BY 1;

-- case: values as a table
-- allowed: select
-- rows: [["web", "online"], ["app", "mobile"]]
WITH map(channel, label) AS (VALUES ('web', 'online'), ('app', 'mobile')) SELECT * FROM map;

-- case: named window
-- allowed: select
SELECT order_id, FIRST_VALUE(amount) OVER w AS first, LAST_VALUE(amount) OVER w AS last, NTH_VALUE(amount, 2) OVER w AS second FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY order_date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);

-- case: range window over days
-- allowed: select
SELECT order_id, SUM(amount) OVER (ORDER BY julianday(order_date) RANGE BETWEEN 7 PRECEDING AND CURRENT ROW) AS last_week FROM orders;

-- case: a sample
-- allowed: select
SELECT * FROM orders ORDER BY RANDOM() LIMIT 3;

-- case: all combinations
-- allowed: select
-- rows: [[8]]
SELECT COUNT(*) FROM (SELECT DISTINCT status FROM orders) CROSS JOIN (SELECT DISTINCT segment FROM customers) CROSS JOIN (VALUES (1), (2)) WHERE segment IS NOT NULL AND status IN ('paid', 'refunded');

-- case: schema of everything
-- allowed: select
SELECT m.name AS table_name, p.name AS column_name, p.type FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid;

-- case: a model's SHOW TABLES
-- refused: kind, keyword
-- hint: sqlite_schema
-- repair: SELECT name FROM sqlite_schema WHERE type = 'table'
SHOW TABLES;

-- case: DESCRIBE
-- refused: kind, keyword
-- hint: helpers.schema.describe_table
-- snippet: helpers.schema.describe_table('orders')
DESCRIBE orders;

-- case: SELECT TOP
-- error: sql.syntax, sqlite
-- hint: LIMIT n
-- repair: SELECT * FROM orders ORDER BY amount DESC LIMIT 3
SELECT TOP 3 * FROM orders ORDER BY amount DESC;

-- case: QUALIFY
-- error: sql.syntax, sqlite
-- hint: subquery
-- repair: SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY amount DESC) AS rn FROM orders) WHERE rn = 1
SELECT * FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY amount DESC) = 1;

-- case: DISTINCT ON
-- error: sql.syntax, sqlite
-- hint: row_number()
-- repair: SELECT customer_id, amount FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY order_date DESC) AS n FROM orders) WHERE n = 1
SELECT DISTINCT ON (customer_id) customer_id, amount FROM orders ORDER BY customer_id, order_date DESC;

-- case: EXTRACT
-- error: sql.syntax, sqlite
-- hint: strftime('%Y', x)
-- repair: SELECT CAST(strftime('%Y', order_date) AS INTEGER), COUNT(*) FROM orders GROUP BY 1
SELECT EXTRACT(YEAR FROM order_date), COUNT(*) FROM orders GROUP BY 1;

-- case: YEAR and MONTH
-- error: sql.no_such_function, sqlite
-- hint: strftime('%Y', x)
-- repair: SELECT strftime('%Y', order_date), strftime('%m', order_date) FROM orders
SELECT YEAR(order_date), MONTH(order_date) FROM orders;

-- case: DATEDIFF
-- error: sql.no_such_function, sqlite
-- hint: julianday(a) - julianday(b)
-- repair: SELECT julianday(max(order_date)) - julianday(min(order_date)) FROM orders
SELECT DATEDIFF(MAX(order_date), MIN(order_date)) FROM orders;

-- case: DATEDIFF with a unit
-- error: sql.no_such_column, sqlite
-- hint: julianday(a) - julianday(b)
-- repair: SELECT julianday(max(order_date)) - julianday(min(order_date)) FROM orders
SELECT DATEDIFF(day, MIN(order_date), MAX(order_date)) FROM orders;

-- case: ILIKE
-- error: sql.syntax, sqlite
-- hint: use LIKE
-- repair: SELECT * FROM customers WHERE name LIKE 'a%'
SELECT * FROM customers WHERE name ILIKE 'a%';

-- case: a typed date
-- error: sql.syntax, sqlite
-- hint: without DATE
-- repair: SELECT * FROM orders WHERE order_date >= '2024-03-01'
SELECT * FROM orders WHERE order_date >= DATE '2024-03-01';

-- case: STDDEV
-- error: sql.no_such_function, sqlite
-- hint: helpers.sql.statistics
-- repair: SELECT sqrt(avg(amount * amount) - avg(amount) * avg(amount)) FROM orders
-- snippet: helpers.db.query(helpers.sql.statistics("orders", "amount"))
SELECT STDDEV(amount) FROM orders;

-- case: a window function in WHERE
-- error: sql.runtime, sqlite
-- hint: subquery
-- repair: SELECT * FROM (SELECT order_id, RANK() OVER (ORDER BY amount DESC) AS r FROM orders) WHERE r <= 3
SELECT order_id, RANK() OVER (ORDER BY amount DESC) AS r FROM orders WHERE r <= 3;

-- case: an aggregate in WHERE
-- error: sql.runtime, sqlite
-- hint: HAVING
-- repair: SELECT customer_id FROM orders GROUP BY customer_id HAVING SUM(amount) > 100
SELECT customer_id FROM orders WHERE SUM(amount) > 100 GROUP BY customer_id;

-- case: distinct values joined by a separator
-- error: sql.runtime, sqlite
-- hint: SELECT DISTINCT
-- repair: SELECT group_concat(status, '; ') FROM (SELECT DISTINCT status FROM orders)
SELECT GROUP_CONCAT(DISTINCT status, '; ') FROM orders;

-- case: distinct pairs counted
-- error: sql.runtime, sqlite
-- hint: SELECT DISTINCT a, b
-- repair: SELECT count(*) FROM (SELECT DISTINCT customer_id, status FROM orders)
SELECT COUNT(DISTINCT customer_id, status) FROM orders;

-- case: an ambiguous column
-- error: sql.runtime, sqlite
-- hint: t.column
-- repair: SELECT o.customer_id, name FROM orders o JOIN customers c ON c.customer_id = o.customer_id
SELECT customer_id, name FROM orders o JOIN customers c ON c.customer_id = o.customer_id;

-- case: ROLLUP
-- error: sql.no_such_function, sqlite
-- hint: UNION ALL
-- repair: SELECT status, SUM(amount) FROM orders GROUP BY status UNION ALL SELECT NULL, SUM(amount) FROM orders
SELECT status, SUM(amount) FROM orders GROUP BY ROLLUP (status);

-- case: GENERATE_SERIES
-- error: sql.no_such_table, sqlite
-- hint: WITH RECURSIVE
-- repair: WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 10) SELECT n FROM s
SELECT value FROM generate_series(1, 10);

-- case: an update with a join
-- error: sql.syntax, sqlite
-- hint: UPDATE t SET … FROM
-- repair: UPDATE orders SET status = 'vip' FROM customers c WHERE c.customer_id = orders.customer_id AND c.segment = 'none'
UPDATE orders o JOIN customers c ON c.customer_id = o.customer_id SET o.status = 'vip' WHERE c.segment = 'none';

-- case: parenthesized parts of a union
-- error: sql.syntax, keyword
-- hint: no parentheses
-- repair: SELECT * FROM (SELECT order_id FROM orders ORDER BY amount LIMIT 1) UNION ALL SELECT * FROM (SELECT order_id FROM orders ORDER BY amount DESC LIMIT 1)
(SELECT order_id FROM orders ORDER BY amount LIMIT 1) UNION ALL (SELECT order_id FROM orders ORDER BY amount DESC LIMIT 1);

-- case: a temporary table
-- refused: temp, keyword
-- hint: ordinary table
-- repair: CREATE TABLE scratch AS SELECT * FROM orders WHERE status = 'paid'
-- repair: DROP TABLE scratch
CREATE TEMP TABLE scratch AS SELECT * FROM orders WHERE status = 'paid';

-- case: EXPLAIN ANALYZE
-- refused: maintenance, keyword
-- hint: EXPLAIN QUERY PLAN
-- repair: EXPLAIN QUERY PLAN SELECT * FROM orders
-- snippet: helpers.db.explain("SELECT * FROM orders")
EXPLAIN ANALYZE SELECT * FROM orders;

-- case: MERGE
-- refused: kind, keyword
-- hint: ON CONFLICT
-- repair: INSERT INTO monthly_summary (month, orders, revenue) VALUES ('2024-06', 1, 1.0) ON CONFLICT(month) DO UPDATE SET orders = excluded.orders
MERGE INTO monthly_summary t USING (SELECT '2024-06' AS month) s ON t.month = s.month WHEN MATCHED THEN UPDATE SET orders = 1;

-- case: a regular expression
-- error: sql.no_such_function, sqlite
-- hint: re
-- repair: SELECT * FROM customers WHERE email GLOB '*@x.*'
-- snippet: import re; [r for r in helpers.db.query("SELECT email FROM customers") if re.search("@x", r["email"] or "")]
SELECT * FROM customers WHERE email REGEXP '^[a-c].*@x';

-- case: REPLACE with a placeholder of another driver
-- error: sql.syntax, sqlite
-- hint: ? or :name
-- repair: SELECT * FROM orders WHERE status = 'paid'
SELECT * FROM orders WHERE status = %s AND amount > %s;

-- case: DROP TABLE … CASCADE
-- error: sql.syntax, sqlite
-- hint: leave CASCADE out
-- repair: DROP TABLE IF EXISTS monthly_summary
DROP TABLE IF EXISTS monthly_summary CASCADE;

-- case: the schema named public
-- error: sql.no_such_table, sqlite
-- hint: one database
-- repair: SELECT count(*) FROM orders
SELECT count(*) FROM public.orders;

-- case: a lateral join
-- error: sql.syntax, sqlite
-- hint: correlated subquery
-- repair: SELECT c.name, (SELECT amount FROM orders o WHERE o.customer_id = c.customer_id ORDER BY amount DESC LIMIT 1) FROM customers c
SELECT c.name, t.amount FROM customers c, LATERAL (SELECT amount FROM orders o WHERE o.customer_id = c.customer_id ORDER BY amount DESC LIMIT 1) t;

-- case: PIVOT
-- error: sql.syntax, sqlite
-- hint: CASE WHEN
-- repair: SELECT sum(CASE WHEN status = 'paid' THEN amount END) AS paid FROM orders
SELECT * FROM orders PIVOT (SUM(amount) FOR status IN ('paid', 'pending'));

-- case: a comparison with ANY
-- error: sql.syntax, sqlite
-- hint: IN (
-- repair: SELECT name FROM employees WHERE salary > (SELECT min(salary) FROM employees WHERE department = 'Eng')
SELECT name FROM employees WHERE salary > ANY (SELECT salary FROM employees WHERE department = 'Eng');

-- case: a date minus days
-- allowed: select
-- rows: [["2024-02-23"]]
SELECT date('2024-03-01', '-7 days') AS since;

-- case: NVL, IF and CONCAT
-- error: sql.no_such_function, sqlite
-- hint: coalesce
-- repair: SELECT coalesce(country, '?'), iif(segment = 'vip', 1, 0), concat(name, ' ', segment) FROM customers
SELECT NVL(country, '?'), IF(segment = 'vip', 1, 0), CONCAT(name, ' ', segment) FROM customers;

-- case: LEFT and RIGHT
-- error: sql.no_such_function, sqlite
-- hint: substr
-- repair: SELECT substr(name, 1, 2), substr(name, -2) FROM customers
SELECT LEFT(name, 2), RIGHT(name, 2) FROM customers;

-- case: comments before and behind
-- allowed: select
-- rows: [[6]]
-- how many orders are there?
SELECT COUNT(*) /* all */ FROM orders; -- done

-- case: keywords in all letters
-- allowed: select
-- rows: [["paid", 4]]
sElEcT status, Count(*) FrOm orders gRoUp By status oRdEr bY 2 dEsC lImIt 1
