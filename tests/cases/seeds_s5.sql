-- in order: the fifth source system, knowledge and analytics; its five errors each answer rightly here.

-- case: user sessions
-- allowed: create_table
CREATE TABLE user_sessions (id TEXT PRIMARY KEY, user_id_hash TEXT NOT NULL, started_at DATETIME DEFAULT CURRENT_TIMESTAMP, ended_at DATETIME, workspace_path TEXT, settings JSON);

-- case: conversations
-- allowed: create_table
CREATE TABLE conversations (id TEXT PRIMARY KEY, session_id TEXT NOT NULL, parent_id TEXT, question TEXT NOT NULL, response TEXT, context_files JSON, context_databases JSON, tokens_used INTEGER DEFAULT 0, response_time_ms INTEGER, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (session_id) REFERENCES user_sessions (id) ON DELETE CASCADE, FOREIGN KEY (parent_id) REFERENCES conversations (id));

-- case: tracked files
-- allowed: create_table
CREATE TABLE tracked_files (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL UNIQUE, file_name TEXT NOT NULL, file_type TEXT, file_size INTEGER, file_hash TEXT, parsed_at DATETIME, parsing_status TEXT DEFAULT 'pending' CHECK (parsing_status IN ('pending', 'success', 'failed')), parsing_error TEXT);

-- case: knowledge items
-- allowed: create_table
CREATE TABLE knowledge_items (id TEXT PRIMARY KEY, source_type TEXT CHECK (source_type IN ('file', 'conversation', 'database')), source_id TEXT, knowledge_type TEXT CHECK (knowledge_type IN ('coding_standard', 'pattern', 'concept', 'solution')), title TEXT NOT NULL, content TEXT NOT NULL, confidence REAL DEFAULT 1.0 CHECK (confidence >= 0.0 AND confidence <= 1.0), tags JSON, metadata JSON, created_at DATETIME DEFAULT CURRENT_TIMESTAMP);

-- case: knowledge relationships
-- allowed: create_table
CREATE TABLE knowledge_relationships (id INTEGER PRIMARY KEY, from_knowledge_id TEXT NOT NULL REFERENCES knowledge_items (id) ON DELETE CASCADE, to_knowledge_id TEXT NOT NULL REFERENCES knowledge_items (id) ON DELETE CASCADE, relationship_type TEXT CHECK (relationship_type IN ('relates_to', 'contradicts', 'extends', 'implements')), strength REAL DEFAULT 0.5 CHECK (strength BETWEEN 0 AND 1), UNIQUE (from_knowledge_id, to_knowledge_id, relationship_type));

-- case: database connections
-- allowed: create_table
CREATE TABLE database_connections (id TEXT PRIMARY KEY, name TEXT NOT NULL, connection_type TEXT CHECK (connection_type IN ('sqlserver', 'postgresql', 'mysql')), host TEXT, port INTEGER CHECK (port BETWEEN 1 AND 65535), database_name TEXT, username TEXT, encrypted_password BLOB, auth_type TEXT CHECK (auth_type IN ('sql', 'windows', 'certificate')), ssl_config JSON, connection_options JSON, last_connected_at DATETIME, last_error TEXT, is_active BOOLEAN DEFAULT 1);

-- case: database schemas
-- allowed: create_table
CREATE TABLE database_schemas (id INTEGER PRIMARY KEY, connection_id TEXT NOT NULL REFERENCES database_connections (id) ON DELETE CASCADE, schema_name TEXT NOT NULL, table_name TEXT NOT NULL, table_type TEXT DEFAULT 'table' CHECK (table_type IN ('table', 'view', 'stored_procedure')), column_info JSON NOT NULL, relationships JSON, "indexes" JSON, row_count INTEGER, last_updated DATETIME, UNIQUE (connection_id, schema_name, table_name));

-- case: feature usage
-- allowed: create_table
CREATE TABLE feature_usage (id INTEGER PRIMARY KEY, session_id TEXT NOT NULL REFERENCES user_sessions (id), feature_name TEXT NOT NULL, feature_category TEXT CHECK (feature_category IN ('core', 'database', 'files', 'advanced')), usage_context JSON, started_at DATETIME, completed_at DATETIME, success BOOLEAN, error_message TEXT);

-- case: performance metrics
-- allowed: create_table
CREATE TABLE performance_metrics (id INTEGER PRIMARY KEY, operation_type TEXT NOT NULL, operation_details JSON, start_time DATETIME NOT NULL, end_time DATETIME, success BOOLEAN, error_type TEXT, memory_used_mb REAL, tokens_used INTEGER, cache_hit BOOLEAN DEFAULT FALSE);

