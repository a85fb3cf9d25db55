-- additive
-- Several services may share a data directory: each speaks for the executions that it runs, and for those of the dead.
ALTER TABLE background ADD COLUMN service TEXT;   -- whose lock file is held as long as that service lives
ALTER TABLE background ADD COLUMN cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1));
CREATE INDEX background_unfinished ON background (service) WHERE finished_at IS NULL;
