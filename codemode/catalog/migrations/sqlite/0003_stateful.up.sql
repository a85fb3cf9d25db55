-- additive
ALTER TABLE sessions ADD COLUMN stateful INTEGER NOT NULL DEFAULT 0 CHECK (stateful IN (0, 1));