-- case: productivity events
-- allowed: create_table
CREATE TABLE productivity_events (id INTEGER PRIMARY KEY, session_id TEXT REFERENCES user_sessions (id), event_type TEXT NOT NULL, traditional_time_estimate INTEGER, actual_time_taken INTEGER, time_saved INTEGER GENERATED ALWAYS AS (traditional_time_estimate - actual_time_taken) STORED, improvement_percentage REAL AS (CASE WHEN traditional_time_estimate > 0 THEN round(100.0 * (traditional_time_estimate - actual_time_taken) / traditional_time_estimate, 1) END) VIRTUAL, context_data JSON, user_satisfaction INTEGER CHECK (user_satisfaction BETWEEN 1 AND 5), created_at DATETIME DEFAULT CURRENT_TIMESTAMP);

-- case: user preferences
-- allowed: create_table
CREATE TABLE user_preferences (id INTEGER PRIMARY KEY, user_id_hash TEXT NOT NULL, preference_category TEXT CHECK (preference_category IN ('ui', 'ai', 'privacy', 'performance')), preference_key TEXT NOT NULL, preference_value TEXT, UNIQUE (user_id_hash, preference_category, preference_key));

-- case: system configuration
-- allowed: create_table
CREATE TABLE system_config (id INTEGER PRIMARY KEY, config_key TEXT UNIQUE NOT NULL, config_value TEXT, config_description TEXT, is_sensitive BOOLEAN DEFAULT 0);

-- case: cache of responses
-- allowed: create_table
CREATE TABLE ai_response_cache (id INTEGER PRIMARY KEY, prompt_hash TEXT UNIQUE NOT NULL, prompt_preview TEXT, response TEXT NOT NULL, tokens_used INTEGER, model_used TEXT, cache_created_at DATETIME DEFAULT CURRENT_TIMESTAMP, last_accessed_at DATETIME DEFAULT CURRENT_TIMESTAMP, access_count INTEGER DEFAULT 1);

-- case: cache of files
-- allowed: create_table
CREATE TABLE file_processing_cache (id INTEGER PRIMARY KEY, file_path TEXT NOT NULL, file_hash TEXT NOT NULL, processing_type TEXT CHECK (processing_type IN ('parse', 'analyze', 'extract_metadata')), processing_options JSON, result_data BLOB, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, last_accessed_at DATETIME, UNIQUE (file_path, file_hash, processing_type));

-- case: schema version
-- allowed: create_table
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, description TEXT, applied_at DATETIME DEFAULT CURRENT_TIMESTAMP);

-- case: conversations of a session by time
-- allowed: create_index
CREATE INDEX idx_conversations_session ON conversations (session_id, created_at DESC);

-- case: active connections
-- allowed: create_index
CREATE INDEX idx_connections_active ON database_connections (connection_type, name) WHERE is_active = 1;

-- case: successful uses
-- allowed: create_index
CREATE INDEX idx_usage_successful ON feature_usage (feature_name, started_at) WHERE success = 1;

-- case: full text on conversations
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE conversations_fts USING fts5(question, response, content='conversations', content_rowid='rowid');

-- case: which the original never filled
-- allowed: create_trigger
CREATE TRIGGER conversations_fts_insert AFTER INSERT ON conversations BEGIN INSERT INTO conversations_fts (rowid, question, response) VALUES (new.rowid, new.question, new.response); END;

-- case: nor emptied
-- allowed: create_trigger
CREATE TRIGGER conversations_fts_delete AFTER DELETE ON conversations BEGIN INSERT INTO conversations_fts (conversations_fts, rowid, question, response) VALUES ('delete', old.rowid, old.question, old.response); END;

-- case: full text on knowledge
-- allowed: create_virtual_table
CREATE VIRTUAL TABLE knowledge_fts USING fts5(title, content, tags, content='knowledge_items', content_rowid='rowid');

-- case: filled by a trigger
-- allowed: create_trigger
CREATE TRIGGER knowledge_fts_insert AFTER INSERT ON knowledge_items BEGIN INSERT INTO knowledge_fts (rowid, title, content, tags) VALUES (new.rowid, new.title, new.content, new.tags); END;

-- case: sessions of two people
-- allowed: insert
INSERT INTO user_sessions (id, user_id_hash, started_at, workspace_path, settings) VALUES ('s1', 'ann', '2025-03-01 08:00:00', '/src', '{"theme":"dark"}'), ('s2', 'ann', '2025-03-02 08:00:00', '/src', '{}'), ('s3', 'bob', '2025-03-02 09:00:00', '/doc', NULL);

-- case: files
-- allowed: insert
INSERT INTO tracked_files (file_path, file_name, file_type, file_size, file_hash, parsing_status) VALUES ('/src/a.py', 'a.py', 'py', 120, 'h1', 'success'), ('/src/b.py', 'b.py', 'py', 80, 'h2', 'pending')

