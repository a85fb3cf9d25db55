-- The fifth source system as one script for helpers.db.script: what it named, in SQLite, with its errors repaired.
-- It may run any number of times; tests/session/test_knowledge.py fills and asks it.

CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER PRIMARY KEY, description TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS user_sessions (
    id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))),
    user_id_hash TEXT NOT NULL,
    started_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    ended_at TEXT CHECK (ended_at >= started_at),
    workspace_path TEXT,
    settings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(settings)));

CREATE TABLE IF NOT EXISTS conversations (
    id INTEGER PRIMARY KEY,  -- a whole number: the full text refers to it as its rowid
    session_id TEXT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES conversations (id) ON DELETE SET NULL,
    question TEXT NOT NULL,
    response TEXT,
    context_files TEXT NOT NULL DEFAULT '[]' CHECK (json_type(context_files) = 'array'),
    context_databases TEXT NOT NULL DEFAULT '[]' CHECK (json_type(context_databases) = 'array'),
    tokens_used INTEGER NOT NULL DEFAULT 0 CHECK (tokens_used >= 0),
    response_time_ms INTEGER,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS tracked_files (
    id INTEGER PRIMARY KEY,
    file_path TEXT NOT NULL UNIQUE,
    file_name TEXT NOT NULL,
    file_type TEXT,
    file_size INTEGER CHECK (file_size >= 0),
    file_hash TEXT,
    parsed_at TEXT,
    parsing_status TEXT NOT NULL DEFAULT 'pending' CHECK (parsing_status IN ('pending', 'success', 'failed')),
    parsing_error TEXT,
    CHECK (parsing_status <> 'failed' OR parsing_error IS NOT NULL));

CREATE TABLE IF NOT EXISTS knowledge_items (
    id INTEGER PRIMARY KEY,
    source_type TEXT NOT NULL CHECK (source_type IN ('file', 'conversation', 'database')),
    source_id TEXT,
    knowledge_type TEXT NOT NULL CHECK (knowledge_type IN ('coding_standard', 'pattern', 'concept', 'solution')),
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    confidence REAL NOT NULL DEFAULT 1.0 CHECK (confidence BETWEEN 0 AND 1),
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_type(tags) = 'array'),
    metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS knowledge_relationships (
    id INTEGER PRIMARY KEY,
    from_knowledge_id INTEGER NOT NULL REFERENCES knowledge_items (id) ON DELETE CASCADE,
    to_knowledge_id INTEGER NOT NULL REFERENCES knowledge_items (id) ON DELETE CASCADE,
    relationship_type TEXT NOT NULL
        CHECK (relationship_type IN ('relates_to', 'contradicts', 'extends', 'implements')),
    strength REAL NOT NULL DEFAULT 0.5 CHECK (strength BETWEEN 0 AND 1),
    UNIQUE (from_knowledge_id, to_knowledge_id, relationship_type),
    CHECK (from_knowledge_id <> to_knowledge_id));

CREATE TABLE IF NOT EXISTS database_connections (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    connection_type TEXT NOT NULL CHECK (connection_type IN ('sqlserver', 'postgresql', 'mysql')),
    host TEXT NOT NULL,
    port INTEGER CHECK (port BETWEEN 1 AND 65535),
    database_name TEXT NOT NULL,
    username TEXT,
    encrypted_password BLOB,
    auth_type TEXT NOT NULL DEFAULT 'sql' CHECK (auth_type IN ('sql', 'windows', 'certificate')),
    ssl_config TEXT CHECK (json_valid(ssl_config)),
    connection_options TEXT CHECK (json_valid(connection_options)),
    last_connected_at TEXT,
    last_error TEXT,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)));

CREATE TABLE IF NOT EXISTS database_schemas (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL REFERENCES database_connections (id) ON DELETE CASCADE,
    schema_name TEXT NOT NULL,
    table_name TEXT NOT NULL,
    table_type TEXT NOT NULL DEFAULT 'table' CHECK (table_type IN ('table', 'view', 'stored_procedure')),
    column_info TEXT NOT NULL CHECK (json_type(column_info) = 'array'),
    relationships TEXT CHECK (json_valid(relationships)),
    indexes TEXT CHECK (json_valid(indexes)),
    row_count INTEGER,
    last_updated TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (connection_id, schema_name, table_name));

