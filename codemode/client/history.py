"""Calls on a session as a whole, as requests: ways back, forks, differences, its log and what it cost."""

from __future__ import annotations

from codemode import cells
from codemode.asked import (
    MOST_ENTRIES,
    checkpoint_name,
    log_kind,
    parse_session_id,
    rows_sampled,
    text_or_none,
    whole_between,
)
from codemode.client.ask import Ask, Call, converted, query_of
from codemode.client.calls import Place
from codemode.values import (
    Checkpoint,
    Day,
    Differences,
    LogEntry,
    SessionInfo,
    SizeAt,
    SlowStatement,
    TableChange,
    Undone,
)


def checkpoint(place: Place, name: str, replace: bool) -> Call[Checkpoint]:
    """Keep a copy under a name."""
    return place.post("checkpoints", converted(Checkpoint), name=checkpoint_name(name), replace=bool(replace))


def checkpoints(place: Place) -> Call[list[Checkpoint]]:
    """Those there are."""
    return place.get("checkpoints", lambda found: converted(list[Checkpoint])(found["checkpoints"]))


def delete_checkpoint(place: Place, name: str) -> Call[None]:
    """Delete one."""
    query = query_of(name=checkpoint_name(name))
    ask = Ask(method="DELETE", path=f"{place.path}/checkpoints", query=query, seconds=place.seconds)
    return Call(ask, lambda _: None)


def restore(place: Place, name: str) -> Call[Checkpoint]:
    """Go back to one."""
    return place.post("restore", converted(Checkpoint), name=checkpoint_name(name))


_ROWS = ("added_sample", "removed_sample", "key", "before", "after")  # where a difference holds rows, or parts of them


def undo(place: Place) -> Call[Undone]:
    """Take the last change back."""
    return place.post("undo", converted(Undone))


def redo(place: Place) -> Call[Undone]:
    """Do again what was undone."""
    return place.post("redo", converted(Undone))


def fork(place: Place, new_session_id: str | None, checkpoint: str | None) -> Call[SessionInfo]:
    """A new session with the same data."""
    named = None if new_session_id is None else parse_session_id(new_session_id)
    return place.post("fork", converted(SessionInfo), id=named, checkpoint=_state(checkpoint))


def diff(place: Place, a: str | None, b: str | None, sample: int) -> Call[Differences]:
    """What leads from one state to another."""
    between = {"a": _state(a), "b": _state(b), "sample": rows_sampled(sample)}
    return place.get("diff", lambda found: converted(Differences)(cells.all_from_json(found, _ROWS)), **between)


def _state(name: str | None) -> str | None:
    """A checkpoint, or the data as it is now."""
    return None if name is None else checkpoint_name(name)


def compact(place: Place) -> Call[dict[str, int]]:
    """Give free pages back."""
    return place.post("compact", dict)


def logs(place: Place, limit: int, kind: str | None, errors: bool) -> Call[list[LogEntry]]:
    """The newest entries of the log."""
    most, only = whole_between("limit", limit, MOST_ENTRIES), log_kind(kind)
    return place.get("logs", converted(list[LogEntry]), limit=most, kind=only, errors=bool(errors))


def table_changes(place: Place, table: str | None, limit: int) -> Call[list[TableChange]]:
    """Who changed which table."""
    of, most = text_or_none("table", table), whole_between("limit", limit, MOST_ENTRIES)
    return place.get("table_changes", converted(list[TableChange]), table=of, limit=most)


def slow_statements(place: Place, limit: int) -> Call[list[SlowStatement]]:
    """The newest slow statements."""
    most = whole_between("limit", limit, MOST_ENTRIES)
    return place.get("slow_statements", converted(list[SlowStatement]), limit=most)


def usage_by_day(place: Place) -> Call[list[Day]]:
    """What the session cost, by day."""
    return place.get("usage", converted(list[Day]))


def size_history(place: Place) -> Call[list[SizeAt]]:
    """How large the database was."""
    return place.get("sizes", converted(list[SizeAt]))
