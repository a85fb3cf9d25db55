-- Verbs that a session does not have, plain and in disguise.

-- case: ATTACH 'other.db' AS o
-- refused: attach, keyword
ATTACH 'other.db' AS o

-- case: ATTACH DATABASE ':memory:' AS m
-- refused: attach, keyword
ATTACH DATABASE ':memory:' AS m

-- case: DETACH log
-- refused: attach, keyword
DETACH log

-- case: DETACH DATABASE main
-- refused: attach, keyword
DETACH DATABASE main

-- case: PRAGMA table_info(t)
-- refused: pragma, keyword
PRAGMA table_info(t)

-- case: PRAGMA user_version = 7
-- refused: pragma, keyword
PRAGMA user_version = 7

-- case: PRAGMA main.journal_mode = delete
-- refused: pragma, keyword
PRAGMA main.journal_mode = delete

-- case: PRAGMA foreign_keys(0)
-- refused: pragma, keyword
PRAGMA foreign_keys(0)

-- case: PRAGMA writable_schema = on
-- refused: pragma, keyword
PRAGMA writable_schema = on

-- case: PRAGMA data_version
-- refused: pragma, keyword
PRAGMA data_version

-- case: BEGIN
-- refused: transaction, keyword
BEGIN

-- case: BEGIN IMMEDIATE
-- refused: transaction, keyword
BEGIN IMMEDIATE

-- case: BEGIN EXCLUSIVE TRANSACTION
-- refused: transaction, keyword
BEGIN EXCLUSIVE TRANSACTION

-- case: COMMIT
-- refused: transaction, keyword
COMMIT

-- case: COMMIT TRANSACTION
-- refused: transaction, keyword
COMMIT TRANSACTION

-- case: END
-- refused: transaction, keyword
END

-- case: END TRANSACTION
-- refused: transaction, keyword
END TRANSACTION

-- case: ROLLBACK
-- refused: transaction, keyword
ROLLBACK

-- case: ROLLBACK TO SAVEPOINT unit
-- refused: transaction, keyword
ROLLBACK TO SAVEPOINT unit

-- case: SAVEPOINT s
-- refused: transaction, keyword
SAVEPOINT s

-- case: RELEASE unit
-- refused: transaction, keyword
RELEASE unit

-- case: RELEASE SAVEPOINT unit
-- refused: transaction, keyword
RELEASE SAVEPOINT unit

-- case: START TRANSACTION
-- refused: transaction, keyword
START TRANSACTION

-- case: VACUUM
-- refused: maintenance, keyword
VACUUM

-- case: VACUUM main
-- refused: maintenance, keyword
VACUUM main

-- case: VACUUM INTO 'copy.db'
-- refused: maintenance, keyword
VACUUM INTO 'copy.db'

-- case: ANALYZE
-- refused: maintenance, keyword
ANALYZE

-- case: ANALYZE t
-- refused: maintenance, keyword
ANALYZE t

-- case: REINDEX
-- refused: maintenance, keyword
REINDEX

-- case: REINDEX t_a
-- refused: maintenance, keyword
REINDEX t_a

-- case: OPTIMIZE TABLE t
-- refused: maintenance, keyword
OPTIMIZE TABLE t

-- case: TRUNCATE TABLE t
-- refused: kind, keyword
TRUNCATE TABLE t

-- case: MERGE INTO t USING u ON 1 = 1
-- refused: kind, keyword
MERGE INTO t USING u ON 1 = 1

-- case: SHOW TABLES
-- refused: kind, keyword
SHOW TABLES

-- case: DESCRIBE t
-- refused: kind, keyword
DESCRIBE t

-- case: DESC t
-- refused: kind, keyword
DESC t

-- case: USE main
-- refused: kind, keyword
USE main

-- case: SET x = 1
-- refused: kind, keyword
SET x = 1

-- case: DECLARE @x INT
-- refused: kind, keyword
DECLARE @x INT

-- case: CALL f()
-- refused: kind, keyword
CALL f()

-- case: EXEC sp_help
-- refused: kind, keyword
EXEC sp_help

