"""`codemode prompt`: the guide that a model needs to write snippets."""

from __future__ import annotations

import click

from codemode.cli.app import App, command


@command("prompt", short_help="Print the guide for models.")
def prompt(app: App) -> None:
    """Print what a model has to know to write snippets: paste it into a system prompt."""
    from codemode.prompt import guide

    found = guide(app.resolved().settings.limits)
    if app.as_json:
        app.answer({"prompt": found.text, "helpers": found.helpers, "limits": found.limits})
    else:
        click.echo(found.text)
