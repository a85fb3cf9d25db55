"""RULES: what can be refused before SQLite sees the statement, each as one small function of the same shape.

A rule answers a Violation or None. They exist for early and clear words; the authorizer holds without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from codemode.guard.parse import Reading
from codemode.guard.refusals import (
    DISAGREEMENT,
    EXPLAIN_ANALYZE,
    FOREIGN_OBJECTS,
    FOREIGN_VERBS,
    REFUSED_VERBS,
    TEMP,
    Violation,
)
from codemode.guard.scan import Heading


class Candidate(NamedTuple):
    """A statement before SQLite has seen it: how it begins, and what sqlglot makes of it."""

    heading: Heading
    reading: Reading


_QUERY = frozenset({"Select", "Union", "Intersect", "Except", "SetOperation", "Values", "Subquery", "Query", "Table"})
# sqlglot's root classes by our kinds. "Command" is its word for "I do not know", as is a tree that is not listed for
# any kind only where it knows the text to be something else: then the two disagree, and the statement is refused.
_UNKNOWN = frozenset({"Command"})
_ROOTS: dict[str, frozenset[str]] = {
    "select": _QUERY,
    "insert": frozenset({"Insert"}),
    "replace": frozenset({"Insert"}),
    "update": frozenset({"Update"}),
    "delete": frozenset({"Delete"}),
    "create": frozenset({"Create"}),
    "drop": frozenset({"Drop"}),
    "alter": frozenset({"Alter", "AlterTable"}),
}


def verb_is_offered(candidate: Candidate) -> Violation | None:
    """ATTACH, PRAGMA, BEGIN and their like are refused by name, under EXPLAIN too: a PRAGMA there takes effect."""
    heading = candidate.heading
    if heading.explain and heading.verb == "ANALYZE":
        return EXPLAIN_ANALYZE
    return REFUSED_VERBS.get(heading.verb)


def nothing_temporary(candidate: Candidate) -> Violation | None:
    """A TEMP table shadows the session's own table of that name, and a TEMP trigger can sit on it."""
    return TEMP if candidate.heading.temp else None


def verb_is_known(candidate: Candidate) -> Violation | None:
    """Only the listed kinds go on; for verbs of other databases the hint names SQLite's way."""
    heading = candidate.heading
    if heading.kind is not None:
        return None
    way_out = FOREIGN_VERBS.get(heading.verb)
    if heading.verb in ("CREATE", "DROP", "ALTER"):
        return Violation(
            "kind", f"this {heading.verb} is not available in a session",
            FOREIGN_OBJECTS.get(heading.of, "CREATE and DROP take TABLE, INDEX, VIEW or TRIGGER; ALTER takes TABLE"),
        )  # fmt: skip
    return Violation("kind", f"{heading.verb} is not a statement that a session knows", way_out)


def root_agrees(candidate: Candidate) -> Violation | None:
    """Where sqlglot can read the text, the tree's root has to be what the first keyword says."""
    kind = candidate.heading.kind or ""
    # Neither EXPLAIN nor a trigger's body is in sqlglot's grammar: it reads a trigger as several statements.
    if candidate.heading.explain or kind == "create_trigger" or not candidate.reading.roots:
        return None
    root = candidate.reading.roots[0]
    if root in _UNKNOWN or root in _ROOTS.get(kind.partition("_")[0], frozenset()):
        return None
    return DISAGREEMENT


def json_is_kept(candidate: Candidate) -> Violation | None:
    """Our bounded json_patch cannot mark its answer as JSON, so that json_object(…) would store it as a string."""
    if not candidate.reading.lost_json:
        return None
    return Violation(
        "json_patch",
        "json_patch() inside another JSON function would be stored as text",
        "write json(json_patch(a, b)) there",
    )


RULES: tuple[Callable[[Candidate], Violation | None], ...] = (
    verb_is_offered,
    nothing_temporary,
    verb_is_known,
    root_agrees,
    json_is_kept,
)


def is_known_verb(verb: str) -> bool:
    """Whether `verb` is one that some rule has words for; any other is a syntax error."""
    return verb in REFUSED_VERBS or verb in FOREIGN_VERBS or verb in ("CREATE", "DROP", "ALTER")


def first_violation(candidate: Candidate) -> Violation | None:
    """The first rule that `candidate` breaks, or None."""
    for rule in RULES:
        if (violation := rule(candidate)) is not None:
            return violation
    return None
