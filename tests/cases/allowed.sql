-- What a session may do: every kind, in the forms that models and people write.

-- case: a constant
-- rows: [[1]]
-- allowed: select
SELECT 1

-- case: values
-- rows: [[1, "a"], [2, "b"]]
-- allowed: select
VALUES (1, 'a'), (2, 'b')

-- case: a semicolon behind
-- rows: [[1]]
-- allowed: select
SELECT 1;

-- case: semicolons around
-- rows: [[1]]
-- allowed: select
;; SELECT 1 ;; ;

-- case: a comment behind the semicolon
-- rows: [[1]]
-- allowed: select
SELECT 1; -- done

-- case: a block comment behind the semicolon
-- rows: [[1]]
-- allowed: select
SELECT 1; /* done */ ;

-- case: a comment before
-- rows: [[3]]
-- allowed: select
-- how many
/* of
them */ SELECT count(*) FROM t

-- case: words of refused verbs inside a text
-- rows: [["ATTACH; PRAGMA; DROP TABLE session_state"]]
-- allowed: select
SELECT 'ATTACH; PRAGMA; DROP TABLE session_state'

-- case: refused verbs inside a comment
-- allowed: select
SELECT 1 /* ATTACH 'x' AS y; */ -- PRAGMA x

-- case: quotes inside texts
-- allowed: select
SELECT 'it''s', "a b" FROM "odd name"

-- case: a comment that is text
-- allowed: select
SELECT '/* not a comment', '-- nor this'

-- case: names in all quotes
-- allowed: select
SELECT "select", [a b], `a b` FROM [odd name]

-- case: a keyword as an alias
-- rows: [[1, 2]]
-- allowed: select
SELECT 1 AS "commit", 2 AS [end]

-- case: a column called after a verb
-- rows: [[1, 2, 3]]
-- allowed: select
SELECT replace, release, savepoint FROM (SELECT 1 AS replace, 2 AS release, 3 AS savepoint)

-- case: Unicode names
-- rows: [[3]]
-- allowed: select
WITH größe(ñ, 数) AS (VALUES (1, 2)) SELECT ñ + 数 FROM größe

-- case: carriage returns
-- allowed: select
SELECT
1


-- case: a form feed
-- allowed: select
SELECT1

-- case: small letters
-- rows: [["x"]]
-- allowed: select
select A from T where ID = 1

-- case: a common table expression called after a verb
-- rows: [[5]]
-- allowed: select
WITH replace AS (SELECT 5 AS x) SELECT x FROM replace

-- case: several common table expressions
-- rows: [[2]]
-- allowed: select
WITH a AS (SELECT 1 AS x), b(y) AS MATERIALIZED (SELECT x + 1 FROM a), c AS NOT MATERIALIZED (SELECT y FROM b) SELECT * FROM c

-- case: a common table expression with brackets in a text
-- rows: [[")("]]
-- allowed: select
WITH a AS (SELECT ')(' AS x) SELECT x FROM a

-- case: a common table expression that shadows a table
-- rows: [[7]]
-- allowed: select
WITH t AS (SELECT 7 AS a) SELECT a FROM t

-- case: recursion
-- rows: [[15]]
-- allowed: select
WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 5) SELECT sum(n) FROM s

-- case: recursion over a tree
-- rows: [[3]]
-- allowed: select
WITH RECURSIVE up(id, parent) AS (VALUES (3, 2), (2, 1), (1, NULL)), path(id) AS (SELECT 3 UNION SELECT parent FROM up JOIN path USING (id) WHERE parent IS NOT NULL) SELECT count(*) FROM path

-- case: a compound select
-- rows: [[2]]
-- allowed: select
SELECT 1 UNION SELECT 2 EXCEPT SELECT 1 INTERSECT SELECT 2

-- case: values in a compound
-- rows: [[3, 4], [1, 2]]
-- allowed: select
SELECT * FROM (SELECT 1, 2 UNION ALL VALUES (3, 4)) ORDER BY 1 DESC

