-- additive
-- Sessions as shared places: who a tenant's users are, where its sessions belong, and what is said and shown in them.
-- Every row has its tenant, and what hangs on a session names both as one key: a row of one tenant can never hang on
-- another's session. Times are milliseconds since 1970, UTC; JSON is text.

ALTER TABLE tenants ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE tenants ADD COLUMN plan TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro', 'team'));
ALTER TABLE tenants ADD COLUMN updated_at INTEGER;
ALTER TABLE tenants ADD COLUMN deleted_at INTEGER;   -- not NULL: its tokens are refused

-- How many there are of what, by tenant: kept by the triggers below, so that nobody has to count. `events` is the
-- number of the newest event; it is never given twice.
CREATE TABLE counters (
    tenant        TEXT PRIMARY KEY NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    agents        INTEGER NOT NULL DEFAULT 0,
    active_agents INTEGER NOT NULL DEFAULT 0,
    people        INTEGER NOT NULL DEFAULT 0,
    sessions      INTEGER NOT NULL DEFAULT 0,
    panels        INTEGER NOT NULL DEFAULT 0,
    messages      INTEGER NOT NULL DEFAULT 0,
    workspaces    INTEGER NOT NULL DEFAULT 0,
    executions    INTEGER NOT NULL DEFAULT 0,
    bytes         INTEGER NOT NULL DEFAULT 0,
    events        INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TRIGGER tenant_is_counted_for AFTER INSERT ON tenants BEGIN
    INSERT INTO counters (tenant) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
INSERT INTO counters (tenant) SELECT id FROM tenants;

CREATE TABLE users (
    tenant          TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id              TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    kind            TEXT NOT NULL DEFAULT 'human' CHECK (kind IN ('human', 'agent')),
    display_name    TEXT NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    email           TEXT CHECK (length(email) BETWEEN 3 AND 254),
    outside_id_hash TEXT,                 -- HMAC of what another system calls him, under a key that is not in here
    metadata        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    active_in       INTEGER NOT NULL DEFAULT 0,   -- sessions that are active and that he takes part in
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deleted_at      INTEGER,
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_email ON users (tenant, lower(email)) WHERE email IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX users_by_outside_id ON users (tenant, outside_id_hash)
    WHERE outside_id_hash IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER user_is_counted AFTER INSERT ON users WHEN NEW.deleted_at IS NULL BEGIN
    UPDATE counters SET agents = agents + (NEW.kind = 'agent'), people = people + (NEW.kind = 'human'),
        active_agents = active_agents + (NEW.kind = 'agent' AND NEW.active_in > 0) WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER user_is_counted_anew AFTER UPDATE OF kind, active_in, deleted_at ON users BEGIN
    UPDATE counters SET
        agents = agents + (NEW.kind = 'agent' AND NEW.deleted_at IS NULL)
            - (OLD.kind = 'agent' AND OLD.deleted_at IS NULL),
        people = people + (NEW.kind = 'human' AND NEW.deleted_at IS NULL)
            - (OLD.kind = 'human' AND OLD.deleted_at IS NULL),
        active_agents = active_agents + (NEW.kind = 'agent' AND NEW.deleted_at IS NULL AND NEW.active_in > 0)
            - (OLD.kind = 'agent' AND OLD.deleted_at IS NULL AND OLD.active_in > 0)
        WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER user_is_counted_no_more AFTER DELETE ON users WHEN OLD.deleted_at IS NULL BEGIN
    UPDATE counters SET agents = agents - (OLD.kind = 'agent'), people = people - (OLD.kind = 'human'),
        active_agents = active_agents - (OLD.kind = 'agent' AND OLD.active_in > 0) WHERE tenant = OLD.tenant;
END;

CREATE TABLE workspaces (
    tenant      TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '',
    metadata    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) WITHOUT ROWID;
CREATE TRIGGER workspace_is_counted AFTER INSERT ON workspaces BEGIN
    UPDATE counters SET workspaces = workspaces + 1 WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER workspace_is_counted_no_more AFTER DELETE ON workspaces BEGIN
    UPDATE counters SET workspaces = workspaces - 1 WHERE tenant = OLD.tenant;
    UPDATE sessions SET workspace_id = NULL WHERE tenant = OLD.tenant AND workspace_id = OLD.id;
END;

CREATE TABLE groups (
    tenant      TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT NOT NULL,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '',
    metadata    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
) WITHOUT ROWID;
CREATE TABLE group_members (
    tenant    TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, group_id, user_id),
    FOREIGN KEY (tenant, group_id) REFERENCES groups (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX group_members_by_user ON group_members (tenant, user_id);

ALTER TABLE sessions ADD COLUMN workspace_id TEXT;   -- of a workspace of the tenant, see the triggers below
ALTER TABLE sessions ADD COLUMN type TEXT NOT NULL DEFAULT 'work' CHECK (length(type) BETWEEN 1 AND 64);
ALTER TABLE sessions ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}'
    CHECK (json_valid(metadata) AND json_type(metadata) = 'object');
ALTER TABLE sessions ADD COLUMN updated_at INTEGER;   -- of type, workspace, metadata, status; NULL: never since made
ALTER TABLE sessions ADD COLUMN closed_at INTEGER;
ALTER TABLE sessions ADD COLUMN mcp_client_id TEXT;
ALTER TABLE sessions ADD COLUMN connected_at INTEGER;
ALTER TABLE sessions ADD COLUMN executions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;   -- on disk, as of its last use
ALTER TABLE sessions ADD COLUMN status TEXT GENERATED ALWAYS AS (
    CASE WHEN expired_at IS NOT NULL THEN 'expired' WHEN closed_at IS NOT NULL THEN 'closed' ELSE 'active' END) VIRTUAL;
CREATE INDEX sessions_by_use ON sessions (tenant, last_activity, id);
CREATE INDEX sessions_by_status ON sessions (tenant, status, last_activity, id);
CREATE INDEX sessions_by_workspace ON sessions (tenant, workspace_id, last_activity, id) WHERE workspace_id IS NOT NULL;
CREATE INDEX sessions_expired ON sessions (expired_at) WHERE expired_at IS NOT NULL;
CREATE TRIGGER session_is_in_a_workspace BEFORE UPDATE OF workspace_id ON sessions
WHEN NEW.workspace_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM workspaces WHERE tenant = NEW.tenant AND id = NEW.workspace_id) BEGIN
    SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: sessions.workspace_id');
END;
CREATE TRIGGER session_begins_in_a_workspace BEFORE INSERT ON sessions
WHEN NEW.workspace_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM workspaces WHERE tenant = NEW.tenant AND id = NEW.workspace_id) BEGIN
    SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed: sessions.workspace_id');
