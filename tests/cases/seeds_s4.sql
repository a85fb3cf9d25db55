-- in order: the fourth source system, the store of a chat server and its statistics.

-- case: users, people and agents
-- allowed: create_table
CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('human', 'agent')), token_hash TEXT UNIQUE, created_at INTEGER NOT NULL) STRICT;

-- case: workspaces
-- allowed: create_table
CREATE TABLE workspaces (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner_id TEXT REFERENCES users (id) ON DELETE SET NULL);

-- case: groups of users
-- allowed: create_table
CREATE TABLE "groups" (id INTEGER PRIMARY KEY, workspace_id TEXT REFERENCES workspaces (id) ON DELETE CASCADE, name TEXT, UNIQUE (workspace_id, name));

-- case: groups is a word of SQL and works as a name without quotes too
-- allowed: select
-- rows: [[0]]
SELECT count(*) FROM groups

-- case: order is one that does not
-- error: sql.syntax, sqlite
-- hint: write "order"
-- repair: SELECT 1 AS "order"
SELECT 1 AS order

-- case: members
-- allowed: create_table
CREATE TABLE group_members (group_id INTEGER REFERENCES groups (id) ON DELETE CASCADE, user_id TEXT REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (group_id, user_id)) WITHOUT ROWID, STRICT;

-- case: sessions
-- allowed: create_table
CREATE TABLE chat_sessions (id TEXT PRIMARY KEY, title TEXT, workspace_id TEXT REFERENCES workspaces (id), created_by TEXT REFERENCES users (id), created_at INTEGER, archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)));

-- case: messages
-- allowed: create_table
CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE, author_id TEXT REFERENCES users (id), body TEXT NOT NULL, meta TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL, words INTEGER GENERATED ALWAYS AS (length(trim(body)) - length(replace(trim(body), ' ', '')) + 1) VIRTUAL);

-- case: panels
-- allowed: create_table
CREATE TABLE panels (id INTEGER PRIMARY KEY, session_id TEXT REFERENCES chat_sessions (id) ON DELETE CASCADE, kind TEXT, position INTEGER, content TEXT);

-- case: subscriptions
-- allowed: create_table
CREATE TABLE subscriptions (user_id TEXT REFERENCES users (id) ON DELETE CASCADE, session_id TEXT REFERENCES chat_sessions (id) ON DELETE CASCADE, since INTEGER, UNIQUE (user_id, session_id) ON CONFLICT IGNORE);

-- case: pages of a session's messages
-- allowed: create_index
CREATE INDEX idx_messages_session ON messages (session_id, id DESC)

-- case: search
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE messages_fts USING fts5(body, content='messages', content_rowid='id', tokenize="unicode61 remove_diacritics 2")

-- case: search is filled
-- allowed: create_trigger
CREATE TRIGGER messages_search_add AFTER INSERT ON messages BEGIN INSERT INTO messages_fts (rowid, body) VALUES (new.id, new.body); END

-- case: search forgets
-- allowed: create_trigger
CREATE TRIGGER messages_search_drop AFTER DELETE ON messages BEGIN INSERT INTO messages_fts (messages_fts, rowid, body) VALUES ('delete', old.id, old.body); END

-- case: people and agents come
-- allowed: insert
INSERT INTO users VALUES ('h1', 'Ann', 'human', 'aa', 1), ('h2', 'Bob', 'human', 'bb', 2), ('a1', 'Planner', 'agent', 'cc', 3)

-- case: a text where the strict table takes a number
-- error: sql.constraint, running
-- repair: INSERT INTO users VALUES ('h3', 'Cy', 'human', 'dd', 4)
INSERT INTO users VALUES ('h3', 'Cy', 'human', 'dd', 'yesterday')

-- case: a user by token
-- allowed: select
-- params: ["cc"]
-- rows: [["a1", "agent"]]
SELECT id, kind FROM users WHERE token_hash = ? LIMIT 1

-- case: a workspace
-- allowed: insert
INSERT INTO workspaces VALUES ('w1', 'Launch', 'h1')

-- case: sessions begin
-- allowed: insert
INSERT INTO chat_sessions (id, title, workspace_id, created_by, created_at) VALUES ('c1', 'Plan', 'w1', 'h1', 10), ('c2', 'Empty', 'w1', 'h2', 11)

-- case: messages are written
-- allowed: insert
-- rows: [[1], [2], [3], [4]]
INSERT INTO messages (session_id, author_id, body, created_at) VALUES ('c1', 'h1', 'Shall we launch in Zürich?', 100), ('c1', 'a1', 'Yes, the plan is ready', 101), ('c1', 'h2', '100% ready_now', 102), ('c1', 'h1', 'go', 103) RETURNING id

-- case: words are computed
-- allowed: select
-- rows: [[5], [1]]
SELECT words FROM messages WHERE id IN (1, 4) ORDER BY id

-- case: the newest page
-- allowed: select
-- params: {"session": "c1", "before": null, "size": 2}
-- rows: [[4], [3]]
SELECT id FROM messages WHERE session_id = :session AND (:before IS NULL OR id < :before) ORDER BY id DESC LIMIT :size

-- case: the page before it
-- allowed: select
-- params: {"session": "c1", "before": 3, "size": 2}
-- rows: [[2], [1]]
SELECT id FROM messages WHERE session_id = :session AND (:before IS NULL OR id < :before) ORDER BY id DESC LIMIT :size