-- case: a window
-- allowed: select
SELECT id, row_number() OVER (PARTITION BY a ORDER BY id DESC), sum(id) OVER w, lag(a, 1, '-') OVER w FROM t WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) ORDER BY id

-- case: a filter
-- rows: [[2]]
-- allowed: select
SELECT count(*) FILTER (WHERE a = 'x') FROM t

-- case: an ordered aggregate
-- rows: [["x,y,x"]]
-- allowed: select
SELECT group_concat(a, ',' ORDER BY id DESC) FROM t

-- case: statistics
-- rows: [[2.0, 2.0, 2.0]]
-- allowed: select
SELECT median(id), percentile(id, 50), percentile_cont(id, 0.5) FROM t

-- case: a right and a full join
-- allowed: select
SELECT count(*) FROM t FULL JOIN u ON t.id = u.t_id RIGHT JOIN only ON 1

-- case: a lateral reading of JSON
-- rows: [[1], [2]]
-- allowed: select
SELECT j.value FROM (SELECT '[1,2]' AS x) AS d, json_each(d.x) AS j

-- case: json_tree
-- rows: [[4]]
-- allowed: select
SELECT count(*) FROM json_tree('{"a":[1,2]}')

-- case: JSON arrows
-- rows: [[5]]
-- allowed: select
SELECT '{"a":{"b":5}}' -> 'a' ->> '$.b'

-- case: json_patch at the top
-- rows: [["{\"a\":1,\"b\":2}"]]
-- allowed: select
SELECT json_patch('{"a":1}', '{"b":2}')

-- case: json_patch marked as JSON again
-- rows: [["{\"x\":{\"b\":2}}"]]
-- allowed: select
SELECT json_object('x', json(json_patch('{}', '{"b":2}')))

-- case: json_patch read by another
-- rows: [[2]]
-- allowed: select
SELECT json_extract(json_patch('{}', '{"b":2}'), '$.b')

-- case: pragma_table_info('t')
-- allowed: select
SELECT * FROM pragma_table_info('t')

-- case: pragma_table_xinfo('t')
-- allowed: select
SELECT * FROM pragma_table_xinfo('t')

-- case: pragma_table_list
-- allowed: select
SELECT * FROM pragma_table_list

-- case: pragma_index_list('t')
-- allowed: select
SELECT * FROM pragma_index_list('t')

-- case: pragma_index_info('t_a')
-- allowed: select
SELECT * FROM pragma_index_info('t_a')

-- case: pragma_index_xinfo('t_a')
-- allowed: select
SELECT * FROM pragma_index_xinfo('t_a')

-- case: pragma_foreign_key_list('u')
-- allowed: select
SELECT * FROM pragma_foreign_key_list('u')

-- case: columns of all tables
-- allowed: select
SELECT m.name, i.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS i WHERE m.type = 'table'

-- case: the schema
-- rows: [["v"]]
-- allowed: select
SELECT name FROM sqlite_master WHERE type = 'view'

-- case: the schema by its new name
-- allowed: select
SELECT count(*) FROM main.sqlite_schema

-- case: sqlite_sequence
-- rows: [[2]]
-- allowed: select
SELECT seq FROM sqlite_sequence WHERE name = 'u'

-- case: the engine's tables: read
-- rows: [["step", "1"]]
-- allowed: select
SELECT key, value FROM session_state

-- case: the engine's tables: in a join
-- rows: [[3]]
-- allowed: select
SELECT count(*) FROM t, session_state, _result_1

-- case: the engine's tables: in IN
-- after: CREATE VIEW session_state_keys AS SELECT key FROM session_state
-- rows: [[1, 0]]
-- allowed: select
SELECT 'step' IN (SELECT key FROM session_state), 'x' IN session_state_keys FROM (SELECT 1)

-- case: the log
-- rows: [["SELECT 1"]]
-- allowed: select
SELECT statement FROM execution_logs

-- case: the log: counted
-- rows: [[1]]
-- allowed: select
SELECT count(*) FROM execution_logs

