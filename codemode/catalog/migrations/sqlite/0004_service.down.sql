DROP TABLE background;
DROP TABLE audit;
DROP TABLE tokens;
DROP INDEX sessions_by_owner;
ALTER TABLE sessions DROP COLUMN owner;
