"""`codemode db`: the catalogue, which is around the databases of all sessions."""

from __future__ import annotations

from codemode.cli.app import group
from codemode.cli.catalogue import query
from codemode.cli.forms import migrate, rollback, status
from codemode.cli.moving import bring_in, copy, export

db = group("db", "Ask the catalogue, look into it, move it, and bring it from one form to another.")
for each in (status, migrate, rollback, export, bring_in, copy, query):
    db.add_command(each)
