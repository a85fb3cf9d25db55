"""What the adapters need of a session: an embedded `Session` has it, and so has one that is reached over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from codemode.limits import Limits
from codemode.values import Outcome

if TYPE_CHECKING:
    from codemode.client.session import RemoteSession
    from codemode.session.session import Session

    def _proven(embedded: Session, remote: RemoteSession) -> tuple[AnySession, AnySession]:
        return embedded, remote  # mypy looks whether both have what is asked for below


Format = Literal["objects", "columns", "csv", "markdown", "auto"]


class RunSettings(TypedDict, total=False):
    """The options of `Session.run` that a host may set for every snippet of a model."""

    functions: Mapping[str, Callable[..., Any]] | None  # lent to each snippet; embedded sessions only
    timeout: float | None
    atomic: bool
    dry_run: bool
    read_only: bool
    max_result_bytes: int | None
    result_format: Format
    max_cell: int | None


class AnySession(Protocol):
    """A session, wherever it is."""

    limits: Limits

    def run(
        self,
        code: str,
        *,
        inputs: Mapping[str, Any] | None = ...,
        functions: Mapping[str, Callable[..., Any]] | None = ...,
        timeout: float | None = ...,
        atomic: bool = ...,
        dry_run: bool = ...,
        read_only: bool = ...,
        max_result_bytes: int | None = ...,
        result_format: Format = ...,
        max_cell: int | None = ...,
    ) -> Outcome:
        """Run a snippet and answer with its outcome."""
        ...

    async def run_async(
        self,
        code: str,
        *,
        inputs: Mapping[str, Any] | None = ...,
        functions: Mapping[str, Callable[..., Any]] | None = ...,
        timeout: float | None = ...,
        atomic: bool = ...,
        dry_run: bool = ...,
        read_only: bool = ...,
        max_result_bytes: int | None = ...,
        result_format: Format = ...,
        max_cell: int | None = ...,
    ) -> Outcome:
        """The same without blocking the event loop; cancelling the task ends the snippet."""
        ...

    def query(self, sql: str, params: Any = (), *, read_only: bool = False) -> Any:
        """Rows of one statement."""
        ...

    def get_tables(self) -> list[str]:
        """Names of the session's tables and views."""
        ...

    def describe_table(self, table: str) -> dict[str, Any]:
        """What a table was declared as and what it holds."""
        ...
