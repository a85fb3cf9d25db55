-- What the authorizer refuses: functions, tables, modules, the engine's own, whatever the spelling.

-- case: function load_extension
-- refused: function, authorizer
SELECT load_extension('x')

-- case: function load_extension in capitals
-- refused: function, authorizer
SELECT LOAD_EXTENSION('x', 'y')

-- case: function load_extension in quotes
-- refused: function, authorizer
SELECT "load_extension"('x')

-- case: function load_extension in brackets
-- refused: function, authorizer
SELECT [load_extension]('x')

-- case: function fts3_tokenizer
-- refused: function, authorizer
SELECT fts3_tokenizer('simple')

-- case: function sqlite_log
-- refused: function, authorizer
SELECT sqlite_log(1, 'x')

-- case: function snippet
-- refused: function, authorizer
SELECT snippet(docs, 0, '<', '>', '…', 5) FROM docs WHERE docs MATCH 'hello'

-- case: function highlight
-- refused: function, authorizer
SELECT highlight(docs, 0, '<', '>') FROM docs WHERE docs MATCH 'hello'

-- case: function rtreecheck
-- refused: function, authorizer
SELECT rtreecheck('main', 't')

-- case: function rtreenode
-- refused: function, authorizer
SELECT rtreenode(2, x'00')

-- case: function matchinfo
-- refused: function, authorizer
SELECT matchinfo(docs) FROM docs

-- case: function geopoly_area
-- refused: function, authorizer
SELECT geopoly_area('[]')

-- case: function fts5 itself
-- refused: function, authorizer
SELECT fts5(NULL)

-- case: function load_extension in WHERE
-- refused: function, authorizer
DELETE FROM t WHERE load_extension('x')

-- case: function load_extension in a subquery
-- refused: function, authorizer
SELECT * FROM t WHERE a IN (SELECT load_extension('x'))

-- case: function load_extension in VALUES
-- refused: function, authorizer
VALUES (1, load_extension('x'))

-- case: function load_extension in ORDER BY
-- refused: function, authorizer
SELECT a FROM t ORDER BY load_extension(a)

-- case: function load_extension in a common table expression
-- refused: function, authorizer
WITH x AS (SELECT load_extension('x')) SELECT * FROM x

-- case: function load_extension in RETURNING
-- refused: function, authorizer
INSERT INTO t (a) VALUES (1) RETURNING load_extension('x')

-- case: function load_extension in an upsert
-- refused: function, authorizer
INSERT INTO t (id, a) VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET a = load_extension('x')

-- case: function load_extension under EXPLAIN
-- refused: function, authorizer
EXPLAIN SELECT load_extension('x')

-- case: function in a CHECK of a table
-- refused: function, authorizer
CREATE TABLE x (a CHECK (load_extension(a)))

-- case: function in a view: refused where the view is read
-- after: CREATE VIEW bad AS SELECT load_extension('x')
-- refused: function, sqlite
SELECT * FROM bad

-- case: function in a trigger: refused where it fires
-- after: CREATE TRIGGER bad AFTER INSERT ON t BEGIN SELECT load_extension('x'); END
-- refused: function, authorizer
INSERT INTO t (a) VALUES ('z')

-- case: function in a default: refused where it is used
-- refused: function, authorizer
CREATE TABLE x (a DEFAULT (load_extension('x')))

-- case: table function dbstat
-- refused: table, authorizer
SELECT * FROM dbstat

-- case: table function carray(1, 2)
-- refused: table, authorizer
SELECT * FROM carray(1, 2)

-- case: table function pragma_database_list
-- refused: table, authorizer
SELECT * FROM pragma_database_list

-- case: table function pragma_journal_mode
-- refused: table, authorizer
SELECT * FROM pragma_journal_mode

-- case: table function pragma_user_version
-- refused: table, authorizer
SELECT * FROM pragma_user_version

-- case: table function pragma_function_list
-- refused: table, authorizer
SELECT * FROM pragma_function_list

-- case: table function pragma_module_list
-- refused: table, authorizer
SELECT * FROM pragma_module_list

-- case: table function pragma_compile_options
-- refused: table, authorizer
SELECT * FROM pragma_compile_options

-- case: table function pragma_integrity_check
-- refused: table, authorizer
SELECT * FROM pragma_integrity_check

-- case: table function pragma_quick_check
-- refused: table, authorizer
SELECT * FROM pragma_quick_check

