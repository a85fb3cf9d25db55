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

-- case: rename onto the log, a table with a trigger
-- refused: reserved, running
-- after: CREATE TRIGGER tr AFTER INSERT ON only BEGIN SELECT 1; END
-- hint: use another name
ALTER TABLE only RENAME TO execution_logs

-- case: rtree of whole numbers whose shadows are taken
-- refused: reserved, running
CREATE VIRTUAL TABLE _codemode USING rtree_i32(id, a, b)

-- case: SERIAL, whose ids would stay NULL
-- refused: numbering, schema
-- hint: write "id" INTEGER PRIMARY KEY
-- repair: CREATE TABLE x ("id" INTEGER PRIMARY KEY, name TEXT)
CREATE TABLE x (id SERIAL PRIMARY KEY, name TEXT)

-- case: BIGSERIAL without a key
-- refused: numbering, schema
-- hint: INTEGER PRIMARY KEY
CREATE TABLE x (id BIGSERIAL, name TEXT)

-- case: AUTO_INCREMENT before the key, which SQLite takes for a part of the type
-- refused: numbering, schema
-- hint: INTEGER PRIMARY KEY
-- repair: CREATE TABLE x (id INTEGER PRIMARY KEY, name TEXT)
CREATE TABLE x (id INT AUTO_INCREMENT PRIMARY KEY, name TEXT)

-- case: IDENTITY
-- refused: numbering, schema
-- hint: INTEGER PRIMARY KEY
CREATE TABLE x (id INT IDENTITY(1, 1) PRIMARY KEY, name TEXT)

-- case: SERIAL in a column that is added
-- refused: numbering, schema
-- hint: INTEGER PRIMARY KEY
ALTER TABLE only ADD COLUMN number SMALLSERIAL