-- case: the log: joined
-- rows: [[1, "x"]]
-- allowed: select
SELECT e.id, t.a FROM execution_logs AS e JOIN t ON t.id = e.id

-- case: the log: in temp by name
-- rows: [[1]]
-- allowed: select
SELECT id FROM temp.execution_logs

-- case: the log: in a common table expression
-- rows: [[1]]
-- allowed: select
WITH l AS (SELECT id FROM execution_logs) SELECT * FROM l

-- case: the log: in a subquery
-- rows: [[1]]
-- allowed: select
SELECT (SELECT max(id) FROM execution_logs)

-- case: every date function
-- allowed: select
SELECT date('2024-02-29', '+1 year'), time('12:00'), datetime(0, 'unixepoch'), julianday('2000-01-01'), unixepoch('1970-01-02'), strftime('%Y', '2024-01-01'), timediff('2024-01-02', '2024-01-01'), CURRENT_DATE > '2000', CURRENT_TIMESTAMP > '2000', CURRENT_TIME >= '00'

-- case: mathematics
-- allowed: select
SELECT sqrt(4), pow(2, 3), ln(1), log(10), log2(8), exp(0), sin(0), atan2(0, 1), pi() > 3, ceil(1.2), floor(1.8), trunc(1.5), mod(5, 3), sign(-2), abs(-1), round(2.567, 2), degrees(0), radians(0)

-- case: texts
-- allowed: select
SELECT upper('a'), lower('A'), length('abc'), substr('abc', 2), substring('abc', 1, 1), instr('abc', 'c'), replace('abc', 'b', 'x'), trim('  a '), trim('xax', 'x'), ltrim('xa', 'x'), rtrim('ax', 'x'), hex('a'), unhex('61'), unhex('6-1', '-'), char(65), unicode('A'), quote('a'), printf('%05.2f', 1.5), format('%s', 'a'), concat('a', 1), concat_ws('-', 'a', 'b'), octet_length('é'), glob('a*', 'abc'), like('a%', 'abc')

-- case: conditions
-- allowed: select
SELECT coalesce(NULL, 1), ifnull(NULL, 2), nullif(1, 1), iif(1, 2, 3), if(0, 2, 3), CASE WHEN 1 THEN 2 END, max(1, 2), min(1, 2), typeof(1.0), likely(1), unlikely(1), likelihood(1, 0.5)

-- case: LIKE with ESCAPE, GLOB, BETWEEN, IS
-- allowed: select
SELECT * FROM t WHERE a LIKE '%x\_%' ESCAPE '\' OR a GLOB '[xy]' AND b BETWEEN 1 AND 2 OR b IS NOT DISTINCT FROM 3 AND a NOT NULL

-- case: row values
-- allowed: select
SELECT * FROM t WHERE (id, a) IN (SELECT id, a FROM t) AND (id, a) < (2, 'z')

-- case: numbers in all forms
-- allowed: select
SELECT 0x1F, 1e3, .5, 1_000, x'ff'

-- case: a cast and a collation
-- rows: [[13, 1]]
-- allowed: select
SELECT CAST('12' AS INTEGER) + 1, 'A' = 'a' COLLATE NOCASE

-- case: IN a table
-- rows: [[0]]
-- allowed: select
SELECT 5 IN only

-- case: INDEXED BY
-- rows: [[2]]
-- allowed: select
SELECT id FROM t INDEXED BY t_a WHERE a = 'y'

-- case: EXISTS and a correlated subquery
-- rows: [[1], [2]]
-- allowed: select
SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.t_id = t.id) ORDER BY 1

-- case: LIMIT with a comma
-- rows: [[2]]
-- allowed: select
SELECT id FROM t ORDER BY id LIMIT 1, 1

-- case: many joins without ON
-- rows: [[0]]
-- allowed: select
SELECT count(*) FROM only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only JOIN only

-- case: deep brackets
-- rows: [[1]]
-- allowed: select
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))

