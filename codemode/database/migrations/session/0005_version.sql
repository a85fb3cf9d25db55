-- Names the state of this file's pages: a random number, new with every transaction. What the pages were before
-- (checkpoints/undo) may be put back only on the very state that it was taken from. 0: as made.
CREATE TABLE _codemode_version (
    id INTEGER NOT NULL
);
INSERT INTO _codemode_version VALUES (0);