CREATE TABLE IF NOT EXISTS feature_usage (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    feature_name TEXT NOT NULL,
    feature_category TEXT NOT NULL CHECK (feature_category IN ('core', 'database', 'files', 'advanced')),
    usage_context TEXT CHECK (json_valid(usage_context)),
    started_at TEXT NOT NULL,
    completed_at TEXT,
    success INTEGER CHECK (success IN (0, 1)),
    error_message TEXT);

CREATE TABLE IF NOT EXISTS performance_metrics (
    id INTEGER PRIMARY KEY,
    operation_type TEXT NOT NULL,
    operation_details TEXT CHECK (json_valid(operation_details)),
    start_time TEXT NOT NULL,
    end_time TEXT,
    success INTEGER CHECK (success IN (0, 1)),
    error_type TEXT,
    memory_used_mb REAL,
    tokens_used INTEGER,
    cache_hit INTEGER NOT NULL DEFAULT 0 CHECK (cache_hit IN (0, 1)));

CREATE TABLE IF NOT EXISTS productivity_events (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    event_type TEXT NOT NULL,
    traditional_time_estimate INTEGER NOT NULL CHECK (traditional_time_estimate > 0),  -- seconds, as the next two
    actual_time_taken INTEGER NOT NULL CHECK (actual_time_taken >= 0),
    time_saved INTEGER AS (traditional_time_estimate - actual_time_taken) STORED,
    improvement_percentage REAL AS (100.0 * (traditional_time_estimate - actual_time_taken) / traditional_time_estimate),
    context_data TEXT CHECK (json_valid(context_data)),
    user_satisfaction INTEGER CHECK (user_satisfaction BETWEEN 1 AND 5),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);

CREATE TABLE IF NOT EXISTS user_preferences (
    id INTEGER PRIMARY KEY,
    user_id_hash TEXT NOT NULL,
    preference_category TEXT NOT NULL CHECK (preference_category IN ('ui', 'ai', 'privacy', 'performance')),
    preference_key TEXT NOT NULL,
    preference_value TEXT,
    UNIQUE (user_id_hash, preference_category, preference_key));

CREATE TABLE IF NOT EXISTS system_config (
    id INTEGER PRIMARY KEY,
    config_key TEXT NOT NULL UNIQUE,
    config_value TEXT,
    config_description TEXT,
    is_sensitive INTEGER NOT NULL DEFAULT 0 CHECK (is_sensitive IN (0, 1)));

CREATE TABLE IF NOT EXISTS ai_response_cache (
    id INTEGER PRIMARY KEY,
    prompt_hash TEXT NOT NULL UNIQUE CHECK (length(prompt_hash) = 64),
    prompt_preview TEXT,
    response TEXT NOT NULL,
    tokens_used INTEGER,
    model_used TEXT,
    cache_created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_accessed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    access_count INTEGER NOT NULL DEFAULT 1);

CREATE TABLE IF NOT EXISTS file_processing_cache (
    id INTEGER PRIMARY KEY,
    file_path TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    processing_type TEXT NOT NULL CHECK (processing_type IN ('parse', 'analyze', 'extract_metadata')),
    processing_options TEXT CHECK (json_valid(processing_options)),
    result_data BLOB,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_accessed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (file_path, file_hash, processing_type));