-- case: a file is seen again with new content
-- allowed: insert
-- rows: [[1, "pending"]]
INSERT INTO tracked_files (file_path, file_name, file_hash) VALUES ('/src/a.py', 'a.py', 'h9') ON CONFLICT (file_path) DO UPDATE SET file_hash = excluded.file_hash, parsing_status = CASE WHEN tracked_files.file_hash = excluded.file_hash THEN tracked_files.parsing_status ELSE 'pending' END RETURNING id, parsing_status

-- case: conversations: rows
-- allowed: insert
INSERT INTO conversations (id, session_id, parent_id, question, response, context_files, tokens_used, response_time_ms, created_at) VALUES ('c1', 's1', NULL, 'How do I parse JSON?', 'Use json_each', '["/src/a.py","/src/b.py"]', 100, 1500, '2025-03-01 08:10:00'), ('c2', 's1', 'c1', 'And nested arrays?', 'Use json_tree', '["/src/b.py"]', 50, 800, '2025-03-01 08:20:00'), ('c3', 's3', NULL, 'What is a trigger?', 'A statement that fires', '[]', 70, 950, '2025-03-02 09:10:00')

-- case: the index finds what was inserted, by the rowid
-- allowed: select
-- rows: [["c1"]]
SELECT c.id FROM conversations_fts f JOIN conversations c ON c.rowid = f.rowid WHERE conversations_fts MATCH 'parse' ORDER BY f.rank

-- case: an external index that nothing fills finds nothing
-- allowed: select
-- after: CREATE VIRTUAL TABLE unfilled USING fts5(question, content='conversations', content_rowid='rowid')
-- rows: [[0]]
SELECT count(*) FROM unfilled WHERE unfilled MATCH 'parse'

-- case: until it is rebuilt
-- allowed: insert
INSERT INTO unfilled (unfilled) VALUES ('rebuild')

-- case: then it does
-- allowed: select
-- rows: [[1]]
SELECT count(*) FROM unfilled WHERE unfilled MATCH 'parse'

-- case: recent conversations of a session with the files in their context
-- allowed: select
-- rows: [["c2", "b.py"], ["c1", "a.py"], ["c1", "b.py"]]
SELECT c.id, t.file_name FROM conversations c, json_each(c.context_files) AS f JOIN tracked_files t ON t.file_path = f.value WHERE c.session_id = 's1' ORDER BY c.created_at DESC, f.key

-- case: the same, also without files
-- allowed: select
-- rows: [["c3", null]]
SELECT c.id, group_concat(t.file_name, ', ') FROM conversations c LEFT JOIN json_each(c.context_files) AS f LEFT JOIN tracked_files t ON t.file_path = f.value WHERE c.session_id = 's3' GROUP BY c.id

-- case: a thread from its beginning
-- allowed: select
-- rows: [["c1", 0], ["c2", 1]]
WITH RECURSIVE thread (id, depth) AS (SELECT id, 0 FROM conversations WHERE id = 'c1' UNION ALL SELECT c.id, depth + 1 FROM conversations c JOIN thread t ON c.parent_id = t.id) SELECT id, depth FROM thread ORDER BY depth

-- case: feature usage with starts and ends
-- allowed: insert
INSERT INTO feature_usage (session_id, feature_name, feature_category, started_at, completed_at, success) VALUES ('s1', 'search', 'core', '2025-03-01 08:00:00', '2025-03-01 08:00:10', 1), ('s2', 'search', 'core', '2025-03-02 08:00:00', '2025-03-02 08:00:20', 1), ('s3', 'search', 'core', '2025-03-02 09:00:00', '2025-03-02 09:00:30', 0), ('s1', 'import', 'files', '2025-03-01 08:30:00', NULL, NULL)

-- case: adoption counts people, not sessions, and seconds are seconds
-- allowed: create_view
CREATE VIEW feature_adoption AS SELECT u.feature_name, count(*) AS uses, count(DISTINCT s.user_id_hash) AS unique_users, round(100.0 * count(*) FILTER (WHERE u.success) / nullif(count(u.success), 0), 1) AS success_rate, round(avg((julianday(u.completed_at) - julianday(u.started_at)) * 86400.0), 1) AS mean_seconds FROM feature_usage u JOIN user_sessions s ON s.id = u.session_id GROUP BY u.feature_name;

-- case: three sessions of two people; ten, twenty and thirty seconds
-- allowed: select
-- rows: [["import", 1, 1, null, null], ["search", 3, 2, 66.7, 20.0]]
SELECT * FROM feature_adoption ORDER BY feature_name

