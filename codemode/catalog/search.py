"""Words that are looked for in messages, and how each database is asked for them.

SQLite's full-text index knows a message by a number that begins with its tenant's (`search_ranges`), a newer one by a
smaller one. One word is looked for in that range, and of other tenants nothing is read. FTS5 applies a range only to
what a whole query finds. So where several words have to be in one message, a word that stands for the tenant, or for
something of his, comes first: the others are then looked for only where that one is. A beginning is replaced by the
words that have it, since FTS5 would put together the messages of all of them, of every tenant, before it answers one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from codemode.catalog.bound import BoundStore
from codemode.catalog.fields import parse_text
from codemode.catalog.pages import Asked, Page
from codemode.catalog.rows import columns
from codemode.errors import RequestInvalid
from codemode.moments import earliest_ulid
from codemode.values.records import Message, MessageType

_QUERY_CHARACTERS = 1_000
_MOST_WORDS = 50  # five hundred of a letter each took 7 s over 21 long messages, and every other search waited
_WORD = re.compile(r'"([^"]+)"(\*?)|(\S+)')
_POSITION_BITS = 40  # of a message's number in SQLite's index; the tenant's is above them
_FAR = 1_000_000  # words: more than a message can have
_BEGINNINGS = 500  # more words than that with one beginning are left to FTS5
_FIELDS = columns(Message, "m")
_WITH_BEGINNING = (
    "WITH RECURSIVE found (count, term) AS (SELECT 1, (SELECT term FROM messages_vocabulary WHERE term >= ?2 LIMIT 1)"
    " UNION ALL SELECT count + 1, (SELECT term FROM messages_vocabulary WHERE term >= found.term || char(1) LIMIT 1)"
    " FROM found WHERE term < ?3 AND count <= ?4) SELECT term FROM found WHERE term < ?3 AND ?1 = ?1"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word that a message has to have, or several in this order; `begins`: or one that begins so."""

    text: str
    begins: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; times are in milliseconds since 1970, `before` is where the next page begins."""

    words: list[Word]
    session_id: str | None
    message_type: str | None
    user_id: str | None
    since: int | None
    until: int | None
    before: int | None


def parse_words(text: Any) -> list[Word]:
    """The words to look for; raises RequestInvalid where there is none, which would find everything."""
    found = [
        Word(several or one.rstrip("*"), bool(star) or one.endswith("*"))
        for several, star, one in _WORD.findall(parse_text(text, "text", _QUERY_CHARACTERS))
    ]
    words = [word for word in found if any(map(str.isalnum, word.text))]
    if not words:
        raise RequestInvalid("there is no word in the text to look for", hint='such as disk, dis*, or "disk full"')
    many = sum(len(re.findall(r"[^\W_]+", word.text)) for word in words)
    if many > _MOST_WORDS:
        raise RequestInvalid(
            f"the text to look for has {many} words, and a search takes {_MOST_WORDS} at most",
            hint="the rarest will do",
        )
    return words


def search(store: BoundStore, sought: Sought, asked: Asked, limit: int) -> Page[Message]:
    """The messages that have all words and meet the conditions `asked`, those first that came last."""
    return (_in_sqlite if store.dialect == "sqlite" else _in_postgres)(store, sought, asked, limit)


def _in_postgres(store: BoundStore, sought: Sought, asked: Asked, limit: int) -> Page[Message]:
    """The words, as PostgreSQL's parser reads them, are what the policy of their table finds by (`message_words`)."""
    words = " & ".join(_lexeme(word.text) + ":*" * word.begins for word in sought.words)
    [(query,)] = store.look("SELECT CAST(to_tsquery('simple', ?2) AS TEXT) WHERE ?1 = ?1", words)
    if not query:
        return Page([], None)
    if sought.session_id is not None:
        query = f"{_lexeme('s ' + sought.session_id)} & ({query})"
    asked.that("w.position < {}", sought.before)
    found_in = "message_words AS w JOIN messages AS m ON m.position = w.position"
    seeking = store.seeking(query)
    return asked.page(
        seeking, Message, f"{_FIELDS}, w.position FROM {found_in}", "w.position DESC", limit, key=("position",)
    )