-- case: COPY t FROM 'f'
-- refused: kind, keyword
COPY t FROM 'f'

-- case: GRANT ALL ON t TO x
-- refused: kind, keyword
GRANT ALL ON t TO x

-- case: REVOKE ALL ON t FROM x
-- refused: kind, keyword
REVOKE ALL ON t FROM x

-- case: LOCK TABLE t
-- refused: kind, keyword
LOCK TABLE t

-- case: CREATE DATABASE d
-- refused: kind, keyword
CREATE DATABASE d

-- case: CREATE SCHEMA s
-- refused: kind, keyword
CREATE SCHEMA s

-- case: CREATE FUNCTION f() RETURNS INT
-- refused: kind, keyword
CREATE FUNCTION f() RETURNS INT

-- case: CREATE USER u
-- refused: kind, keyword
CREATE USER u

-- case: CREATE
-- refused: kind, keyword
CREATE

-- case: DROP DATABASE main
-- refused: kind, keyword
DROP DATABASE main

-- case: DROP SCHEMA main
-- refused: kind, keyword
DROP SCHEMA main

-- case: ALTER DATABASE main SET x = 1
-- refused: kind, keyword
ALTER DATABASE main SET x = 1

-- case: ALTER VIEW v RENAME TO w
-- refused: kind, keyword
ALTER VIEW v RENAME TO w

-- case: CREATE MATERIALIZED VIEW mv AS SELECT 1
-- refused: kind, keyword
CREATE MATERIALIZED VIEW mv AS SELECT 1

-- case: CREATE SEQUENCE s
-- refused: kind, keyword
CREATE SEQUENCE s

-- case: CREATE UNIQUE TABLE x (a)
-- refused: kind, keyword
CREATE UNIQUE TABLE x (a)

-- case: CREATE VIRTUAL VIEW x AS SELECT 1
-- refused: kind, keyword
CREATE VIRTUAL VIEW x AS SELECT 1

-- case: RENAME TABLE t TO x
-- refused: kind, keyword
RENAME TABLE t TO x

-- case: CREATE TEMP TABLE x (a)
-- refused: temp, keyword
CREATE TEMP TABLE x (a)

-- case: CREATE TEMPORARY TABLE x (a)
-- refused: temp, keyword
CREATE TEMPORARY TABLE x (a)

-- case: CREATE TEMP VIEW x AS SELECT 1
-- refused: temp, keyword
CREATE TEMP VIEW x AS SELECT 1

-- case: CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END
-- refused: temp, keyword
CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END

-- case: CREATE TEMPORARY TABLE session_state (key, value)
-- refused: temp, keyword
CREATE TEMPORARY TABLE session_state (key, value)

-- case: CREATE TEMP TABLE IF NOT EXISTS x AS SELECT 1
-- refused: temp, keyword
CREATE TEMP TABLE IF NOT EXISTS x AS SELECT 1

-- case: ATTACH 'x' AS y in small letters
-- refused: attach, keyword
attach 'x' as y

-- case: ATTACH 'x' AS y under EXPLAIN
-- refused: attach, keyword
EXPLAIN ATTACH 'x' AS y

-- case: ATTACH 'x' AS y under EXPLAIN QUERY PLAN
-- refused: attach, keyword
explain query
plan ATTACH 'x' AS y

-- case: ATTACH 'x' AS y behind a comment
-- refused: attach, keyword
/* SELECT */ -- SELECT 1
ATTACH 'x' AS y

-- case: ATTACH 'x' AS y behind semicolons
-- refused: attach, keyword
 ;;
; ATTACH 'x' AS y

-- case: ATTACH 'x' AS y behind odd white space
-- refused: attach, keyword
	
ATTACH 'x' AS y

-- case: ATTACH 'x' AS y with a comment for a blank
-- refused: attach, keyword
ATTACH/**/'x' AS y

-- case: ATTACH 'x' AS y before a harmless one
-- refused: attach, keyword
ATTACH 'x' AS y; SELECT 1

-- case: ATTACH 'x' AS y with a comment behind
-- refused: attach, keyword
ATTACH 'x' AS y -- SELECT