-- case: the original's count of users was one of sessions
-- allowed: select
-- rows: [[3, 2]]
SELECT count(DISTINCT u.session_id) AS sessions, count(DISTINCT s.user_id_hash) AS users FROM feature_usage u JOIN user_sessions s ON s.id = u.session_id

-- case: durations by unixepoch are whole seconds, not thousandths
-- allowed: select
-- rows: [[60, 0.06]]
SELECT sum(unixepoch(completed_at) - unixepoch(started_at)) AS seconds, sum(unixepoch(completed_at) - unixepoch(started_at)) / 1000.0 AS wrong FROM feature_usage

-- case: events; what was saved is computed
-- allowed: insert
INSERT INTO productivity_events (session_id, event_type, traditional_time_estimate, actual_time_taken, user_satisfaction, created_at) VALUES ('s1', 'refactor', 3600, 600, 5, datetime('now', '-1 day')), ('s2', 'refactor', 1800, 900, 4, datetime('now', '-1 day')), ('s3', 'review', 600, 600, 3, datetime('now', '-90 days'))

-- case: what is computed cannot be written
-- error: sql.runtime, sqlite
-- repair: INSERT INTO performance_metrics (operation_type, start_time) VALUES ('noop', '2025-03-01')
INSERT INTO productivity_events (event_type, time_saved) VALUES ('x', 1)

-- case: productivity by day and type
-- allowed: create_view
CREATE VIEW productivity_summary AS SELECT date(created_at) AS day, event_type, count(*) AS events, avg(time_saved) AS mean_saved, avg(improvement_percentage) AS mean_improvement, sum(time_saved) AS total_saved FROM productivity_events GROUP BY 1, 2

-- case: productivity of the last thirty days, in seconds as stored
-- allowed: select
-- rows: [["refactor", 2, 1950.0, 66.65, 3900]]
SELECT event_type, events, mean_saved, mean_improvement, total_saved FROM productivity_summary WHERE day >= date('now', '-30 days') ORDER BY total_saved DESC

-- case: the same in hours
-- allowed: select
-- rows: [[1.08]]
SELECT round(sum(time_saved) / 3600.0, 2) AS hours FROM productivity_events WHERE created_at >= datetime('now', '-30 days')

-- case: knowledge
-- allowed: insert
INSERT INTO knowledge_items (id, source_type, source_id, knowledge_type, title, content, confidence, tags, created_at) VALUES ('k1', 'file', '1', 'pattern', 'Repository pattern', 'Hide storage', 0.9, '["design","storage"]', '2025-03-01 10:00:00'), ('k2', 'conversation', 'c1', 'concept', 'JSON functions', 'json_each makes rows', 0.7, '["sql"]', '2025-03-01 11:00:00'), ('k3', 'file', '2', 'pattern', 'Unit of work', 'Group changes', 0.5, '["design"]', '2025-03-02 10:00:00')

-- case: knowledge is found by title, content and tags, the better hit first
-- allowed: select
-- rows: [["k1"], ["k3"]]
SELECT k.id FROM knowledge_fts f JOIN knowledge_items k ON k.rowid = f.rowid WHERE knowledge_fts MATCH 'tags: design' ORDER BY k.confidence DESC

-- case: confidence has a range
-- error: sql.constraint, running
-- hint: CHECK
-- repair: UPDATE knowledge_items SET confidence = 1.0 WHERE id = 'k1'
UPDATE knowledge_items SET confidence = 1.2 WHERE id = 'k1'

-- case: relationships
-- allowed: insert
INSERT INTO knowledge_relationships (from_knowledge_id, to_knowledge_id, relationship_type, strength) VALUES ('k1', 'k3', 'relates_to', 0.8), ('k2', 'k1', 'extends', 0.4)

-- case: a relationship twice grows stronger
-- allowed: insert
-- rows: [[0.9]]
INSERT INTO knowledge_relationships (from_knowledge_id, to_knowledge_id, relationship_type, strength) VALUES ('k1', 'k3', 'relates_to', 0.9) ON CONFLICT (from_knowledge_id, to_knowledge_id, relationship_type) DO UPDATE SET strength = max(strength, excluded.strength) RETURNING strength

-- case: what is related to an item, in both directions, the strongest first
-- allowed: select
-- rows: [["k3", "relates_to", 0.9], ["k2", "extends", 0.4]]
SELECT k.id, r.relationship_type, r.strength FROM knowledge_relationships r JOIN knowledge_items k ON k.id = CASE r.from_knowledge_id WHEN 'k1' THEN r.to_knowledge_id ELSE r.from_knowledge_id END WHERE 'k1' IN (r.from_knowledge_id, r.to_knowledge_id) ORDER BY r.strength DESC

