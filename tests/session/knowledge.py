"""The fifth source system as its description lists it, transcribed: what tests/cases/knowledge.sql has to make.

A bar between values is a list of allowed ones; a range is a range. What the description lacks and its own views need
is in NEEDED, with the reason.
"""

from __future__ import annotations

COLUMNS = {
    "user_sessions": "id, user_id_hash, started_at, ended_at, workspace_path, settings",
    "conversations": "id, session_id, parent_id, question, response, context_files, context_databases, tokens_used,"
    " response_time_ms, created_at",
    "tracked_files": "id, file_path, file_name, file_type, file_size, file_hash, parsed_at, parsing_status,"
    " parsing_error",
    "knowledge_items": "id, source_type, source_id, knowledge_type, title, content, confidence, tags, metadata",
    "knowledge_relationships": "id, from_knowledge_id, to_knowledge_id, relationship_type, strength",
    "database_connections": "id, name, connection_type, host, port, database_name, username, encrypted_password,"
    " auth_type, ssl_config, connection_options, last_connected_at, last_error, is_active",
    "database_schemas": "id, connection_id, schema_name, table_name, table_type, column_info, relationships, indexes,"
    " row_count, last_updated",
    "feature_usage": "id, session_id, feature_name, feature_category, usage_context, started_at, completed_at, success,"
    " error_message",
    "performance_metrics": "id, operation_type, operation_details, start_time, end_time, success, error_type,"
    " memory_used_mb, tokens_used, cache_hit",
    "productivity_events": "id, session_id, event_type, traditional_time_estimate, actual_time_taken, time_saved,"
    " improvement_percentage, context_data, user_satisfaction",
    "user_preferences": "id, user_id_hash, preference_category, preference_key, preference_value",
    "system_config": "id, config_key, config_value, config_description, is_sensitive",
    "ai_response_cache": "id, prompt_hash, prompt_preview, response, tokens_used, model_used, cache_created_at,"
    " last_accessed_at, access_count",
    "file_processing_cache": "id, file_path, file_hash, processing_type, processing_options, result_data, created_at,"
    " last_accessed_at",
    "schema_version": "version, description, applied_at",
}
NEEDED = {
    "knowledge_items": "created_at",  # knowledge_growth is by day
    "productivity_events": "created_at",  # productivity_summary is by day
}
VALUES = {
    "tracked_files.parsing_status": "pending|success|failed",
    "knowledge_items.source_type": "file|conversation|database",
    "knowledge_items.knowledge_type": "coding_standard|pattern|concept|solution",
    "knowledge_relationships.relationship_type": "relates_to|contradicts|extends|implements",
    "database_connections.connection_type": "sqlserver|postgresql|mysql",
    "database_connections.auth_type": "sql|windows|certificate",
    "database_schemas.table_type": "table|view|stored_procedure",
    "feature_usage.feature_category": "core|database|files|advanced",
    "user_preferences.preference_category": "ui|ai|privacy|performance",
    "file_processing_cache.processing_type": "parse|analyze|extract_metadata",
}
RANGES = {
    "knowledge_items.confidence": "0 AND 1",
    "knowledge_relationships.strength": "0 AND 1",
    "productivity_events.user_satisfaction": "1 AND 5",
}
UNIQUE = {
    "tracked_files": "file_path",
    "knowledge_relationships": "from_knowledge_id, to_knowledge_id, relationship_type",
    "database_schemas": "connection_id, schema_name, table_name",
    "user_preferences": "user_id_hash, preference_category, preference_key",
    "system_config": "config_key",
    "ai_response_cache": "prompt_hash",
    "file_processing_cache": "file_path, file_hash, processing_type",
}
FULL_TEXT = {"conversations": "question, response", "knowledge_items": "title, content, tags"}
PARTIAL = {"database_connections": "is_active = 1", "feature_usage": "success = 1"}
VIEWS = {
    # per day and event type: count, mean time saved, mean improvement, total saved
    "productivity_summary": "day, event_type, event_count, mean_time_saved, mean_improvement, total_time_saved",
    "feature_adoption": "feature_name, uses, unique_users, success_rate, mean_duration",
    "knowledge_growth": "day, knowledge_type, items, mean_confidence",
}
