ALTER TABLE sessions DROP COLUMN stateful;
