-- additive
-- Who takes part in a session. The owner's row follows sessions.owner by itself; a session that is made anew after it
-- expired begins without the others: its data is not what they were let in to.
CREATE TABLE participants (
    tenant     TEXT NOT NULL,
    session_id TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'member', 'viewer')),
    joined_at  INTEGER NOT NULL,
    left_at    INTEGER,                   -- not NULL: reaches the session no more
    metadata   TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    PRIMARY KEY (tenant, session_id, user_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX participants_by_user ON participants (tenant, user_id, session_id) WHERE left_at IS NULL;
INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
    SELECT tenant, id, owner, 'owner', created_at FROM sessions WHERE owner IS NOT NULL;
CREATE TRIGGER session_begins_with_its_owner AFTER INSERT ON sessions WHEN NEW.owner IS NOT NULL BEGIN
    INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
        VALUES (NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at);
END;
CREATE TRIGGER session_begins_anew AFTER UPDATE OF created_at, owner ON sessions BEGIN
    DELETE FROM participants WHERE tenant = NEW.tenant AND session_id = NEW.id;
    INSERT INTO participants (tenant, session_id, user_id, role, joined_at)
        SELECT NEW.tenant, NEW.id, NEW.owner, 'owner', NEW.created_at WHERE NEW.owner IS NOT NULL;
END;
-- What a tenant may use, where it differs from the settings: JSON of codemode.values.Quotas, absent keys are theirs.
ALTER TABLE tenants ADD COLUMN quotas TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(quotas));
-- How many executions a tenant may begin now: fills by its quota a minute, up to that quota.
CREATE TABLE rates (
    tenant TEXT PRIMARY KEY NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    level  REAL NOT NULL,
    at     INTEGER NOT NULL               -- milliseconds since the machine started: no clock that is set moves it
) WITHOUT ROWID;
-- The audit log is removed by its retention alone, which first says up to when; nothing later goes with it.
CREATE TABLE audit_horizon (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    before INTEGER NOT NULL
);
INSERT INTO audit_horizon VALUES (1, 0);
CREATE TRIGGER audit_is_removed_by_its_retention BEFORE DELETE ON audit
WHEN OLD.at >= (SELECT before FROM audit_horizon) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
-- INSERT OR REPLACE removes the row in its place without asking the trigger above.
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE INDEX audit_by_time ON audit (at);
