"""LangChain's own calls of the tools: as a model asks for them, directly, and asynchronously."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgpack
import msgspec
import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from codemode import Limits, Outcome, Session, Worker
from codemode.adapters import openai_chat_tools
from codemode.adapters.langchain import ToolFailed, langchain_tools
from codemode.errors import SessionNotFound

AWKWARD = "deep = []\nfor _ in range(140): deep = [deep]\nreturn [2**70, b'\\x00', '\\ud800', float('nan'), deep]"


def by_name(session: Session, **settings: Any) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in langchain_tools(session, **settings)}


def call(name: str, **arguments: Any) -> Any:
    return {"name": name, "args": arguments, "id": "call_1", "type": "tool_call"}


def test_a_model_is_told_of_them_as_of_the_tools_for_its_own_api(session: Session):
    found = [convert_to_openai_tool(tool, strict=True) for tool in langchain_tools(session)]
    assert found == openai_chat_tools()


def test_a_model_is_told_the_limits_of_its_session(worker: Worker):
    told = by_name(worker.session(limits=Limits(execution_seconds=7, rows=123)))["execute_code"].description
    assert "7 s, 123 rows a query" in told


def test_an_agent_repairs_its_snippet_and_ends(table: Session):
    """A whole conversation: the model is a script, everything else is what a program would do."""
    snippets = [f"return helpers.db.value('SELECT sum({column}) FROM t')" for column in ("aa", "a")]
    script = [*(AIMessage("", tool_calls=[call("execute_code", code=code)]) for code in snippets), AIMessage("six")]
    model = GenericFakeChatModel(messages=iter(script))
    tools, messages = by_name(table), [HumanMessage("What is the sum?")]
    answer = model.invoke(messages)
    while answer.tool_calls:
        messages += [answer, *(tools[each["name"]].invoke(each) for each in answer.tool_calls)]
        answer = model.invoke(messages)
    first, second = (each for each in messages if isinstance(each, ToolMessage))
    assert (first.status, second.status) == ("error", "success")
    assert json.loads(first.content)["error"]["code"] == "sql.no_such_column"
    assert json.loads(second.content) == {"result": 6}
    assert answer.content == "six"


def test_the_artifact_is_the_outcome(session: Session):
    message = by_name(session)["execute_code"].invoke(call("execute_code", code="return 2"))
    outcome = msgspec.convert(message.artifact, Outcome)
    assert (outcome.ok, outcome.result, outcome.session_id) == (True, 2, session.id)
    assert by_name(session)["list_tables"].invoke(call("list_tables")).artifact is None


def test_a_message_can_be_stored_whatever_a_snippet_answers(session: Session):
    """What stores of conversations write: JSON and MessagePack, whose integers have 64 bits."""
    message = by_name(session)["execute_code"].invoke(call("execute_code", code=AWKWARD))
    stored = ToolMessage.model_validate_json(message.model_dump_json())
    assert stored.artifact == message.artifact
    assert message.artifact["result"][:3] == [str(2**70), {"$bytes": "AA=="}, "\\ud800"]
    assert msgpack.unpackb(msgpack.packb(message.artifact)) == message.artifact


def test_a_direct_call_answers_with_the_text(table: Session):
    assert by_name(table)["list_tables"].invoke({}) == '{"tables":["t"]}'


@pytest.mark.parametrize("arguments", [{}, {"cod": "1"}, {"code": None}, {"code": ["1"]}])
def test_wrong_arguments_become_a_message_to_mend_them_by(session: Session, arguments: Any):
    message = by_name(session)["execute_code"].invoke(call("execute_code", **arguments))
    assert message.status == "error"
    assert json.loads(message.content)["error"]["code"] == "request.invalid"


def test_a_program_can_take_failures_in_its_own_way(session: Session):
    tool = by_name(session)["execute_code"]
    tool.handle_tool_error = False
    with pytest.raises(ToolFailed) as caught:
        tool.invoke(call("execute_code", code="1 / 0"))
    assert caught.value.answer.outcome is not None
    assert caught.value.answer.outcome.error is not None
    assert caught.value.answer.outcome.error.code == "code.runtime"


def test_asynchronous_calls_answer_the_same_and_lend_functions(table: Session):
    async def price(item: str) -> int:
        return len(item)

    async def main() -> list[ToolMessage]:
        tools = by_name(table, functions={"price": price})
        calls = [
            call("execute_code", code="return helpers.host.price('milk')"),
            call("query", sql="SELECT max(a) AS m FROM t", params=None),
            call("query", sql="SELECT"),
        ]
        return [await tools[each["name"]].ainvoke(each) for each in calls]

    one, two, three = asyncio.run(main())
    assert json.loads(one.content) == {"result": 4}
    assert json.loads(two.content) == {"columns": ["m"], "rows": [[3]], "row_count": 1}
    assert three.status == "error"


def test_what_no_model_can_mend_is_raised(worker: Worker):
    session = worker.session()
    worker.remove(session.id)
    with pytest.raises(SessionNotFound):
        by_name(session)["list_tables"].invoke(call("list_tables"))