-- case: a long IN list
-- rows: [[3]]
-- allowed: select
SELECT count(*) FROM t WHERE id IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279, 280, 281, 282, 283, 284, 285, 286, 287, 288, 289, 290, 291, 292, 293, 294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 329, 330, 331, 332, 333, 334, 335, 336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363, 364, 365, 366, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377, 378, 379, 380, 381, 382, 383, 384, 385, 386, 387, 388, 389, 390, 391, 392, 393, 394, 395, 396, 397, 398, 399, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 419, 420, 421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447, 448, 449, 450, 451, 452, 453, 454, 455, 456, 457, 458, 459, 460, 461, 462, 463, 464, 465, 466, 467, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477, 478, 479, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492, 493, 494, 495, 496, 497, 498, 499)

-- case: insert
-- allowed: insert
INSERT INTO t (a, b) VALUES ('z', 3), ('w', 4)

-- case: insert default values
-- allowed: insert
INSERT INTO t DEFAULT VALUES

-- case: insert or ignore
-- allowed: insert
INSERT OR IGNORE INTO t (id) VALUES (1)

-- case: insert or rollback where nothing conflicts
-- allowed: insert
INSERT OR ROLLBACK INTO t (id) VALUES (100)

-- case: insert from select with an upsert
-- allowed: insert
INSERT INTO t (id, a) SELECT id, a FROM t WHERE true ON CONFLICT (id) DO UPDATE SET a = excluded.a || '!' WHERE excluded.id > 1

-- case: insert returning
-- rows: [[4, "Z"]]
-- allowed: insert
INSERT INTO t (a) VALUES ('z') RETURNING id, upper(a) AS big

-- case: insert with a common table expression
-- allowed: insert
WITH x(n) AS (VALUES (5)) INSERT INTO only SELECT n FROM x

-- case: insert where the expression stands inside
-- allowed: insert
INSERT INTO only WITH x(n) AS (VALUES (5)) SELECT n FROM x

-- case: insert with an alias
-- allowed: insert
INSERT INTO t AS target (id, a) VALUES (1, 'q') ON CONFLICT DO UPDATE SET a = target.a || excluded.a

-- case: several conflict clauses
-- allowed: insert
INSERT INTO t (id, a) VALUES (1, 'q') ON CONFLICT (id) DO NOTHING ON CONFLICT DO NOTHING

-- case: insert json
-- allowed: insert
INSERT INTO only SELECT value ->> 'x' FROM json_each('[{"x":1},{"x":2}]')

-- case: replace
-- allowed: replace
REPLACE INTO t (id, a) VALUES (1, 'new')

-- case: replace behind WITH
-- allowed: replace
WITH x AS (SELECT 7 AS id) REPLACE INTO t (id, a) SELECT id, 'with' FROM x

-- case: replace in small letters
-- rows: [[1]]
-- allowed: replace
replace into t (id, a) values (1, 'new') returning id

-- case: insert or replace with its cascade
-- allowed: insert
INSERT OR REPLACE INTO t (id, a) VALUES (1, 'new')

-- case: update
-- allowed: update
UPDATE t SET a = upper(a), b = b + 1 WHERE id = 1

-- case: update or fail
-- allowed: update
UPDATE OR FAIL t SET id = 9 WHERE id = 3

-- case: update from
-- rows: [["one"], ["two"]]
-- allowed: update
UPDATE t SET a = s.note FROM (SELECT t_id, note FROM u) AS s WHERE t.id = s.t_id RETURNING t.a

-- case: update of row values
-- allowed: update
UPDATE t SET (a, b) = (SELECT 'q', 9) WHERE id = 1

-- case: update with a common table expression
-- allowed: update
WITH x AS (SELECT 1 AS id) UPDATE t SET a = 'q' WHERE id IN (SELECT id FROM x)

-- case: delete
-- allowed: delete
DELETE FROM t WHERE id = 3

-- case: delete everything
-- allowed: delete
DELETE FROM t

-- case: delete returning
-- allowed: delete
DELETE FROM t WHERE id = 3 RETURNING *