-- case: what is reachable, strength multiplied along the way
-- allowed: select
-- rows: [["k1", 0.4], ["k3", 0.36]]
WITH RECURSIVE near (id, strength) AS (SELECT to_knowledge_id, strength FROM knowledge_relationships WHERE from_knowledge_id = 'k2' UNION SELECT r.to_knowledge_id, round(n.strength * r.strength, 4) FROM near n JOIN knowledge_relationships r ON r.from_knowledge_id = n.id) SELECT id, max(strength) FROM near GROUP BY id ORDER BY 2 DESC

-- case: knowledge by day and type
-- allowed: create_view
CREATE VIEW knowledge_growth AS SELECT date(created_at) AS day, knowledge_type, count(*) AS items, avg(confidence) AS mean_confidence, sum(count(*)) OVER (PARTITION BY knowledge_type ORDER BY date(created_at)) AS so_far FROM knowledge_items GROUP BY 1, 2

-- case: knowledge grows
-- allowed: select
-- rows: [["2025-03-01", "concept", 1, 1], ["2025-03-01", "pattern", 1, 1], ["2025-03-02", "pattern", 1, 2]]
SELECT day, knowledge_type, items, so_far FROM knowledge_growth ORDER BY day, knowledge_type

-- case: a connection with an encrypted password
-- allowed: insert
INSERT INTO database_connections (id, name, connection_type, host, port, encrypted_password, auth_type, ssl_config) VALUES ('d1', 'sales', 'postgresql', 'db.test', 5432, x'00ff10', 'sql', '{"mode":"require"}')

-- case: its schema is cached
-- allowed: insert
INSERT OR REPLACE INTO database_schemas (connection_id, schema_name, table_name, column_info, "indexes", row_count) VALUES ('d1', 'public', 'orders', json_array(json_object('name', 'id', 'type', 'uuid')), '[]', 10)

-- case: columns of the cached schema
-- allowed: select
-- rows: [["orders", "id", "uuid"]]
SELECT s.table_name, c.value ->> 'name', c.value ->> 'type' FROM database_schemas s, json_each(s.column_info) c WHERE s.connection_id = 'd1'

-- case: preferences are set once a key
-- allowed: insert
-- rows: [["light"]]
-- after: INSERT INTO user_preferences (user_id_hash, preference_category, preference_key, preference_value) VALUES ('ann', 'ui', 'theme', 'dark')
INSERT INTO user_preferences (user_id_hash, preference_category, preference_key, preference_value) VALUES ('ann', 'ui', 'theme', 'light') ON CONFLICT DO UPDATE SET preference_value = excluded.preference_value RETURNING preference_value

-- case: configuration, with the sensitive values left out
-- allowed: insert
INSERT INTO system_config (config_key, config_value, is_sensitive) VALUES ('theme', 'dark', 0), ('api_key', 'secret', 1)

-- case: what may be shown
-- allowed: select
-- rows: [["api_key", "***"], ["theme", "dark"]]
SELECT config_key, iif(is_sensitive, '***', config_value) FROM system_config ORDER BY 1

-- case: a cached response
-- allowed: insert
INSERT INTO ai_response_cache (prompt_hash, prompt_preview, response, tokens_used, model_used, cache_created_at) VALUES ('p1', 'How…', 'Use', 10, 'm', datetime('now', '-40 days')), ('p2', 'Why…', 'Because', 20, 'm', datetime('now', '-1 day'))

-- case: a hit is counted
-- allowed: update
-- rows: [["Because", 2]]
UPDATE ai_response_cache SET access_count = access_count + 1, last_accessed_at = CURRENT_TIMESTAMP WHERE prompt_hash = 'p2' RETURNING response, access_count

-- case: a processed file
-- allowed: insert
INSERT INTO file_processing_cache (file_path, file_hash, processing_type, result_data) VALUES ('/src/a.py', 'h9', 'parse', jsonb('{"lines": 3}')) ON CONFLICT (file_path, file_hash, processing_type) DO NOTHING

-- case: its result, kept in binary JSON
-- allowed: select
-- rows: [[3]]
SELECT result_data ->> '$.lines' FROM file_processing_cache

-- case: metrics
-- allowed: insert
INSERT INTO performance_metrics (operation_type, start_time, end_time, success, memory_used_mb, tokens_used, cache_hit) VALUES ('parse', '2025-03-01 08:00:00.000', '2025-03-01 08:00:00.250', TRUE, 12.5, 0, FALSE), ('parse', '2025-03-01 08:00:01.000', '2025-03-01 08:00:01.750', TRUE, 13.5, 0, TRUE)

-- case: milliseconds of an operation, its median and its share of cache hits
-- allowed: select
-- rows: [["parse", 500, 500, 50.0]]
SELECT operation_type, CAST(round(avg(ms)) AS INTEGER), CAST(round(median(ms)) AS INTEGER), round(100.0 * avg(cache_hit), 1) FROM (SELECT operation_type, cache_hit, (julianday(end_time) - julianday(start_time)) * 86400000.0 AS ms FROM performance_metrics WHERE operation_type = 'parse') GROUP BY 1

