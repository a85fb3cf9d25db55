"""Tools for LangChain and LangGraph: `langchain_tools(session)`, to be bound to a model or given to an agent."""

from __future__ import annotations

from typing import Any, Unpack

from codemode.adapters.answer import MOST, Answer, kept_with
from codemode.adapters.dispatch import dispatch, dispatch_async
from codemode.adapters.session import AnySession, RunSettings
from codemode.adapters.tools import Definition, definitions
from codemode.errors import ExtraMissing

try:
    from langchain_core.tools import StructuredTool, ToolException
except ImportError as error:
    raise ExtraMissing(f"LangChain cannot be used: {error}", hint="pip install 'codemode[langchain]'") from error


class ToolFailed(ToolException):
    """A call that failed by what the model sent; its text is what the model reads, `answer` the whole of it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


def langchain_tools(
    session: AnySession, *, most: int = MOST, stateful: bool = False, **settings: Unpack[RunSettings]
) -> list[StructuredTool]:
    """The tools of one session, each for `invoke` and `ainvoke`.

    The artifact of `execute_code` is the Outcome as plain data. A call that failed becomes a message of status "error";
    set `handle_tool_error` of a tool to do something else with the ToolFailed. `most`: characters of an answer.
    `stateful`: what the session is, for the description. `settings`: options of `Session.run` for each snippet.
    """
    return [_tool(session, each, most, settings) for each in definitions(session.limits, stateful=stateful)]


def _tool(session: AnySession, definition: Definition, most: int, settings: RunSettings) -> StructuredTool:
    name = definition.name

    def call(**arguments: Any) -> tuple[str, dict[str, Any] | None]:
        return _result(dispatch(session, name, arguments, most=most, **settings))

    async def call_async(**arguments: Any) -> tuple[str, dict[str, Any] | None]:
        return _result(await dispatch_async(session, name, arguments, most=most, **settings))

    return StructuredTool(
        name=name,
        description=definition.description,
        args_schema=definition.schema,
        func=call,
        coroutine=call_async,
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


def _result(answer: Answer) -> tuple[str, dict[str, Any] | None]:
    if answer.is_error:
        raise ToolFailed(answer)
    return answer.text, kept_with(answer)
