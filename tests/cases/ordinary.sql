-- in order: what analysts and models write on three small schemas. A refusal here is a fault of the guard.

-- case: shop: customers
-- allowed: create_table
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY, company TEXT NOT NULL, contact TEXT, city TEXT, country TEXT, phone TEXT
);

-- case: shop: employees
-- allowed: create_table
CREATE TABLE employees (employee_id INTEGER PRIMARY KEY, last_name TEXT, first_name TEXT, title TEXT, hired DATE, reports_to INTEGER REFERENCES employees (employee_id));

-- case: shop: categories
-- allowed: create_table
CREATE TABLE IF NOT EXISTS categories (category_id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(40) UNIQUE);

-- case: shop: products
-- allowed: create_table
CREATE TABLE products (product_id INTEGER PRIMARY KEY, name TEXT, category_id INTEGER, unit_price DECIMAL(10,2) DEFAULT 0, units_in_stock INT CHECK (units_in_stock >= 0), discontinued BOOLEAN DEFAULT FALSE, FOREIGN KEY (category_id) REFERENCES categories (category_id));

-- case: shop: orders
-- allowed: create_table
CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id TEXT REFERENCES customers, employee_id INT, order_date TEXT, shipped_date TEXT, freight REAL);

-- case: shop: order details
-- allowed: create_table
CREATE TABLE "order details" (order_id INTEGER, product_id INTEGER, unit_price REAL, quantity INTEGER, discount REAL DEFAULT 0, PRIMARY KEY (order_id, product_id)) WITHOUT ROWID;

-- case: shop: rows of customers
-- allowed: insert
INSERT INTO customers VALUES ('ALFKI', 'Alfreds', 'Maria', 'Berlin', 'Germany', NULL), ('BONAP', 'Bon app''', 'Laurence', 'Marseille', 'France', '91.24'), ('CACTU', 'Cactus', 'Patricio', 'Buenos Aires', 'Argentina', '(1) 135');

-- case: shop: rows of employees
-- allowed: insert
INSERT INTO employees VALUES (1, 'Davolio', 'Nancy', 'Rep', '1992-05-01', 2), (2, 'Fuller', 'Andrew', 'VP', '1992-08-14', NULL), (3, 'King', 'Robert', 'Rep', '1994-01-02', 2);

-- case: shop: rows of categories
-- allowed: insert
INSERT INTO categories (name) VALUES ('Beverages'), ('Condiments');

-- case: shop: rows of products
-- allowed: insert
INSERT INTO products (product_id, name, category_id, unit_price, units_in_stock) VALUES (1, 'Chai', 1, 18, 39), (2, 'Chang', 1, 19, 17), (3, 'Syrup', 2, 10, 13), (4, 'Sauce', 2, 21.35, 0);

-- case: shop: rows of orders
-- allowed: insert
INSERT INTO orders VALUES (10, 'ALFKI', 1, '1996-07-04', '1996-07-16', 32.38), (11, 'BONAP', 3, '1996-07-05', NULL, 11.61), (12, 'ALFKI', 1, '1997-02-08', '1997-02-12', 65.83);

-- case: shop: rows of details
-- allowed: insert
INSERT INTO "order details" VALUES (10, 1, 14.0, 12, 0), (10, 3, 9.8, 10, 0.05), (11, 2, 18.6, 9, 0), (12, 1, 18, 40, 0.15), (12, 4, 21.35, 5, 0);

-- case: shop: an index
-- allowed: create_index
CREATE INDEX IF NOT EXISTS idx_orders_customer ON orders (customer_id, order_date DESC);

-- case: shop: a view
-- allowed: create_view
CREATE VIEW order_totals AS SELECT d.order_id, round(sum(d.unit_price * d.quantity * (1 - d.discount)), 2) AS total FROM "order details" d GROUP BY d.order_id;

-- case: shop: orders of a customer
-- allowed: select
SELECT o.order_id, o.order_date, t.total FROM orders o JOIN order_totals t ON t.order_id = o.order_id WHERE o.customer_id = 'ALFKI' ORDER BY o.order_date DESC LIMIT 10;

