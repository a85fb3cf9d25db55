"""The statements that no one text can say for both databases: each is a pair, here and nowhere else."""

from __future__ import annotations

import msgspec

from codemode.catalog.store import Dialect


class Pair(msgspec.Struct, frozen=True):
    """One statement in two texts."""

    sqlite: str
    postgres: str

    def of(self, dialect: Dialect) -> str:
        """The text for one of them."""
        return self.sqlite if dialect == "sqlite" else self.postgres


HAS_TABLE = Pair(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1",
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?1",
)
# The number that a file carried before migrations were recorded in a table, and still carries for those who look there.
FORM = Pair("SELECT user_version FROM pragma_user_version", "SELECT 0")
MARK_FORM = Pair("PRAGMA user_version = {number}", "SELECT 1")
# What an e-mail address of a table is found by, in whatever case: PostgreSQL asks a function of no row before its
# policies are asked, and so of no index.
EMAIL_KEY = Pair("lower({}.email)", "{}.email_key")
# The columns of a table that are stored and not derived from others.
COLUMNS = Pair(
    "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0 ORDER BY name",
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?1"
    " AND is_generated = 'NEVER' ORDER BY column_name COLLATE \"C\"",
)
