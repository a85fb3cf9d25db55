"""What `--help` says of the commands."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from codemode.cli import main


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from commands(below, f"{name} {each}")


EVERY = [*commands(main, "codemode")]


@pytest.mark.parametrize(("name", "group"), [each for each in EVERY if isinstance(each[1], click.Group)])
def test_no_command_is_described_with_half_a_sentence(name: str, group: click.Group) -> None:
    _, _, listed = group.get_help(click.Context(group, info_name=name, terminal_width=80)).partition("Commands:\n")
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


def test_every_command_that_names_a_session_takes_its_tenant() -> None:
    taken = {name: {each.name for each in command.params} for name, command in EVERY}
    assert [name for name, some in taken.items() if some & {"session_id", "session_ids"} and "tenant" not in some] == []


OF_SESSIONS = [
    (name, command)
    for name, command in EVERY
    if next((each.name for each in command.params if isinstance(each, click.Argument)), "").startswith("session_id")
]


@pytest.mark.parametrize(("name", "command"), OF_SESSIONS)
@pytest.mark.parametrize("written", [["-s", "chat"], ["--session", "chat"], ["--session=chat"]])
def test_a_session_that_is_an_argument_may_be_given_as_the_option_that_it_is_elsewhere(
    name: str, command: click.Command, written: list[str]
) -> None:
    wanted = command.make_context(name, ["chat", "--json"], resilient_parsing=True).params
    assert "chat" in (wanted.get("session_id"), *wanted.get("session_ids", ()))
    assert command.make_context(name, ["--json", *written], resilient_parsing=True).params == wanted


@pytest.mark.parametrize(
    "words", [["-s", "chat", "one"], ["one", "-s", "chat"], ["chat", "one"], ["chat", "--", "one"]]
)
def test_the_other_arguments_keep_their_order(words: list[str]) -> None:
    found = dict(EVERY)["codemode sessions checkpoint"].make_context("checkpoint", words).params
    assert (found["session_id"], found["name"]) == ("chat", "one")