END;

-- Whoever is named is a user: one that a token is bound to, who takes part in a session, or who said something.
INSERT INTO users (tenant, id, created_at, updated_at)
    SELECT tenant, user_id, min(at), min(at) FROM (
        SELECT tenant, user_id, created_at AS at FROM tokens WHERE user_id IS NOT NULL
        UNION ALL SELECT tenant, user_id, joined_at FROM participants
    ) GROUP BY tenant, user_id;
UPDATE users SET active_in = (SELECT count(*) FROM participants AS p JOIN sessions AS s ON s.tenant = p.tenant
    AND s.id = p.session_id WHERE p.tenant = users.tenant AND p.user_id = users.id AND p.left_at IS NULL
    AND s.status = 'active');
UPDATE counters SET sessions = (SELECT count(*) FROM sessions AS s WHERE s.tenant = counters.tenant
    AND s.expired_at IS NULL);
CREATE TRIGGER token_names_a_user BEFORE INSERT ON tokens WHEN NEW.user_id IS NOT NULL BEGIN
    INSERT INTO users (tenant, id, created_at, updated_at)
        VALUES (NEW.tenant, NEW.user_id, NEW.created_at, NEW.created_at) ON CONFLICT DO NOTHING;
END;

-- Who takes part in how many active sessions. A session that ends, or begins anew, takes them with it.
CREATE TRIGGER participant_is_a_user BEFORE INSERT ON participants BEGIN
    INSERT INTO users (tenant, id, created_at, updated_at)
        VALUES (NEW.tenant, NEW.user_id, NEW.joined_at, NEW.joined_at) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER participant_joins AFTER INSERT ON participants WHEN NEW.left_at IS NULL BEGIN
    UPDATE users SET active_in = active_in + 1 WHERE tenant = NEW.tenant AND id = NEW.user_id AND EXISTS (
        SELECT 1 FROM sessions WHERE tenant = NEW.tenant AND id = NEW.session_id AND status = 'active');
