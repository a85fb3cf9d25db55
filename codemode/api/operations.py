"""What the service offers, as data: an Operation for each method of a path. Routes and OpenAPI are made of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from codemode.service.callers import Reach, Scope

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter."""

    name: str
    about: str
    kind: Any = str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path; `scope` is what a token must have, None where nobody is asked who he is."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    name: str
    about: str
    handler: Handler
    scope: Scope | None
    body: Any = None
    upload: tuple[str, ...] = ()  # media types of a body that is no JSON document
    answers: dict[int, Any] = field(default_factory=dict)  # status → struct, None for no body
    media: str = "application/json"
    events: bool = False  # whether it may be answered with server-sent events instead
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    enters: bool = False  # whether its handler takes the session that was found together with the caller
    does: Reach | None = None  # in the session that its path names, where the scope does not say it

    @property
    def is_act(self) -> bool:
        """Whether the audit log is told of it; looking is no act."""
        return self.scope in ("execute", "admin") and self.method != "GET"

    @property
    def reach(self) -> Reach:
        """What it does in the session that its path names."""
        return self.does or ("read" if self.scope == "read" else "write")
