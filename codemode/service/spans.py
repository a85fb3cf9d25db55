"""OpenTelemetry behind the spans of `codemode.tracing`: through its API alone, for the provider of whoever runs this.

No exporter is chosen and no provider made here. A process whose provider is not configured is not traced at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from opentelemetry import propagate, trace
from opentelemetry.context import Context

from codemode import __version__, tracing
from codemode.errors import CodemodeError
from codemode.tracing import Value

_MOST = 1_000  # spans of one request: a snippet may make 10,000 calls of many statements each
_READ, _SHOWN = 8_000, 1_000  # characters of a statement
_LITERALS = re.compile(
    r"""(?P<value> [xX]?'(?:[^']|'')*'? | (?<![\w$.]) (?:0[xX][0-9a-fA-F]+ | [0-9.]*[0-9][0-9_.]*(?:[eE][+-]?[0-9]+)?) )
      | (?P<comment> --[^\n]* | /\*.*?(?:\*/|\Z) )
      | (?P<name> "(?:[^"]|"")*"? | `[^`]*`? | \[[^\]]*\]? )""",
    re.VERBOSE | re.DOTALL,
)


def bind(provider: trace.TracerProvider | None = None, *, statements: bool = False) -> bool:
    """Trace this process with `provider`, else with the one that is configured for it; whether there is one.

    `statements` shows the text of statements, with `?` in place of every value that is written in them.
    """
    provider = provider or trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        return False
    tracing.use(_OpenTelemetry(provider.get_tracer("codemode", __version__), statements))
    return True


def without_values(sql: str) -> str:
    """The text of a statement with `?` for its values, without comments, in one line of bounded length."""
    text = " ".join(_LITERALS.sub(_shown, sql[:_READ]).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _shown(found: re.Match[str]) -> str:
    return {"value": "?", "comment": " ", "name": found[0]}[found.lastgroup or "name"]


class _Budget:
    """How many spans one request may still have, and how many it went without."""

    def __init__(self) -> None:
        self.left, self.missed = _MOST, 0


_budget: ContextVar[_Budget | None] = ContextVar("codemode_spans", default=None)


class _OpenTelemetry:
    """Makes spans with the process's provider."""

    def __init__(self, tracer: trace.Tracer, statements: bool) -> None:
        self._tracer, self._statements = tracer, statements

    def span(
        self, name: str, attributes: Mapping[str, Value], headers: Mapping[str, str] | None, sql: str | None
    ) -> AbstractContextManager[tracing.Span]:
        budget = _budget.get()
        if budget is None or headers is not None:
            return self._first(name, attributes, headers, sql)
        if budget.left <= 0:
            budget.missed += 1
            return tracing.NOTHING
        budget.left -= 1
        return self._open(name, attributes, None, sql)

    @contextmanager
    def _first(
        self, name: str, attributes: Mapping[str, Value], headers: Mapping[str, str] | None, sql: str | None
    ) -> Iterator[tracing.Span]:
        """The outermost span, which counts those inside."""
        budget = _Budget()
        token = _budget.set(budget)
        try:
            with self._open(name, attributes, headers, sql) as span:
                try:
                    yield span
                finally:
                    if budget.missed:
                        span.set({"codemode.spans_left_out": budget.missed})
        finally:
            _budget.reset(token)

    @contextmanager
    def _open(
        self, name: str, attributes: Mapping[str, Value], headers: Mapping[str, str] | None, sql: str | None
    ) -> Iterator[tracing.Span]:
        given = dict(attributes)
        if sql is not None and self._statements:
            given["db.query.text"] = without_values(sql)
        # What the library would note of an exception by itself is its message: a caller's data.
        with self._tracer.start_as_current_span(
            name,
            context=_continued(headers),
            kind=trace.SpanKind.INTERNAL if headers is None else trace.SpanKind.SERVER,
            attributes=given,
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            span = _Span(made)
            try:
                yield span
            except BaseException as error:
                span.fail(error.code if isinstance(error, CodemodeError) else type(error).__name__)
                raise


def _continued(headers: Mapping[str, str] | None) -> Context | None:
    """The trace that a request belongs to: its caller's, unless something around the application has begun one."""
    if headers is None or trace.get_current_span().get_span_context().is_valid:
        return None
    return propagate.extract(dict(headers))


class _Span:
    def __init__(self, made: trace.Span) -> None:
        self._made = made

    def rename(self, name: str) -> None:
        self._made.update_name(name)

    def set(self, attributes: Mapping[str, Value]) -> None:
        self._made.set_attributes(attributes)

    def fail(self, code: str) -> None:
        self._made.set_attribute("error.type", code)
        self._made.set_status(trace.StatusCode.ERROR)