-- case: delete with a common table expression
-- allowed: delete
WITH x AS (SELECT 3 AS id) DELETE FROM t WHERE id IN (SELECT id FROM x)

-- case: table plain
-- allowed: create_table
CREATE TABLE x (a, b TEXT NOT NULL DEFAULT 'q', c REAL CHECK (c > 0), UNIQUE (a, b))

-- case: table without rowid
-- allowed: create_table
CREATE TABLE x (a TEXT PRIMARY KEY, b) WITHOUT ROWID

-- case: table strict
-- allowed: create_table
CREATE TABLE x (a INTEGER PRIMARY KEY, b TEXT) STRICT

-- case: table strict, without rowid
-- allowed: create_table
CREATE TABLE x (a INT PRIMARY KEY, b ANY) WITHOUT ROWID, STRICT

-- case: table generated columns
-- allowed: create_table
CREATE TABLE x (a INTEGER, b AS (a * 2), c TEXT GENERATED ALWAYS AS (a || '!') STORED)

-- case: table as select
-- allowed: create_table
CREATE TABLE x AS SELECT a, count(*) AS n FROM t GROUP BY a

-- case: table if not exists
-- allowed: create_table
CREATE TABLE IF NOT EXISTS t (a)

-- case: table references
-- allowed: create_table
CREATE TABLE x (t_id INTEGER NOT NULL REFERENCES t (id) ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED)

-- case: table to itself
-- allowed: create_table
CREATE TABLE x (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES x (id))

-- case: table conflict clauses
-- allowed: create_table
CREATE TABLE x (a PRIMARY KEY ON CONFLICT REPLACE, b UNIQUE ON CONFLICT IGNORE)

-- case: table autoincrement
-- allowed: create_table
CREATE TABLE x (id INTEGER PRIMARY KEY AUTOINCREMENT)

-- case: table of foreign types
-- allowed: create_table
CREATE TABLE x (id BIGINT UNSIGNED, name VARCHAR(255), price DECIMAL(10, 2), at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, ok BOOLEAN DEFAULT FALSE)

-- case: table a name like a reserved one
-- allowed: create_table
CREATE TABLE session_states (a)

-- case: table another
-- allowed: create_table
CREATE TABLE result_1 (a)

-- case: table a third
-- allowed: create_table
CREATE TABLE my_execution_logs (a)

-- case: table quoted
-- allowed: create_table
CREATE TABLE "My Table" ("a column" TEXT, [order] INT, `group` INT)

-- case: table in main
-- allowed: create_table
CREATE TABLE main.x (a)

-- case: table a CHECK with functions
-- allowed: create_table
CREATE TABLE x (a TEXT CHECK (length(a) < 10 AND a = trim(a, ' ')), j TEXT CHECK (json_valid(j)))

-- case: table a default expression
-- allowed: create_table
CREATE TABLE x (a TEXT DEFAULT (lower(hex(randomblob(16)))), at TEXT DEFAULT (datetime('now')))

-- case: table a table called like a module
-- allowed: create_table
CREATE TABLE csv (a)

-- case: table a comment inside
-- allowed: create_table
CREATE TABLE x (a, -- the first
 b /* the second */)

-- case: index plain
-- allowed: create_index
CREATE INDEX x ON t (b)

-- case: index unique
-- allowed: create_index
CREATE UNIQUE INDEX x ON only (x)

-- case: index partial
-- allowed: create_index
CREATE INDEX x ON t (a) WHERE b IS NOT NULL

-- case: index on an expression
-- allowed: create_index
CREATE INDEX x ON t (lower(a), json_extract(json_quote(a), '$'))

-- case: index on a replaced function
-- allowed: create_index
CREATE INDEX x ON t (trim(a, 'x'), instr(a, 'x'), replace(a, 'x', 'y'))

-- case: index descending with a collation
-- allowed: create_index
CREATE INDEX IF NOT EXISTS x ON t (a COLLATE NOCASE DESC)

