DROP INDEX group_members_by_user;
CREATE INDEX group_members_by_user ON group_members (tenant, user_id);
DROP INDEX users_by_email;
ALTER TABLE users DROP COLUMN email_key;
CREATE UNIQUE INDEX users_by_email ON users (tenant, lower(email)) WHERE email IS NOT NULL AND deleted_at IS NULL;
CREATE OR REPLACE FUNCTION acts_for(whose TEXT) RETURNS BOOLEAN LANGUAGE sql STABLE PARALLEL SAFE
    RETURN current_setting('codemode.tenant', true) IN ('*', whose);
