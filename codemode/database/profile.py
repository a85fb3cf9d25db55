"""What the columns of a table hold, from a sample of its rows: types, NULLs, different values, bounds, keys.

Pure functions over rows that were read; what they cannot know from a sample is marked as estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from codemode.database.sample import Sample

_FREQUENT = 5
_SHOWN_CHARACTERS = 80
_MOST_KEYS = 3
_FEW_ROWS = 10
_MOST_PAIRS = 20
_GUESSED = ("stored", "nulls", "distinct", "min", "max", "frequent")
# SQLite's own words (`typeof`) for what apsw answers.
_STORED = {int: "integer", float: "real", str: "text", bytes: "blob"}


def shown(value: Any) -> Any:
    """A value as a profile shows it: a long text cut, with its length; a blob by its size."""
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]}… ({len(value):,} characters)"
    return value


def order(value: Any) -> tuple[int, Any]:
    """SQLite's order of values of any type: NULL, numbers, texts, blobs."""
    if value is None:
        return 0, 0
    return (1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 3), value


def column_profile(values: Sequence[Any], total: int) -> dict[str, Any]:
    """What a column of `total` rows holds, judged by the `values` of some or all of them.

    `stored` is the share of each type among the values that are not NULL, `frequent` the values that occur most, with
    their share of all rows. `estimated` names what is a guess.
    """
    counts = Counter(values)
    nulls = counts.pop(None, 0)
    present = len(values) - nulls
    types = Counter({_STORED[kind]: count for kind, count in Counter(map(type, values)).items() if kind in _STORED})
    key = order if len(types) > 1 else None
    return {
        "stored": {kind: round(count / present, 4) for kind, count in types.most_common()},
        "nulls": round(nulls * total / len(values)) if values else 0,
        "distinct": distinct_estimate(counts, present, total * present // max(1, len(values))),
        "min": shown(min(counts, key=key, default=None)),
        "max": shown(max(counts, key=key, default=None)),
        "frequent": [
            {"value": shown(value), "share": round(count / len(values), 4)}
            for value, count in counts.most_common(_FREQUENT)
            if count > 1
        ],
        "estimated": list(_GUESSED) if len(values) < total else [],
    }


def make_exact(profile: dict[str, Any], total: int, present: int, least: Any, greatest: Any) -> None:
    """Put what was counted over all `total` rows in the place of guesses.

    A bound of a type that the sample did not have is a stray value, which is worth more than the share that it has.
    """
    profile |= {"nulls": total - present, "min": shown(least), "max": shown(greatest)}
    profile["estimated"] = [key for key in profile["estimated"] if key not in ("nulls", "min", "max")]
    for value in (least, greatest):
        if value is not None:
            profile["stored"].setdefault(_STORED[type(value)], 0.0)


def distinct_estimate(counts: Mapping[Any, int], rows: int, total: int) -> int:
    """How many different values `total` rows hold, where `rows` of them hold these.

    Haas and Stokes' estimator, as PostgreSQL's ANALYZE uses it: values seen once stand for those not seen.
    """
    if rows >= total or not counts:
        return len(counts)
    once = sum(1 for count in counts.values() if count == 1)
    return min(total, round(rows * len(counts) / (rows - once + once * rows / total)))


def likely_keys(sample: Sample, profiles: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Columns, or pairs of them, that tell all rows of the sample apart; few, the likeliest first.

    Measurements (REAL) and blobs are no keys, nor is what can be NULL. Pairs are tried where no column will do. Of few
    rows nearly everything is a key: then it is the first column that is one, and no pair.
    """
    if sample.count < 2:
        return
    fit = [name for name in sample.columns if not profiles[name]["nulls"] and _names_things(profiles[name]["stored"])]
    different = {name: len(set(sample.values(name))) for name in fit}
    single = [name for name in fit if different[name] == sample.count]
    few = sample.count < _FEW_ROWS
    yield from ((name,) for name in single[: 1 if few else _MOST_KEYS])
    if single or few:
        return
    pairs = [pair for pair in combinations(fit, 2) if different[pair[0]] * different[pair[1]] >= sample.count]
    pairs.sort(key=lambda pair: different[pair[0]] * different[pair[1]])
    found = 0
    for pair in pairs[:_MOST_PAIRS]:
        if found < _MOST_KEYS and _tells_apart(sample.values(pair[0]), sample.values(pair[1])):
            found += 1
            yield pair


def _names_things(stored: Iterable[str]) -> bool:
    return not {"real", "blob"} & set(stored)


def _tells_apart(first: Sequence[Any], second: Sequence[Any]) -> bool:
    return len(set(zip(first, second, strict=True))) == len(first)