-- case: shop: best sellers
-- allowed: select
SELECT p.name, SUM(d.quantity) AS sold, ROUND(SUM(d.quantity * d.unit_price), 2) AS revenue FROM "order details" AS d INNER JOIN products AS p ON p.product_id = d.product_id GROUP BY p.product_id, p.name HAVING SUM(d.quantity) > 5 ORDER BY revenue DESC;

-- case: shop: customers without orders
-- allowed: select
SELECT c.company FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id WHERE o.order_id IS NULL;

-- case: shop: customers without orders, by NOT IN
-- allowed: select
SELECT company FROM customers WHERE customer_id NOT IN (SELECT customer_id FROM orders);

-- case: shop: customers without orders, by NOT EXISTS
-- allowed: select
SELECT company FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders WHERE customer_id = c.customer_id);

-- case: shop: employees and their heads
-- allowed: select
SELECT e.first_name || ' ' || e.last_name AS employee, COALESCE(m.last_name, 'nobody') AS head FROM employees e LEFT OUTER JOIN employees m ON e.reports_to = m.employee_id;

-- case: shop: the line of command
-- allowed: select
WITH RECURSIVE chain AS (SELECT employee_id, last_name, 0 AS level FROM employees WHERE reports_to IS NULL UNION ALL SELECT e.employee_id, e.last_name, chain.level + 1 FROM employees e JOIN chain ON e.reports_to = chain.employee_id) SELECT printf('%.*c%s', level * 2 + 1, ' ', last_name) FROM chain ORDER BY level, last_name;

-- case: shop: orders by month
-- allowed: select
SELECT strftime('%Y-%m', order_date) AS month, COUNT(*) AS n FROM orders GROUP BY month ORDER BY 1;

-- case: shop: orders by quarter
-- allowed: select
SELECT substr(order_date, 1, 4) || '-Q' || ((CAST(strftime('%m', order_date) AS INTEGER) + 2) / 3) AS quarter, count(*) FROM orders GROUP BY 1;

-- case: shop: days to ship
-- allowed: select
SELECT order_id, julianday(shipped_date) - julianday(order_date) AS days FROM orders WHERE shipped_date IS NOT NULL AND order_date BETWEEN '1996-01-01' AND date('1996-12-31', '+1 day');

-- case: shop: above the average
-- allowed: select
SELECT name, unit_price FROM products WHERE unit_price > (SELECT AVG(unit_price) FROM products);

-- case: shop: price ranges
-- allowed: select
SELECT CASE WHEN unit_price < 15 THEN 'low' WHEN unit_price < 20 THEN 'middle' ELSE 'high' END AS range, COUNT(*) FROM products GROUP BY range;

-- case: shop: rank within a category
-- allowed: select
SELECT c.name, p.name, p.unit_price, RANK() OVER (PARTITION BY p.category_id ORDER BY p.unit_price DESC) AS place FROM products p JOIN categories c USING (category_id);

-- case: shop: the first of each category
-- allowed: select
SELECT * FROM (SELECT p.*, ROW_NUMBER() OVER (PARTITION BY category_id ORDER BY unit_price DESC) AS rn FROM products p) WHERE rn = 1;

-- case: shop: a running sum
-- allowed: select
SELECT order_id, freight, SUM(freight) OVER (ORDER BY order_date ROWS UNBOUNDED PRECEDING) AS so_far FROM orders;

