-- additive
-- Nothing to do: SQLite knows no policies.
SELECT 1;
