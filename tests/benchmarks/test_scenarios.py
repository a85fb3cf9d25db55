"""Every line of the table that says how fast Codemode has to be is a scenario, with its bounds."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.guard import GUARDED, scenario
from benchmarks.scenario import AtMost, Grows, Scenario, Under
from benchmarks.scenarios import NAMES, found

ALL = list(found(NAMES))
CPYTHON = [AtMost("CPython exec", 1.15)]
TRIVIAL = [AtMost("fork + exit", 0.6), AtMost("pydantic-monty", 8), AtMost("python -I -S -c", 0.1)]
WANTED = {
    "trivial snippets in bursts of the pool's size": TRIVIAL,
    "ten trivial snippets in a row in one session": TRIVIAL,
    "trivial snippets in 8 sessions at once": [AtMost("codemode, one session", 1 / 1.6)],
    "additions in a snippet": CPYTHON,
    "a word count in a snippet": CPYTHON,
    "sorting dicts in a snippet": CPYTHON,
    "JSON there and back in a snippet": CPYTHON,
    "one helpers.db.value('select 1') of a loop": [AtMost("pydantic-monty", 1.5), Under(40e-6)],
    "records of a generator into a table by one batch_insert": [
        AtMost("apsw executemany", 1 / 0.85),
        AtMost("sqlite3 executemany", 1 / 1.3),
        AtMost("sqlite-utils insert_all", 1 / 4),
    ],
    "memory at most while batch_insert loads a generator": [Grows(0.05)],
    "memory at most while pages reads a table": [Grows(0.05)],
    "rows of one query into a snippet": [AtMost("apsw fetch to dicts", 2.5)],
    "rows of a table through pages": [AtMost("apsw fetch to dicts", 2.5)],
    "new sessions with a row in each": [AtMost("raw files", 2)],
    "sessions opened again, a row read in each": [AtMost("raw files", 2)],
    "a worker with 256 sessions open of many": [Grows(0.1)],
    "an idle worker": [Under(90e6)],
    "open sessions": [Under(300e3)],
    "a spare child": [Under(3e6)],
    'the command `codemode run -c "return 1"`': [Under(0.35)],
}


@pytest.mark.parametrize("title", WANTED)
def test_a_line_of_the_table_is_a_scenario_with_its_bounds(title: str) -> None:
    bounds = [list(each.bounds) for _, each in ALL if each.title == title]
    assert bounds == [WANTED[title]]


@pytest.mark.parametrize("made", [each for _, each in ALL], ids=lambda made: made.title)
def test_sizes_are_far_enough_apart_to_show_growth(made: Scenario) -> None:
    assert len(made.sizes) in (1, 3)
    assert all(larger >= 3 * smaller for smaller, larger in itertools.pairwise(made.sizes))
    assert len(made.sizes) == 1 or made.sizes[-1] >= 30 * made.sizes[0]
    assert made.quick is None or made.quick in made.sizes


def test_titles_tell_scenarios_apart() -> None:
    titles = [each.title for _, each in ALL]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("guarded", GUARDED, ids=lambda guarded: guarded.title)
def test_what_is_guarded_is_a_scenario_and_its_bound_no_narrower_than_that_of_the_table(guarded) -> None:
    bounds = [each.times for each in scenario(guarded).bounds if isinstance(each, AtMost) and each.peer == guarded.peer]
    assert all(guarded.times >= 1.4 * times for times in bounds)