-- case: retention of the caches
-- allowed: delete
-- rows: [["p1"]]
DELETE FROM ai_response_cache WHERE cache_created_at < datetime('now', '-30 days') RETURNING prompt_hash

-- case: retention of the metrics
-- allowed: delete
DELETE FROM performance_metrics WHERE start_time < datetime('now', '-90 days')

-- case: a retention in portions
-- error: sql.syntax, sqlite
-- hint: choose the rows in a subquery
-- repair: DELETE FROM performance_metrics WHERE rowid IN (SELECT rowid FROM performance_metrics WHERE start_time < datetime('now', '-90 days') LIMIT 1000)
DELETE FROM performance_metrics WHERE start_time < datetime('now', '-90 days') LIMIT 1000

-- case: vacuum, which the original ran inside a transaction
-- refused: maintenance, keyword
-- hint: the engine does this itself
-- host: compact
VACUUM

-- case: analyze
-- refused: maintenance, keyword
-- hint: the engine does this itself
-- repair: CREATE TABLE analysed (id INTEGER PRIMARY KEY, kind TEXT)
-- repair: CREATE INDEX analysed_kind ON analysed (kind)
-- snippet: helpers.db.batch_insert("analysed", ({"kind": n % 7} for n in range(10_000)))
-- snippet: assert helpers.db.value("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'analysed'") == 1
ANALYZE

-- case: a version
-- allowed: insert
INSERT INTO schema_version (version, description) VALUES (1, 'start'), (2, 'full text')

-- case: the same version twice
-- error: sql.constraint, running
-- hint: ON CONFLICT
-- repair: INSERT INTO schema_version (version, description) VALUES (2, 'full text') ON CONFLICT (version) DO NOTHING
INSERT INTO schema_version (version, description) VALUES (2, 'full text')

-- case: the version that holds
-- allowed: select
-- rows: [[2, 2]]
SELECT max(version), count(*) FROM schema_version

-- case: down again
-- allowed: delete
DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)

-- case: PostgreSQL: extension
-- refused: kind, keyword
-- hint: leave it out
-- repair: CREATE TABLE pg_keys (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), body TEXT)
CREATE EXTENSION IF NOT EXISTS "uuid-ossp"

-- case: PostgreSQL: UUID keys
-- error: sql.syntax, sqlite
-- hint: stands in parentheses
-- repair: CREATE TABLE pg_items (id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), body TEXT, at TEXT DEFAULT (datetime('now')))
CREATE TABLE pg_items (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), body JSONB)

-- case: PostgreSQL: UUID keys in parentheses
-- refused: function, authorizer
-- hint: lower(hex(randomblob(16)))
-- repair: CREATE TABLE pg_more (id UUID PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), body JSONB)
CREATE TABLE pg_more (id UUID PRIMARY KEY DEFAULT (gen_random_uuid()), body JSONB)

-- case: PostgreSQL: JSONB is a type like any other here
-- allowed: create_table
CREATE TABLE pg_documents (id INTEGER PRIMARY KEY, body JSONB NOT NULL, at TIMESTAMPTZ)

-- case: PostgreSQL: and takes JSON text
-- allowed: insert
INSERT INTO pg_documents (body) VALUES ('{"tags": ["a", "b"], "author": {"name": "Ann"}}')

-- case: PostgreSQL: a full-text index
-- error: sql.syntax, sqlite
-- hint: fts5
-- repair: CREATE VIRTUAL TABLE pg_text USING fts5(body, content='pg_documents', content_rowid='id')
CREATE INDEX pg_documents_text ON pg_documents USING GIN (to_tsvector('english', body))

-- case: PostgreSQL: a GIN index on JSONB
-- error: sql.syntax, sqlite
-- hint: leave USING out and index one field
-- repair: CREATE INDEX pg_documents_author ON pg_documents (body ->> '$.author.name')
CREATE INDEX pg_documents_body ON pg_documents USING GIN (body jsonb_path_ops)

-- case: PostgreSQL: full-text search
-- error: sql.syntax, sqlite
-- hint: MATCH
-- repair: SELECT rowid FROM knowledge_fts WHERE knowledge_fts MATCH 'design'
SELECT id FROM knowledge_items WHERE to_tsvector('english', content) @@ plainto_tsquery('design')

-- case: PostgreSQL: containment
-- error: sql.syntax, sqlite
-- hint: json_each
-- repair: SELECT id FROM pg_documents WHERE EXISTS (SELECT 1 FROM json_each(body, '$.tags') WHERE value = 'a')
SELECT id FROM pg_documents WHERE body -> 'tags' @> '["a"]'

