"""Answers in words, for a model to read: short, the way out of an error last, nothing twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from codemode.counts import plural
from codemode.mcp import wire
from codemode.plain import printable

_NAMES = 20  # names of `available` that a model is shown
_TRACEBACK = 2_000  # characters, from its end


def problem(error: Mapping[str, Any]) -> str:
    """What went wrong and how to mend it: an error of an outcome, or one that a call raised."""
    line = f" in line {error['line']}" if error.get("line") else ""
    parts = [f"error{line}: {error['message']} [{error['code']}]"]
    hint, meant = error.get("hint") or "", error.get("did_you_mean") or ()
    if hint:
        parts.append(f"hint: {hint}")
    if not all(name in hint for name in meant):
        parts.append(f"did you mean: {_listed(meant)}")
    names = error.get("available") or ()
    if names and not meant and not error["message"].endswith(f": {', '.join(names)}"):
        parts.append(f"available: {_listed(names)}")
    if error.get("suggestion"):
        what = "this statement instead" if error.get("sql") else "this instead"
        parts.append(f"suggestion, {what} (it was not run):\n{error['suggestion']}")
    if error.get("traceback") and (error.get("line") or 0) > 1:
        parts.append(error["traceback"].strip()[-_TRACEBACK:])
    return printable("\n".join(parts))


def outcome(found: Mapping[str, Any]) -> str:
    """An execution that is over, or that goes on in the background."""
    if found["status"] == "pending":
        return (
            f"{found['execution_id']} runs in the background of session {found['session_id']}; "
            "get_execution waits for its outcome"
        )
    parts = [problem(found["error"])] if found.get("error") else [_result(found)]
    if found.get("stdout"):
        parts.append(f"printed:\n{found['stdout'].rstrip()}")
    parts += [f"warning: {each}" for each in found.get("warnings") or ()]
    if found.get("variables"):
        why = f": {found['variables_reason']}" if found.get("variables_reason") else ""
        parts.append(f"variables: {found['variables']}{why}")
    parts.append(_ending(found))
    return printable("\n".join(parts))


def rows(columns: Iterable[str], found: Iterable[Iterable[Any]]) -> str:
    """Rows as JSON, a line each, below the names of their columns."""
    return "\n".join(wire.text(list(row)) for row in [columns, *found])


def _result(found: Mapping[str, Any]) -> str:
    value, info = found.get("result"), found.get("result_info") or {}
    said = "no value was returned" if value is None and not info.get("truncated") else ""
    said = said or (value if isinstance(value, str) else wire.text(value))
    return f"{said}\n({info['how_to_read']})" if info.get("how_to_read") else said


def _ending(found: Mapping[str, Any]) -> str:
    """What became of the data, and where: the one line that every outcome ends with."""
    db, usage = found.get("db") or {}, found.get("usage") or {}
    if db.get("dry_run"):
        kept = "dry run, nothing was kept"
    elif db.get("rolled_back"):
        kept = "the writes after the last commit() were undone" if db.get("committed") else "all writes were undone"
    else:
        kept = f"{plural(db.get('rows_read', 0), 'row')} read, {db.get('rows_written', 0):,} written"
    again = "; told again under its idempotency key, nothing ran" if found.get("replayed") else ""
    return f"[session {found['session_id']}: {kept}; {usage.get('duration_ms', 0):,.0f} ms{again}]"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f", … {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
