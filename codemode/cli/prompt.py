"""`codemode prompt`: the guide that a model needs to write snippets, and the same for type checkers and programs."""

from __future__ import annotations

import click

from codemode.cli.app import App, command


@command("prompt", short_help="Print the guide for models, or type stubs.")
@click.option("--stubs", is_flag=True, help="Print the calls as a .pyi file instead, for type checkers.")
@click.option("--stateful", is_flag=True, help="For sessions that keep their variables between snippets.")
def prompt(app: App, stubs: bool, stateful: bool) -> None:
    """Print what a model has to know to write snippets: paste it into a system prompt.

    With --stubs: the stub of the module `helpers`, to be saved as helpers.pyi. With --json: the guide, every call with
    its parameters and text, the classes that calls answer with, and the limits.
    """
    if stubs:
        from codemode import stubs as made

        text = made.stubs()
        app.answer({"stubs": text}) if app.as_json else click.echo(text, nl=False)
        return
    from codemode.interface import types
    from codemode.prompt import guide

    found = guide(app.resolved().settings.limits, stateful=stateful)
    if app.as_json:
        app.answer({"prompt": found.text, "helpers": found.helpers, "types": types(), "limits": found.limits})
    else:
        click.echo(found.text)
