"""What `--help` says of the commands."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from codemode.cli import main


def groups(command: click.Command, name: str) -> Iterator[tuple[str, click.Group]]:
    if isinstance(command, click.Group):
        yield name, command
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from groups(below, f"{name} {each}")


@pytest.mark.parametrize(("name", "group"), [*groups(main, "codemode")])
def test_no_command_is_described_with_half_a_sentence(name: str, group: click.Group) -> None:
    _, _, commands = group.get_help(click.Context(group, info_name=name, terminal_width=80)).partition("Commands:\n")
    assert [line for line in commands.splitlines() if line.endswith("...")] == []
