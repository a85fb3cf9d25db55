"""Agent runs of Pydantic AI, all of it but the model, which is a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pydantic_ai import Agent, ModelRequest, RunContext, UsageLimits
from pydantic_ai.exceptions import UsageLimitExceeded
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from codemode import Limits, Outcome, Session, Worker
from codemode.adapters.pydantic_ai import SessionToolset
from codemode.adapters.tools import definitions
from codemode.errors import SessionNotFound

Step = ToolCallPart | str


def scripted(*steps: Step, seen: Callable[[AgentInfo], None] = lambda _: None) -> FunctionModel:
    """A model that takes these steps, one after the other."""
    left = list(steps)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen(info)
        step = left.pop(0)
        return ModelResponse(parts=[TextPart(step) if isinstance(step, str) else step])

    return FunctionModel(answer)


def run(agent: Agent[Any, str], **options: Any) -> Any:
    """Not `run_sync`, which leaves its event loop open."""
    return asyncio.run(agent.run("go", **options))


def execute(code: str) -> ToolCallPart:
    return ToolCallPart("execute_code", {"code": code})


def results(messages: list[ModelMessage]) -> list[Any]:
    return [part for message in messages if isinstance(message, ModelRequest) for part in message.parts[:]
            if part.part_kind in ("tool-return", "retry-prompt", "retry-feedback")]  # fmt: skip


def test_an_agent_repairs_its_snippet_and_ends(table: Session):
    wrong = execute("helpers.db.exec('DELETE FROM t')\nreturn helpers.db.value('SELECT sum(aa) FROM t')")
    model = scripted(wrong, execute("return helpers.db.value('SELECT sum(a) FROM t')"), "six")
    done = run(Agent(model, toolsets=[SessionToolset(table)]))
    failed, returned = results(done.all_messages())
    assert json.loads(failed.content)["error"]["code"] == "sql.no_such_column"
    assert isinstance(failed, ToolReturnPart)
    assert failed.outcome == "failed"
    assert json.loads(returned.content) == {"result": 6}
    assert msgspec.convert(returned.metadata, Outcome).result == 6
    assert done.output == "six"


def test_a_conversation_can_be_stored(session: Session):
    done = run(
        Agent(scripted(execute("return [2**70, b'\\x00', '\\ud800']"), "done"), toolsets=[SessionToolset(session)])
    )
    assert results(ModelMessagesTypeAdapter.validate_json(done.all_messages_json())) == results(done.all_messages())


def test_failures_use_up_no_retries_and_usage_limits_bound_them(session: Session):
    agent = Agent(scripted(*[execute("1 / 0")] * 5, "done"), toolsets=[SessionToolset(session)])
    assert run(agent).output == "done"
    agent = Agent(scripted(*[execute("1 / 0")] * 5, "done"), toolsets=[SessionToolset(session)])
    with pytest.raises(UsageLimitExceeded):
        run(agent, usage_limits=UsageLimits(request_limit=3))


def test_the_model_is_told_of_strict_tools(session: Session):
    seen: list[AgentInfo] = []
    run(Agent(scripted("done", seen=seen.append), toolsets=[SessionToolset(session)]))
    told = [(tool.name, tool.description, tool.parameters_json_schema) for tool in seen[0].function_tools]
    assert told == [(each.name, each.description, each.schema) for each in definitions()]
    assert all(tool.strict for tool in seen[0].function_tools)


def test_the_model_is_told_the_limits_of_its_session(worker: Worker):
    session, seen = worker.session(limits=Limits(execution_seconds=7, rows=123)), []
    run(Agent(scripted("done", seen=seen.append), toolsets=[SessionToolset(session)]))
    assert "7 s, 123 rows a query" in seen[0].function_tools[0].description


def test_a_model_that_calls_every_tool_gets_an_answer_from_each(table: Session):
    done = run(Agent(TestModel(), toolsets=[SessionToolset(table)]))
    assert {part.tool_name for part in results(done.all_messages())} == {each.name for each in definitions()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "JSON"),
        ("[1]", "should be an object"),
        ('"x"', "should be an object"),
        ("{}", "missing required field `code`"),
        ({"cod": "1"}, "no argument 'cod'"),
        ({"code": 1}, "Expected `str`"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(session: Session, arguments: Any, said: str):
    model = scripted(ToolCallPart("execute_code", arguments), execute("return 1"), "done")
    done = run(Agent(model, toolsets=[SessionToolset(session)]))
    told, returned = results(done.all_messages())
    assert said in str(told.content)
    assert json.loads(returned.content) == {"result": 1}
    assert done.output == "done"


def test_each_run_can_have_a_session_of_its_own(worker: Worker):
    agent = Agent(scripted(execute("helpers.db.create_table('mine', 'a')"), "done"), deps_type=str)

    @agent.toolset
    def of_the_user(context: RunContext[str]) -> Any:
        return SessionToolset(worker.session(context.deps))

    run(agent, deps="ann")
    assert worker.session("ann").get_tables() == ["mine"]


def test_functions_of_the_host_run_on_the_agents_loop(session: Session):
    async def main() -> Any:
        async def lookup() -> bool:
            return asyncio.get_running_loop() is loop

        loop = asyncio.get_running_loop()
        toolset = SessionToolset(session, functions={"lookup": lookup})
        return await Agent(scripted(execute("return helpers.host.lookup()"), "done"), toolsets=[toolset]).run("go")

    done = asyncio.run(main())
    assert json.loads(results(done.all_messages())[0].content) == {"result": True}


def test_what_no_model_can_mend_is_raised(worker: Worker):
    session = worker.session()
    worker.remove(session.id)
    model = scripted(ToolCallPart("list_tables", {}), "done")
    with pytest.raises(SessionNotFound):
        run(Agent(model, toolsets=[SessionToolset(session)]))