-- case: PostgreSQL: a path
-- error: sql.syntax, sqlite
-- hint: $.a.b
-- repair: SELECT body ->> '$.author.name' FROM pg_documents
SELECT body #>> '{author,name}' FROM pg_documents

-- case: PostgreSQL: keys one after the other work here too
-- allowed: select
-- rows: [["Ann"]]
SELECT body -> 'author' ->> 'name' FROM pg_documents

-- case: PostgreSQL: a partitioned table
-- error: sql.syntax, sqlite
-- hint: leave partitions and table options out
-- repair: CREATE TABLE pg_metrics (id INTEGER, at TEXT)
CREATE TABLE pg_metrics (id INTEGER, at TIMESTAMP) PARTITION BY RANGE (at)

-- case: PostgreSQL: a partition
-- error: sql.syntax, sqlite
-- hint: leave partitions out
-- repair: CREATE INDEX pg_metrics_at ON pg_metrics (at)
CREATE TABLE pg_metrics_2025 PARTITION OF pg_metrics FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')

-- case: PostgreSQL: an interval
-- error: sql.syntax, sqlite
-- hint: '-1 month'
-- repair: SELECT count(*) FROM conversations WHERE created_at > datetime('now', '-30 days')
SELECT count(*) FROM conversations WHERE created_at > NOW() - INTERVAL '30 days'

-- case: PostgreSQL: months
-- error: sql.no_such_function, sqlite
-- hint: start of month
-- repair: SELECT date(created_at, 'start of month') AS month, count(*) FROM conversations GROUP BY 1
SELECT date_trunc('month', created_at), count(*) FROM conversations GROUP BY 1

-- case: PostgreSQL: a cast
-- error: sql.syntax, sqlite
-- hint: CAST(x AS type)
-- repair: SELECT CAST(tokens_used AS REAL) FROM conversations
SELECT tokens_used::float FROM conversations