-- The usual questions, composite; and partial where only some rows are asked for.
CREATE INDEX IF NOT EXISTS idx_user_sessions_user ON user_sessions (user_id_hash, started_at DESC);
CREATE INDEX IF NOT EXISTS idx_conversations_session ON conversations (session_id, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_knowledge_type ON knowledge_items (knowledge_type, created_at);
CREATE INDEX IF NOT EXISTS idx_knowledge_source ON knowledge_items (source_type, source_id);
CREATE INDEX IF NOT EXISTS idx_relationships_to ON knowledge_relationships (to_knowledge_id, strength DESC);
CREATE INDEX IF NOT EXISTS idx_usage_feature ON feature_usage (feature_name, session_id);
CREATE INDEX IF NOT EXISTS idx_events_created ON productivity_events (created_at, event_type);
CREATE INDEX IF NOT EXISTS idx_metrics_operation ON performance_metrics (operation_type, start_time);
CREATE INDEX IF NOT EXISTS idx_metrics_start ON performance_metrics (start_time);
CREATE INDEX IF NOT EXISTS idx_response_cache_created ON ai_response_cache (cache_created_at);
CREATE INDEX IF NOT EXISTS idx_file_cache_created ON file_processing_cache (created_at);
CREATE INDEX IF NOT EXISTS idx_files_unparsed ON tracked_files (parsing_status) WHERE parsing_status <> 'success';
CREATE INDEX IF NOT EXISTS idx_connections_active ON database_connections (connection_type, name) WHERE is_active = 1;
CREATE INDEX IF NOT EXISTS idx_usage_successful ON feature_usage (feature_name, started_at) WHERE success = 1;

-- Full text over both tables, filled by triggers: the original's were never filled.
CREATE VIRTUAL TABLE IF NOT EXISTS conversations_fts
    USING fts5(question, response, content = 'conversations', content_rowid = 'id');
CREATE TRIGGER IF NOT EXISTS conversations_fts_insert AFTER INSERT ON conversations BEGIN
    INSERT INTO conversations_fts (rowid, question, response) VALUES (new.id, new.question, new.response);
END;
CREATE TRIGGER IF NOT EXISTS conversations_fts_delete AFTER DELETE ON conversations BEGIN
    INSERT INTO conversations_fts (conversations_fts, rowid, question, response)
    VALUES ('delete', old.id, old.question, old.response);
END;
CREATE TRIGGER IF NOT EXISTS conversations_fts_update AFTER UPDATE OF id, question, response ON conversations BEGIN
    INSERT INTO conversations_fts (conversations_fts, rowid, question, response)
    VALUES ('delete', old.id, old.question, old.response);
    INSERT INTO conversations_fts (rowid, question, response) VALUES (new.id, new.question, new.response);
END;
CREATE VIRTUAL TABLE IF NOT EXISTS knowledge_fts
    USING fts5(title, content, tags, content = 'knowledge_items', content_rowid = 'id');
CREATE TRIGGER IF NOT EXISTS knowledge_fts_insert AFTER INSERT ON knowledge_items BEGIN
    INSERT INTO knowledge_fts (rowid, title, content, tags) VALUES (new.id, new.title, new.content, new.tags);
END;
CREATE TRIGGER IF NOT EXISTS knowledge_fts_delete AFTER DELETE ON knowledge_items BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, content, tags)
    VALUES ('delete', old.id, old.title, old.content, old.tags);
END;
CREATE TRIGGER IF NOT EXISTS knowledge_fts_update AFTER UPDATE OF id, title, content, tags ON knowledge_items BEGIN
    INSERT INTO knowledge_fts (knowledge_fts, rowid, title, content, tags)
    VALUES ('delete', old.id, old.title, old.content, old.tags);
    INSERT INTO knowledge_fts (rowid, title, content, tags) VALUES (new.id, new.title, new.content, new.tags);
END;

-- Seconds are seconds: the original divided them by 1000. And people are counted, not their sessions.
CREATE VIEW IF NOT EXISTS productivity_summary AS
    SELECT date(created_at) AS day, event_type, count(*) AS event_count, avg(time_saved) AS mean_time_saved,
           avg(improvement_percentage) AS mean_improvement, sum(time_saved) AS total_time_saved
    FROM productivity_events GROUP BY 1, 2;
CREATE VIEW IF NOT EXISTS feature_adoption AS
    SELECT u.feature_name, count(*) AS uses, count(DISTINCT s.user_id_hash) AS unique_users,
           100.0 * avg(u.success) AS success_rate,
           avg(unixepoch(u.completed_at) - unixepoch(u.started_at)) AS mean_duration
    FROM feature_usage AS u JOIN user_sessions AS s ON s.id = u.session_id GROUP BY u.feature_name;
CREATE VIEW IF NOT EXISTS knowledge_growth AS
    SELECT date(created_at) AS day, knowledge_type, count(*) AS items, avg(confidence) AS mean_confidence
    FROM knowledge_items GROUP BY 1, 2;

INSERT INTO schema_version (version, description) VALUES (1, 'knowledge and analytics') ON CONFLICT (version) DO NOTHING;
