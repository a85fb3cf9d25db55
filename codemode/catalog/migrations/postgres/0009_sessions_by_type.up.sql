-- additive
-- Sessions of a type: not of the one that most have, or each use of any session would write to this index too.
CREATE INDEX sessions_by_type ON sessions (tenant, type, last_activity, id) WHERE type <> 'work';
