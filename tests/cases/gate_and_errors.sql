-- Texts that are refused before SQLite sees them, and SQLite's own errors in our words.

-- case: NUL inside
-- escapes
-- error: sql.syntax, gate
SELECT 1\u0000; DROP TABLE t

-- case: NUL in a text
-- escapes
-- error: sql.syntax, gate
SELECT 'a\u0000b'

-- case: half a surrogate
-- escapes
-- error: sql.syntax, sqlite
SELECT '\ud800'

-- case: U+FEFF in a name
-- escapes
-- error: sql.syntax, gate
SELECT * FROM \ufeffsession_state

-- case: U+FEFF behind a name
-- escapes
-- error: sql.syntax, gate
DELETE FROM session_state\ufeff

-- case: U+FEFF between words
-- escapes
-- error: sql.syntax, gate
DELETE\ufeffFROM session_state

-- case: U+FEFF inside a verb
-- escapes
-- error: sql.syntax, gate
PRA\ufeffGMA user_version

-- case: U+FEFF first is a file's mark
-- escapes
-- allowed: select
\ufeffSELECT 1

-- case: U+FEFF twice first
-- escapes
-- error: sql.syntax, gate
\ufeff\ufeffSELECT 1

-- case: open string
-- error: sql.syntax, gate
SELECT 'abc

-- case: open name
-- error: sql.syntax, gate
SELECT "abc

-- case: open bracket
-- error: sql.syntax, gate
SELECT [abc

-- case: open backquote
-- error: sql.syntax, gate
SELECT `abc

-- case: open comment
-- error: sql.syntax, gate
SELECT 1 /* and so on

-- case: open comment in a view
-- error: sql.syntax, gate
CREATE VIEW bad AS SELECT 1/*;

-- case: open comment that looks closed
-- error: sql.syntax, gate
SELECT 1 /*/

-- case: open string behind a doubled quote
-- error: sql.syntax, gate
SELECT 'it''s

-- case: a parameter that hides a quote
-- error: sql.syntax, gate
SELECT $x(') /* '

-- case: a parameter that hides a quote, with colons
-- error: sql.syntax, gate
SELECT $a::b(') /* '

-- case: a numbered parameter with parentheses
-- error: sql.syntax, gate
SELECT @1(')

-- case: nothing
-- error: sql.syntax, keyword


-- case: white space only
-- error: sql.syntax, keyword
 	


-- case: a comment only
-- error: sql.syntax, keyword
-- nothing here

-- case: semicolons only
-- error: sql.syntax, keyword
;;;

-- case: a typing error in the verb
-- error: sql.syntax, keyword
SELCT 1

-- case: a verb in quotes
-- error: sql.syntax, keyword
"SELECT" 1

-- case: a number first
-- error: sql.syntax, keyword
1 SELECT

-- case: parentheses around a select
-- error: sql.syntax, keyword
(SELECT 1)

-- case: parentheses around the parts of a union
-- error: sql.syntax, keyword
(SELECT 1) UNION (SELECT 2)

-- case: a full-width letter
-- error: sql.syntax, keyword
ＳＥＬＥＣＴ 1

-- case: a no-break space first
-- escapes
-- error: sql.syntax, keyword
\u00a0SELECT 1

-- case: a zero-width space in the verb
-- escapes
-- error: sql.syntax, keyword
SEL\u200bECT 1

-- case: a dotless i in the verb
-- error: sql.syntax, keyword
ıNSERT INTO t VALUES (1)

-- case: EXPLAIN alone
-- error: sql.syntax, keyword
EXPLAIN

-- case: EXPLAIN of EXPLAIN
-- error: sql.syntax, keyword
EXPLAIN EXPLAIN SELECT 1

-- case: WITH and nothing
-- error: sql.syntax, keyword
WITH x AS (SELECT 1)

-- case: WITH and a PRAGMA
-- refused: pragma, keyword
WITH x AS (SELECT 1) PRAGMA user_version

-- case: WITH and a VACUUM
-- refused: maintenance, keyword
WITH x(a) AS NOT MATERIALIZED (SELECT ')') VACUUM

-- case: two selects
-- error: sql.multiple_statements, sqlite
SELECT 1; SELECT 2

-- case: a select and a drop
-- error: sql.multiple_statements, sqlite
SELECT 1; DROP TABLE t

-- case: a select and an attach
-- error: sql.multiple_statements, sqlite
SELECT 1; ATTACH 'x' AS y

-- case: a comment between two
-- error: sql.multiple_statements, sqlite
SELECT 1; -- one
SELECT 2

-- case: an insert and a commit
-- error: sql.multiple_statements, sqlite
INSERT INTO t (a) VALUES ('q'); COMMIT

-- case: two where the second is broken
-- error: sql.multiple_statements, sqlite
SELECT 1; SELEC

-- case: a trigger and a select
-- error: sql.multiple_statements, sqlite
CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 2

-- case: a trigger and a pragma
-- error: sql.multiple_statements, sqlite
CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END; PRAGMA user_version = 4

-- case: json_patch in json_object
-- refused: json_patch, sqlglot
SELECT json_object('a', json_patch('{}', '{"b":1}'))

-- case: json_patch in json_set
-- refused: json_patch, sqlglot
UPDATE t SET a = json_set('{}', '$.x', (json_patch(a, a)))

-- case: json_patch in json_group_array
-- refused: json_patch, sqlglot
SELECT json_group_array(json_patch(a, '{}')) FROM t

-- case: no such table
-- error: sql.no_such_table, sqlite
SELECT * FROM nowhere

-- case: no such column
-- error: sql.no_such_column, sqlite
SELECT nowhere FROM t

-- case: no such function
-- error: sql.no_such_function, sqlite
SELECT nowhere(1)

-- case: double quotes around a text
-- error: sql.no_such_column, sqlite
SELECT * FROM t WHERE a = "x"

-- case: a table that is there
-- error: sql.already_exists, sqlite
CREATE TABLE t (a)

-- case: a broken end
-- error: sql.syntax, sqlite
SELECT 1 FROM

-- case: a cast of another database
-- error: sql.syntax, sqlite
SELECT 1::int

-- case: a key that is there
-- error: sql.constraint, running
INSERT INTO t (id) VALUES (1)

-- case: a key that is not there
-- error: sql.constraint, running
INSERT INTO u (t_id) VALUES (99)

-- case: too many columns
-- error: sql.limit, sqlite
SELECT 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1

-- case: an expression too deep
-- error: sql.limit, sqlite
SELECT 1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1+1

-- case: too many SELECTs in a union
-- error: sql.limit, sqlite
SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1 UNION SELECT 1

-- case: a value too long
-- error: sql.limit, running
SELECT zeroblob(2000001)

-- case: a trigger bomb
-- after: CREATE TRIGGER bomb AFTER INSERT ON only BEGIN INSERT INTO only VALUES (new.x + 1); END
-- error: sql.limit, running
INSERT INTO only VALUES (1)

-- case: too many parameters
-- error: sql.limit, sqlite
SELECT ?99999
