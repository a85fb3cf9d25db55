-- additive
-- What keeps PostgreSQL from the indexes that a tenant's questions have, where policies hold.
--
-- A policy is one more condition of each statement, and by the planner's rule of thumb one row of two hundred meets a
-- comparison with what is only known later: it took a tenant for small, and sorted all of its sessions instead of
-- reading them in the order of an index. That nearly all rows meet "is not NULL" is its rule as well, and here it is
-- so: the statement itself has named the tenant already.
CREATE OR REPLACE FUNCTION acts_for(whose TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN current_setting('codemode.tenant', true) IN ('*', whose) THEN 1 END IS NOT NULL;

-- What is not known to keep to itself what it sees, as lower(), is asked of no row before the policy is, and so of no
-- index. A column is.
ALTER TABLE users ADD COLUMN email_key TEXT COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED;
DROP INDEX users_by_email;
CREATE UNIQUE INDEX users_by_email ON users (tenant, email_key) WHERE email IS NOT NULL AND deleted_at IS NULL;

-- The groups of a user in the order in which they are listed; SQLite adds the rest of the key to an index by itself.
DROP INDEX group_members_by_user;
CREATE INDEX group_members_by_user ON group_members (tenant, user_id, group_id);
