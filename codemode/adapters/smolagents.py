"""A Python executor for smolagents: `CodeAgent(tools, model, executor=CodemodeExecutor(session))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from codemode.adapters.answer import MOST, clipped, of_error, of_outcome, value_of
from codemode.adapters.dispatch import FOR_THE_MODEL, bounded, checked_code
from codemode.adapters.session import AnySession, RunSettings
from codemode.errors import ExtraMissing, RequestInvalid
from codemode.values import Outcome

try:
    from smolagents.local_python_executor import CodeOutput, InterpreterError, PythonExecutor
except ImportError as error:
    raise ExtraMissing(f"smolagents cannot be used: {error}", hint="pip install 'codemode[smolagents]'") from error

_FINAL = "final_answer"


class CodemodeExecutor(PythonExecutor):  # type: ignore[misc]  # smolagents has no types
    """Runs each step of a CodeAgent in one stateful session: variables stay from step to step, as its prompt promises.

    The agent's tools, `final_answer` among them, are functions lent to the steps, so the session has to be embedded.
    Raises RequestInvalid for a session whose variables do not stay. `most`: characters of what a step is told.
    `settings`: options of `Session.run` for each step.
    """

    def __init__(self, session: AnySession, *, most: int = MOST, **settings: Unpack[RunSettings]) -> None:
        # An empty step: options that `run` refuses, and a session that cannot be lent functions, are told at once.
        probed: RunSettings = {**settings, "functions": {_FINAL: print}}
        if session.run("", **probed).variables is None:
            raise RequestInvalid(
                "the variables of this session do not stay from step to step",
                hint="make it with worker.session(id, stateful=True)",
            )
        self._session, self._most, self._settings = session, most, settings
        self._tools: dict[str, Callable[..., Any]] = {}
        self._sent: dict[str, Any] = {}
        self._lost: dict[str, Any] = {}  # of what was sent, what the next step has to be given again
        self.state: dict[str, Any] = {}  # the agent looks here for what a failed step printed

    def send_variables(self, variables: dict[str, Any]) -> None:
        """Give the session these variables. Raises RequestInvalid where they are no plain data."""
        if variables:
            outcome = self._session.run("", inputs=variables)
            if outcome.error is not None:
                raise RequestInvalid(outcome.error.message, hint=outcome.error.hint)
            self._sent |= variables

    def send_tools(self, tools: dict[str, Any]) -> None:
        """Lend the steps these tools, by their names."""
        self._tools = dict(tools)

    def __call__(self, code_action: str) -> CodeOutput:
        """Run one step. Raises InterpreterError with the way out: nothing that the step wrote remains then.

        A step that called `final_answer` and ended well is the last one; what stands after the call still runs.
        """
        final: list[Any] = []
        outcome = self._run(code_action, {**(self._settings.get("functions") or {}), **self._lent(final)})
        if not outcome.ok:
            raise InterpreterError(of_outcome(outcome, self._most).text)
        output = final[-1] if final else value_of(outcome)
        return CodeOutput(output=output, logs=self.state["_print_outputs"], is_final_answer=bool(final))

    def _run(self, code: str, functions: dict[str, Callable[..., Any]]) -> Outcome:
        settings = bounded(self._session, self._settings, self._most)
        settings["functions"] = functions
        self.state["_print_outputs"] = ""
        try:
            outcome = self._session.run(checked_code(self._session, code), inputs=self._lost, **settings)
        except (*FOR_THE_MODEL, RequestInvalid) as error:
            raise InterpreterError(of_error(error, self._most).text) from None
        # Variables went with their process, or will have: the agent's are given anew, a step's own are the model's to
        # make again.
        fresh = outcome.variables == "fresh"
        self._lost = dict(self._sent) if fresh or outcome.status in ("timeout", "cancelled") else {}
        gone = [f"variables of earlier steps are gone: {outcome.variables_reason}"] if fresh else []
        told = "".join(f"warning: {each}\n" for each in (*gone, *outcome.warnings))
        self.state["_print_outputs"] = clipped(outcome.stdout, self._most // 4) + clipped(told, self._most // 4)
        return outcome

    def _lent(self, final: list[Any]) -> dict[str, Callable[..., Any]]:
        lent = dict(self._tools)
        if _FINAL in lent:
            answer = lent[_FINAL]

            def final_answer(*args: Any, **kwargs: Any) -> None:
                final.append(answer(*args, **kwargs))  # it may be no plain data: the step need not see it

            lent[_FINAL] = final_answer
        return lent
