"""Runs of smolagents' CodeAgent, all of it but the model, which is a script."""

from __future__ import annotations

from typing import Any

import pytest
from smolagents import CodeAgent, tool
from smolagents.models import ChatMessage, MessageRole, Model
from smolagents.monitoring import LogLevel

from codemode import Session, Worker
from codemode.adapters.smolagents import CodemodeExecutor
from codemode.errors import RequestInvalid


class Script(Model):
    """A model that writes these snippets, one after the other."""

    def __init__(self, *snippets: str) -> None:
        super().__init__(model_id="script")
        self.snippets, self.seen = list(snippets), ""

    def generate(self, messages: Any, **options: Any) -> ChatMessage:
        self.seen = str(messages)
        text = f"Thought: go on\n<code>\n{self.snippets.pop(0)}\n</code>"
        return ChatMessage(role=MessageRole.ASSISTANT, content=text)


@tool
def price(item: str) -> int:
    """The price of an item.

    Args:
        item: what it is
    """
    if item == "gold":
        raise LookupError("gold is not for sale")
    return len(item) * 100


@pytest.fixture
def live(worker: Worker) -> Session:
    return worker.session(stateful=True)


def agent(session: Session, *snippets: str, **settings: Any) -> CodeAgent:
    executor = CodemodeExecutor(session, **settings)
    return CodeAgent([price], Script(*snippets), executor=executor, verbosity_level=LogLevel.OFF, max_steps=8)


def run(made: CodeAgent, **options: Any) -> Any:
    answer = made.run("How much is it?", **options)
    assert not made.model.snippets, "every step was asked for"
    return answer


def test_steps_share_variables_and_tables_and_call_tools(live: Session):
    made = agent(
        live,
        "cents = [price(item) for item in ('tea', 'milk')]\nprint(cents)",
        "helpers.db.batch_insert('prices', [{'cents': c} for c in cents], create=True)",
        "final_answer(helpers.db.value('SELECT sum(cents) FROM prices'))",
    )
    assert run(made) == 700
    assert live.value("SELECT count(*) FROM prices") == 2
    assert made.memory.steps[1].observations.count("[300, 400]") == 1, "a model pays for what it is told twice"


def test_a_step_that_fails_leaves_nothing_and_tells_the_way_out(live: Session):
    made = agent(
        live, "print('begun')\nhelpers.db.create_table('t', 'a')\nhelpers.db.query('SELEC 1')", "final_answer(1)"
    )
    assert run(made) == 1
    assert live.get_tables() == []
    assert "did you mean SELECT?" in made.model.seen
    assert "begun" in made.model.seen


def test_the_answer_of_a_step_that_fails_is_none(live: Session):
    assert run(agent(live, "final_answer(1)\n1 / 0", "final_answer(2)")) == 2


def test_an_answer_may_be_any_value_of_the_host(live: Session):
    made = agent(live, "final_answer({'a': [1, None]})")
    assert run(made) == {"a": [1, None]}
    assert run(agent(live, "final_answer = 5", "final_answer(final_answer)", "final_answer(answer=6)")) == 6


def test_a_tool_that_fails_can_be_caught(live: Session):
    made = agent(live, "try:\n    price('gold')\nexcept Exception as error:\n    final_answer(str(error))")
    assert "gold is not for sale" in run(made)


def test_the_values_that_a_run_is_given_are_variables(live: Session):
    made = agent(live, "n = n + 1", "final_answer(n)")
    assert run(made, additional_args={"n": 5}) == 6


def test_the_values_of_a_run_outlive_the_process_of_a_step(live: Session):
    made = agent(live, "own = 1\nimport time\ntime.sleep(60)", "print(n)", "final_answer(n)", timeout=2)
    assert run(made, additional_args={"n": 5}) == 5


def test_a_step_is_told_that_the_variables_of_earlier_ones_are_gone(live: Session):
    made = agent(
        live, "own = 1\nimport time\ntime.sleep(60)", "print('here')", "final_answer(own)", "final_answer(0)", timeout=2
    )
    assert run(made) == 0
    assert "the last execution took too long" in made.memory.steps[2].observations


def test_a_session_whose_variables_do_not_stay_is_refused(session: Session):
    with pytest.raises(RequestInvalid, match="stateful=True"):
        CodemodeExecutor(session)


def test_what_a_step_is_told_is_bounded(live: Session):
    made = agent(live, "print('x' * 200_000)\n['y' * 100_000]", "final_answer(1)")
    run(made)
    assert len(made.memory.steps[1].observations) < 21_000


@pytest.mark.parametrize("variables", [{"n": object()}, {"helpers": 1}, {"not a name": 1}, {"__class__": 1}])
def test_values_that_cannot_be_given_are_the_programs_fault(live: Session, variables: dict[str, Any]):
    with pytest.raises(RequestInvalid):
        agent(live).run("How much?", additional_args=variables)
