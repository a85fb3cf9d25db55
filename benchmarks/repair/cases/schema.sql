-- Definitions of tables, indexes and views.

-- case: an inline index
-- after: SELECT count(*) FROM pragma_index_list('delays')
-- shows: [[1]]
CREATE TABLE delays (id INTEGER PRIMARY KEY, carrier TEXT, minutes INTEGER, INDEX idx_carrier (carrier))

-- case: two inline indexes of MySQL
-- after: SELECT count(*) FROM pragma_index_list('delays')
-- shows: [[2]]
CREATE TABLE delays (id INT PRIMARY KEY AUTO_INCREMENT, carrier VARCHAR(10), day DATE, KEY idx_carrier (carrier), KEY idx_day (day)) ENGINE=InnoDB

-- case: an inline index without a name
-- after: SELECT count(*) FROM pragma_index_list('delays')
-- shows: [[1]]
CREATE TABLE delays (id INTEGER PRIMARY KEY, carrier TEXT, INDEX (carrier))

-- case: an inline index whose name is taken
-- setup: CREATE INDEX idx_carrier ON flights (carrier)
-- after: SELECT count(*) FROM pragma_index_list('delays')
-- shows: [[1]]
CREATE TABLE delays (id INTEGER PRIMARY KEY, carrier TEXT, INDEX idx_carrier (carrier))

-- case: AUTO_INCREMENT
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(255) NOT NULL)

-- case: SERIAL
-- setup: CREATE TABLE dummy (x)
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[3]]
CREATE TABLE notes (id SERIAL PRIMARY KEY, note TEXT, created_at TIMESTAMP DEFAULT NOW())

-- case: IDENTITY
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INT IDENTITY(1,1) PRIMARY KEY, note NVARCHAR(MAX))

-- case: GENERATED ALWAYS AS IDENTITY
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note TEXT)

-- case: AUTOINCREMENT on INT
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INT PRIMARY KEY AUTOINCREMENT, note TEXT)

-- case: ENUM
-- after: SELECT count(*) FROM pragma_table_info('status')
-- shows: [[2]]
CREATE TABLE status (id INTEGER PRIMARY KEY, state ENUM('on time', 'late', 'cancelled') NOT NULL)

-- case: a default that is a function
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id TEXT PRIMARY KEY DEFAULT gen_random_uuid(), created TEXT DEFAULT datetime('now'))

-- case: a table's comment
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INTEGER PRIMARY KEY COMMENT 'the key', note TEXT COMMENT 'the text') COMMENT='notes' DEFAULT CHARSET=utf8mb4

-- case: UNIQUE KEY
-- after: SELECT count(*) FROM pragma_index_list('routes') WHERE "unique"
-- shows: [[1]]
CREATE TABLE routes (origin VARCHAR(3), dest VARCHAR(3), UNIQUE KEY uq_route (origin, dest))

-- case: a trailing comma
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT,)

-- case: an ellipsis
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT, ...)

-- case: a constraint that was not finished
-- after: SELECT count(*) FROM pragma_table_info('notes')
-- shows: [[2]]
CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT, UNIQUE)

-- case: a table that exists
-- after: SELECT count(*) FROM airlines
-- shows: [[16]]
CREATE TABLE airlines (carrier TEXT, name TEXT)

-- case: an index that exists
-- setup: CREATE INDEX by_carrier ON flights (carrier)
-- after: SELECT count(*) FROM pragma_index_list('flights')
-- shows: [[1]]
CREATE INDEX by_carrier ON flights (carrier)

-- case: an index of the same name on another table
-- setup: CREATE INDEX by_carrier ON flights (carrier)
-- after: SELECT count(*) FROM pragma_index_list('airlines')
-- shows: [[1]]
CREATE INDEX by_carrier ON airlines (carrier)

-- case: a column that exists
-- after: SELECT count(*) FROM pragma_table_info('airlines')
-- shows: [[2]]
ALTER TABLE airlines ADD COLUMN name TEXT

