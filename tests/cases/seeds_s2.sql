-- in order: the second source system, sessions of many tenants with their participants, messages and signals.

-- case: sessions
-- allowed: create_table
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT, session_type TEXT NOT NULL DEFAULT 'chat',
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'idle', 'closed')),
    metadata TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
    created_at INTEGER NOT NULL DEFAULT (unixepoch()), updated_at INTEGER NOT NULL DEFAULT (unixepoch()), expires_at INTEGER
);

-- case: MCP sessions
-- allowed: create_table
CREATE TABLE IF NOT EXISTS mcp_sessions (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL, server_id TEXT NOT NULL, protocol_version TEXT NOT NULL,
    context TEXT, state TEXT DEFAULT 'connected', UNIQUE (session_id, server_id),
    FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);

-- case: signals
-- allowed: create_table
CREATE TABLE webrtc_signals (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, signal_type TEXT CHECK (signal_type IN ('offer', 'answer', 'ice')), from_participant TEXT, data TEXT, created_at INTEGER DEFAULT (unixepoch()));

-- case: participants
-- allowed: create_table
CREATE TABLE session_participants (session_id TEXT NOT NULL, user_id TEXT NOT NULL, role TEXT DEFAULT 'member', joined_at INTEGER NOT NULL, left_at INTEGER, metadata TEXT, PRIMARY KEY (session_id, user_id), FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE) WITHOUT ROWID;

-- case: messages
-- allowed: create_table
CREATE TABLE session_messages (id INTEGER PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE, user_id TEXT, message_type TEXT NOT NULL CHECK (message_type IN ('chat', 'mcp_request', 'mcp_response', 'system')), content TEXT NOT NULL, metadata TEXT, created_at INTEGER NOT NULL);

-- case: active sessions of a tenant, as a partial index
-- allowed: create_index
CREATE INDEX idx_sessions_active ON sessions (tenant_id, updated_at DESC) WHERE status = 'active';

-- case: recent messages of a type
-- allowed: create_index
CREATE INDEX idx_messages_recent ON session_messages (session_id, message_type, created_at DESC);

-- case: who is there now
-- allowed: create_index
CREATE INDEX idx_participants_active ON session_participants (session_id) WHERE left_at IS NULL;