-- case: table function pragma_wal_checkpoint
-- error: sql.no_such_table, sqlite
SELECT * FROM pragma_wal_checkpoint

-- case: table function PRAGMA_DATABASE_LIST
-- refused: table, authorizer
SELECT * FROM PRAGMA_DATABASE_LIST

-- case: table function pragma_foreign_key_check
-- refused: table, authorizer
SELECT * FROM pragma_foreign_key_check

-- case: table function fts5vocab
-- error: sql.no_such_table, sqlite
SELECT * FROM fts5vocab

-- case: table function fts3tokenize
-- refused: table, authorizer
SELECT * FROM fts3tokenize

-- case: hidden table by quotes
-- refused: table, authorizer
SELECT name FROM "dbstat"

-- case: hidden table with its database
-- refused: table, authorizer
SELECT name FROM main.dbstat

-- case: hidden table in a common table expression
-- refused: table, authorizer
WITH d AS (SELECT * FROM dbstat) SELECT * FROM d

-- case: module dbstat
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING dbstat

-- case: module fts3(a)
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING fts3(a)

-- case: module fts4(a)
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING fts4(a)

-- case: module geopoly(a)
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING geopoly(a)

-- case: module fts4aux(docs)
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING fts4aux(docs)

-- case: module csv(filename='/etc/passwd')
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')

-- case: module FTS4(a)
-- refused: module, authorizer
CREATE VIRTUAL TABLE x USING FTS4(a)

-- case: engine table: insert
-- refused: reserved, authorizer
INSERT INTO session_state VALUES ('k', 'v', 'now')

-- case: engine table: insert in capitals
-- refused: reserved, authorizer
INSERT INTO SESSION_STATE VALUES ('k', 'v', 'now')

-- case: engine table: insert in quotes
-- refused: reserved, authorizer
INSERT INTO "session_state" VALUES ('k', 'v', 'now')

-- case: engine table: insert in brackets with its database
-- refused: reserved, authorizer
INSERT INTO main.[Session_State] VALUES ('k', 'v', 'now')

-- case: engine table: insert in backquotes
-- refused: reserved, authorizer
INSERT INTO `session_state` VALUES ('k', 'v', 'now')

-- case: engine table: insert or replace
-- refused: reserved, authorizer
INSERT OR REPLACE INTO session_state VALUES ('step', 'v', 'now')

-- case: engine table: replace
-- refused: reserved, authorizer
REPLACE INTO session_state VALUES ('step', 'v', 'now')

-- case: engine table: insert from select
-- refused: reserved, authorizer
INSERT INTO session_state SELECT a, a, a FROM t

-- case: engine table: upsert
-- refused: reserved, authorizer
INSERT INTO session_state VALUES ('step', '2', 'x') ON CONFLICT (key) DO UPDATE SET value = '3'

-- case: engine table: default values
-- refused: reserved, authorizer
INSERT INTO _result_1 DEFAULT VALUES

-- case: engine table: update
-- refused: reserved, authorizer
UPDATE session_state SET value = 'x'

-- case: engine table: update from
-- refused: reserved, authorizer
UPDATE session_state SET value = t.a FROM t

-- case: engine table: update of a spill
-- refused: reserved, authorizer
UPDATE _result_1 SET a = 3

-- case: engine table: delete
-- refused: reserved, authorizer
DELETE FROM session_state

-- case: engine table: delete by a common table expression
-- refused: reserved, authorizer
WITH k AS (SELECT 'step') DELETE FROM session_state WHERE key IN k

-- case: engine table: delete returning
-- refused: reserved, authorizer
DELETE FROM session_state RETURNING *

-- case: engine table: delete with an alias
-- refused: reserved, authorizer
DELETE FROM session_state AS s WHERE s.key = 'x'

-- case: engine table: engine table by prefix
-- refused: reserved, authorizer
DELETE FROM _codemode_counters

-- case: engine table: engine table by prefix in capitals
-- refused: reserved, authorizer
DELETE FROM _CODEMODE_COUNTERS

-- case: engine table: drop
-- refused: reserved, authorizer
DROP TABLE session_state

-- case: engine table: drop if exists
-- refused: reserved, authorizer
DROP TABLE IF EXISTS session_state

-- case: engine table: drop of a spill
-- refused: reserved, authorizer
DROP TABLE _result_1

-- case: engine table: rename
-- refused: reserved, authorizer
ALTER TABLE session_state RENAME TO mine

