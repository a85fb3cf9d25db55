DROP INDEX audit_by_time;
DROP TRIGGER audit_is_never_replaced;
DROP TRIGGER audit_is_removed_by_its_retention;
DROP TABLE audit_horizon;
DROP TABLE rates;
ALTER TABLE tenants DROP COLUMN quotas;
DROP TRIGGER session_begins_anew;
DROP TRIGGER session_begins_with_its_owner;
DROP TABLE participants;