-- case: PostgreSQL: a type of its own
-- refused: kind, keyword
-- hint: CHECK (x IN
-- repair: CREATE TABLE pg_typed (status TEXT CHECK (status IN ('pending', 'success', 'failed')))
CREATE TYPE parsing_status AS ENUM ('pending', 'success', 'failed')

-- case: PostgreSQL: a materialized view
-- refused: kind, keyword
-- hint: CREATE TABLE t AS SELECT
-- repair: CREATE TABLE pg_adoption AS SELECT * FROM feature_adoption
CREATE MATERIALIZED VIEW pg_adoption AS SELECT * FROM feature_adoption

-- case: PostgreSQL: refreshed
-- refused: kind, keyword
-- hint: DROP TABLE
-- repair: DROP TABLE pg_adoption
-- repair: CREATE TABLE pg_adoption AS SELECT * FROM feature_adoption
REFRESH MATERIALIZED VIEW pg_adoption

-- case: PostgreSQL: a column's type changed
-- error: sql.syntax, sqlite
-- hint: make a new table and copy
-- repair: CREATE TABLE pg_metrics_new AS SELECT CAST(id AS TEXT) AS id, at FROM pg_metrics
ALTER TABLE pg_metrics ALTER COLUMN id TYPE TEXT

-- case: PostgreSQL: a value of an array
-- error: sql.no_such_function, sqlite
-- hint: json_each
-- repair: SELECT id FROM pg_documents WHERE 'a' IN (SELECT value FROM json_each(body, '$.tags'))
SELECT id FROM pg_documents WHERE 'a' = ANY(body)

-- case: PostgreSQL: the elements of an array
-- error: sql.no_such_function, sqlite
-- hint: json_each(t.x)
-- repair: SELECT e.value FROM pg_documents AS d, json_each(d.body, '$.tags') AS e
SELECT jsonb_array_elements_text(body -> 'tags') FROM pg_documents

-- case: PostgreSQL: an array grows
-- error: sql.syntax, sqlite
-- hint: json_insert(x, '$[#]', value)
-- repair: UPDATE pg_documents SET body = json_insert(body, '$.tags[#]', 'c')
UPDATE pg_documents SET body = body || '["c"]'::jsonb

-- case: PostgreSQL: the next number of a sequence
-- error: sql.no_such_function, sqlite
-- hint: INTEGER PRIMARY KEY
-- repair: INSERT INTO pg_documents (body) VALUES ('{}')
INSERT INTO pg_documents (id, body) VALUES (nextval('pg_documents_id_seq'), '{}')

-- case: PostgreSQL: a trigger of a function
-- error: sql.syntax, sqlite
-- hint: BEGIN UPDATE t SET
-- repair: CREATE TRIGGER pg_touch AFTER UPDATE OF body ON pg_documents BEGIN UPDATE pg_documents SET at = datetime('now') WHERE id = new.id; END
CREATE TRIGGER pg_touch BEFORE UPDATE ON pg_documents FOR EACH ROW EXECUTE FUNCTION touch()

-- case: PostgreSQL: a function
-- refused: kind, keyword
-- hint: Python in the snippet
-- snippet: touch = lambda row: {**row, "at": "now"}
CREATE OR REPLACE FUNCTION touch() RETURNS trigger AS $$ BEGIN RETURN NEW; END; $$ LANGUAGE plpgsql

-- case: PostgreSQL: columns that an index carries along
-- error: sql.syntax, sqlite
-- hint: an index on (a, b) holds b too
-- repair: CREATE INDEX pg_covering ON pg_documents (at, body)
CREATE INDEX pg_covering ON pg_documents (at) INCLUDE (body)

-- case: PostgreSQL: NULL like any value in a unique key
-- error: sql.syntax, sqlite
-- hint: coalesce(b, '')
-- repair: CREATE UNIQUE INDEX pg_once ON pg_metrics (id, coalesce(at, ''))
CREATE UNIQUE INDEX pg_once ON pg_metrics (id, at) NULLS NOT DISTINCT

-- case: PostgreSQL: seconds between two times
-- error: sql.syntax, sqlite
-- hint: unixepoch(b) - unixepoch(a)
-- repair: SELECT unixepoch(completed_at) - unixepoch(started_at) FROM feature_usage
SELECT EXTRACT(EPOCH FROM (completed_at - started_at)) FROM feature_usage

-- case: PostgreSQL: how large it is
-- error: sql.no_such_function, sqlite
-- hint: helpers.db.get_metrics()
-- snippet: assert helpers.db.get_metrics()["database_size"] > 0
SELECT pg_size_pretty(pg_database_size('knowledge'))

-- case: a computed column comes later
-- error: sql.runtime, running
-- hint: VIRTUAL
-- repair: ALTER TABLE conversations ADD COLUMN words INTEGER AS (length(question) - length(replace(question, ' ', '')) + 1) VIRTUAL
ALTER TABLE conversations ADD COLUMN words INTEGER AS (length(question) - length(replace(question, ' ', '')) + 1) STORED

-- case: a view stands in the way of its column
-- error: sql.runtime, running
-- hint: DROP VIEW asked first
-- after: CREATE VIEW asked AS SELECT id, words FROM conversations
-- repair: DROP VIEW asked
-- repair: ALTER TABLE conversations DROP COLUMN words
ALTER TABLE conversations DROP COLUMN words

-- case: a unique column comes later
-- refused: action, authorizer
-- hint: CREATE UNIQUE INDEX
-- repair: ALTER TABLE tracked_files ADD COLUMN inode INTEGER
-- repair: CREATE UNIQUE INDEX tracked_files_inode ON tracked_files (inode)
ALTER TABLE tracked_files ADD COLUMN inode INTEGER UNIQUE

-- case: a rule comes later
-- allowed: alter_table
ALTER TABLE tracked_files ADD CONSTRAINT named CHECK (length(file_name) > 0)

-- case: and holds
-- error: sql.constraint, running
-- hint: CHECK
-- repair: UPDATE tracked_files SET file_name = 'a.py' WHERE id = 1
UPDATE tracked_files SET file_name = '' WHERE id = 1

-- case: what is computed is left out of UPDATE
-- error: sql.runtime, sqlite
-- hint: leave it out
-- repair: UPDATE productivity_events SET actual_time_taken = 500 WHERE id = 1
UPDATE productivity_events SET time_saved = 1 WHERE id = 1

-- case: MATCH stands behind the full-text table's own name
-- error: sql.no_such_column, sqlite
-- hint: knowledge_fts MATCH
-- repair: SELECT k.id FROM knowledge_fts JOIN knowledge_items k ON k.rowid = knowledge_fts.rowid WHERE knowledge_fts MATCH 'design'
SELECT k.id FROM knowledge_fts f JOIN knowledge_items k ON k.rowid = f.rowid WHERE f MATCH 'design'

-- case: MATCH on the table itself
-- error: sql.no_such_column, sqlite
-- hint: knowledge_fts MATCH
-- repair: SELECT id FROM knowledge_items WHERE rowid IN (SELECT rowid FROM knowledge_fts WHERE knowledge_fts MATCH 'design')
SELECT id FROM knowledge_items WHERE knowledge_items MATCH 'design'

-- case: PostgreSQL: the median
-- error: sql.syntax, sqlite
-- hint: median(x)
-- repair: SELECT median(tokens_used) FROM conversations
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY tokens_used) FROM conversations