-- case: engine table: rename a column
-- refused: reserved, authorizer
ALTER TABLE session_state RENAME COLUMN value TO val

-- case: engine table: add a column
-- refused: reserved, authorizer
ALTER TABLE session_state ADD COLUMN extra

-- case: engine table: drop a column
-- refused: reserved, authorizer
ALTER TABLE session_state DROP COLUMN updated_at

-- case: engine table: index on it
-- refused: reserved, authorizer
CREATE INDEX i ON session_state (value)

-- case: engine table: unique index on it
-- refused: reserved, authorizer
CREATE UNIQUE INDEX i ON session_state (value)

-- case: engine table: trigger on it
-- refused: reserved, authorizer
CREATE TRIGGER tr AFTER INSERT ON session_state BEGIN SELECT RAISE(ABORT, 'no'); END

-- case: engine table: trigger before a delete on it
-- refused: reserved, authorizer
CREATE TRIGGER tr BEFORE DELETE ON _codemode_counters BEGIN SELECT RAISE(IGNORE); END

-- case: engine table: create the log
-- refused: reserved, authorizer
CREATE TABLE execution_logs (a)

-- case: engine table: create the log as a view
-- refused: reserved, authorizer
CREATE VIEW execution_logs AS SELECT 1 AS id

-- case: engine table: create the log in capitals
-- refused: reserved, authorizer
CREATE TABLE EXECUTION_LOGS (a)

-- case: engine table: create it if not exists
-- refused: reserved, authorizer
CREATE TABLE IF NOT EXISTS session_state (a)

-- case: engine table: create by prefix
-- refused: reserved, authorizer
CREATE TABLE _codemode_x (a)

-- case: engine table: create a spill
-- refused: reserved, authorizer
CREATE TABLE _result_99 AS SELECT 1

-- case: engine table: index by a reserved name
-- refused: reserved, authorizer
CREATE INDEX _codemode_i ON t (a)

-- case: engine table: trigger by a reserved name
-- refused: reserved, authorizer
CREATE TRIGGER execution_logs AFTER INSERT ON t BEGIN SELECT 1; END

-- case: engine table: view by a reserved name
-- refused: reserved, authorizer
CREATE VIEW _result_2 AS SELECT 1

-- case: engine table: full text by a reserved name
-- refused: reserved, authorizer
CREATE VIRTUAL TABLE execution_logs USING fts5(a)

-- case: engine table: full text by a reserved prefix
-- refused: reserved, authorizer
CREATE VIRTUAL TABLE _codemode_f USING fts5(a)

-- case: engine table: name with a comment between
-- refused: reserved, authorizer
DELETE FROM/**/session_state

-- case: engine table: under EXPLAIN
-- refused: reserved, authorizer
EXPLAIN DELETE FROM session_state

-- case: engine table: write to the log
-- refused: reserved, authorizer
INSERT INTO execution_logs VALUES (2, 'x')

-- case: engine table: write to the log's file
-- refused: reserved, authorizer
INSERT INTO log.execution_logs VALUES (2, 'x')

-- case: engine table: delete from the log
-- refused: reserved, sqlite
DELETE FROM execution_logs

-- case: engine table: sqlite_sequence, update
-- refused: reserved, authorizer
UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = '_codemode_counters'

-- case: engine table: sqlite_sequence, delete
-- refused: reserved, authorizer
DELETE FROM sqlite_sequence

-- case: engine table: sqlite_sequence, insert
-- refused: reserved, authorizer
INSERT INTO sqlite_sequence VALUES ('_codemode_counters', 9223372036854775807)

-- case: temp: a table in temp
-- refused: temp, authorizer
CREATE TABLE temp.x (a)

-- case: temp: a table in temp, quoted
-- refused: reserved, authorizer
CREATE TABLE "temp".session_state (a)

-- case: temp: a view in temp
-- refused: temp, authorizer
CREATE VIEW temp.x AS SELECT 1

-- case: temp: a table as select in temp
-- refused: temp, authorizer
CREATE TABLE temp.x AS SELECT * FROM t

-- case: temp: full text in temp
-- refused: temp, authorizer
CREATE VIRTUAL TABLE temp.x USING fts5(a)

-- case: temp: reading temp's schema
-- refused: temp, authorizer
SELECT * FROM sqlite_temp_master

