"""Runs public collections of SQL through the guard: what SQLite accepts may be refused only where policy says so."""
