"""Take over what a copy of a catalogue holds, where the one that is there holds nothing yet: whichever store it is.

Tokens, tenants, users and the audit log come back only then: a catalogue in use knows which tokens were revoked since.
What was said and shown in a session comes with it, also where the session comes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from codemode.catalog import contents, moving
from codemode.catalog.contents import Table
from codemode.catalog.opening import open_catalogue
from codemode.catalog.store import Look, Row, RuleBroken, Store
from codemode.errors import BackupDamaged

# Parents before children. Outcomes in the background were kept for an hour, rates are of this minute, signals and
# events of the last ones; counters follow from what is taken.
_OF_TENANTS = (
    "tenants", "users", "workspaces", "groups", "group_members", "preferences", "configuration", "tokens", "audit",
    "audit_horizon", "usage_by_day",
)  # fmt: skip
_OF_SESSIONS = ("messages", "panels", "mcp_sessions", "subscriptions")
_SESSION_FIELDS = ("workspace_id", "type", "metadata", "updated_at", "closed_at", "mcp_client_id", "connected_at")
# What rows of sessions refer to in a file of their own, by its name alone.
_TENANTS = (
    "INSERT INTO tenants (id, created_at) SELECT tenant, min(created_at) FROM sessions WHERE true GROUP BY tenant"
    " ON CONFLICT DO NOTHING"
)
_SUBSCRIBERS = (
    "INSERT INTO users (tenant, id, created_at, updated_at) SELECT tenant, user_id, min(created_at), min(created_at)"
    " FROM subscriptions GROUP BY tenant, user_id"
)


def as_file(catalog: Store, folder: Path) -> Path:
    """All of a catalogue as a new `catalog.db` in `folder`, as of one moment, compared row by row.

    Raises CatalogForm where it is not of the newest form, BackupDamaged and StorageFull.
    """
    with closing(open_catalogue("", folder, "all")) as target:
        moving.copy(catalog, target)
        return Path(target.where)


def records_as_file(catalog: Store, folder: Path, sessions: Iterable[tuple[str, str]]) -> Path:
    """What a catalogue knows of these sessions, by tenant and id, as a new `catalog.db`: no token, user or act.

    As of one moment. Raises StorageFull.
    """
    with closing(open_catalogue("", folder, "all")) as target:
        with catalog.snapshot() as look, target.loading(contents.TABLES):
            for of in sessions:
                for table in _tables(target, ("sessions", *_OF_SESSIONS)):
                    _fill(target, table, contents.rows(look, table, of))
            target.run(_TENANTS)
            target.run(_SUBSCRIBERS)
        return Path(target.where)


def take_over(catalog: Store, path: Path) -> None:
    """Take all that the checked copy at `path`, of the newest form, holds beside sessions: in one transaction.

    Raises CatalogDamaged and StorageFull.
    """
    with opened(path) as look, catalog.at_once():
        for name in reversed(_OF_TENANTS):
            catalog.run(f"DELETE FROM {name}")  # noqa: S608
        for table in _tables(catalog, _OF_TENANTS):
            _fill(catalog, table, contents.rows(look, table))
        # Who takes part in a session comes with it, and is counted then.
        catalog.run("UPDATE users SET active_in = 0 WHERE active_in <> 0")
        for tenant, executions in look("SELECT tenant, executions FROM counters"):
            catalog.run("UPDATE counters SET executions = ?2 WHERE tenant = ?1", tenant, executions)


def take_records(catalog: Store, look: Look, of: tuple[str, str], session_id: str) -> None:
    """Take what a copy knows of a session as that of one that is here: its place, and what was said and shown in it.

    What is here stays: of a session that expired there may be. Raises BackupDamaged.
    """
    wanted = ", ".join(_SESSION_FIELDS)
    others = ", ".join(f"{name} = ?{number}" for number, name in enumerate(_SESSION_FIELDS[1:], 4))
    place = (
        "UPDATE sessions SET workspace_id = (SELECT id FROM workspaces WHERE tenant = ?1 AND id = ?3),"  # noqa: S608
        f" {others} WHERE tenant = ?1 AND id = ?2"
    )
    try:
        with catalog.at_once():
            for values in look(f"SELECT {wanted} FROM sessions WHERE tenant = ?1 AND id = ?2", *of):  # noqa: S608
                catalog.run(place, of[0], session_id, *values)
            for table in _tables(catalog, _OF_SESSIONS):
                found = _moved(contents.rows(look, table, of), table, session_id)
                if table.name == "subscriptions":
                    found = _to_panels_here(catalog, found, table, (of[0], session_id))
                _fill(catalog, table, found, missing=True)
    except RuleBroken as error:
        raise BackupDamaged(
            f"what the backup knows of {of[1]} breaks a rule: {error}", hint="use another one"
        ) from None


def _to_panels_here(catalog: Store, found: Iterator[Row], table: Table, of: tuple[str, str]) -> Iterator[Row]:
    """Without those to a panel whose title another one has here, which therefore stayed away."""
    panels = catalog.run("SELECT id FROM panels WHERE tenant = ?1 AND session_id = ?2", *of)
    known, at = {None, *(each for (each,) in panels)}, table.columns.index("panel_id")
    return (row for row in found if row[at] in known)


def _moved(found: Iterable[Row], table: Table, session_id: str) -> Iterator[Row]:
    at = table.columns.index("session_id")
    return ((*row[:at], session_id, *row[at + 1 :]) for row in found)


@contextmanager
def opened(path: Path) -> Iterator[Look]:
    """A checked copy at `path`, brought to the newest form."""
    with closing(open_catalogue("", path.parent, "all")) as store:
        yield store.look


def _tables(catalog: Store, names: tuple[str, ...]) -> Iterator[Table]:
    found = {table.name: table for table in contents.tables(catalog)}
    for name in names:
        columns = found[name].columns
        yield Table(name, tuple(column for column in columns if column != contents.NUMBERED.get(name)))


def _fill(catalog: Store, table: Table, rows: Iterable[Row], *, missing: bool = False) -> None:
    for _ in contents.fill(catalog, table, rows, missing=missing):
        pass
