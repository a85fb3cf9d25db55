DROP INDEX sessions_by_type;