-- case: index that is there
-- allowed: create_index
CREATE INDEX IF NOT EXISTS t_a ON t (a)

-- case: view plain
-- allowed: create_view
CREATE VIEW x AS SELECT * FROM t

-- case: view with columns
-- allowed: create_view
CREATE VIEW IF NOT EXISTS x (p, q) AS SELECT a, b FROM t

-- case: view over the engine's
-- allowed: create_view
CREATE VIEW x AS SELECT key FROM session_state

-- case: view with replaced functions
-- allowed: create_view
CREATE VIEW x AS SELECT trim(a, 'x'), instr(a, 'x'), replace(a, 'x', ''), json_patch('{}', '{}') FROM t

-- case: view with a window and recursion
-- allowed: create_view
CREATE VIEW x AS WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3) SELECT n, sum(n) OVER () FROM s

-- case: view with replaced functions: read
-- after: CREATE VIEW x AS SELECT trim('xax', 'x'), json_patch('{}', '{}')
-- rows: [["a", "{}"]]
-- allowed: select
SELECT * FROM x WHERE 1

-- case: trigger after insert
-- allowed: create_trigger
CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO only VALUES (new.id); UPDATE u SET note = 'q' WHERE t_id = new.id; DELETE FROM only WHERE x > 100; SELECT 1; END

-- case: trigger with when
-- allowed: create_trigger
CREATE TRIGGER IF NOT EXISTS x BEFORE UPDATE OF a, b ON t FOR EACH ROW WHEN new.a <> old.a BEGIN SELECT RAISE(ABORT, 'no; never'); END

-- case: trigger instead of
-- allowed: create_trigger
CREATE TRIGGER x INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END

-- case: trigger with case and end inside
-- allowed: create_trigger
CREATE TRIGGER x AFTER DELETE ON t BEGIN INSERT INTO only SELECT CASE WHEN old.a = 'x' THEN 1 ELSE 2 END; END;

-- case: trigger upsert inside
-- allowed: create_trigger
CREATE TRIGGER x AFTER INSERT ON u BEGIN INSERT INTO t (id) VALUES (new.t_id) ON CONFLICT DO NOTHING; END

-- case: a trigger fires
-- after: CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO only VALUES (new.id); END
-- allowed: insert
INSERT INTO t (a) VALUES ('z')

-- case: an INSTEAD OF trigger fires
-- after: CREATE TRIGGER x INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END
-- allowed: insert
INSERT INTO v (a) VALUES ('z')

-- case: a trigger that copies state
-- after: CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO only SELECT value FROM session_state; END
-- allowed: insert
INSERT INTO t (a) VALUES ('z')

