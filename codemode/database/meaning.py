"""Which column somebody means: by its name, by words of the same meaning, by its type, and by what it holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from codemode.database.sample import Sample

_LEAST_SCORE = 0.5  # below this an answer is no better than a guess
# Likeness takes the square of a name's length, and nothing can stop it: what is longer is like nothing.
_COMPARED_CHARACTERS = 128
_MISSPELT = 0.7  # "colour" is 0.6 of "hour"
_ALTERNATIVES = 3
_LOOKED_AT = 2_000  # values of a column, for its kind

# Words that people use for one another; abbreviations need no entry where they begin the word ("precip").
_SYNONYMS = tuple(
    frozenset(group.split())
    for group in (
        "id identifier key code number no num nr ref reference",
        "date day time timestamp datetime when moment created updated",
        "name title label caption",
        "airline carrier company firm operator vendor supplier",
        "plane aircraft airplane tail vehicle",
        "airport faa iata station",
        "destination dest to target arrival arr arrives",
        "origin source from start departure dep departs",
        "delay late lateness overdue",
        "duration length elapsed airtime minutes",
        "distance miles mile km kilometres kilometers far",
        "speed velocity mph pace",
        "latitude lat",
        "longitude lon lng long",
        "altitude alt elevation height",
        "temperature temp heat hot cold",
        "precipitation precip rain rainfall",
        "humidity humid moisture",
        "visibility visib sight",
        "price cost amount total sum value fee charge revenue",
        "quantity qty count amount volume units",
        "email mail",
        "phone telephone tel mobile",
        "address street addr location",
        "city town place",
        "country nation land",
        "zip postcode postal plz",
        "description desc text comment note remark body content abstract summary",
        "category type kind class group sort genre",
        "status state stage phase",
        "user customer client account member person",
        "author writer creator",
        "manufacturer maker brand make builder",
        "birth birthday born dob",
        "gender sex",
        "salary wage pay income",
        "rating score stars grade rank",
        "link url website homepage",
        "timezone tzone tz",
        "year yr",
        "month mon",
        "seats seat capacity places",
    )
)
_KINDS: dict[str, Callable[[str], object]] = {
    "date": re.compile(r"\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d.*)?").fullmatch,
    "email": re.compile(r"[^@\s]+@[^@\s]+\.\w+").fullmatch,
    "url": re.compile(r"https?://\S+").fullmatch,
}
_MEANT_BY = {
    "date": frozenset(["date", "day", "time", "timestamp", "datetime", "when", "moment"]),
    "email": frozenset(["email", "mail"]),
    "url": frozenset(["url", "link", "website", "homepage"]),
}
_SMALL = frozenset(["a", "an", "and", "for", "how", "in", "is", "it", "its", "of", "that", "the", "was", "what"])
_NUMBERS = frozenset(["amount", "average", "cost", "count", "many", "mean", "number", "price", "sum", "total"])


class Match(NamedTuple):
    """A column, how sure it is that it was meant (0 to 1), and what speaks for it."""

    name: str
    score: float
    because: str


def find_column(meaning: str, sample: Sample) -> dict[str, Any] | None:
    """The column of the sample's table that `meaning` means, or None when none comes close; others that could be."""
    found = ranked(meaning, sample)
    if not found or found[0].score < _LEAST_SCORE:
        return None
    best, *others = found
    return {
        "table": sample.table,
        "name": best.name,
        "score": best.score,
        "because": best.because,
        "alternatives": [{"name": m.name, "score": m.score} for m in others[:_ALTERNATIVES] if m.score >= _LEAST_SCORE],
    }


def ranked(meaning: str, sample: Sample) -> list[Match]:
    """All columns, the likeliest first; of equal ones the first."""
    wanted = words(meaning[:_COMPARED_CHARACTERS])
    if not wanted:
        return []
    wanted = [word for word in wanted if word not in _SMALL] or wanted
    found = [_match(wanted, meaning.strip().casefold(), name, sample.values(name)) for name in sample.columns]
    return sorted(found, key=lambda match: -match.score)


def _match(wanted: list[str], meaning: str, name: str, values: Sequence[Any]) -> Match:
    have = words(name[:_COMPARED_CHARACTERS])
    by_name = likeness(wanted, have)
    by_synonym = 0.95 * _shared_meaning(wanted, have)
    by_content = _holds(meaning, values)
    by_type = _is_of_kind(wanted, values)
    score, because = max(
        (by_name, "name"), (by_synonym, "synonym"), (by_content, "content"), (by_type, "type"),
        key=lambda pair: pair[0],
    )  # fmt: skip
    if because != "content" and score < 1 and _NUMBERS & set(wanted) and _is_number(values):
        score = min(0.99, score + 0.02)  # of two columns that are alike, the one that can be summed
    return Match(name, round(score, 3), because)


def words(name: str) -> list[str]:
    """A name or a question as words: `birthYear`, `birth_year` and "Birth year" are the same."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[\W_]+", spaced) if word]


def likeness(wanted: list[str], have: list[str]) -> float:
    """1 for the same words; otherwise how alike the texts are, or how many words of one are in the other."""
    if wanted == have:
        return 1.0
    spelled = difflib.SequenceMatcher(None, "".join(wanted), "".join(have)).ratio()
    spelled = spelled if spelled > _MISSPELT else 0.0
    shared = sum(1 for word in wanted if any(word == w or (len(word) > 2 and w.startswith(word)) for w in have))
    covered = shared / max(len(wanted), len(have), 1)
    contained = 0.9 if wanted and shared == len(wanted) else 0.0
    return min(0.99, max(spelled, covered, contained))


def _shared_meaning(wanted: list[str], have: list[str]) -> float:
    """The share of words that have one of the same meaning on the other side."""
    there = sum(any(_same(word, other) for other in have) for word in wanted)
    back = sum(any(_same(word, other) for word in wanted) for other in have)
    return (there + back) / (len(wanted) + len(have)) if have else 0.0


def _same(one: str, other: str) -> bool:
    if one == other or (min(len(one), len(other)) > 2 and (one.startswith(other) or other.startswith(one))):
        return True
    return any(one in group and (other in group or _begins_with(other, group)) for group in _SYNONYMS)


def _begins_with(word: str, group: frozenset[str]) -> bool:
    """Whether a name of one word begins with one of the group: tailnum, pricelist."""
    return any(len(each) > 3 and word.startswith(each) for each in group)


def _holds(meaning: str, values: Iterable[Any]) -> float:
    """How much speaks for a column that holds the very thing: "JFK" means an airport column."""
    if len(meaning) < 2:
        return 0.0
    texts = [value for value in values if isinstance(value, str)]
    hits = sum(1 for text in texts if len(text) == len(meaning) and text.casefold() == meaning)
    return 0.85 + 0.1 * hits / len(texts) if hits else 0.0


def _is_of_kind(wanted: list[str], values: Sequence[Any]) -> float:
    """How much speaks for a column whose values are all dates, or addresses, where one was asked for."""
    some = [value for value in values if value is not None][:_LOOKED_AT]
    if not some or not all(isinstance(value, str) for value in some):
        return 0.0
    for kind, meant_by in _MEANT_BY.items():
        if meant_by & set(wanted) and all(_KINDS[kind](value[:200]) for value in some):
            return 0.96 if len(wanted) == 1 else 0.6
    return 0.0


def _is_number(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values if value is not None)
