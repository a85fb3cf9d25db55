"""Statements that failed, mended: what may have been meant, and only where SQLite prepares it."""
