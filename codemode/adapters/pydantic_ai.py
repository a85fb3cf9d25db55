"""A toolset for Pydantic AI: `Agent(model, toolsets=[SessionToolset(session)])`."""

from __future__ import annotations

from typing import Any, Unpack

from codemode.adapters.answer import MOST, kept_with
from codemode.adapters.dispatch import dispatch_async
from codemode.adapters.session import AnySession, RunSettings
from codemode.adapters.tools import Definition, definitions
from codemode.errors import ExtraMissing

try:
    from pydantic_ai import AbstractToolset, RunContext, ToolDefinition, ToolFailed, ToolReturn, ToolsetTool
    from pydantic_core import SchemaValidator, core_schema
except ImportError as error:
    raise ExtraMissing(f"Pydantic AI cannot be used: {error}", hint="pip install 'codemode[pydantic-ai]'") from error

# Only that they are an object is left to the framework: `dispatch` says better what is wrong with the rest.
_AN_OBJECT = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))


class SessionToolset(AbstractToolset[Any]):
    """The tools of one session. The metadata of what `execute_code` returns is the Outcome as plain data.

    A call that failed is a failed result, which the model reads and which uses up none of its retries: bound those
    with UsageLimits. `most`: characters of an answer. `stateful`: what the session is, for the description.
    `settings`: options of `Session.run` for each snippet.
    """

    def __init__(
        self,
        session: AnySession,
        *,
        id: str | None = None,  # noqa: A002 - the framework's own name for it
        most: int = MOST,
        stateful: bool = False,
        **settings: Unpack[RunSettings],
    ) -> None:
        self._session, self._id, self._most, self._settings = session, id, most, settings
        self._definitions = definitions(session.limits, stateful=stateful)

    @property
    def id(self) -> str | None:
        """The name of this toolset among those of an agent."""
        return self._id

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """The tools as the model is told of them."""
        return {each.name: self._tool(each, ctx) for each in self._definitions}

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> ToolReturn:
        """Run one call. Raises ToolFailed with the way out, and what no model can mend as it is."""
        answer = await dispatch_async(self._session, name, tool_args, most=self._most, **self._settings)
        if answer.is_error:
            raise ToolFailed(answer.text)
        return ToolReturn(answer.text, metadata=kept_with(answer))

    def _tool(self, definition: Definition, ctx: RunContext[Any]) -> ToolsetTool[Any]:
        told = ToolDefinition(
            name=definition.name,
            description=definition.description,
            parameters_json_schema=definition.schema,
            strict=True,
        )
        return ToolsetTool(toolset=self, tool_def=told, max_retries=ctx.max_retries, args_validator=_AN_OBJECT)
