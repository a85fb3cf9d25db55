-- additive
-- The index of words begins with the tenant here, see migration 8: there is nothing to do.
SELECT 1;