END;
CREATE TRIGGER participant_leaves AFTER UPDATE OF left_at ON participants
WHEN (NEW.left_at IS NULL) <> (OLD.left_at IS NULL) BEGIN
    UPDATE users SET active_in = active_in + CASE WHEN NEW.left_at IS NULL THEN 1 ELSE -1 END
        WHERE tenant = NEW.tenant AND id = NEW.user_id AND EXISTS (
        SELECT 1 FROM sessions WHERE tenant = NEW.tenant AND id = NEW.session_id AND status = 'active');
END;
CREATE TRIGGER participant_is_removed AFTER DELETE ON participants WHEN OLD.left_at IS NULL BEGIN
    UPDATE users SET active_in = active_in - 1 WHERE tenant = OLD.tenant AND id = OLD.user_id AND EXISTS (
        SELECT 1 FROM sessions WHERE tenant = OLD.tenant AND id = OLD.session_id AND status = 'active');
END;
CREATE INDEX participants_active ON participants (tenant, session_id, joined_at, user_id) WHERE left_at IS NULL;
CREATE INDEX participants_ended ON participants (left_at) WHERE left_at IS NOT NULL;

CREATE TRIGGER session_is_counted AFTER INSERT ON sessions BEGIN
    UPDATE counters SET sessions = sessions + (NEW.expired_at IS NULL), executions = executions + NEW.executions,
        bytes = bytes + NEW.bytes WHERE tenant = NEW.tenant;
END;
-- What was executed stays counted; what was on disk does not.
CREATE TRIGGER session_is_used AFTER UPDATE OF executions, bytes ON sessions
WHEN NEW.executions <> OLD.executions OR NEW.bytes <> OLD.bytes BEGIN
    UPDATE counters SET bytes = bytes + NEW.bytes - OLD.bytes, executions = executions
        + CASE WHEN NEW.executions > OLD.executions THEN NEW.executions - OLD.executions ELSE 0 END
        WHERE tenant = NEW.tenant;
END;
-- Before its participants go with it, who then find no session that was active.
CREATE TRIGGER session_is_removed BEFORE DELETE ON sessions BEGIN
    UPDATE users SET active_in = active_in - 1 WHERE OLD.expired_at IS NULL AND OLD.closed_at IS NULL
        AND tenant = OLD.tenant AND id IN (SELECT user_id FROM participants
            WHERE tenant = OLD.tenant AND session_id = OLD.id AND left_at IS NULL);
    UPDATE counters SET sessions = sessions - (OLD.expired_at IS NULL), bytes = bytes - OLD.bytes
        WHERE tenant = OLD.tenant;
END;
DROP TRIGGER session_begins_anew;

CREATE TABLE messages (
    position     INTEGER PRIMARY KEY,     -- of this database alone: the full-text index knows messages by it
    tenant       TEXT NOT NULL,
    session_id   TEXT NOT NULL,
    id           TEXT NOT NULL,           -- begins with its time: orders the messages of a session
    user_id      TEXT,                    -- who said it; NULL: nobody in particular, or one who is gone
    message_type TEXT NOT NULL CHECK (message_type IN ('chat', 'mcp_request', 'mcp_response', 'system')),
    content      TEXT NOT NULL,
    metadata     TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    thread       TEXT,                    -- the message that began the thread; NULL: this one may begin one
    created_at   INTEGER NOT NULL,
    UNIQUE (tenant, session_id, id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id, thread) REFERENCES messages (tenant, session_id, id) ON DELETE CASCADE,
    CHECK (thread <> id)
);
CREATE INDEX messages_by_type ON messages (tenant, message_type, id);
CREATE INDEX messages_of_session_by_type ON messages (tenant, session_id, message_type, id);
CREATE INDEX messages_by_user ON messages (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX messages_by_thread ON messages (tenant, session_id, thread, id) WHERE thread IS NOT NULL;
-- The index has one word for the tenant and one for the session beside the words of the text: a search reads what is
-- its own, whatever others wrote.
CREATE VIEW messages_as_indexed AS
    SELECT position, 't' || hex(tenant) || ' s' || hex(session_id) AS scope, content FROM messages;
CREATE VIRTUAL TABLE messages_text USING fts5(
    scope, content, content = 'messages_as_indexed', content_rowid = 'position',
    tokenize = 'unicode61 remove_diacritics 2', columnsize = 0);
-- Small pages: whoever looks for a word that all tenants use skips what is between its own messages, page by page.
INSERT INTO messages_text (messages_text, rank) VALUES ('pgsz', 1000);
CREATE TRIGGER message_names_a_user BEFORE INSERT ON messages WHEN NEW.user_id IS NOT NULL BEGIN
    INSERT INTO users (tenant, id, created_at, updated_at)
        VALUES (NEW.tenant, NEW.user_id, NEW.created_at, NEW.created_at) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER message_is_removed AFTER DELETE ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, scope, content) VALUES ('delete', OLD.position,
        't' || hex(OLD.tenant) || ' s' || hex(OLD.session_id), OLD.content);
    UPDATE counters SET messages = messages - 1 WHERE tenant = OLD.tenant;