-- case: virtual table fts5
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING fts5(title, body, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3')

-- case: virtual table fts5 with options
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING fts5(a, b UNINDEXED, content='', contentless_delete=1, detail=column)

-- case: virtual table fts5 trigram
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE IF NOT EXISTS x USING fts5(a, tokenize='trigram')

-- case: CREATE VIRTUAL TABLE IF NOT EXISTS that exists
-- allowed: create_virtual_table
-- after: CREATE VIRTUAL TABLE x USING fts5(a)
CREATE VIRTUAL TABLE IF NOT EXISTS x USING fts5(a)

-- case: the same under EXPLAIN
-- allowed: explain
-- after: CREATE VIRTUAL TABLE x USING fts5(a)
EXPLAIN CREATE VIRTUAL TABLE IF NOT EXISTS x USING fts5(a)

-- case: virtual table fts5 external content
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING fts5(a, content='t', content_rowid='id')

-- case: virtual table FTS5 in capitals
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING FTS5(a)

-- case: virtual table fts5vocab
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING fts5vocab(docs, row)

-- case: virtual table rtree
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE x USING rtree(id, minx, maxx, miny, maxy, +name TEXT)

-- case: full text: match, rank, bm25
-- allowed: select
SELECT title, bm25(docs, 10, 1) < 0, rank < 0 FROM docs WHERE docs MATCH 'hello OR day' ORDER BY rank, title

-- case: full text: as a function
-- rows: [["second"]]
-- allowed: select
SELECT title FROM docs('body : good')

-- case: full text: insert
-- allowed: insert
INSERT INTO docs (title, body) VALUES ('third', 'a new one')

-- case: full text: update
-- allowed: update
UPDATE docs SET body = 'changed' WHERE rowid = 1

-- case: full text: delete
-- allowed: delete
DELETE FROM docs WHERE docs MATCH 'hello'

-- case: full text: rebuild
-- allowed: insert
INSERT INTO docs (docs) VALUES ('rebuild')

-- case: full text: optimize
-- allowed: insert
INSERT INTO docs (docs) VALUES ('optimize')

-- case: full text: integrity-check
-- allowed: insert
INSERT INTO docs (docs) VALUES ('integrity-check')

-- case: full text: merge
-- allowed: insert
INSERT INTO docs (docs, rank) VALUES ('merge', 100)

-- case: full text: its words
-- after: CREATE VIRTUAL TABLE words USING fts5vocab(docs, row)
-- rows: [["day"], ["first"], ["good"], ["hello"], ["second"], ["world"]]
-- allowed: select
SELECT term FROM words ORDER BY 1

-- case: full text: rename
-- allowed: alter_table
ALTER TABLE docs RENAME TO papers

-- case: full text: drop
-- allowed: drop_table
DROP TABLE docs

-- case: full text: kept in step by triggers
-- after: CREATE VIRTUAL TABLE x USING fts5(a, content='t', content_rowid='id')
-- after: CREATE TRIGGER x_ai AFTER INSERT ON t BEGIN INSERT INTO x (rowid, a) VALUES (new.id, new.a); END
-- after: CREATE TRIGGER x_ad AFTER DELETE ON t BEGIN INSERT INTO x (x, rowid, a) VALUES ('delete', old.id, old.a); END
-- after: CREATE TRIGGER x_au AFTER UPDATE ON t BEGIN INSERT INTO x (x, rowid, a) VALUES ('delete', old.id, old.a); INSERT INTO x (rowid, a) VALUES (new.id, new.a); END
-- after: INSERT INTO x (x) VALUES ('rebuild')
-- after: INSERT OR REPLACE INTO t (id, a) VALUES (1, 'stale')
-- after: UPDATE t SET a = 'fresh' WHERE id = 1
-- after: INSERT INTO x (x, rank) VALUES ('integrity-check', 1)
-- rows: [[1]]
-- allowed: select
SELECT rowid FROM x WHERE x MATCH 'fresh'

-- case: rtree: use
-- after: CREATE VIRTUAL TABLE x USING rtree(id, minx, maxx, +name TEXT)
-- after: INSERT INTO x VALUES (1, 1, 2, 'a'), (2, 9, 10, 'b')
-- after: UPDATE x SET name = 'c' WHERE id = 1
-- after: DELETE FROM x WHERE id = 2
-- rows: [[1, "c"]]
-- allowed: select
SELECT id, name FROM x WHERE minx >= 0 AND maxx <= 5

-- case: columns whose names or texts look like numbering
-- allowed: create_table
CREATE TABLE x (serial TEXT, identity_card TEXT, note TEXT DEFAULT 'auto increment', id INTEGER PRIMARY KEY AUTOINCREMENT)

-- case: rtree of whole numbers: use
-- after: CREATE VIRTUAL TABLE x USING rtree_i32(id, low, high, +name TEXT)
-- after: INSERT INTO x VALUES (1, 1, 2, 'a'), (2, 9, 10, 'b')
-- after: UPDATE x SET low = -5 WHERE id = 2
-- rows: [[2, -5, 10]]
-- allowed: select
SELECT id, low, high FROM x WHERE high > 5

-- case: rtree of whole numbers: rename
-- after: CREATE VIRTUAL TABLE x USING rtree_i32(id, low, high)
-- allowed: alter_table
ALTER TABLE x RENAME TO y

-- case: rtree: drop
-- after: CREATE VIRTUAL TABLE x USING rtree(id, a, b)
-- allowed: drop_table
DROP TABLE x

-- case: drop table
-- allowed: drop_table
DROP TABLE only

-- case: drop table if exists
-- allowed: drop_table
DROP TABLE IF EXISTS nowhere

-- case: drop table with rows that refer to it
-- allowed: drop_table
DROP TABLE u

-- case: drop table with numbers
-- allowed: drop_table
DROP TABLE main.u

-- case: drop index
-- allowed: drop_index
DROP INDEX t_a

-- case: drop index if exists
-- allowed: drop_index
DROP INDEX IF EXISTS nowhere

-- case: drop view
-- allowed: drop_view
DROP VIEW v

-- case: drop view if exists
-- allowed: drop_view
DROP VIEW IF EXISTS nowhere

-- case: drop trigger if exists
-- allowed: drop_trigger
DROP TRIGGER IF EXISTS nowhere

-- case: drop trigger
-- after: CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END
-- allowed: drop_trigger
DROP TRIGGER x

-- case: alter: rename
-- allowed: alter_table
ALTER TABLE only RENAME TO other

-- case: alter: rename of a table with views and triggers
-- allowed: alter_table
ALTER TABLE t RENAME TO t2

-- case: alter: rename a column
-- allowed: alter_table
ALTER TABLE t RENAME COLUMN a TO name

-- case: alter: rename a column, short
-- allowed: alter_table
ALTER TABLE t RENAME a TO name

-- case: alter: add a column
-- allowed: alter_table
ALTER TABLE t ADD COLUMN c TEXT DEFAULT 'q'

-- case: alter: add a column without a type
-- allowed: alter_table
ALTER TABLE t ADD c

-- case: alter: add a column with a check
-- allowed: alter_table
ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 1 CHECK (c > 0)

-- case: alter: add a generated column
-- allowed: alter_table
ALTER TABLE t ADD COLUMN c AS (id * 2)

-- case: alter: add a reference
-- allowed: alter_table
ALTER TABLE only ADD COLUMN t_id INTEGER REFERENCES t (id)

-- case: alter: drop a column
-- allowed: alter_table
ALTER TABLE t DROP COLUMN b

-- case: alter: rename to a keyword
-- allowed: alter_table
ALTER TABLE only RENAME TO "table"

-- case: alter: set not null
-- allowed: alter_table
ALTER TABLE only ALTER COLUMN x SET NOT NULL

-- case: alter: drop not null
-- allowed: alter_table
ALTER TABLE only ALTER COLUMN x DROP NOT NULL

-- case: alter: add a constraint
-- allowed: alter_table
ALTER TABLE only ADD CONSTRAINT positive CHECK (x > 0)

-- case: alter: drop a constraint
-- after: ALTER TABLE only ADD CONSTRAINT positive CHECK (x > 0)
-- allowed: alter_table
ALTER TABLE only DROP CONSTRAINT positive

-- case: explain: select
-- allowed: explain
EXPLAIN SELECT * FROM t

-- case: explain: a plan
-- allowed: explain
EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 'x'

-- case: explain: in small letters with comments
-- allowed: explain
explain/**/query -- x
plan select 1

-- case: explain: insert
-- allowed: explain
EXPLAIN INSERT INTO t (a) VALUES ('q')

-- case: explain: a plan of a delete
-- allowed: explain
EXPLAIN QUERY PLAN DELETE FROM t WHERE id = 1

-- case: explain: create
-- allowed: explain
EXPLAIN CREATE TABLE x (a)

-- case: explain: drop
-- allowed: explain
EXPLAIN DROP TABLE t

-- case: explain: with
-- allowed: explain
EXPLAIN QUERY PLAN WITH x AS (SELECT 1) SELECT * FROM x

-- case: explain: alter
-- allowed: explain
EXPLAIN ALTER TABLE only RENAME TO session_state2
