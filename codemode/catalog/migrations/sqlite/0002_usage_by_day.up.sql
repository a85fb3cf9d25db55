-- additive
-- What the sessions that are gone cost, by tenant and day: those that there are keep it in their own logs.
CREATE TABLE usage_by_day (
    tenant TEXT NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    day    TEXT NOT NULL,                 -- ISO date, UTC
    totals TEXT NOT NULL,                 -- JSON: codemode.values.Day
    PRIMARY KEY (tenant, day)
) WITHOUT ROWID;
