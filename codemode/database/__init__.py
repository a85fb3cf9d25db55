"""SQLite: opening a session's file, running statements, and the engine's own tables."""
