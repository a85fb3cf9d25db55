"""A sandbox for FastMCP's code mode: `CodeMode(sandbox_provider=CodemodeSandboxProvider(worker.session))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from codemode.adapters.answer import MOST, clipped, of_error, of_outcome, value_of
from codemode.adapters.dispatch import FOR_THE_MODEL, bounded, checked_code
from codemode.adapters.session import AnySession, RunSettings
from codemode.errors import ExtraMissing, RequestInvalid

try:
    from fastmcp.exceptions import ToolError
except ImportError as error:
    raise ExtraMissing(f"FastMCP cannot be used: {error}", hint="pip install 'codemode[fastmcp]'") from error


class CodemodeSandboxProvider:
    """Runs the code that a client of an MCP server sends in a session; `call_tool` is a function lent to it.

    `session` is asked for one at each run: `worker.session` gives each a new one, a function that reads the caller's
    access token one to each user. The session has to be embedded, since the tools are functions of this process.
    `settings`: options of `Session.run` for each snippet.
    """

    def __init__(self, session: Callable[[], AnySession], *, most: int = MOST, **settings: Unpack[RunSettings]) -> None:
        self._session, self._most, self._settings = session, most, settings

    async def run(
        self,
        code: str,
        *,
        inputs: dict[str, Any] | None = None,
        external_functions: dict[str, Callable[..., Any]] | None = None,
    ) -> Any:
        """The value of the snippet, else what it printed; a large one with the words about its rest.

        Raises ToolError, with the way out, for what the model can mend.
        """
        session = self._session()
        settings = bounded(session, self._settings, self._most)
        settings["functions"] = {**(settings.get("functions") or {}), **(external_functions or {})}
        try:
            code = checked_code(session, code)
        except RequestInvalid as error:
            raise ToolError(of_error(error, self._most).text) from None
        try:
            outcome = await session.run_async(code, inputs=inputs, **settings)
        except FOR_THE_MODEL as error:
            raise ToolError(of_error(error, self._most).text) from None
        if not outcome.ok:
            raise ToolError(of_outcome(outcome, self._most).text)
        # Of None and of an empty list FastMCP makes no content, and a model would read nothing.
        if outcome.result is None:
            return clipped(outcome.stdout, self._most) or None
        return value_of(outcome) if outcome.result != [] else "[]"
