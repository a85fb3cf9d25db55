-- Names that the authorizer is never told: found in the schema afterwards, and undone.

-- case: rename onto the log
-- refused: reserved, schema
ALTER TABLE only RENAME TO execution_logs

-- case: rename onto the log in quotes
-- refused: reserved, schema
ALTER TABLE only RENAME TO "Execution_Logs"

-- case: rename onto a prefix
-- refused: reserved, schema
ALTER TABLE t RENAME TO _codemode_mine

-- case: rename onto a spill
-- refused: reserved, schema
ALTER TABLE only RENAME TO _result_7

-- case: rename onto an existing one
-- error: sql.already_exists, sqlite
ALTER TABLE only RENAME TO session_state

-- case: rename full text so that its shadows are taken
-- refused: reserved, schema
ALTER TABLE docs RENAME TO _result

-- case: full text whose shadows are taken
-- refused: reserved, running
CREATE VIRTUAL TABLE _result USING fts5(a)

-- case: rtree whose shadows are taken
-- refused: reserved, running
CREATE VIRTUAL TABLE _codemode USING rtree(id, a, b)

-- case: reference to state
-- refused: reserved, schema
CREATE TABLE x (k TEXT REFERENCES session_state (key))

-- case: reference to state in a table constraint
-- refused: reserved, schema
CREATE TABLE x (k TEXT, FOREIGN KEY (k) REFERENCES "SESSION_STATE" (key) ON DELETE RESTRICT)

-- case: reference to counters in a new column
-- refused: reserved, schema
ALTER TABLE only ADD COLUMN c INTEGER REFERENCES _codemode_counters (id)

-- case: reference to a spill that is not there yet
-- refused: reserved, schema
CREATE TABLE x (k INTEGER REFERENCES _result_77)

-- case: reference with comments between
-- refused: reserved, schema
CREATE TABLE x (k/**/REFERENCES/**/session_state)

-- case: rename in odd white space
-- refused: reserved, schema
ALTER	TABLEonly
RENAME
TO [execution_logs]

-- case: rename onto a table function
-- refused: reserved, schema
ALTER TABLE only RENAME TO pragma_table_xinfo

-- case: rename onto a table function of JSON
-- refused: reserved, schema
ALTER TABLE only RENAME TO json_tree