-- case: PRAGMA user_version = 3 in small letters
-- refused: pragma, keyword
pragma user_version = 3

-- case: PRAGMA user_version = 3 under EXPLAIN
-- refused: pragma, keyword
EXPLAIN PRAGMA user_version = 3

-- case: PRAGMA user_version = 3 under EXPLAIN QUERY PLAN
-- refused: pragma, keyword
explain query
plan PRAGMA user_version = 3

-- case: PRAGMA user_version = 3 behind a comment
-- refused: pragma, keyword
/* SELECT */ -- SELECT 1
PRAGMA user_version = 3

-- case: PRAGMA user_version = 3 behind semicolons
-- refused: pragma, keyword
 ;;
; PRAGMA user_version = 3

-- case: PRAGMA user_version = 3 behind odd white space
-- refused: pragma, keyword
	
PRAGMA user_version = 3

-- case: PRAGMA user_version = 3 with a comment for a blank
-- refused: pragma, keyword
PRAGMA/**/user_version = 3

-- case: PRAGMA user_version = 3 before a harmless one
-- refused: pragma, keyword
PRAGMA user_version = 3; SELECT 1

-- case: PRAGMA user_version = 3 with a comment behind
-- refused: pragma, keyword
PRAGMA user_version = 3 -- SELECT

-- case: COMMIT TRANSACTION in small letters
-- refused: transaction, keyword
commit transaction

-- case: COMMIT TRANSACTION under EXPLAIN
-- refused: transaction, keyword
EXPLAIN COMMIT TRANSACTION

-- case: COMMIT TRANSACTION under EXPLAIN QUERY PLAN
-- refused: transaction, keyword
explain query
plan COMMIT TRANSACTION

-- case: COMMIT TRANSACTION behind a comment
-- refused: transaction, keyword
/* SELECT */ -- SELECT 1
COMMIT TRANSACTION

-- case: COMMIT TRANSACTION behind semicolons
-- refused: transaction, keyword
 ;;
; COMMIT TRANSACTION

-- case: COMMIT TRANSACTION behind odd white space
-- refused: transaction, keyword
	
COMMIT TRANSACTION

-- case: COMMIT TRANSACTION with a comment for a blank
-- refused: transaction, keyword
COMMIT/**/TRANSACTION

-- case: COMMIT TRANSACTION before a harmless one
-- refused: transaction, keyword
COMMIT TRANSACTION; SELECT 1

-- case: COMMIT TRANSACTION with a comment behind
-- refused: transaction, keyword
COMMIT TRANSACTION -- SELECT

-- case: VACUUM INTO 'x' in small letters
-- refused: maintenance, keyword
vacuum into 'x'

-- case: VACUUM INTO 'x' under EXPLAIN
-- refused: maintenance, keyword
EXPLAIN VACUUM INTO 'x'

-- case: VACUUM INTO 'x' under EXPLAIN QUERY PLAN
-- refused: maintenance, keyword
explain query
plan VACUUM INTO 'x'

-- case: VACUUM INTO 'x' behind a comment
-- refused: maintenance, keyword
/* SELECT */ -- SELECT 1
VACUUM INTO 'x'

-- case: VACUUM INTO 'x' behind semicolons
-- refused: maintenance, keyword
 ;;
; VACUUM INTO 'x'

-- case: VACUUM INTO 'x' behind odd white space
-- refused: maintenance, keyword
	
VACUUM INTO 'x'

-- case: VACUUM INTO 'x' with a comment for a blank
-- refused: maintenance, keyword
VACUUM/**/INTO 'x'

-- case: VACUUM INTO 'x' before a harmless one
-- refused: maintenance, keyword
VACUUM INTO 'x'; SELECT 1

-- case: VACUUM INTO 'x' with a comment behind
-- refused: maintenance, keyword
VACUUM INTO 'x' -- SELECT

-- case: CREATE TEMP TABLE x (a) in small letters
-- refused: temp, keyword
create temp table x (a)

