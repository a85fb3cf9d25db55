from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from codemode import errors
from codemode.errors import CodemodeError


def tree(kind: type[CodemodeError] = CodemodeError, depth: int = 0) -> Iterator[tuple[int, type[CodemodeError]]]:
    yield depth, kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below, depth + 1)


CLASSES = [kind for _, kind in tree()]


def drawn() -> list[tuple[int, str, str | None]]:
    """Depth, name and code of each line of the tree in the docstring; codes stand on leaves."""
    pattern = re.compile(r"    ([│├└─ ]*)(\w+)\s{2,}(?:([a-z]+\.[a-z_]+)\s)?")
    found = filter(None, map(pattern.match, (errors.__doc__ or "").splitlines()))
    return [(len(line[1]) // 4, line[2], line[3]) for line in found]


def test_the_tree_that_is_drawn_is_the_real_one():
    assert [(depth, name) for depth, name, _ in drawn()] == [(depth, kind.__name__) for depth, kind in tree()]


def test_the_codes_that_are_drawn_are_the_real_ones():
    by_name = {kind.__name__: kind for kind in CLASSES}
    with_code = [(name, code) for _, name, code in drawn() if code]
    assert with_code
    assert with_code == [(name, by_name[name].code) for name, _ in with_code]
    leaves = {kind.__name__ for kind in CLASSES if not kind.__subclasses__()}
    assert leaves == {name for name, _ in with_code}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_says_in_one_sentence_what_can_be_done(kind: type[CodemodeError]):
    assert re.fullmatch(r"[^\n]+\.", kind.__doc__ or "")
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", kind.code)


def test_an_error_carries_its_way_out():
    error = errors.NoSuchTable("no such table: fligts", hint="did you mean flights?", did_you_mean=["flights"])
    assert str(error) == "no such table: fligts (did you mean flights?)"
    assert (error.code, error.did_you_mean, error.available, error.sql) == ("sql.no_such_table", ("flights",), (), None)
    assert str(errors.StorageFull("full")) == "full"


def test_an_error_without_a_hint_says_what_was_meant():
    error = errors.RequestInvalid("run() has no argument 'tim'", did_you_mean=["time", "timeout"])
    assert str(error) == "run() has no argument 'tim' (did you mean time or timeout?)"
    assert (error.message, error.hint) == ("run() has no argument 'tim'", None)


def test_an_error_is_short_however_long_the_names_in_it_are():
    name = "n" * 100_000
    error = CodemodeError(f"no such column: {name}", hint=f"use {name}", did_you_mean=[name], available=[name, "a"])
    assert max(map(len, (error.message, error.hint or "", *error.did_you_mean, *error.available))) < 5_000
    assert str(error).startswith("no such column: nnn")
    assert error.available[1] == "a"


def test_what_may_go_well_later_is_retryable():
    assert {kind.__name__ for kind in CLASSES if kind.retryable} == {
        "SessionBusy",
        "StatementTimeout",
        "StorageFull",
        "TooManyAtOnce",
        "TooManyListeners",
        "WorkerInternal",
        "WorkerUnavailable",
        "WorkerUnreachable",
    }
