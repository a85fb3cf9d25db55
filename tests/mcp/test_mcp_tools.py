"""The tools as a model meets them: what they are called, what they say of themselves, what they answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from mcp.shared.exceptions import MCPError
from mcp_clients import in_memory, run, text

from codemode import Limits, Settings, Worker
from codemode.mcp import executing
from codemode.mcp.server import PROBLEM_KEY, TOOLS
from codemode.mcp.tool import Face
from codemode.prompt import guide

NAMES = [
    "execute_code", "get_execution", "cancel_execution", "query", "list_tables", "describe_table", "list_sessions",
    "create_session", "checkpoint_session", "restore_session", "fork_session",
]  # fmt: skip
MOST_WORDS = {"execute_code": 200, "query": 80}  # and 40 for the others: every call of a model pays for all of them
TRIPS = "helpers.db.batch_insert('trips', [{'city': 'Oslo', 'km': 12.5}, {'city': 'Bern', 'km': 4.0}], create=True)"


def listed(limits: Limits = Limits(), **face: Any) -> dict[str, Any]:  # noqa: B008 - frozen
    offered = [tool for tool in TOOLS if tool.offered(Face(**face))]
    return {tool.name: tool.listed(Face(**face), limits, Settings().mcp_result_bytes) for tool in offered}


def test_the_tools_are_those_of_the_contract():
    assert list(listed()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_tool_has_a_title_all_four_hints_and_schemas_of_objects_without_references(name: str):
    tool = listed()[name]
    hints = tool.annotations.model_dump(by_alias=True)
    assert tool.title == hints.pop("title")
    assert {type(hint) for hint in hints.values()} == {bool}
    assert len(hints) == 4
    for schema in (tool.input_schema, tool.output_schema):
        assert schema["type"] == "object"
        assert "$ref" not in json.dumps(schema)
        jsonschema.Draft202012Validator.check_schema(schema)
    assert tool.input_schema["additionalProperties"] is False
    assert all("description" in each for each in tool.input_schema["properties"].values())


def test_a_session_has_to_be_named_where_the_tool_makes_none():
    named = {name for name, tool in listed().items() if "session_id" in tool.input_schema["required"]}
    assert {name for name, tool in listed().items() if "session_id" in tool.input_schema["properties"]} - named == {
        "execute_code", "create_session",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_short(name: str):
    assert 10 < len(listed()[name].description.split()) <= MOST_WORDS.get(name, 40)


def test_descriptions_name_the_limits_in_force():
    limits = Limits(
        execution_seconds=17, rows=321, query_seconds=13, memory_bytes=64 * 2**20, helper_calls=77, checkpoints=3
    )
    described = {name: tool.description for name, tool in listed(limits).items()}
    for amount in ("17 seconds", "64 MiB of memory", "321 rows", "77 helper calls", "32 KiB"):
        assert amount in " ".join(described["execute_code"].split())
    assert "13 seconds" in described["query"]
    assert "3 a session" in " ".join(described["checkpoint_session"].split())
    assert not any("$" in words for words in described.values())


def test_the_example_of_execute_code_runs_and_its_helpers_exist(worker: Worker):
    description = listed()["execute_code"].description
    code = description.partition("Example:")[2].strip()
    session = worker.session()
    session.run(TRIPS)
    assert session.run(code).result == {"Oslo": 12.5, "Bern": 4.0}
    known = guide().text + "get_columns"
    for name in re.findall(r"\b(\w+_\w+)\b", executing._HELPERS.partition("Answer")[0]):
        assert name in known, name


def test_every_tool_answers_as_its_schema_says(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            seen = set()

            async def call(name: str, /, **arguments: Any) -> Any:
                result = await client.call_tool(name, arguments)
                assert not result.is_error, text(result)
                jsonschema.validate(result.structured_content, tools[name].output_schema)
                jsonschema.validate(arguments, tools[name].input_schema)
                assert text(result)
                seen.add(name)
                return result.structured_content

            made = await call("execute_code", code=TRIPS)
            session = {"session_id": made["session_id"]}
            assert (await call("query", **session, sql="SELECT city FROM trips"))["rows"] == [["Oslo"], ["Bern"]]
            (table,) = (await call("list_tables", **session))["tables"]
            assert (table["name"], table["rows"], len(table["columns"])) == ("trips", 2, 2)
            assert (await call("describe_table", **session, table="trips"))["row_count"] == 2
            assert (await call("checkpoint_session", **session, name="before"))["name"] == "before"
            await call("execute_code", **session, code="helpers.db.exec('DELETE FROM trips')")
            await call("restore_session", **session, name="before")
            fork = await call("fork_session", **session, new_session_id=f"fork-{made['session_id']}")
            count = await call("query", session_id=fork["id"], sql="SELECT count(*) FROM trips")
            assert count["rows"] == [[2]]
            assert fork["id"] in [each["id"] for each in (await call("list_sessions"))["sessions"]]
            assert (await call("list_sessions", type="none", status="closed", workspace_id="none"))["sessions"] == []
            assert (await call("create_session", session_id="chosen"))["id"] == "chosen"
            begun = await call("execute_code", **session, code="return 6 * 7", background=True)
            assert (begun["ok"], begun["status"]) == (None, "pending")
            done = await call("get_execution", execution_id=begun["execution_id"], wait_seconds=30)
            assert (done["ok"], done["result"]) == (True, 42)
            assert (await call("cancel_execution", execution_id=begun["execution_id"]))["result"] == 42
            assert seen == set(NAMES)

    run(work)


def test_a_snippet_that_fails_is_an_answer_that_says_how_to_mend_it(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("execute_code", {"code": TRIPS})
            session = {"session_id": made.structured_content["session_id"]}
            code = "helpers.db.exec('DELETE FROM trips')\nhelpers.db.query('SELECT citty FROM trips')"
            failed = await client.call_tool("execute_code", {**session, "code": code})
            assert not failed.is_error
            outcome = failed.structured_content
            assert (outcome["ok"], outcome["error"]["code"]) == (False, "sql.no_such_column")
            assert outcome["db"]["rolled_back"]
            said = text(failed)
            assert "error in line 2: no such column: citty [sql.no_such_column]" in said
            assert "SELECT city FROM trips" in said
            assert "all writes were undone" in said
            left = await client.call_tool("query", {**session, "sql": "SELECT count(*) FROM trips"})
            assert left.structured_content["rows"] == [[2]]

    run(work)


def test_modules_that_an_error_lists_are_not_listed_again(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            failed = text(await client.call_tool("execute_code", {"code": "import nowhere"}))
            assert (failed.count("available: "), failed.count("zoneinfo")) == (1, 1)

    run(work)


def test_a_statement_that_fails_is_an_error_with_its_code_and_its_way_out(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("execute_code", {"code": TRIPS})
            call = {"session_id": made.structured_content["session_id"], "sql": "SELECT citty FROM trips"}
            failed = await client.call_tool("query", call)
            assert failed.is_error
            assert failed.structured_content is None
            assert failed.meta is not None
            assert failed.meta[PROBLEM_KEY]["code"] == "sql.no_such_column"
            assert failed.meta[PROBLEM_KEY]["suggestion"] == "SELECT city FROM trips"
            assert "did you mean city?" in text(failed)
            refused = await client.call_tool("query", {**call, "sql": "DELETE FROM trips"})
            assert refused.is_error
            assert "sql.refused" in text(refused)

    run(work)


HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "no code": ("execute_code", {}, "missing `code`"),
    "code of the wrong type": ("execute_code", {"code": 5}, "code"),
    "an unknown argument": ("execute_code", {"code": "1", "sesion_id": "x"}, "session_id"),
    "a word that is none of an argument's": ("list_sessions", {"status": "expird"}, "did you mean: expired"),
    "camelCase": ("execute_code", {"code": "1", "sessionId": "x"}, "session_id"),
    "another case of the same": ("execute_code", {"code": "1", "maxResultBytes": 5}, "max_result_bytes"),
    "a path for an id": ("execute_code", {"code": "1", "session_id": "../../etc/passwd"}, "is not a session id"),
    "an empty table": ("describe_table", {"session_id": "known", "table": ""}, "sql.no_such_table"),
    "nothing for a session": ("query", {"sql": "SELECT 1"}, "session_id is missing"),
    "a statement that writes": ("query", {"sql": "CREATE TABLE t (a)", "session_id": "known"}, "execute_code over MCP"),
    "an unknown session": ("query", {"sql": "SELECT 1", "session_id": "nobody"}, "session.not_found"),
    "an unknown execution": ("get_execution", {"execution_id": "ex_none"}, "execution.not_found"),
    "too long a wait": ("get_execution", {"execution_id": "ex_none", "wait_seconds": 1e9}, "wait_seconds"),
    "no number to wait": ("get_execution", {"execution_id": "ex_none", "wait_seconds": "nan"}, "request.invalid"),
    "a timeout below zero": ("execute_code", {"code": "1", "timeout_seconds": -1}, "above zero"),
    "a result of no bytes": ("execute_code", {"code": "1", "max_result_bytes": 0}, "above zero"),
    "no page": ("list_sessions", {"after": "' OR 1=1 --"}, "after"),
    "no status": ("list_sessions", {"status": "gone"}, "status"),
    "many sessions": ("list_sessions", {"limit": 10**30}, "limit"),
    "a name that is a path": ("checkpoint_session", {"session_id": "known", "name": "../x"}, "request.invalid"),
    "an unknown checkpoint": ("restore_session", {"session_id": "known", "name": "none"}, "session.no_such_checkpoint"),
    "a fork onto itself": ("fork_session", {"session_id": "known", "new_session_id": "known"}, "session.exists"),
    "inputs that shadow": ("execute_code", {"code": "1", "inputs": {"helpers": 1}}, "helpers"),
    "inputs that are no object": ("execute_code", {"code": "1", "inputs": "[1"}, "inputs"),
    "a surrogate": ("execute_code", {"code": "'\ud800'"}, "surrogate"),
    "code beyond the bound": ("execute_code", {"code": "#" * 300_000}, "code_bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_wrong_arguments_are_errors_that_say_what_is_wrong(case: str, worker: Worker):
    name, arguments, said = HOSTILE[case]

    async def work():
        async with in_memory(worker, "2026-07-28") as client:
            await client.call_tool("create_session", {"session_id": "known"})
            result = await client.call_tool(name, arguments)
            assert result.is_error
            assert said in text(result)
            assert len(text(result)) < 2_000
            assert "Traceback" not in text(result)

    run(work)


LENIENT: dict[str, dict[str, Any]] = {
    "null for what is left out": {"code": "return x", "inputs": {"x": 3}, "session_id": None, "timeout_seconds": None},
    "numbers and booleans as text": {"code": "return 3", "timeout_seconds": "10", "dry_run": "false"},
    "an object as JSON text": {"code": "return x", "inputs": '{"x": 3}'},
    "a fence around the code": {"code": "```python\nreturn 3\n```"},
}


@pytest.mark.parametrize("case", LENIENT)
def test_what_models_and_hosts_write_for_an_argument_is_understood(case: str, worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            result = await client.call_tool("execute_code", LENIENT[case])
            assert result.structured_content["result"] == 3

    run(work)


def test_cells_that_json_cannot_hold_cross_in_both_directions(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("create_session", {})
            odd = [{"$bytes": "AP8="}, {"$float": "-Infinity"}, 2**63 - 1, None, "ü"]
            call = {"session_id": made.structured_content["id"], "params": odd}
            answer = await client.call_tool("query", {**call, "sql": "SELECT ? a, ? b, ? c, ? d, ? e, typeof(?1) f"})
            assert answer.structured_content["rows"] == [[*odd, "blob"]]
            wrong = await client.call_tool("query", {**call, "params": [{"$bytes": "no base64!"}], "sql": "SELECT ?"})
            assert "sql.value" in text(wrong)

    run(work)


def test_results_rows_and_printed_text_are_bounded(worker: Worker):
    most = worker.settings.mcp_result_bytes

    async def work():
        async with in_memory(worker) as client:
            code = "print('y' * 200_000)\nreturn [{'n': n, 'text': 'x' * 100} for n in range(20_000)]"
            large = await client.call_tool("execute_code", {"code": code})
            outcome = large.structured_content
            assert outcome["result_info"]["row_count"] == 20_000
            assert outcome["result_info"]["handle"] == "_result_1"
            assert outcome["stdout_truncated"]
            assert "_result_1" in text(large)
            assert len(text(large)) < 3 * most
            assert len(json.dumps(outcome)) < 3 * most
            session = {"session_id": outcome["session_id"]}
            rows = await client.call_tool("query", {**session, "sql": "SELECT * FROM _result_1", "max_rows": 10_000})
            assert rows.structured_content["truncated"]
            assert len(json.dumps(rows.structured_content)) < 2 * most
            wide = await client.call_tool("query", {**session, "sql": "SELECT printf('%.*c', 1000000, 'x') AS x"})
            assert wide.structured_content["clipped_cells"] == 1
            assert "(+999,000 characters)" in text(wide)

    run(work)


def test_what_is_told_of_very_wide_and_very_many_tables_is_bounded(worker: Worker):
    most = worker.settings.mcp_result_bytes
    session = worker.session()
    columns = ", ".join(f"column_{n} TEXT DEFAULT 'x'" for n in range(200))
    session.exec(f"CREATE TABLE wide ({columns})")
    session.exec("INSERT INTO wide (column_0) VALUES (printf('%.*c', 5000, 'y'))")
    for n in range(60):
        session.exec(f"CREATE TABLE t{n} ({', '.join(f'c{m} INTEGER' for m in range(40))})")

    async def work():
        async with in_memory(worker) as client:
            call = {"session_id": session.id}
            described = await client.call_tool("describe_table", {**call, "table": "wide"})
            assert described.structured_content["columns_left_out"] > 0
            assert "columns more" in text(described)
            listed = await client.call_tool("list_tables", call)
            assert listed.structured_content["truncated"]
            rows = await client.call_tool("query", {**call, "sql": "SELECT * FROM wide"})
            assert rows.structured_content["clipped_cells"] == 1
            for answer in (described, listed, rows):
                assert len(json.dumps(answer.structured_content)) < 3 * most
                assert len(text(answer)) < 3 * most

    run(work)


def test_a_query_that_can_hardly_be_meant_says_so(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = (await client.call_tool("execute_code", {"code": TRIPS})).structured_content
            asked = {"session_id": made["session_id"], "sql": "SELECT city FROM trips WHERE km = NULL"}
            found = await client.call_tool("query", asked)
            warning = "km = NULL is never true: write km IS NULL"
            assert found.structured_content["warnings"] == [warning]
            assert text(found).endswith(f"no rows\nwarning: {warning}")

    run(work)


def test_a_read_only_face_offers_what_changes_nothing(worker: Worker):
    worker.session("kept").run(TRIPS)

    async def work():
        async with in_memory(worker, read_only=True, session="kept") as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(tools) == [
                "execute_code",
                "get_execution",
                "query",
                "list_tables",
                "describe_table",
                "list_sessions",
            ]
            assert all(tool.annotations.read_only_hint for tool in tools.values())
            read = await client.call_tool(
                "execute_code", {"code": "return helpers.db.value('SELECT count(*) FROM trips')"}
            )
            assert read.structured_content["result"] == 2
            wrote = await client.call_tool(
                "execute_code", {"code": "helpers.db.exec('DELETE FROM trips')", "read_only": False}
            )
            assert wrote.structured_content["error"]["code"] == "sql.refused"
            queried = await client.call_tool("query", {"sql": "DELETE FROM trips"})
            for hint in (wrote.structured_content["error"]["hint"], queried.meta[PROBLEM_KEY]["hint"]):
                assert "a server with --read-only refuses" in hint  # else it would lead from one tool to the other
            with pytest.raises(MCPError):
                await client.call_tool("create_session", {})

    run(work)


def test_a_read_only_face_speaks_of_no_tool_that_it_lacks(worker: Worker):
    async def work():
        async with in_memory(worker, read_only=True) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools["execute_code"].input_schema["required"]) == {"code", "session_id"}
            begin = client.instructions.partition("\n\n")[0]
            missed = await client.call_tool("execute_code", {"code": "return 1", "session_id": "not-there"})
            hint = missed.meta[PROBLEM_KEY]["hint"]
        for told in (begin, hint):
            assert "list_sessions" in told
            assert not {"create_session", "checkpoint_session", "makes"} & set(re.findall(r"\w+", told))
        async with in_memory(worker, session="mine") as client:
            assert "session mine" in client.instructions[:400]

    run(work)


def test_a_read_only_face_is_not_told_to_make_what_there_is_not(tmp_path: Path):
    async def work():
        async with in_memory(worker, read_only=True) as client:
            assert text(await client.call_tool("list_sessions", {})) == "no sessions yet"
            worker.session("empty")
            assert text(await client.call_tool("list_tables", {"session_id": "empty"})) == "no tables yet"

    with Worker(tmp_path) as worker:
        run(work)


def test_one_of_something_is_told_as_one(worker: Worker):
    worker.session("s").batch_insert("t", [{"a": None}], create=True)

    async def work():
        async with in_memory(worker, session="s") as client:
            listed = await client.call_tool("list_tables", {})
            described = await client.call_tool("describe_table", {"table": "t"})
            read = await client.call_tool("execute_code", {"code": "helpers.db.query('SELECT 1')"})
        for answer, told in (
            (listed, "t (1 row)"),
            (described, "t: 1 row\n"),
            (described, "1 null"),
            (read, "1 row read"),
        ):
            assert told in text(answer)

    run(work)


def test_a_default_session_is_that_of_calls_that_name_none(worker: Worker):
    async def work():
        async with in_memory(worker, session="mine") as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert "session_id" not in tools["query"].input_schema["required"]
            made = await client.call_tool("execute_code", {"code": TRIPS})
            assert made.structured_content["session_id"] == "mine"
            found = await client.call_tool("query", {"sql": "SELECT count(*) FROM trips"})
            assert found.structured_content["rows"] == [[2]]

    run(work)


def test_the_instructions_and_the_prompt_carry_the_guide(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            whole = guide(worker.limits).text
            assert client.instructions.endswith(whole)
            # Some hosts cut instructions at 2,048 characters: the way to begin has to be in there.
            assert "execute_code" in client.instructions[:400]
            (prompt,) = (await client.list_prompts()).prompts
            answer = await client.get_prompt(prompt.name, {"task": "count the trips"})
            assert whole in answer.messages[0].content.text
            assert answer.messages[0].content.text.rstrip().endswith("count the trips")
            with pytest.raises(MCPError):
                await client.get_prompt("nonsense")

    run(work)


def test_an_unknown_tool_is_an_error_of_the_protocol(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            with pytest.raises(MCPError, match="there is no tool 'drop_everything'"):
                await client.call_tool("drop_everything", {})

    run(work)


def test_what_is_done_is_in_the_audit_log_and_what_is_looked_at_is_not(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            await client.call_tool("create_session", {"session_id": "audited"})
            await client.call_tool("execute_code", {"session_id": "audited", "code": "1 / 0"})
            await client.call_tool("list_tables", {"session_id": "audited"})
            await client.call_tool("checkpoint_session", {"session_id": "audited", "name": "a/b"})

    run(work)
    seen = [act for act in worker.audit.read("local") if act.resource == "audited"]
    assert sorted((act.action, act.outcome) for act in seen) == [
        ("checkpoint_session", "request.invalid"), ("create_session", "ok"), ("execute_code", "code.runtime"),
    ]  # fmt: skip


def test_a_fault_of_our_own_is_told_by_an_id(worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog):
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a secret path")

    monkeypatch.setattr(worker, "session_page", broken)

    async def work():
        async with in_memory(worker) as client:
            result = await client.call_tool("list_sessions", {})
            assert result.is_error
            assert "secret" not in text(result)
            (fault,) = re.findall(r"fault_\w+", text(result))
            assert fault in caplog.text

    run(work)


def test_a_stateful_session_says_whether_its_variables_are_there(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("create_session", {"stateful": True})
            session = {"session_id": made.structured_content["id"]}
            assert "variables: fresh" in text(await client.call_tool("execute_code", {**session, "code": "x = 20"}))
            kept = await client.call_tool("execute_code", {**session, "code": "return x + 1"})
            assert text(kept).startswith("21\nvariables: kept")

    run(work)


def test_what_is_told_again_under_a_key_says_so(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("create_session", {})
            call = {"session_id": made.structured_content["id"], "code": "return 1", "idempotency_key": "once"}
            await client.call_tool("execute_code", call)
            again = await client.call_tool("execute_code", call)
            assert again.structured_content["replayed"]
            assert "nothing ran" in text(again)

    run(work)


def test_tables_are_listed_beside_a_view_of_what_is_gone(worker: Worker):
    async def work():
        worker.session("viewed").script("CREATE TABLE t (a); CREATE VIEW v AS SELECT nope FROM t")
        async with in_memory(worker) as client:
            listed = await client.call_tool("list_tables", {"session_id": "viewed"})
            found = [(each["name"], each["rows"]) for each in listed.structured_content["tables"]]
            assert found == [("t", 0), ("v", None)]
            assert "v (rows not counted)" in text(listed)

    run(work)


def test_a_dry_run_keeps_nothing(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            made = await client.call_tool("execute_code", {"code": TRIPS, "dry_run": True})
            assert made.structured_content["db"]["dry_run"]
            assert "nothing was kept" in text(made)
            tables = await client.call_tool("list_tables", {"session_id": made.structured_content["session_id"]})
            assert tables.structured_content["tables"] == []

    run(work)


def test_a_cancelled_background_execution_says_so(worker: Worker):
    async def work():
        async with in_memory(worker) as client:
            begun = await client.call_tool("execute_code", {"code": "while True: pass", "background": True})
            call = {"execution_id": begun.structured_content["execution_id"]}
            still = await client.call_tool("get_execution", call)
            assert still.structured_content["status"] == "pending"
            ended = await client.call_tool("cancel_execution", call)
            assert ended.structured_content["status"] == "cancelled"
            assert not ended.is_error

    run(work)


def test_the_structured_content_is_an_outcome(worker: Worker):
    from codemode import Outcome

    async def work():
        async with in_memory(worker) as client:
            done = await client.call_tool("execute_code", {"code": "print('hi')\nreturn {'a': [1, None, 'é']}"})
            outcome = msgspec.convert(done.structured_content, Outcome)
            assert (outcome.ok, outcome.result, outcome.stdout) == (True, {"a": [1, None, "é"]}, "hi\n")

    run(work)