-- case: a page with the count of all
-- allowed: select
-- rows: [[4, 4]]
SELECT id, count(*) OVER () AS total FROM messages WHERE session_id = 'c1' ORDER BY id DESC LIMIT 1

-- case: search without accents, the newest first
-- allowed: select
-- rows: [["c1", 1]]
SELECT m.session_id, m.id FROM messages_fts f JOIN messages m ON m.id = f.rowid WHERE messages_fts MATCH 'zurich' ORDER BY m.id DESC

-- case: search for signs that are wildcards to LIKE
-- allowed: select
-- params: ["%0\\% ready\\_%"]
-- rows: [[3]]
SELECT id FROM messages WHERE body LIKE ? ESCAPE '\'

-- case: a marked excerpt, as the original's search page made it
-- refused: function, authorizer
-- hint: substr
-- repair: SELECT substr(body, max(1, instr(lower(body), lower('plan')) - 40), 120) FROM messages_fts WHERE messages_fts MATCH 'plan'
SELECT snippet(messages_fts, 0, '<b>', '</b>', '…', 10) FROM messages_fts WHERE messages_fts MATCH 'plan'

-- case: subscriptions twice
-- allowed: insert
-- after: INSERT INTO subscriptions VALUES ('h1', 'c1', 1)
INSERT INTO subscriptions VALUES ('h1', 'c1', 2)

-- case: are one
-- allowed: select
-- rows: [["h1", "c1", 1]]
SELECT * FROM subscriptions

-- case: a panel
-- allowed: insert
INSERT INTO panels (session_id, kind, position, content) VALUES ('c1', 'notes', (SELECT ifnull(max(position), 0) + 1 FROM panels WHERE session_id = 'c1'), 'to do')

-- case: statistics in one view
-- allowed: create_view
CREATE VIEW stats AS SELECT
    (SELECT count(*) FROM users WHERE kind = 'agent') AS agents, (SELECT count(*) FROM users WHERE kind = 'human') AS humans,
    (SELECT count(*) FROM chat_sessions) AS sessions, (SELECT count(*) FROM panels) AS panels,
    (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM workspaces) AS workspaces;

-- case: statistics are right
-- allowed: select
-- rows: [[1, 3, 2, 1, 4, 1]]
SELECT agents, humans, sessions, panels, messages, workspaces FROM stats

-- case: joining all tables multiplies what it counts, DISTINCT does not
-- allowed: select
-- rows: [[2, 4]]
SELECT count(DISTINCT s.id), count(DISTINCT m.id) FROM chat_sessions s LEFT JOIN messages m ON m.session_id = s.id LEFT JOIN panels p ON p.session_id = s.id

-- case: sessions with their last message, also the empty ones
-- allowed: select
-- rows: [["c1", "go", 4], ["c2", null, 0]]
SELECT s.id, (SELECT body FROM messages WHERE session_id = s.id ORDER BY id DESC LIMIT 1) AS last, count(m.id) AS messages FROM chat_sessions s LEFT JOIN messages m ON m.session_id = s.id GROUP BY s.id ORDER BY s.id

-- case: who writes most
-- allowed: select
-- rows: [["Ann", 2, 1], ["Bob", 1, 2], ["Planner", 1, 2]]
SELECT u.name, count(*) AS n, rank() OVER (ORDER BY count(*) DESC) AS place FROM messages m JOIN users u ON u.id = m.author_id GROUP BY u.id ORDER BY place, u.name

-- case: seconds between messages
-- allowed: select
-- rows: [[1, null], [2, 1], [3, 1], [4, 1]]
SELECT id, created_at - lag(created_at) OVER (PARTITION BY session_id ORDER BY id) AS gap FROM messages ORDER BY id

-- case: export as JSON
-- allowed: select
-- rows: [["[{\"id\":\"c1\",\"n\":4},{\"id\":\"c2\",\"n\":0}]"]]
SELECT json_group_array(json_object('id', s.id, 'n', (SELECT count(*) FROM messages m WHERE m.session_id = s.id))) FROM chat_sessions s

-- case: import from JSON
-- allowed: insert
-- params: ["[{\"id\":\"w2\",\"name\":\"Second\"},{\"id\":\"w1\",\"name\":\"Renamed\"}]"]
INSERT INTO workspaces (id, name) SELECT value ->> '$.id', value ->> '$.name' FROM json_each(?) WHERE true ON CONFLICT (id) DO UPDATE SET name = excluded.name

-- case: it is merged
-- allowed: select
-- rows: [["Renamed", "h1"], ["Second", null]]
SELECT name, owner_id FROM workspaces ORDER BY id

-- case: a copy of the database as the original made it
-- refused: maintenance, keyword
-- hint: CREATE TABLE b AS SELECT * FROM a
-- repair: CREATE TABLE messages_copy AS SELECT * FROM messages
-- repair: DROP TABLE messages_copy
VACUUM INTO '/backup/chat.db'

-- case: a session is archived and taken away
-- allowed: delete
DELETE FROM chat_sessions WHERE id = 'c1'

-- case: its messages are not found any more
-- allowed: select
-- rows: [[0, 0]]
SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM messages_fts WHERE messages_fts MATCH 'plan')
