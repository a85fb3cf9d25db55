"""Spans of what happens (request, execution, helper call, statement): a seam with nothing behind it until `use`.

Every layer may open a span and none knows what traces them. A span never carries values, code or messages of errors:
they are a caller's data. It carries ids, kinds, counts and error codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Value = str | int | float | bool


class Span(Protocol):
    """What goes on inside a `with span(…)`."""

    def rename(self, name: str) -> None:
        """Name it for what it turned out to be."""
        ...

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Add what is only known now."""
        ...

    def fail(self, code: str) -> None:
        """Mark it as failed with an error's code."""
        ...


class Tracer(Protocol):
    """What spans are made by."""

    def span(
        self, name: str, attributes: Mapping[str, Value], headers: Mapping[str, str] | None, sql: str | None
    ) -> AbstractContextManager[Span]:
        """A span inside the one that is open; an exception that leaves it marks it as failed, with its code alone."""
        ...


class _Nothing:
    """The span of nobody."""

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def rename(self, name: str) -> None:
        """Nothing."""

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Nothing."""

    def fail(self, code: str) -> None:
        """Nothing."""


NOTHING = _Nothing()
_tracer: Tracer | None = None  # one a process, as there is one provider of the library behind it


def use(tracer: Tracer | None) -> None:
    """Have `tracer` make the spans of this process from now on; None ends that."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    """Whether anybody makes spans; without one, a caller in a hurry opens none."""
    return _tracer is not None


def span(
    name: str,
    attributes: Mapping[str, Value],
    *,
    headers: Mapping[str, str] | None = None,
    sql: str | None = None,
) -> AbstractContextManager[Span]:
    """Open a span. `headers` are a request's, which may continue its caller's trace; `sql` may be shown, or not."""
    return NOTHING if _tracer is None else _tracer.span(name, attributes, headers, sql)