-- case: ADD COLUMN with the time of now
-- after: SELECT count(*) FROM airlines WHERE loaded_at IS NOT NULL
-- shows: [[16]]
ALTER TABLE airlines ADD COLUMN loaded_at TEXT DEFAULT CURRENT_TIMESTAMP

-- case: ADD COLUMN NOT NULL
-- after: SELECT count(*) FROM pragma_table_info('airlines')
-- shows: [[3]]
ALTER TABLE airlines ADD COLUMN country TEXT NOT NULL

-- case: ADD COLUMN IF NOT EXISTS
-- after: SELECT count(*) FROM pragma_table_info('airlines')
-- shows: [[3]]
ALTER TABLE airlines ADD COLUMN IF NOT EXISTS country TEXT

-- case: two columns at once
-- after: SELECT count(*) FROM pragma_table_info('airlines')
-- shows: [[4]]
ALTER TABLE airlines ADD COLUMN country TEXT, ADD COLUMN founded INTEGER

-- case: ALTER COLUMN TYPE
ALTER TABLE airports ALTER COLUMN alt TYPE REAL

-- case: MODIFY COLUMN
ALTER TABLE airports MODIFY COLUMN alt DOUBLE

-- case: RENAME COLUMN of MySQL
-- after: SELECT airline_name FROM airlines WHERE carrier = 'AA'
-- shows: [["American Airlines Inc."]]
ALTER TABLE airlines CHANGE name airline_name VARCHAR(100)

-- case: CREATE OR REPLACE VIEW
-- setup: CREATE VIEW late AS SELECT 1 AS x
-- after: SELECT count(*) FROM late
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
CREATE OR REPLACE VIEW late AS SELECT * FROM flights WHERE dep_delay > 60

-- case: CREATE OR REPLACE TABLE
-- after: SELECT count(*) FROM late
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
CREATE OR REPLACE TABLE late AS SELECT * FROM flights WHERE dep_delay > 60

-- case: MATERIALIZED VIEW
-- after: SELECT count(*) FROM late
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
CREATE MATERIALIZED VIEW late AS SELECT * FROM flights WHERE dep_delay > 60

-- case: TEMP TABLE
-- after: SELECT count(*) FROM late
-- equals: SELECT count(*) FROM flights WHERE dep_delay > 60
CREATE TEMP TABLE late AS SELECT * FROM flights WHERE dep_delay > 60

-- case: CREATE TABLE LIKE
-- after: SELECT count(*) FROM pragma_table_info('airlines_copy')
-- shows: [[2]]
CREATE TABLE airlines_copy LIKE airlines

-- case: USING BTREE
-- after: SELECT count(*) FROM pragma_index_list('flights')
-- shows: [[1]]
CREATE INDEX by_dest ON flights USING btree (dest)

-- case: CONCURRENTLY
-- after: SELECT count(*) FROM pragma_index_list('flights')
-- shows: [[1]]
CREATE INDEX CONCURRENTLY by_dest ON flights (dest)

-- case: DROP INDEX ON
-- setup: CREATE INDEX by_dest ON flights (dest)
-- after: SELECT count(*) FROM pragma_index_list('flights')
-- shows: [[0]]
DROP INDEX by_dest ON flights

-- case: DROP TABLE CASCADE
-- after: SELECT count(*) FROM sqlite_schema WHERE name = 'planes'
-- shows: [[0]]
DROP TABLE IF EXISTS planes CASCADE

-- case: DROP of what is not there
-- after: SELECT count(*) FROM sqlite_schema WHERE name = 'scratch'
-- shows: [[0]]
DROP TABLE scratch

-- case: DROP VIEW of a table
-- setup: CREATE TABLE scratch (x)
-- after: SELECT count(*) FROM sqlite_schema WHERE name = 'scratch'
-- shows: [[0]]
DROP VIEW scratch