def _lexeme(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _in_sqlite(store: BoundStore, sought: Sought, asked: Asked, limit: int) -> Page[Message]:
    ranges = store.look("SELECT number, late_ms FROM search_ranges WHERE tenant = ?1")
    query = _query(store, sought, ranges[0][0]) if ranges else None
    if query is None:
        return Page([], None)
    [(number, late_ms)] = ranges
    least, most = _positions(store, sought, late_ms)
    place, end = "messages_text.rowid", (number + 1) << _POSITION_BITS
    asked.that("messages_text MATCH {}", query)
    asked.that(f"{place} > {{}}", end - most).that(f"{place} < {{}}", end - least)
    found_in = f"messages_text CROSS JOIN messages AS m ON m.position = {asked.bind(end)} - {place}"
    return asked.page(
        store.seeking(query), Message, f"{_FIELDS}, m.position FROM {found_in}", place, limit, key=("position",)
    )


def _positions(store: BoundStore, sought: Sought, late_ms: int) -> tuple[int, int]:
    """Between which positions the messages of the asked time are.

    A message may come up to `late_ms` later than a younger one. So whichever came before one that is by so much older
    than `since` is too old itself, and whichever came after one so much younger than `until` too young.
    """
    types = get_args(MessageType) if sought.message_type is None else (sought.message_type,)
    least, most = 0, 1 << _POSITION_BITS if sought.before is None else min(sought.before, 1 << _POSITION_BITS)
    at = "SELECT position FROM messages WHERE tenant = ?1 AND message_type = ?2 AND id "
    for each in types:
        if sought.since is not None:
            earliest = "m_" + earliest_ulid(sought.since - late_ms)
            for (position,) in store.look(f"{at}< ?3 ORDER BY id DESC LIMIT 1", each, earliest):
                least = max(least, position)
        if sought.until is not None:
            latest = "m_" + earliest_ulid(sought.until + late_ms)
            for (position,) in store.look(f"{at}>= ?3 ORDER BY id LIMIT 1", each, latest):
                most = min(most, position)
    return least, most


def _query(store: BoundStore, sought: Sought, number: int) -> str | None:
    """The query of FTS5, in which quoted words are never read as its operators; None where it could find nothing."""
    kinds = (("u", sought.user_id), ("s", sought.session_id), ("k", sought.message_type))
    scope = [f'"@{number}{kind}{value.encode().hex()}"' for kind, value in kinds if value is not None]
    near = scope[0] if scope else f'"@{number}"'
    parts = []
    for word in sought.words:
        part = _part(store, word, near)
        if part is None:
            return None
        parts.append(part)
    if not scope and len(parts) > 1:
        scope = [near]
    return " AND ".join(scope + parts)


def _part(store: BoundStore, word: Word, near: str) -> str | None:
    """What finds one word, or several in this order; None where no message has it."""
    quoted = '"' + word.text.replace('"', " ").replace("@", " ") + '"' + " *" * word.begins
    if not word.text.isalnum():
        # Several words in FTS5's eyes: of which those are looked at that are near the tenant's own, that is in the same
        # message. Where there may be no word in them for FTS5, nearness alone would find everything.
        return f"NEAR({near} {quoted}, {_FAR})" if re.search("[A-Za-z0-9]", word.text) else quoted
    if not (word.begins and word.text.isascii()):
        return quoted
    words = list(_beginning(store, word.text.lower()))
    if len(words) > _BEGINNINGS or not all(map(str.isascii, words)):
        return quoted
    return "(" + " OR ".join(f'"{each}"' for each in words) + ")" if words else None


def _beginning(store: BoundStore, beginning: str) -> Iterator[str]:
    """The words of the index with this beginning, at most one more than are taken: each found from the one before."""
    rows = store.look(_WITH_BEGINNING, beginning, beginning + "\U0010ffff", _BEGINNINGS)
    return (term for (term,) in rows)
