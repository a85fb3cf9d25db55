"""The records that everybody in a bulk scenario writes or reads: five columns, made by one generator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

COLUMNS = ("id", "name", "city", "amount", "rank")
SCHEMA = "id INTEGER, name TEXT, city TEXT, amount REAL, rank INTEGER"
INSERT = "INSERT INTO customers VALUES (?, ?, ?, ?, ?)"
SELECT = "SELECT id, name, city, amount, rank FROM customers"
TOTALS = "SELECT count(*), sum(id), sum(amount), count(DISTINCT city), max(length(name)) FROM customers"

# The same text runs in a snippet and, by `records`, in this process: making the records costs all the same.
GENERATOR = """
CITIES = ("Oslo", "Bern", "Rome", "Lima", "Cairo", "Quito", "Hanoi")

def made(count):
    for number in range(count):
        yield {
            "id": number,
            "name": f"customer {number}",
            "city": CITIES[number % 7],
            "amount": number * 0.25,
            "rank": number % 100,
        }
"""
_names: dict[str, Any] = {}
exec(GENERATOR, _names)


def records(count: int) -> Iterator[dict[str, Any]]:
    """So many of them."""
    made: Iterator[dict[str, Any]] = _names["made"](count)
    return made


def check(count: int, totals: Iterable[Any]) -> None:
    """Raise unless the totals are those of so many records."""
    numbers = count * (count - 1) // 2
    expected = [count, numbers, numbers * 0.25, 7, len(f"customer {count - 1}")]
    if (found := list(totals)) != expected:
        raise AssertionError(f"the table holds {found}, not {expected}")
