-- additive
-- What was done to this file, and when. The steps before this one are recorded with it.
CREATE TABLE migrations (
    number     INTEGER PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL CHECK (kind IN ('additive', 'breaking')),
    checksum   TEXT NOT NULL,             -- SHA-256 of the step's text
    applied_at INTEGER NOT NULL
);