END;
CREATE TRIGGER message_is_edited AFTER UPDATE OF content ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, scope, content) VALUES ('delete', OLD.position,
        't' || hex(OLD.tenant) || ' s' || hex(OLD.session_id), OLD.content);
    INSERT INTO messages_text (rowid, scope, content) VALUES (NEW.position,
        't' || hex(NEW.tenant) || ' s' || hex(NEW.session_id), NEW.content);
END;

CREATE TABLE panels (
    tenant     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    id         TEXT NOT NULL,
    title      TEXT NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    kind       TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    query      TEXT,                      -- SQL of the session's database, or …
    document   TEXT CHECK (document IS NULL OR json_valid(document)),   -- … any JSON
    position   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, session_id, id),
    UNIQUE (tenant, session_id, title),
    CHECK ((query IS NULL) <> (document IS NULL)),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE subscriptions (
    tenant     TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    session_id TEXT NOT NULL,
    panel_id   TEXT,                      -- NULL: to all of the session
    created_at INTEGER NOT NULL,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id, panel_id) REFERENCES panels (tenant, session_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX subscriptions_by_user ON subscriptions (tenant, user_id, session_id, coalesce(panel_id, ''));
CREATE INDEX subscriptions_by_session ON subscriptions (tenant, session_id, panel_id);

CREATE TABLE mcp_sessions (
    tenant        TEXT NOT NULL,
    session_id    TEXT NOT NULL,
    mcp_server_id TEXT NOT NULL CHECK (length(mcp_server_id) BETWEEN 1 AND 200),
    mcp_version   TEXT NOT NULL CHECK (length(mcp_version) <= 64),
    context_data  TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(context_data) AND json_type(context_data) = 'object'),
    state         TEXT NOT NULL DEFAULT 'active' CHECK (length(state) BETWEEN 1 AND 64),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, session_id, mcp_server_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX mcp_sessions_by_server ON mcp_sessions (tenant, mcp_server_id, session_id);

CREATE TABLE signals (
    tenant           TEXT NOT NULL,
    session_id       TEXT NOT NULL,
    id               TEXT NOT NULL,       -- begins with its time
    signal_type      TEXT NOT NULL CHECK (signal_type IN ('offer', 'answer', 'ice')),
    from_participant TEXT NOT NULL CHECK (length(from_participant) BETWEEN 1 AND 200),
    to_participant   TEXT CHECK (length(to_participant) BETWEEN 1 AND 200),   -- NULL: whoever else takes it first
    signal_data      TEXT NOT NULL CHECK (json_valid(signal_data)),
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL CHECK (expires_at > created_at),
    taken_at         INTEGER,
    PRIMARY KEY (tenant, session_id, id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX signals_untaken ON signals (tenant, session_id, signal_type, id) WHERE taken_at IS NULL;
CREATE INDEX signals_by_expiry ON signals (expires_at);

CREATE TABLE preferences (
    tenant     TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    category   TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 64),
    key        TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    value      TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id, category, key),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE configuration (
    tenant      TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key         TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    value       TEXT NOT NULL,            -- JSON; where it is sensitive: sealed, with a key that is not in here
    description TEXT NOT NULL DEFAULT '',
    sensitive   INTEGER NOT NULL DEFAULT 0 CHECK (sensitive IN (0, 1)),
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key),
    CHECK (sensitive = 1 OR json_valid(value))
) WITHOUT ROWID;

-- What the listeners of a session are told, numbered by tenant in the order of the commits; forgotten soon.
CREATE TABLE events (
    tenant     TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    subject    TEXT,                      -- the id of the message, panel, signal or execution, or the user's
    body       TEXT NOT NULL CHECK (json_valid(body) AND json_type(body) = 'object'),
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX events_by_session ON events (tenant, session_id, seq);
CREATE INDEX events_by_time ON events (at);
CREATE TRIGGER message_is_told AFTER INSERT ON messages BEGIN
    INSERT INTO messages_text (rowid, scope, content) VALUES (NEW.position,
        't' || hex(NEW.tenant) || ' s' || hex(NEW.session_id), NEW.content);
    UPDATE counters SET messages = messages + 1, events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'message', NEW.id, '{}', NEW.created_at
        FROM counters WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER signal_is_told AFTER INSERT ON signals BEGIN
    UPDATE counters SET events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'signal', NEW.id, json_object('signal_type', NEW.signal_type,
            'from_participant', NEW.from_participant, 'to_participant', NEW.to_participant), NEW.created_at
        FROM counters WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER panel_is_counted AFTER INSERT ON panels BEGIN
    UPDATE counters SET panels = panels + 1, events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'panel', NEW.id,
            json_object('change', 'created', 'title', NEW.title), NEW.created_at
        FROM counters WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER panel_is_changed AFTER UPDATE ON panels BEGIN
    UPDATE counters SET events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'panel', NEW.id,
            json_object('change', 'updated', 'title', NEW.title), NEW.updated_at
        FROM counters WHERE tenant = NEW.tenant;
END;
-- What goes with its session is told to nobody: there is no session any more that it could be told in.
CREATE TRIGGER panel_is_counted_no_more AFTER DELETE ON panels BEGIN
    UPDATE counters SET panels = panels - 1, events = events + 1 WHERE tenant = OLD.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT OLD.tenant, c.events, OLD.session_id, 'panel', OLD.id,
            json_object('change', 'removed', 'title', OLD.title), CAST(unixepoch('subsec') * 1000 AS INTEGER)
        FROM counters AS c JOIN sessions AS s ON s.tenant = c.tenant AND s.id = OLD.session_id
        WHERE c.tenant = OLD.tenant;
END;
CREATE TRIGGER participant_is_told AFTER INSERT ON participants WHEN NEW.left_at IS NULL BEGIN
    UPDATE counters SET events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, 'join', NEW.user_id,
            json_object('user_id', NEW.user_id, 'role', NEW.role), NEW.joined_at
        FROM counters WHERE tenant = NEW.tenant;
END;
CREATE TRIGGER participant_change_is_told AFTER UPDATE OF role, left_at ON participants
WHEN NEW.role <> OLD.role OR (NEW.left_at IS NULL) <> (OLD.left_at IS NULL) BEGIN
    UPDATE counters SET events = events + 1 WHERE tenant = NEW.tenant;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT NEW.tenant, events, NEW.session_id, CASE WHEN NEW.left_at IS NULL THEN 'join' ELSE 'leave' END,
            NEW.user_id, json_object('user_id', NEW.user_id, 'role', NEW.role), coalesce(NEW.left_at, NEW.joined_at)
        FROM counters WHERE tenant = NEW.tenant;
END;

-- A session ends, or begins anew: then first what it was counts no more, and what it was told to others is gone.
CREATE TRIGGER session_changes AFTER UPDATE OF created_at, owner, expired_at, closed_at ON sessions BEGIN
    UPDATE users SET active_in = active_in + CASE WHEN NEW.status = 'active' THEN 1 ELSE -1 END
        WHERE (NEW.status = 'active') <> (OLD.status = 'active') AND tenant = NEW.tenant AND id IN (
            SELECT user_id FROM participants
            WHERE tenant = NEW.tenant AND session_id = NEW.id AND left_at IS NULL);
    UPDATE counters SET sessions = sessions + (NEW.expired_at IS NULL) - (OLD.expired_at IS NULL)
        WHERE (NEW.expired_at IS NULL) <> (OLD.expired_at IS NULL) AND tenant = NEW.tenant;
    DELETE FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id AND (NEW.created_at <> OLD.created_at
        OR NEW.owner IS NOT OLD.owner OR NEW.expired_at IS NULL AND OLD.expired_at IS NOT NULL);
    INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
        SELECT NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at WHERE NEW.owner IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id);
    DELETE FROM messages WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
    DELETE FROM panels WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
    DELETE FROM mcp_sessions WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
    DELETE FROM signals WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
    DELETE FROM subscriptions WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
    DELETE FROM events WHERE tenant = NEW.tenant AND session_id = NEW.id AND NEW.created_at <> OLD.created_at;
END;

-- Who is deleted for good is nobody any more: what he said and did stays.
ALTER TABLE audit ADD COLUMN user_id TEXT;            -- whom the token was bound to
ALTER TABLE audit ADD COLUMN old_values TEXT CHECK (old_values IS NULL OR json_valid(old_values));
ALTER TABLE audit ADD COLUMN new_values TEXT CHECK (new_values IS NULL OR json_valid(new_values));
CREATE INDEX audit_by_user ON audit (tenant, user_id, id) WHERE user_id IS NOT NULL;
DROP TRIGGER audit_is_never_changed;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
WHEN NEW.user_id IS NOT NULL OR EXISTS (SELECT 1 FROM users WHERE tenant = OLD.tenant AND id = OLD.user_id)
    OR (NEW.id, NEW.at, NEW.tenant, NEW.actor, NEW.action, NEW.resource, NEW.outcome)
        <> (OLD.id, OLD.at, OLD.tenant, OLD.actor, OLD.action, OLD.resource, OLD.outcome)
    OR NEW.address IS NOT OLD.address OR NEW.agent IS NOT OLD.agent
    OR NEW.old_values IS NOT OLD.old_values OR NEW.new_values IS NOT OLD.new_values BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER user_is_gone AFTER DELETE ON users BEGIN
    UPDATE messages SET user_id = NULL WHERE tenant = OLD.tenant AND user_id = OLD.id;
    UPDATE audit SET user_id = NULL WHERE tenant = OLD.tenant AND user_id = OLD.id;
    DELETE FROM tokens WHERE tenant = OLD.tenant AND user_id = OLD.id;
    DELETE FROM participants WHERE tenant = OLD.tenant AND user_id = OLD.id;
END;

-- What a page of figures asks for, in one row of each tenant.
CREATE VIEW statistics AS SELECT tenant,
    agents AS agentCount, people AS humanCount, sessions AS sessionCount, panels AS panelCount,
    messages AS messageCount, workspaces AS workspaceCount,
    agents, active_agents, people, agents + people AS users, sessions, panels, messages, workspaces, executions, bytes
    FROM counters;

-- How many rows there are in a large deployment, and how many for each further column of an index: by this SQLite
-- chooses indexes. Without it, it takes a primary key whose order suits over the index that finds the rows.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('sessions', 'sessions', '1000000 1000 1'),
    ('sessions', 'sessions_by_use', '1000000 1000 2 1'),
    ('sessions', 'sessions_by_status', '1000000 1000 400 2 1'),
    ('sessions', 'sessions_by_workspace', '300000 1000 50 2 1'),
    ('sessions', 'sessions_by_owner', '1000000 1000 30 1'),
    ('sessions', 'sessions_by_expiry', '500000 2 1 1'),
    ('sessions', 'sessions_expired', '500000 2 1 1'),
    ('participants', 'participants', '3000000 3000 3 1'),
    ('participants', 'participants_by_user', '2500000 3000 30 1'),
    ('participants', 'participants_active', '2500000 3000 3 2 1'),
    ('participants', 'participants_ended', '500000 2 1 1 1'),
    ('users', 'users', '100000 100 1'),
    ('users', 'users_by_email', '100000 100 1'),
    ('users', 'users_by_outside_id', '50000 100 1'),
    ('messages', 'sqlite_autoindex_messages_1', '10000000 10000 10 1'),
    ('messages', 'messages_by_type', '10000000 10000 2500 1'),
    ('messages', 'messages_of_session_by_type', '10000000 10000 10 4 1'),
    ('messages', 'messages_by_user', '8000000 10000 100 1'),
    ('messages', 'messages_by_thread', '2000000 10000 4 2 1'),
    ('panels', 'panels', '1000000 1000 3 1'),
    ('subscriptions', 'subscriptions_by_user', '1000000 1000 10 1 1'),
    ('subscriptions', 'subscriptions_by_session', '1000000 1000 3 2'),
    ('mcp_sessions', 'mcp_sessions', '1000000 1000 3 1'),
    ('mcp_sessions', 'mcp_sessions_by_server', '1000000 1000 300 1'),
    ('signals', 'signals', '10000 100 10 1'),
    ('signals', 'signals_untaken', '5000 50 5 2 1'),
    ('events', 'events', '1000000 10000 1'),
    ('events', 'events_by_session', '1000000 10000 20 1'),
    ('group_members', 'group_members', '100000 1000 10 1'),
    ('group_members', 'group_members_by_user', '100000 1000 3 1'),
    ('audit', 'audit_by_tenant', '10000000 10000 1'),
    ('audit', 'audit_by_user', '10000000 10000 100 1');
ANALYZE sqlite_schema;