-- case: temp: reading temp's schema by its other name
-- refused: temp, authorizer
SELECT * FROM temp.sqlite_schema

-- case: temp: dropping the log's view
-- refused: temp, authorizer
DROP VIEW execution_logs

-- case: temp: an instead-of trigger on the log's view
-- refused: temp, authorizer
CREATE TRIGGER x INSTEAD OF INSERT ON execution_logs BEGIN SELECT 1; END

-- case: temp: a trigger named into temp
-- refused: temp, schema
CREATE TRIGGER temp.x AFTER INSERT ON main.t BEGIN SELECT 1; END

-- case: log: its table directly
-- refused: log, authorizer
SELECT * FROM log.execution_logs

-- case: log: another table of its file
-- refused: log, authorizer
SELECT * FROM log.other_secret

-- case: log: its file's schema
-- refused: log, authorizer
SELECT * FROM log.sqlite_schema

-- case: log: another table of its file, without naming it
-- refused: log, authorizer
SELECT * FROM other_secret

-- case: log: another table through an expression named like the view
-- refused: log, authorizer
WITH execution_logs AS (SELECT * FROM log.other_secret) SELECT * FROM execution_logs

-- case: log: a table beside it
-- refused: database, authorizer
CREATE TABLE log.x (a)

-- case: log: an index in it
-- refused: database, authorizer
CREATE INDEX log.i ON other_secret (x)

-- case: schema table: update
-- refused: reserved, sqlite
UPDATE sqlite_schema SET sql = 'x'

-- case: schema table: delete
-- refused: reserved, sqlite
DELETE FROM sqlite_master WHERE name = 'session_state'

-- case: schema table: drop
-- refused: reserved, sqlite
DROP TABLE sqlite_master

-- case: shadow table of full text: write
-- refused: reserved, sqlite
DELETE FROM docs_data

-- case: a trigger that writes an engine table fires
-- after: CREATE TRIGGER bad AFTER INSERT ON t BEGIN DELETE FROM session_state; END
-- refused: reserved, authorizer
INSERT INTO t (a) VALUES ('z')

-- case: a trigger that writes an engine table fires on replace
-- after: CREATE TRIGGER bad BEFORE DELETE ON t BEGIN UPDATE session_state SET value = 1; END
-- refused: reserved, authorizer
REPLACE INTO t (id, a) VALUES (1, 'z')

-- case: a trigger that writes an engine table fires by cascade
-- after: CREATE TRIGGER bad AFTER DELETE ON u BEGIN DELETE FROM session_state; END
-- refused: reserved, authorizer
DELETE FROM t WHERE id = 1

-- case: a trigger on a view writes an engine table
-- after: CREATE TRIGGER bad INSTEAD OF INSERT ON v BEGIN INSERT INTO session_state VALUES (new.a, 1, 1); END
-- refused: reserved, authorizer
INSERT INTO v VALUES (1, 2)

-- case: a trigger of a trigger writes an engine table
-- after: CREATE TRIGGER one AFTER INSERT ON t BEGIN INSERT INTO only VALUES (1); END
-- after: CREATE TRIGGER two AFTER INSERT ON only BEGIN DELETE FROM _codemode_counters; END
-- refused: reserved, authorizer
INSERT INTO t (a) VALUES ('z')

-- case: a name that stands before a table function: a table
-- refused: reserved, authorizer
CREATE TABLE pragma_foreign_key_list ("table")

-- case: a name that stands before a table function: a view
-- refused: reserved, authorizer
CREATE VIEW pragma_table_info AS SELECT 'x' AS name

-- case: a name that stands before a table function: any of its kind
-- refused: reserved, authorizer
CREATE TABLE Pragma_anything (a)

-- case: a name that stands before a table function: of JSON
-- refused: reserved, authorizer
CREATE TABLE json_each (value)

-- case: a name that stands before a table function: full text
-- refused: reserved, authorizer
CREATE VIRTUAL TABLE pragma_index_list USING fts5(a)

-- case: function snippet as the rank of one query
-- refused: function, running
SELECT rank FROM docs WHERE docs MATCH 'hello' AND rank MATCH 'snippet(0, ''<'', ''>'', '''', 5)'

-- case: function highlight as the rank of an index
-- after: INSERT INTO docs (docs, rank) VALUES ('rank', 'highlight(0, ''<'', ''>'')')
-- refused: function, running
SELECT rank FROM docs WHERE docs MATCH 'hello'