-- case: shop: a moving mean
-- allowed: select
SELECT order_date, AVG(freight) OVER (ORDER BY order_date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM orders;

-- case: shop: change from the last
-- allowed: select
SELECT order_id, freight - LAG(freight) OVER (ORDER BY order_date) AS delta, FIRST_VALUE(freight) OVER (ORDER BY order_date) FROM orders;

-- case: shop: shares
-- allowed: select
SELECT country, COUNT(*) * 100.0 / (SELECT COUNT(*) FROM customers) AS percent FROM customers GROUP BY country;

-- case: shop: quartiles
-- allowed: select
SELECT NTILE(4) OVER (ORDER BY unit_price) AS q, name FROM products;

-- case: shop: a pivot
-- allowed: select
SELECT customer_id, SUM(CASE WHEN strftime('%Y', order_date) = '1996' THEN 1 ELSE 0 END) AS y1996, SUM(IIF(order_date >= '1997', 1, 0)) AS y1997 FROM orders GROUP BY customer_id;

-- case: shop: distinct pairs
-- allowed: select
SELECT DISTINCT city, country FROM customers WHERE phone IS NOT NULL ORDER BY country COLLATE NOCASE, city;

-- case: shop: a search
-- allowed: select
SELECT * FROM customers WHERE lower(company) LIKE '%bon%' OR contact LIKE 'Mar__';

-- case: shop: lists
-- allowed: select
SELECT country, GROUP_CONCAT(company, '; ') AS companies FROM customers GROUP BY country;

-- case: shop: a union
-- allowed: select
SELECT company AS name, 'customer' AS kind FROM customers UNION ALL SELECT last_name, 'employee' FROM employees ORDER BY kind, name;

-- case: shop: the difference of two sets
-- allowed: select
SELECT product_id FROM products EXCEPT SELECT product_id FROM "order details";

-- case: shop: a cross join
-- allowed: select
SELECT c.country, p.name FROM (SELECT DISTINCT country FROM customers) c CROSS JOIN products p LIMIT 5 OFFSET 2;

-- case: shop: a join of five
-- allowed: select
SELECT c.company, e.last_name, cat.name, SUM(d.quantity) FROM customers c JOIN orders o ON o.customer_id = c.customer_id JOIN employees e ON e.employee_id = o.employee_id JOIN "order details" d ON d.order_id = o.order_id JOIN products p ON p.product_id = d.product_id JOIN categories cat ON cat.category_id = p.category_id GROUP BY 1, 2, 3 ORDER BY 4 DESC;

-- case: shop: old joins
-- allowed: select
SELECT c.company, o.order_id FROM customers c, orders o WHERE c.customer_id = o.customer_id AND o.freight >= 20;

-- case: shop: days of the week
-- allowed: select
SELECT CASE CAST(strftime('%w', order_date) AS INT) WHEN 0 THEN 'Sun' WHEN 6 THEN 'Sat' ELSE 'week' END AS d, count(*) FROM orders GROUP BY d;

-- case: shop: counted distinct
-- allowed: select
SELECT COUNT(DISTINCT customer_id), COUNT(DISTINCT strftime('%Y', order_date)) FROM orders;

-- case: shop: minimum with its row
-- allowed: select
SELECT order_id, MIN(freight) FROM orders;

-- case: shop: common table expressions in a row
-- allowed: select
WITH per_customer AS (SELECT customer_id, COUNT(*) AS n, SUM(freight) AS f FROM orders GROUP BY customer_id), ranked AS (SELECT *, DENSE_RANK() OVER (ORDER BY n DESC) AS r FROM per_customer) SELECT * FROM ranked WHERE r <= 2;

-- case: shop: a calendar
-- allowed: select
WITH RECURSIVE days(d) AS (SELECT date('1996-07-01') UNION ALL SELECT date(d, '+1 day') FROM days WHERE d < '1996-07-07') SELECT days.d, COUNT(o.order_id) FROM days LEFT JOIN orders o ON o.order_date = days.d GROUP BY days.d;

-- case: shop: JSON of rows
-- allowed: select
SELECT json_group_array(json_object('id', order_id, 'freight', freight)) FROM orders;

-- case: shop: standard deviation by hand
-- allowed: select
SELECT sqrt(avg(freight * freight) - avg(freight) * avg(freight)) AS sd FROM orders;

-- case: shop: the median
-- allowed: select
SELECT unit_price FROM products ORDER BY unit_price LIMIT 1 OFFSET (SELECT COUNT(*) FROM products) / 2;

-- case: shop: null handling
-- allowed: select
SELECT IFNULL(phone, 'none'), NULLIF(city, 'Berlin'), phone IS NULL FROM customers;

-- case: shop: duplicates
-- allowed: select
SELECT customer_id, COUNT(*) c FROM orders GROUP BY customer_id HAVING c > 1;

-- case: shop: text work
-- allowed: select
SELECT upper(substr(company, 1, 1)) || lower(substr(company, 2)), length(company), instr(company, 'a'), replace(company, '''', ''), trim(phone, '()'), ltrim(phone) FROM customers;

-- case: shop: numbers as text
-- allowed: select
SELECT printf('%,d', 1234567), printf('%.1f%%', 12.345), CAST('12abc' AS INTEGER), 7 / 2, 7 / 2.0, 7 % 2;

-- case: shop: arguments in order
-- allowed: select
SELECT * FROM products WHERE discontinued = 0 AND (unit_price > 10 OR units_in_stock = 0) ORDER BY discontinued, unit_price DESC NULLS LAST LIMIT 20;

-- case: shop: cohorts
-- allowed: select
WITH first AS (SELECT customer_id, MIN(strftime('%Y', order_date)) AS cohort FROM orders GROUP BY customer_id) SELECT f.cohort, strftime('%Y', o.order_date) AS y, COUNT(DISTINCT o.customer_id) FROM orders o JOIN first f USING (customer_id) GROUP BY 1, 2;

-- case: shop: a percentile
-- allowed: select
SELECT order_id, ROUND(PERCENT_RANK() OVER (ORDER BY freight), 3), CUME_DIST() OVER (ORDER BY freight) FROM orders;

-- case: shop: change prices
-- allowed: update
UPDATE products SET unit_price = ROUND(unit_price * 1.1, 2) WHERE category_id = (SELECT category_id FROM categories WHERE name = 'Beverages');

-- case: shop: ship
-- allowed: update
UPDATE orders SET shipped_date = date(order_date, '+3 days') WHERE shipped_date IS NULL;

-- case: shop: an upsert
-- allowed: insert
INSERT INTO products (product_id, name, units_in_stock) VALUES (1, 'Chai', 5) ON CONFLICT (product_id) DO UPDATE SET units_in_stock = products.units_in_stock + excluded.units_in_stock;

-- case: shop: remove old
-- allowed: delete
DELETE FROM orders WHERE order_date < date('1990-01-01') AND order_id NOT IN (SELECT order_id FROM "order details");

-- case: shop: a summary table
-- allowed: create_table
CREATE TABLE monthly AS SELECT strftime('%Y-%m', order_date) AS month, COUNT(*) AS orders, SUM(freight) AS freight FROM orders GROUP BY 1;

-- case: shop: a new column
-- allowed: alter_table
ALTER TABLE customers ADD COLUMN vip INTEGER DEFAULT 0;

-- case: shop: fill the new column
-- allowed: update
UPDATE customers SET vip = 1 FROM (SELECT customer_id, COUNT(*) AS n FROM orders GROUP BY customer_id) AS c WHERE c.customer_id = customers.customer_id AND c.n > 1;

-- case: shop: a plan
-- allowed: explain
EXPLAIN QUERY PLAN SELECT * FROM orders WHERE customer_id = 'ALFKI' ORDER BY order_date DESC;

-- case: music: artists
-- allowed: create_table
CREATE TABLE Artist (ArtistId INTEGER NOT NULL, Name NVARCHAR(120), CONSTRAINT PK_Artist PRIMARY KEY (ArtistId));

-- case: music: albums
-- allowed: create_table
CREATE TABLE [Album] ([AlbumId] INTEGER NOT NULL, [Title] NVARCHAR(160) NOT NULL, [ArtistId] INTEGER NOT NULL, CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]), FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId]) ON DELETE NO ACTION ON UPDATE NO ACTION);

-- case: music: tracks
-- allowed: create_table
CREATE TABLE `Track` (`TrackId` INTEGER PRIMARY KEY, `Name` TEXT, `AlbumId` INTEGER, `Milliseconds` INTEGER, `UnitPrice` NUMERIC(10,2), tags TEXT);

-- case: music: a unique index
-- allowed: create_index
CREATE UNIQUE INDEX [IPK_Artist] ON [Artist]([ArtistId]);

-- case: music: rows
-- allowed: insert
INSERT INTO Artist VALUES (1, 'AC/DC'), (2, 'Motörhead'), (3, 'Antônio Carlos Jobim');

-- case: music: albums of them
-- allowed: insert
INSERT INTO [Album] ([AlbumId], [Title], [ArtistId]) SELECT ArtistId * 10, 'Best of ' || Name, ArtistId FROM Artist;

-- case: music: tracks of them
-- allowed: insert
INSERT INTO Track VALUES (1, 'One', 10, 343719, 0.99, '["rock","live"]'), (2, 'Two', 10, 205662, 0.99, '[]'), (3, 'Three', 20, 233926, 1.29, '["rock"]'), (4, 'Four', 30, 100000, 0.99, NULL);

-- case: music: tracks per artist
-- allowed: select
SELECT ar.Name, COUNT(t.TrackId) AS Tracks, SUM(t.Milliseconds) / 60000.0 AS Minutes FROM Artist ar LEFT JOIN Album al ON al.ArtistId = ar.ArtistId LEFT JOIN Track t ON t.AlbumId = al.AlbumId GROUP BY ar.ArtistId ORDER BY Tracks DESC, ar.Name;

-- case: music: tracks by tag
-- allowed: select
SELECT j.value AS tag, COUNT(*) AS n FROM Track, json_each(Track.tags) AS j GROUP BY tag ORDER BY n DESC;

-- case: music: tracks with a tag
-- allowed: select
SELECT Name FROM Track WHERE EXISTS (SELECT 1 FROM json_each(tags) WHERE value = 'live');

-- case: music: the length of a tag list
-- allowed: select
SELECT Name, json_array_length(tags), json_extract(tags, '$[0]'), tags ->> '$[#-1]' FROM Track;

-- case: music: as minutes
-- allowed: select
SELECT Name, Milliseconds / 60000 || ':' || printf('%02d', Milliseconds / 1000 % 60) AS length FROM Track;

-- case: music: the longest per album
-- allowed: select
SELECT AlbumId, Name, MAX(Milliseconds) FROM Track GROUP BY AlbumId;

-- case: music: albums with more than one track
-- allowed: select
SELECT Title FROM Album WHERE (SELECT COUNT(*) FROM Track WHERE Track.AlbumId = Album.AlbumId) > 1;

-- case: music: names with accents
-- allowed: select
SELECT Name FROM Artist WHERE Name LIKE '%ö%' OR Name GLOB '*[ôö]*';

-- case: music: all pairs of tracks
-- allowed: select
SELECT a.Name, b.Name FROM Track a JOIN Track b ON a.TrackId < b.TrackId AND a.AlbumId = b.AlbumId;

-- case: music: a natural join
-- allowed: select
SELECT Title, Name FROM Album NATURAL JOIN Artist;

-- case: music: a full join
-- allowed: select
SELECT al.Title, t.Name FROM Album al FULL OUTER JOIN Track t ON t.AlbumId = al.AlbumId;

-- case: music: a full-text table
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE track_search USING fts5(Name, tags, content='Track', content_rowid='TrackId');

-- case: music: fill it
-- allowed: insert
INSERT INTO track_search (track_search) VALUES ('rebuild');

-- case: music: search it
-- allowed: select
SELECT t.Name, bm25(track_search) AS score FROM track_search JOIN Track t ON t.TrackId = track_search.rowid WHERE track_search MATCH 'rock NOT live' ORDER BY score LIMIT 10;

-- case: music: append a tag
-- allowed: update
UPDATE Track SET tags = json_insert(coalesce(tags, '[]'), '$[#]', 'new') WHERE TrackId = 4 RETURNING tags;

-- case: films: films
-- allowed: create_table
CREATE TABLE film (film_id INTEGER PRIMARY KEY, title TEXT NOT NULL, release_year INTEGER, rental_rate NUMERIC DEFAULT 4.99, rating TEXT DEFAULT 'G' CHECK (rating IN ('G', 'PG', 'R')), last_update TIMESTAMP DEFAULT CURRENT_TIMESTAMP);

-- case: films: rentals
-- allowed: create_table
CREATE TABLE rental (rental_id INTEGER PRIMARY KEY, film_id INTEGER REFERENCES film ON DELETE CASCADE, rented_at TEXT, returned_at TEXT, amount REAL);

-- case: films: log of changes
-- allowed: create_table
CREATE TABLE film_audit (at TEXT, film_id INTEGER, old TEXT, new TEXT);

-- case: films: a trigger
-- allowed: create_trigger
CREATE TRIGGER film_updated AFTER UPDATE ON film FOR EACH ROW WHEN old.title IS NOT new.title BEGIN UPDATE film SET last_update = datetime('now') WHERE film_id = new.film_id; INSERT INTO film_audit VALUES (datetime('now'), new.film_id, json_object('title', old.title), json_object('title', new.title)); END;

-- case: films: rows
-- allowed: insert
INSERT INTO film (title, release_year, rating) VALUES ('Academy Dinosaur', 2006, 'PG'), ('Ace Goldfinger', 2006, 'G'), ('Zorro Ark', 2007, 'R');

-- case: films: rentals of them
-- allowed: insert
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO rental (film_id, rented_at, returned_at, amount) SELECT i % 3 + 1, datetime('2005-05-24', '+' || i || ' days'), CASE WHEN i % 7 THEN datetime('2005-05-24', '+' || (i + 3) || ' days') END, i * 0.5 FROM n;

-- case: films: income by month
-- allowed: select
SELECT strftime('%Y-%m', rented_at) AS month, ROUND(SUM(amount), 2) AS income, ROUND(SUM(amount) - LAG(SUM(amount)) OVER (ORDER BY strftime('%Y-%m', rented_at)), 2) AS change FROM rental GROUP BY month;

-- case: films: late returns
-- allowed: select
SELECT f.title, COUNT(*) FROM rental r JOIN film f USING (film_id) WHERE returned_at IS NULL OR julianday(returned_at) - julianday(rented_at) > 5 GROUP BY f.title;

-- case: films: the last ten days
-- allowed: select
SELECT COUNT(*) FROM rental WHERE rented_at >= date('2005-07-13', '-10 days');

-- case: films: a histogram
-- allowed: select
SELECT CAST(amount / 5 AS INTEGER) * 5 AS bin, COUNT(*) AS n, replace(printf('%.*c', count(*), '*'), ' ', '') AS bar FROM rental GROUP BY bin ORDER BY bin;

-- case: films: gaps
-- allowed: select
SELECT rental_id, rented_at, LEAD(rented_at) OVER (PARTITION BY film_id ORDER BY rented_at) AS next FROM rental LIMIT 5;

-- case: films: by hour
-- allowed: select
SELECT CAST(strftime('%H', rented_at) AS INTEGER) AS hour, AVG(amount), MEDIAN(amount) FROM rental GROUP BY hour;

-- case: films: a sample
-- allowed: select
SELECT * FROM rental ORDER BY RANDOM() LIMIT 5;

-- case: films: every tenth
-- allowed: select
SELECT * FROM rental WHERE rental_id % 10 = 0;

-- case: films: the tables there are
-- allowed: select
SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name;

-- case: films: the columns of a table
-- allowed: select
SELECT name, type FROM pragma_table_info('film');

-- case: films: a change that fires the trigger
-- allowed: update
UPDATE film SET title = 'Ace Goldfinger II' WHERE film_id = 2;

-- case: films: what it left
-- allowed: select
SELECT film_id, old ->> 'title', new ->> 'title' FROM film_audit;

-- case: films: remove with the cascade
-- allowed: delete
DELETE FROM film WHERE film_id = 3;

-- case: films: rename
-- allowed: alter_table
ALTER TABLE film_audit RENAME TO film_history;

-- case: films: drop the trigger
-- allowed: drop_trigger
DROP TRIGGER film_updated;

-- case: films: drop the view
-- allowed: drop_view
DROP VIEW IF EXISTS order_totals;

-- case: films: drop the table
-- allowed: drop_table
DROP TABLE rental;