-- case: CREATE TEMP TABLE x (a) under EXPLAIN
-- refused: temp, keyword
EXPLAIN CREATE TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) under EXPLAIN QUERY PLAN
-- refused: temp, keyword
explain query
plan CREATE TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) behind a comment
-- refused: temp, keyword
/* SELECT */ -- SELECT 1
CREATE TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) behind semicolons
-- refused: temp, keyword
 ;;
; CREATE TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) behind odd white space
-- refused: temp, keyword
	
CREATE TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) with a comment for a blank
-- refused: temp, keyword
CREATE/**/TEMP TABLE x (a)

-- case: CREATE TEMP TABLE x (a) before a harmless one
-- refused: temp, keyword
CREATE TEMP TABLE x (a); SELECT 1

-- case: CREATE TEMP TABLE x (a) with a comment behind
-- refused: temp, keyword
CREATE TEMP TABLE x (a) -- SELECT

-- case: SAVEPOINT s1 in small letters
-- refused: transaction, keyword
savepoint s1

-- case: SAVEPOINT s1 under EXPLAIN
-- refused: transaction, keyword
EXPLAIN SAVEPOINT s1

-- case: SAVEPOINT s1 under EXPLAIN QUERY PLAN
-- refused: transaction, keyword
explain query
plan SAVEPOINT s1

-- case: SAVEPOINT s1 behind a comment
-- refused: transaction, keyword
/* SELECT */ -- SELECT 1
SAVEPOINT s1

-- case: SAVEPOINT s1 behind semicolons
-- refused: transaction, keyword
 ;;
; SAVEPOINT s1

-- case: SAVEPOINT s1 behind odd white space
-- refused: transaction, keyword
	
SAVEPOINT s1

-- case: SAVEPOINT s1 with a comment for a blank
-- refused: transaction, keyword
SAVEPOINT/**/s1

-- case: SAVEPOINT s1 before a harmless one
-- refused: transaction, keyword
SAVEPOINT s1; SELECT 1

-- case: SAVEPOINT s1 with a comment behind
-- refused: transaction, keyword
SAVEPOINT s1 -- SELECT

-- case: DETACH log in small letters
-- refused: attach, keyword
detach log

-- case: DETACH log under EXPLAIN
-- refused: attach, keyword
EXPLAIN DETACH log

-- case: DETACH log under EXPLAIN QUERY PLAN
-- refused: attach, keyword
explain query
plan DETACH log

-- case: DETACH log behind a comment
-- refused: attach, keyword
/* SELECT */ -- SELECT 1
DETACH log

-- case: DETACH log behind semicolons
-- refused: attach, keyword
 ;;
; DETACH log

-- case: DETACH log behind odd white space
-- refused: attach, keyword
	
DETACH log

-- case: DETACH log with a comment for a blank
-- refused: attach, keyword
DETACH/**/log

-- case: DETACH log before a harmless one
-- refused: attach, keyword
DETACH log; SELECT 1

-- case: DETACH log with a comment behind
-- refused: attach, keyword
DETACH log -- SELECT

-- case: REINDEX t_a in small letters
-- refused: maintenance, keyword
reindex t_a

-- case: REINDEX t_a under EXPLAIN
-- refused: maintenance, keyword
EXPLAIN REINDEX t_a

-- case: REINDEX t_a under EXPLAIN QUERY PLAN
-- refused: maintenance, keyword
explain query
plan REINDEX t_a

-- case: REINDEX t_a behind a comment
-- refused: maintenance, keyword
/* SELECT */ -- SELECT 1
REINDEX t_a

-- case: REINDEX t_a behind semicolons
-- refused: maintenance, keyword
 ;;
; REINDEX t_a

-- case: REINDEX t_a behind odd white space
-- refused: maintenance, keyword
	
REINDEX t_a

-- case: REINDEX t_a with a comment for a blank
-- refused: maintenance, keyword
REINDEX/**/t_a

-- case: REINDEX t_a before a harmless one
-- refused: maintenance, keyword
REINDEX t_a; SELECT 1

-- case: REINDEX t_a with a comment behind
-- refused: maintenance, keyword
REINDEX t_a -- SELECT
