-- additive
-- What migrations 1 to 8 make in SQLite, see there for what the tables are for. Text is compared byte by byte, as
-- SQLite does it: pages go on where the one before ended, whatever the locale of the database.
CREATE TABLE migrations (
    number     BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('additive', 'breaking')),
    checksum   TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);

-- JSON is text here as well: the same bytes in every store, so that copies compare equal, keys keep their order and
-- numbers their digits, and "\u0000" in a string is kept. NULL passes, as it does any CHECK.
CREATE FUNCTION is_json(value TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN json_typeof(value::json) IS NOT NULL;
CREATE FUNCTION is_json_object(value TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN json_typeof(value::json) = 'object';
CREATE FUNCTION now_ms() RETURNS BIGINT LANGUAGE sql VOLATILE
    RETURN (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

CREATE TABLE tenants (
    id         TEXT COLLATE "C" PRIMARY KEY,
    created_at BIGINT NOT NULL,
    quotas     TEXT NOT NULL DEFAULT '{}' CHECK (is_json(quotas)),
    name       TEXT NOT NULL DEFAULT '',
    plan       TEXT NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'pro', 'team')),
    updated_at BIGINT,
    deleted_at BIGINT
);
CREATE TABLE counters (
    tenant        TEXT COLLATE "C" PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    agents        BIGINT NOT NULL DEFAULT 0,
    active_agents BIGINT NOT NULL DEFAULT 0,
    people        BIGINT NOT NULL DEFAULT 0,
    sessions      BIGINT NOT NULL DEFAULT 0,
    panels        BIGINT NOT NULL DEFAULT 0,
    messages      BIGINT NOT NULL DEFAULT 0,
    workspaces    BIGINT NOT NULL DEFAULT 0,
    executions    BIGINT NOT NULL DEFAULT 0,
    bytes         BIGINT NOT NULL DEFAULT 0,
    events        BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE usage_by_day (
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day    TEXT COLLATE "C" NOT NULL,
    totals TEXT NOT NULL,
    PRIMARY KEY (tenant, day)
);
CREATE TABLE rates (
    tenant TEXT COLLATE "C" PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    level  DOUBLE PRECISION NOT NULL,
    at     BIGINT NOT NULL
);
CREATE TABLE tokens (
    id           TEXT COLLATE "C" PRIMARY KEY,
    hash         BYTEA NOT NULL UNIQUE,
    tenant       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name         TEXT NOT NULL DEFAULT '',
    scopes       TEXT NOT NULL,
    user_id      TEXT COLLATE "C",
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_by_tenant ON tokens (tenant, created_at);
CREATE TABLE users (
    tenant          TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id              TEXT COLLATE "C" NOT NULL CHECK (length(id) BETWEEN 1 AND 200),
    kind            TEXT NOT NULL DEFAULT 'human' CHECK (kind IN ('human', 'agent')),
    display_name    TEXT NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    email           TEXT COLLATE "C" CHECK (length(email) BETWEEN 3 AND 254),
    outside_id_hash TEXT COLLATE "C",
    metadata        TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(metadata)),
    active_in       BIGINT NOT NULL DEFAULT 0,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    deleted_at      BIGINT,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX users_by_email ON users (tenant, lower(email)) WHERE email IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX users_by_outside_id ON users (tenant, outside_id_hash)
    WHERE outside_id_hash IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX users_deleted ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE workspaces (
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '',
    metadata    TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(metadata)),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE TABLE groups (
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '',
    metadata    TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(metadata)),
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE TABLE group_members (
    tenant    TEXT COLLATE "C" NOT NULL,
    group_id  TEXT COLLATE "C" NOT NULL,
    user_id   TEXT COLLATE "C" NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, group_id, user_id),
    FOREIGN KEY (tenant, group_id) REFERENCES groups (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);
CREATE INDEX group_members_by_user ON group_members (tenant, user_id);

CREATE TABLE sessions (
    tenant        TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id            TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT NOT NULL,
    last_activity BIGINT NOT NULL,
    idle_ms       BIGINT NOT NULL,
    pinned        SMALLINT NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
    limits        TEXT NOT NULL DEFAULT '{}',
    expired_at    BIGINT,
    stateful      SMALLINT NOT NULL DEFAULT 0 CHECK (stateful IN (0, 1)),
    owner         TEXT COLLATE "C",
    workspace_id  TEXT COLLATE "C",
    type          TEXT NOT NULL DEFAULT 'work' CHECK (length(type) BETWEEN 1 AND 64),
    metadata      TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(metadata)),
    updated_at    BIGINT,
    closed_at     BIGINT,
    mcp_client_id TEXT,
    connected_at  BIGINT,
    executions    BIGINT NOT NULL DEFAULT 0,
    bytes         BIGINT NOT NULL DEFAULT 0,
    status        TEXT COLLATE "C" GENERATED ALWAYS AS (CASE WHEN expired_at IS NOT NULL THEN 'expired'
                      WHEN closed_at IS NOT NULL THEN 'closed' ELSE 'active' END) STORED,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX sessions_by_expiry ON sessions (last_activity) WHERE expired_at IS NULL AND pinned = 0;
CREATE INDEX sessions_by_owner ON sessions (tenant, owner);
CREATE INDEX sessions_by_use ON sessions (tenant, last_activity, id);
CREATE INDEX sessions_by_status ON sessions (tenant, status, last_activity, id);
CREATE INDEX sessions_by_workspace ON sessions (tenant, workspace_id, last_activity, id) WHERE workspace_id IS NOT NULL;
CREATE INDEX sessions_expired ON sessions (expired_at) WHERE expired_at IS NOT NULL;
CREATE TABLE participants (
    tenant     TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    joined_at  BIGINT NOT NULL,
    left_at    BIGINT,
    metadata   TEXT NOT NULL DEFAULT '{}' CHECK (is_json(metadata)),
    PRIMARY KEY (tenant, session_id, user_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE INDEX participants_by_user ON participants (tenant, user_id, session_id) WHERE left_at IS NULL;
CREATE INDEX participants_active ON participants (tenant, session_id, joined_at, user_id) WHERE left_at IS NULL;
CREATE INDEX participants_ended ON participants (left_at) WHERE left_at IS NOT NULL;
CREATE TABLE messages (
    position     BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant       TEXT COLLATE "C" NOT NULL,
    session_id   TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C",
    message_type TEXT COLLATE "C" NOT NULL CHECK (message_type IN ('chat', 'mcp_request', 'mcp_response', 'system')),
    content      TEXT NOT NULL,
    metadata     TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(metadata)),
    thread       TEXT COLLATE "C",
    created_at   BIGINT NOT NULL,
    -- A tsvector takes a mebibyte at most: the beginning of a longer text is found. The tenant and the session are
    -- words, with a space as no word of a text has one: a search reads what is its own, whatever others wrote.
    words        TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(ARRAY['t ' || tenant, 's ' || session_id])
        || to_tsvector('simple', left(content, 200000))) STORED,
    UNIQUE (tenant, session_id, id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id, thread) REFERENCES messages (tenant, session_id, id) ON DELETE CASCADE,
    CHECK (thread <> id)
);
CREATE INDEX messages_by_type ON messages (tenant, message_type, id);
CREATE INDEX messages_of_session_by_type ON messages (tenant, session_id, message_type, id);
CREATE INDEX messages_by_user ON messages (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX messages_by_thread ON messages (tenant, session_id, thread, id) WHERE thread IS NOT NULL;
CREATE INDEX messages_by_words ON messages USING gin (words);
CREATE TABLE panels (
    tenant     TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    title      TEXT COLLATE "C" NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    kind       TEXT COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    query      TEXT,
    document   TEXT CHECK (document IS NULL OR is_json(document)),
    position   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, session_id, id),
    UNIQUE (tenant, session_id, title),
    CHECK ((query IS NULL) <> (document IS NULL)),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE TABLE subscriptions (
    tenant     TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    panel_id   TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant, session_id, panel_id) REFERENCES panels (tenant, session_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX subscriptions_by_user ON subscriptions (tenant, user_id, session_id, coalesce(panel_id, ''));
CREATE INDEX subscriptions_by_session ON subscriptions (tenant, session_id, panel_id);
CREATE TABLE mcp_sessions (
    tenant        TEXT COLLATE "C" NOT NULL,
    session_id    TEXT COLLATE "C" NOT NULL,
    mcp_server_id TEXT COLLATE "C" NOT NULL CHECK (length(mcp_server_id) BETWEEN 1 AND 200),
    mcp_version   TEXT NOT NULL CHECK (length(mcp_version) <= 64),
    context_data  TEXT NOT NULL DEFAULT '{}' CHECK (is_json_object(context_data)),
    state         TEXT NOT NULL DEFAULT 'active' CHECK (length(state) BETWEEN 1 AND 64),
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant, session_id, mcp_server_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE INDEX mcp_sessions_by_server ON mcp_sessions (tenant, mcp_server_id, session_id);
CREATE TABLE signals (
    tenant           TEXT COLLATE "C" NOT NULL,
    session_id       TEXT COLLATE "C" NOT NULL,
    id               TEXT COLLATE "C" NOT NULL,
    signal_type      TEXT COLLATE "C" NOT NULL CHECK (signal_type IN ('offer', 'answer', 'ice')),
    from_participant TEXT COLLATE "C" NOT NULL CHECK (length(from_participant) BETWEEN 1 AND 200),
    to_participant   TEXT COLLATE "C" CHECK (length(to_participant) BETWEEN 1 AND 200),
    signal_data      TEXT NOT NULL CHECK (is_json(signal_data)),
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL CHECK (expires_at > created_at),
    taken_at         BIGINT,
    PRIMARY KEY (tenant, session_id, id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE INDEX signals_untaken ON signals (tenant, session_id, signal_type, id) WHERE taken_at IS NULL;
CREATE INDEX signals_by_expiry ON signals (expires_at);
CREATE TABLE preferences (
    tenant     TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    category   TEXT COLLATE "C" NOT NULL CHECK (length(category) BETWEEN 1 AND 64),
    key        TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    value      TEXT NOT NULL CHECK (is_json(value)),
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id, category, key),
    FOREIGN KEY (tenant, user_id) REFERENCES users (tenant, id) ON DELETE CASCADE
);
CREATE TABLE configuration (
    tenant      TEXT COLLATE "C" NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    key         TEXT COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    value       TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    sensitive   SMALLINT NOT NULL DEFAULT 0 CHECK (sensitive IN (0, 1)),
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (tenant, key),
    CHECK (CASE WHEN sensitive = 1 THEN TRUE ELSE is_json(value) END)
);
CREATE TABLE events (
    tenant     TEXT COLLATE "C" NOT NULL,
    seq        BIGINT NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    kind       TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    subject    TEXT COLLATE "C",
    body       TEXT NOT NULL CHECK (is_json_object(body)),
    at         BIGINT NOT NULL,
    PRIMARY KEY (tenant, seq),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE INDEX events_by_session ON events (tenant, session_id, seq);
CREATE INDEX events_by_time ON events (at);
CREATE TABLE audit (
    id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at         BIGINT NOT NULL,
    tenant     TEXT COLLATE "C" NOT NULL,
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    resource   TEXT NOT NULL DEFAULT '',
    outcome    TEXT NOT NULL DEFAULT 'ok',
    address    TEXT,
    agent      TEXT,
    user_id    TEXT COLLATE "C",
    old_values TEXT CHECK (old_values IS NULL OR is_json(old_values)),
    new_values TEXT CHECK (new_values IS NULL OR is_json(new_values))
);
CREATE INDEX audit_by_tenant ON audit (tenant, id);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_user ON audit (tenant, user_id, id) WHERE user_id IS NOT NULL;
CREATE TABLE audit_horizon (
    one    SMALLINT PRIMARY KEY CHECK (one = 1),
    before BIGINT NOT NULL
);
INSERT INTO audit_horizon VALUES (1, 0);
CREATE TABLE background (
    id               TEXT COLLATE "C" PRIMARY KEY,
    tenant           TEXT COLLATE "C" NOT NULL,
    session_id       TEXT COLLATE "C" NOT NULL,
    user_id          TEXT COLLATE "C",
    started_at       BIGINT NOT NULL,
    finished_at      BIGINT,
    outcome          BYTEA,
    service          TEXT COLLATE "C",
    cancel_requested SMALLINT NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1))
);
CREATE INDEX background_by_end ON background (finished_at);
CREATE INDEX background_unfinished ON background (service) WHERE finished_at IS NULL;

CREATE VIEW statistics WITH (security_invoker = true) AS SELECT tenant,
    agents AS agentCount, people AS humanCount, sessions AS sessionCount, panels AS panelCount,
    messages AS messageCount, workspaces AS workspaceCount,
    agents, active_agents, people, agents + people AS users, sessions, panels, messages, workspaces, executions, bytes
    FROM counters;

-- What the triggers of SQLite do, one function for each table and moment.
CREATE FUNCTION after_tenant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO counters (tenant) VALUES (NEW.id) ON CONFLICT (tenant) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER tenant_is_counted_for AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION after_tenant();
INSERT INTO tenants (id, created_at) VALUES ('local', now_ms());

CREATE FUNCTION make_user(whose TEXT, who TEXT, since BIGINT) RETURNS void LANGUAGE sql AS $$
    INSERT INTO users (tenant, id, created_at, updated_at) VALUES (whose, who, since, since) ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION names_a_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM make_user(NEW.tenant, NEW.user_id, NEW.created_at);
    RETURN NEW;
END $$;
CREATE TRIGGER token_names_a_user BEFORE INSERT ON tokens
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION names_a_user();
CREATE TRIGGER message_names_a_user BEFORE INSERT ON messages
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION names_a_user();
CREATE FUNCTION participant_is_a_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM make_user(NEW.tenant, NEW.user_id, NEW.joined_at);
    RETURN NEW;
END $$;
CREATE TRIGGER participant_is_a_user BEFORE INSERT ON participants
    FOR EACH ROW EXECUTE FUNCTION participant_is_a_user();

CREATE FUNCTION count_user(whose TEXT, kind TEXT, active_in BIGINT, deleted_at BIGINT, by BIGINT) RETURNS void
LANGUAGE sql AS $$
    UPDATE counters SET agents = agents + CASE WHEN kind = 'agent' THEN by ELSE 0 END,
        people = people + CASE WHEN kind = 'human' THEN by ELSE 0 END,
        active_agents = counters.active_agents + CASE WHEN kind = 'agent' AND active_in > 0 THEN by ELSE 0 END
        WHERE tenant = whose AND deleted_at IS NULL
$$;
CREATE FUNCTION after_user() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM count_user(OLD.tenant, OLD.kind, OLD.active_in, OLD.deleted_at, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM count_user(NEW.tenant, NEW.kind, NEW.active_in, NEW.deleted_at, 1);
    ELSE
        UPDATE messages SET user_id = NULL WHERE tenant = OLD.tenant AND user_id = OLD.id;
        UPDATE audit SET user_id = NULL WHERE tenant = OLD.tenant AND user_id = OLD.id;
        DELETE FROM tokens WHERE tenant = OLD.tenant AND user_id = OLD.id;
        DELETE FROM participants WHERE tenant = OLD.tenant AND user_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER user_is_counted AFTER INSERT OR DELETE OR UPDATE OF kind, active_in, deleted_at ON users
    FOR EACH ROW EXECUTE FUNCTION after_user();

CREATE FUNCTION after_workspace() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE counters SET workspaces = workspaces + 1 WHERE tenant = NEW.tenant;
    ELSE
        UPDATE counters SET workspaces = workspaces - 1 WHERE tenant = OLD.tenant;
        UPDATE sessions SET workspace_id = NULL WHERE tenant = OLD.tenant AND workspace_id = OLD.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER workspace_is_counted AFTER INSERT OR DELETE ON workspaces
    FOR EACH ROW EXECUTE FUNCTION after_workspace();
CREATE FUNCTION session_is_in_a_workspace() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM workspaces WHERE tenant = NEW.tenant AND id = NEW.workspace_id) THEN
        RAISE 'FOREIGN KEY constraint failed: sessions.workspace_id';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_is_in_a_workspace BEFORE INSERT OR UPDATE OF workspace_id ON sessions
    FOR EACH ROW WHEN (NEW.workspace_id IS NOT NULL) EXECUTE FUNCTION session_is_in_a_workspace();

CREATE FUNCTION takes_part_in_an_active_one(whose TEXT, session TEXT, who TEXT, by BIGINT) RETURNS void
LANGUAGE sql AS $$
    UPDATE users SET active_in = active_in + by WHERE tenant = whose AND id = who AND EXISTS (
        SELECT 1 FROM sessions AS s WHERE s.tenant = whose AND s.id = session AND s.status = 'active')
$$;
CREATE FUNCTION tell(whose TEXT, session TEXT, kind TEXT, subject TEXT, body JSON, at BIGINT) RETURNS void
LANGUAGE plpgsql AS $$ DECLARE number BIGINT; BEGIN
    UPDATE counters SET events = events + 1 WHERE tenant = whose RETURNING events INTO number;
    INSERT INTO events (tenant, seq, session_id, kind, subject, body, at)
        SELECT whose, number, session, kind, subject, body::text, at WHERE number IS NOT NULL AND EXISTS (
            SELECT 1 FROM sessions AS s WHERE s.tenant = whose AND s.id = session);
END $$;
CREATE FUNCTION after_participant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.left_at IS NULL THEN
            PERFORM takes_part_in_an_active_one(OLD.tenant, OLD.session_id, OLD.user_id, -1);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.left_at IS NULL THEN
        PERFORM takes_part_in_an_active_one(NEW.tenant, NEW.session_id, NEW.user_id, 1);
        PERFORM tell(NEW.tenant, NEW.session_id, 'join', NEW.user_id,
            json_build_object('user_id', NEW.user_id, 'role', NEW.role), NEW.joined_at);
    ELSIF TG_OP = 'UPDATE' THEN
        IF (NEW.left_at IS NULL) <> (OLD.left_at IS NULL) THEN
            PERFORM takes_part_in_an_active_one(NEW.tenant, NEW.session_id, NEW.user_id,
                CASE WHEN NEW.left_at IS NULL THEN 1 ELSE -1 END);
        END IF;
        IF NEW.role <> OLD.role OR (NEW.left_at IS NULL) <> (OLD.left_at IS NULL) THEN
            PERFORM tell(NEW.tenant, NEW.session_id, CASE WHEN NEW.left_at IS NULL THEN 'join' ELSE 'leave' END,
                NEW.user_id, json_build_object('user_id', NEW.user_id, 'role', NEW.role),
                coalesce(NEW.left_at, NEW.joined_at));
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER participant_joins_or_leaves AFTER INSERT OR DELETE OR UPDATE OF role, left_at ON participants
    FOR EACH ROW EXECUTE FUNCTION after_participant();

CREATE FUNCTION session_begins() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE counters SET sessions = sessions + CASE WHEN NEW.expired_at IS NULL THEN 1 ELSE 0 END,
        executions = executions + NEW.executions, bytes = bytes + NEW.bytes WHERE tenant = NEW.tenant;
    IF NEW.owner IS NOT NULL THEN
        INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
            VALUES (NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_begins AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION session_begins();
CREATE FUNCTION session_is_used() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE counters SET bytes = bytes + NEW.bytes - OLD.bytes,
        executions = executions + greatest(NEW.executions - OLD.executions, 0) WHERE tenant = NEW.tenant;
    RETURN NULL;
END $$;
CREATE TRIGGER session_is_used AFTER UPDATE OF executions, bytes ON sessions
    FOR EACH ROW WHEN (NEW.executions <> OLD.executions OR NEW.bytes <> OLD.bytes) EXECUTE FUNCTION session_is_used();
CREATE FUNCTION session_is_removed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.expired_at IS NULL AND OLD.closed_at IS NULL THEN
        UPDATE users SET active_in = active_in - 1 WHERE tenant = OLD.tenant AND id IN (SELECT user_id
            FROM participants WHERE tenant = OLD.tenant AND session_id = OLD.id AND left_at IS NULL);
    END IF;
    UPDATE counters SET sessions = sessions - CASE WHEN OLD.expired_at IS NULL THEN 1 ELSE 0 END,
        bytes = bytes - OLD.bytes WHERE tenant = OLD.tenant;
    RETURN OLD;
END $$;
CREATE TRIGGER session_is_removed BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION session_is_removed();
CREATE FUNCTION session_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (NEW.status = 'active') <> (OLD.status = 'active') THEN
        UPDATE users SET active_in = active_in + CASE WHEN NEW.status = 'active' THEN 1 ELSE -1 END
            WHERE tenant = NEW.tenant AND id IN (SELECT user_id FROM participants
                WHERE tenant = NEW.tenant AND session_id = NEW.id AND left_at IS NULL);
    END IF;
    IF (NEW.expired_at IS NULL) <> (OLD.expired_at IS NULL) THEN
        UPDATE counters SET sessions = sessions + CASE WHEN NEW.expired_at IS NULL THEN 1 ELSE -1 END
            WHERE tenant = NEW.tenant;
    END IF;
    IF NEW.created_at <> OLD.created_at OR NEW.owner IS DISTINCT FROM OLD.owner
            OR NEW.expired_at IS NULL AND OLD.expired_at IS NOT NULL THEN
        DELETE FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id;
    END IF;
    IF NEW.owner IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id) THEN
        INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
            VALUES (NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at);
    END IF;
    IF NEW.created_at <> OLD.created_at THEN
        DELETE FROM messages WHERE tenant = NEW.tenant AND session_id = NEW.id;
        DELETE FROM panels WHERE tenant = NEW.tenant AND session_id = NEW.id;
        DELETE FROM mcp_sessions WHERE tenant = NEW.tenant AND session_id = NEW.id;
        DELETE FROM signals WHERE tenant = NEW.tenant AND session_id = NEW.id;
        DELETE FROM subscriptions WHERE tenant = NEW.tenant AND session_id = NEW.id;
        DELETE FROM events WHERE tenant = NEW.tenant AND session_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_changes AFTER UPDATE OF created_at, owner, expired_at, closed_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION session_changes();

CREATE FUNCTION after_message() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE counters SET messages = messages - 1 WHERE tenant = OLD.tenant;
    ELSE
        UPDATE counters SET messages = messages + 1 WHERE tenant = NEW.tenant;
        PERFORM tell(NEW.tenant, NEW.session_id, 'message', NEW.id, '{}', NEW.created_at);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER message_is_told AFTER INSERT OR DELETE ON messages FOR EACH ROW EXECUTE FUNCTION after_message();
CREATE FUNCTION after_signal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM tell(NEW.tenant, NEW.session_id, 'signal', NEW.id, json_build_object('signal_type', NEW.signal_type,
        'from_participant', NEW.from_participant, 'to_participant', NEW.to_participant), NEW.created_at);
    RETURN NULL;
END $$;
CREATE TRIGGER signal_is_told AFTER INSERT ON signals FOR EACH ROW EXECUTE FUNCTION after_signal();
CREATE FUNCTION after_panel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE counters SET panels = panels + 1 WHERE tenant = NEW.tenant;
        PERFORM tell(NEW.tenant, NEW.session_id, 'panel', NEW.id,
            json_build_object('change', 'created', 'title', NEW.title), NEW.created_at);
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM tell(NEW.tenant, NEW.session_id, 'panel', NEW.id,
            json_build_object('change', 'updated', 'title', NEW.title), NEW.updated_at);
    ELSE
        UPDATE counters SET panels = panels - 1 WHERE tenant = OLD.tenant;
        PERFORM tell(OLD.tenant, OLD.session_id, 'panel', OLD.id,
            json_build_object('change', 'removed', 'title', OLD.title), now_ms());
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER panel_is_told AFTER INSERT OR UPDATE OR DELETE ON panels
    FOR EACH ROW EXECUTE FUNCTION after_panel();

CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    -- A user who is gone becomes nobody; the retention says first up to when it removes.
    IF TG_OP = 'UPDATE' AND NEW.user_id IS NULL AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id'
            AND NOT EXISTS (SELECT 1 FROM users WHERE tenant = OLD.tenant AND id = OLD.user_id) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND OLD.at < (SELECT before FROM audit_horizon) THEN
        RETURN OLD;
    END IF;
    RAISE 'the audit log is only added to';
END $$;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_added_to();
CREATE FUNCTION audit_is_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'the audit log is only added to';
END $$;
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_is_not_emptied();

-- Which tenant's rows a transaction sees and writes: those of `codemode.tenant`, or for '*' all. Nothing set: none.
CREATE FUNCTION acts_for(whose TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('codemode.tenant', true) IN ('*', whose);
DO $$ DECLARE each TEXT; BEGIN
    FOREACH each IN ARRAY ARRAY['counters', 'usage_by_day', 'rates', 'tokens', 'users', 'workspaces', 'groups',
        'group_members', 'sessions', 'participants', 'messages', 'panels', 'subscriptions', 'mcp_sessions', 'signals',
        'preferences', 'configuration', 'events', 'audit', 'background', 'tenants'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', each);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', each);
        EXECUTE format('CREATE POLICY one_tenant ON %I USING (acts_for(%I))', each,
            CASE each WHEN 'tenants' THEN 'id' ELSE 'tenant' END);
    END LOOP;
END $$;
