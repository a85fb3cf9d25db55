-- Statements that a session does not run, and what does the same.

-- case: SHOW TABLES
-- answer: SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('airlines', 'airports', 'flights', 'planes', 'weather')
SHOW TABLES

-- case: DESCRIBE
-- answer: SELECT name, type FROM pragma_table_info('airlines')
-- columns: name type
DESCRIBE airlines

-- case: SHOW COLUMNS
-- answer: SELECT name, type FROM pragma_table_info('airlines')
-- columns: name type
SHOW COLUMNS FROM airlines

-- case: PRAGMA table_info
-- answer: SELECT name, type FROM pragma_table_info('flights')
-- columns: name type
PRAGMA table_info(flights)

-- case: PRAGMA table_list
-- answer: SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('airlines', 'airports', 'flights', 'planes', 'weather')
-- columns: name
PRAGMA table_list

-- case: PRAGMA index_list
-- setup: CREATE INDEX by_dest ON flights (dest)
-- answer: SELECT 'by_dest'
-- columns: name
PRAGMA index_list('flights')

-- case: the shell's .tables
-- answer: SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('airlines', 'airports', 'flights', 'planes', 'weather')
.tables

-- case: the shell's .schema
-- answer: SELECT sql FROM sqlite_schema WHERE name = 'flights'
.schema flights

-- case: EXPLAIN ANALYZE
EXPLAIN ANALYZE SELECT * FROM flights WHERE dest = 'BOS'

-- case: two statements
-- after: SELECT count(*) FROM scratch
-- shows: [[2]]
CREATE TABLE scratch (x INTEGER); INSERT INTO scratch VALUES (1), (2)

-- case: a transaction in one text
-- after: SELECT count(*) FROM airlines
-- shows: [[15]]
BEGIN; DELETE FROM airlines WHERE carrier = 'HA'; COMMIT

-- case: a transaction
BEGIN TRANSACTION

-- case: VACUUM
VACUUM

-- case: ANALYZE
ANALYZE flights

-- case: ATTACH
ATTACH DATABASE 'other.db' AS other

-- case: COPY
COPY flights FROM 'flights.csv' WITH CSV HEADER

-- case: snippet() of full text
-- setup: CREATE VIRTUAL TABLE names USING fts5(name)
-- setup: INSERT INTO names SELECT name FROM airports
SELECT snippet(names, 0, '<b>', '</b>', '…', 8) FROM names WHERE names MATCH 'Kennedy'

-- case: sqlite_sequence
DELETE FROM sqlite_sequence WHERE name = 'flights'

-- case: SET
SET timezone = 'UTC'
