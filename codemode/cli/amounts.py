"""Amounts as people give them on the command line: how many, how much, how long; None for what is no amount."""

from __future__ import annotations

import re

_SIZES = {"": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SECONDS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WHOLE = re.compile(r"([0-9]{1,15})\s*([a-z]{0,3})")
_DECIMAL = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([a-z]{0,2})")


def count_of(text: str) -> int | None:
    """How many `500` are."""
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None


def bytes_of(text: str) -> int | None:
    """How many bytes `500`, `500MB` or `2GiB` are."""
    found = _WHOLE.fullmatch(text.lower())
    return None if found is None or found[2] not in _SIZES else int(found[1]) * _SIZES[found[2]]


def seconds_of(text: str) -> float | None:
    """How many seconds `30`, `0.5`, `250ms`, `30s`, `12h` or `90d` are."""
    found = _DECIMAL.fullmatch(text)
    return None if found is None or found[2] not in _SECONDS else float(found[1]) * _SECONDS[found[2]]
