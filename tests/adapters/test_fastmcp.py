"""A FastMCP server in code mode, spoken to by FastMCP's own client in memory."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.experimental.transforms.code_mode import CodeMode, SandboxProvider

from codemode import Session, Worker
from codemode.adapters.fastmcp import CodemodeSandboxProvider
from codemode.errors import SessionNotFound


def server(provider: SandboxProvider, **options: Any) -> FastMCP:
    mcp: FastMCP = FastMCP("shop", transforms=[CodeMode(sandbox_provider=provider, **options)])

    @mcp.tool
    def price(item: str) -> dict[str, Any]:
        """The price of an item."""
        if item == "gold":
            raise ToolError("gold is not for sale")
        return {"item": item, "cents": len(item) * 100}

    @mcp.tool
    async def slow() -> str:
        """Takes its time."""
        await asyncio.sleep(3_600)
        return "never"

    return mcp


def execute(mcp: FastMCP, *snippets: str) -> list[Any]:
    """What the tool `execute` answers to these, one after the other."""

    async def main() -> list[Any]:
        async with Client(mcp) as client:
            return [await client.call_tool("execute", {"code": code}, raise_on_error=False) for code in snippets]

    return asyncio.run(main())


def text(result: Any) -> str:
    return "".join(block.text for block in result.content)


def test_the_signature_is_the_protocols():
    ours, theirs = (inspect.signature(kind.run, eval_str=True) for kind in (CodemodeSandboxProvider, SandboxProvider))
    assert ours == theirs


def test_a_snippet_calls_tools_and_keeps_what_they_answer_in_tables(session: Session):
    mcp = server(CodemodeSandboxProvider(lambda: session))
    first = """
        prices = [await call_tool("price", {"item": item}) for item in ("tea", "milk")]
        helpers.db.batch_insert("prices", prices, create=True)
        return len(prices)
    """
    one, two = execute(mcp, first, "helpers.db.value('SELECT sum(cents) FROM prices')")
    assert (text(one), text(two)) == ("2", "700")
    assert session.value("SELECT count(*) FROM prices") == 2


def test_a_tool_that_fails_is_an_error_that_the_snippet_can_catch(session: Session):
    caught = "try:\n    call_tool('price', {'item': 'gold'})\nexcept helpers.Error as error:\n    return error.message"
    one, two = execute(server(CodemodeSandboxProvider(lambda: session)), caught, "call_tool('price', {'item': 'gold'})")
    assert "gold is not for sale" in text(one)
    assert two.is_error
    assert "gold is not for sale" in text(two)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("return helpers.db.query('SELEC 1')", "sql.syntax"),
        ("helpers.db.create_table('t', 'a'); 1 / 0", "ZeroDivisionError"),
        ("for in x", "code.syntax"),
        ("return open('/etc/passwd').read()", "error"),
        ("return (call_tool,)", "code.unserializable"),
        ("return '" + "x" * 300_000 + "'", "request.invalid"),
    ],
)
def test_what_a_model_got_wrong_comes_back_with_the_way_out(session: Session, code: str, said: str):
    (result,) = execute(server(CodemodeSandboxProvider(lambda: session)), code)
    assert result.is_error
    assert said in text(result)
    assert session.get_tables() == []


def test_what_is_printed_is_the_answer_where_there_is_no_other(session: Session):
    one, two, three = execute(
        server(CodemodeSandboxProvider(lambda: session)), "print('hi')", "print('no')\n5", "x = 1"
    )
    assert (text(one), text(two), text(three)) == ("hi\n", "5", "")


def test_no_rows_are_an_answer_that_can_be_read(session: Session):
    session.create_table("t", "a")
    (none,) = execute(
        server(CodemodeSandboxProvider(lambda: session)), "print('no')\nreturn helpers.db.query('SELECT * FROM t')"
    )
    assert (none.is_error, text(none)) == (False, "[]")


def test_a_large_value_is_kept_and_the_answer_says_how_to_read_on(session: Session):
    session.batch_insert("t", [{"a": n, "b": "x" * 50} for n in range(2_000)], create=True)
    (result,) = execute(server(CodemodeSandboxProvider(lambda: session)), "return helpers.db.query('SELECT * FROM t')")
    assert len(text(result)) < 20_000
    assert "SELECT * FROM _result_1" in json.loads(text(result))["how_to_read"]


def test_each_run_has_a_session_of_its_own_where_the_worker_makes_one(worker: Worker):
    one, two = execute(server(CodemodeSandboxProvider(worker.session)), *["helpers.db.create_table('t', 'a')\n1"] * 2)
    assert (one.is_error, two.is_error) == (False, False)


def test_a_run_that_is_given_up_is_ended(session: Session):
    provider = CodemodeSandboxProvider(lambda: session)
    late = server(provider, wall_clock_timeout_secs=0.5)
    looped, waited = execute(late, "while True: pass", "return await call_tool('slow', {})")
    assert "wall-clock limit" in text(looped)
    assert "wall-clock limit" in text(waited)
    assert session.run("return 1").ok, "the turn is free again"


@pytest.mark.parametrize("functions", [None, {"call_tool": len}])
def test_inputs_and_functions_reach_the_snippet(session: Session, functions: dict[str, Callable[..., Any]] | None):
    provider = CodemodeSandboxProvider(lambda: session, functions={"own": lambda: "own"})
    code = "return [x, own(), call_tool([1, 2])]" if functions else "return [x, own()]"
    found = asyncio.run(provider.run(code, inputs={"x": 1}, external_functions=functions))
    assert found == [1, "own", 2][: 3 if functions else 2]


def test_what_no_model_can_mend_is_raised(worker: Worker):
    session = worker.session()
    worker.remove(session.id)
    with pytest.raises(SessionNotFound):
        asyncio.run(CodemodeSandboxProvider(lambda: session).run("1"))
