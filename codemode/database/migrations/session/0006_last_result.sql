-- The highest number of a result so far. It stays when the session goes back: no handle means another result later.
ALTER TABLE _codemode_version ADD COLUMN last_result INTEGER NOT NULL DEFAULT 0;
UPDATE _codemode_version SET last_result = (SELECT coalesce(max(number), 0) FROM _codemode_results);
