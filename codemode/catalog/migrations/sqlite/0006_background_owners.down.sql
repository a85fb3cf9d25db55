DROP INDEX background_unfinished;
ALTER TABLE background DROP COLUMN cancel_requested;
ALTER TABLE background DROP COLUMN service;