-- case: a session is created or updated
-- allowed: insert
-- params: ["s1", "acme", "u1", "chat", "{\"topic\": \"launch\", \"tags\": [\"a\"]}", 1000, 1000, 90000]
INSERT INTO sessions (id, tenant_id, user_id, session_type, metadata, created_at, updated_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET metadata = json_patch(sessions.metadata, excluded.metadata), updated_at = excluded.updated_at WHERE sessions.tenant_id = excluded.tenant_id RETURNING id, status

-- case: more sessions
-- allowed: insert
INSERT INTO sessions (id, tenant_id, user_id, status, created_at, updated_at) VALUES ('s2', 'acme', 'u2', 'active', 2000, 2500), ('s3', 'zeta', 'u9', 'active', 2000, 2000), ('s4', 'acme', 'u1', 'closed', 100, 200);

-- case: an update of the metadata merges it
-- allowed: insert
-- rows: [["s1", "active"]]
INSERT INTO sessions (id, tenant_id, metadata, updated_at) VALUES ('s1', 'acme', '{"topic": "review"}', 3000) ON CONFLICT (id) DO UPDATE SET metadata = json_patch(sessions.metadata, excluded.metadata), updated_at = excluded.updated_at WHERE sessions.tenant_id = excluded.tenant_id RETURNING id, status

-- case: it is merged, not replaced
-- allowed: select
-- rows: [["review", "a"]]
SELECT metadata ->> '$.topic', metadata ->> '$.tags[0]' FROM sessions WHERE id = 's1'

-- case: another tenant cannot take it over
-- allowed: insert
-- rows: []
INSERT INTO sessions (id, tenant_id, metadata) VALUES ('s1', 'zeta', '{"topic": "stolen"}') ON CONFLICT (id) DO UPDATE SET metadata = excluded.metadata WHERE sessions.tenant_id = excluded.tenant_id RETURNING id

-- case: MCP sessions are kept with their context
-- allowed: insert
INSERT INTO mcp_sessions (id, session_id, server_id, protocol_version, context) VALUES ('m1', 's1', 'github', '2025-06-18', json_object('tools', json_array('search', 'read'), 'resources', json('[]')));

-- case: tools of the session's servers
-- allowed: select
-- rows: [["github", "search"], ["github", "read"]]
SELECT m.server_id, t.value AS tool FROM mcp_sessions m JOIN json_each(m.context, '$.tools') t WHERE m.session_id = 's1' ORDER BY t.key

-- case: messages are added
-- allowed: insert
INSERT INTO session_messages (session_id, user_id, message_type, content, metadata, created_at) VALUES ('s1', 'u1', 'chat', 'hello', '{"lang":"en"}', 10), ('s1', NULL, 'system', 'joined', NULL, 11), ('s1', 'u2', 'chat', 'hi', '{"lang":"de"}', 12), ('s3', 'u9', 'chat', 'other tenant', NULL, 12);

-- case: messages of a session, filtered, only through its tenant
-- allowed: select
-- params: {"tenant": "acme", "session": "s1", "type": "chat", "since": 0}
-- rows: [["hi"], ["hello"]]
SELECT m.content FROM session_messages m JOIN sessions s ON s.id = m.session_id WHERE s.tenant_id = :tenant AND m.session_id = :session AND (:type IS NULL OR m.message_type = :type) AND m.created_at >= :since ORDER BY m.created_at DESC, m.id DESC LIMIT 50

-- case: the same for the wrong tenant answers nothing
-- allowed: select
-- params: {"tenant": "acme", "session": "s3"}
-- rows: []
SELECT m.content FROM session_messages m JOIN sessions s ON s.id = m.session_id WHERE s.tenant_id = :tenant AND m.session_id = :session

-- case: participants join
-- allowed: insert
INSERT INTO session_participants (session_id, user_id, role, joined_at) VALUES ('s1', 'u1', 'host', 1), ('s1', 'u2', 'member', 2), ('s1', 'u3', 'member', 3);

-- case: one leaves
-- allowed: update
UPDATE session_participants SET left_at = 9 WHERE session_id = 's1' AND user_id = 'u3' AND left_at IS NULL

-- case: who is still there
-- allowed: select
-- rows: [["u1", "host"], ["u2", "member"]]
SELECT user_id, role FROM session_participants WHERE session_id = 's1' AND left_at IS NULL ORDER BY joined_at

-- case: an offer and its answer
-- allowed: insert
INSERT INTO webrtc_signals (session_id, signal_type, from_participant, data) VALUES ('s1', 'offer', 'u1', '{"sdp":"v=0"}'), ('s1', 'answer', 'u2', '{"sdp":"v=0"}')

-- case: signals that one has not sent, since an id
-- allowed: select
-- params: ["s1", "u1", 0]
-- rows: [["answer"]]
SELECT signal_type FROM webrtc_signals WHERE session_id = ? AND from_participant <> ? AND id > ? ORDER BY id

-- case: a signal of no known type
-- error: sql.constraint, running
-- hint: CHECK
-- repair: INSERT INTO webrtc_signals (session_id, signal_type) VALUES ('s1', 'ice')
INSERT INTO webrtc_signals (session_id, signal_type) VALUES ('s1', 'bye')

-- case: a message of a session that does not exist
-- error: sql.constraint, running
-- hint: insert the row that it refers to first
-- repair: INSERT INTO session_messages (session_id, message_type, content, created_at) SELECT session_id, 'chat', 'x', 0 FROM session_messages LIMIT 1
-- repair: DELETE FROM session_messages WHERE created_at = 0
INSERT INTO session_messages (session_id, message_type, content, created_at) VALUES ('nobody', 'chat', 'x', 1)

-- case: analytics across a tenant
-- allowed: select
-- rows: [["acme", 3, 2, 2], ["zeta", 1, 1, 1]]
SELECT s.tenant_id, count(DISTINCT s.id) AS sessions, count(DISTINCT s.user_id) AS users, count(DISTINCT s.id) FILTER (WHERE s.status = 'active') AS active FROM sessions s LEFT JOIN session_messages m ON m.session_id = s.id GROUP BY s.tenant_id ORDER BY 1

-- case: messages by hour and type
-- allowed: select
-- rows: [["1970-01-01 00:00", "chat", 3], ["1970-01-01 00:00", "system", 1]]
SELECT strftime('%Y-%m-%d %H:00', created_at, 'unixepoch') AS hour, message_type, count(*) FROM session_messages GROUP BY 1, 2 ORDER BY 1, 2

-- case: the index is used
-- allowed: select
-- rows: [["idx_sessions_active", 1]]
SELECT name, partial FROM pragma_index_list('sessions') WHERE partial

-- case: plan of active sessions
-- allowed: explain
EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE tenant_id = 'acme' AND status = 'active' ORDER BY updated_at DESC LIMIT 20

-- case: latest message of each session
-- allowed: select
-- rows: [["s1", "hi"], ["s3", "other tenant"]]
SELECT session_id, content FROM (SELECT session_id, content, row_number() OVER (PARTITION BY session_id ORDER BY created_at DESC, id DESC) AS n FROM session_messages) WHERE n = 1 ORDER BY 1

-- case: expired ones
-- allowed: update
-- params: [100000]
-- rows: [["s1"]]
UPDATE sessions SET status = 'closed' WHERE status <> 'closed' AND expires_at < ? RETURNING id

-- case: a session is deleted with all of its own
-- allowed: delete
DELETE FROM sessions WHERE id = 's1' AND tenant_id = 'acme'

-- case: the cascade took everything
-- allowed: select
-- rows: [[0, 0, 0, 1]]
SELECT (SELECT count(*) FROM mcp_sessions), (SELECT count(*) FROM session_participants), (SELECT count(*) FROM webrtc_signals), (SELECT count(*) FROM session_messages)
