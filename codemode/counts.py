"""How many there are of something, in words."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """`1 row`, `3,000 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
