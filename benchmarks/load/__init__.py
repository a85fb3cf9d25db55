"""Load on a real service: many connections that run trivial executions, and what its processes hold meanwhile."""
