"""`codemode prompt`: the guide that a model needs to write snippets, and the same for type checkers and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from codemode.cli.app import App, command

if TYPE_CHECKING:  # `codemode --help` loads every command, and should load no more than that
    from codemode.limits import Limits


@command("prompt", short_help="Print the guide for models, or type stubs.")
@click.option("--stubs", is_flag=True, help="Print the calls as a .pyi file instead, for type checkers.")
@click.option(
    "--tools",
    type=click.Choice(["anthropic", "openai", "openai-responses"]),
    help="Print the tools of a session instead, as the API takes them.",
)
@click.option("--stateful", is_flag=True, help="For sessions that keep their variables between snippets.")
def prompt(app: App, stubs: bool, tools: str | None, stateful: bool) -> None:
    """Print what a model has to know to write snippets: paste it into a system prompt.

    With --stubs: the stub of the module `helpers`, to be saved as helpers.pyi. With --tools: the JSON of the tools that
    `codemode.adapters.dispatch` runs. With --json: the guide, every call with
    its parameters and text, the classes that calls answer with, and the limits.
    """
    if stubs and (tools or stateful):
        raise click.UsageError("--stubs goes with neither --tools nor --stateful: they are the same for all sessions")
    if stubs:
        from codemode import stubs as made

        text = made.stubs()
        app.answer({"stubs": text}) if app.as_json else click.echo(text, nl=False)
        return
    if tools is not None:
        from codemode.plain import json_text

        listed = _tools(tools, app.resolved().settings.limits, stateful)
        app.answer({"tools": listed}) if app.as_json else click.echo(json_text(listed, indent=2))
        return
    from codemode.interface import types
    from codemode.prompt import guide

    found = guide(app.resolved().settings.limits, stateful=stateful)
    if app.as_json:
        app.answer({"prompt": found.text, "helpers": found.helpers, "types": types(), "limits": found.limits})
    else:
        click.echo(found.text)


def _tools(api: str, limits: Limits, stateful: bool) -> list[dict[str, Any]]:
    from codemode import adapters

    made = {
        "anthropic": adapters.anthropic_tools,
        "openai": adapters.openai_chat_tools,
        "openai-responses": adapters.openai_responses_tools,
    }
    return made[api](limits, stateful=stateful)
