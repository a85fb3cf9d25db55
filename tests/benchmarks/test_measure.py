"""What is measured in turns, and what is made of the figures."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager

import pytest
from synthetic import scenario, told

from benchmarks.figures import Figure, Spread, Verdict
from benchmarks.measure import Effort, exponent, measured, order, spread
from benchmarks.scenario import SUBJECT, AtMost, Contender, Grows, Scenario, Sides, Under

SEVEN = Effort(seconds=0, most=7)
FULL = SEVEN._replace(full=True)

pytestmark = pytest.mark.usefixtures("at_once")


def verdict(figure: Figure, kind: str) -> Verdict:
    return next(each for each in figure.verdicts if each.kind == kind)


def test_each_comes_first_in_its_turn_and_not_always_after_the_same() -> None:
    three = [told(name, 1.0) for name in "abc"]
    orders = ["".join(each.name for each in order(three, turn)) for turn in range(6)]
    assert orders == ["abc", "acb", "cab", "cba", "bca", "bac"]


def test_every_contender_runs_once_in_each_turn_after_a_first_time() -> None:
    ran: list[str] = []

    @contextmanager
    def contenders(_: int) -> Sides:
        yield [Contender(name, lambda name=name: ran.append(name)) for name in (SUBJECT, "peer")]

    figure = measured("x", Scenario("t", "things", (1,), contenders), SEVEN)
    assert [set(ran[turn : turn + 2]) for turn in range(0, 16, 2)] == [{SUBJECT, "peer"}] * 8
    assert (figure.turns, ran[:2]) == (7, [SUBJECT, "peer"])


def test_a_ratio_is_taken_within_each_turn() -> None:
    """A machine that is ten times slower in some turns does not change it."""
    slow = [1.0, 1.0, 10.0, 1.0, 10.0, 1.0, 1.0, 10.0]

    @contextmanager
    def contenders(_: int) -> Sides:
        yield [told(SUBJECT, iter([3.0 * each for each in slow])), told("peer", iter(slow))]

    figure = measured("x", Scenario("t", "things", (1,), contenders, (AtMost("peer", 3),)), SEVEN)
    assert figure.standings[1].ratio == Spread(3.0, 3.0, 3.0)
    assert figure.standings[0].took == Spread(3.0, 3.0, 30.0)


def test_quartiles_are_those_of_the_figures_themselves() -> None:
    assert spread([5, 1, 4, 2, 3]) == Spread(3, 2, 4)


@pytest.mark.parametrize(
    ("turns", "took", "effort", "goes_on"),
    [
        (6, 99.0, Effort(2, 100), True),  # the scenario's turns come before any time
        (7, 99.0, Effort(2, 100), False),
        (7, 1.9, Effort(2, 100), True),  # short ones: more of them
        (100, 1.9, Effort(2, 100), False),
        (3, 2.0, Effort(2, 25, least=3), False),  # a quick run stops early
        (2, 2.0, Effort(2, 25, least=3), True),
    ],
)
def test_turns_end_by_count_and_by_time(turns: int, took: float, effort: Effort, goes_on: bool) -> None:
    assert effort.goes_on(turns, took, repeat=7) == goes_on


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    assert exponent([10, 100, 1_000], [3 * size**power for size in (10, 100, 1_000)]) == pytest.approx(power)


@pytest.mark.parametrize(
    ("cost", "bounds", "reached"),
    [
        (lambda size: size, (), True),
        (lambda size: size * 1.9 if size == 1_000 else size, (), True),  # a neighbour that took nearly half
        (lambda size: size**1.2, (), False),
        (lambda size: size + 0.001 * size**2, (), True),  # as much quadratic as linear at the largest size
        (lambda size: size + 0.002 * size**2, (), False),
        (lambda size: 50 + 0.001 * size, (Grows(0.1),), True),
        (lambda size: size**0.5, (Grows(0.1),), False),
    ],
)
def test_what_grows_faster_than_its_bound_is_said(cost: object, bounds: tuple[Grows, ...], reached: bool) -> None:
    assert verdict(measured("x", scenario(cost, *bounds), FULL), "growth").reached == reached


def test_what_was_turned_over_by_noise_has_no_exponent() -> None:
    figure = measured("x", scenario(lambda size: size - 50, peer=1.0), FULL)
    assert (figure.growth, figure.missed) == (None, [])


@pytest.mark.parametrize(("subject", "peer"), [(-0.5, 1.0), (0.0, 1.0), (0.5, -1.0), (-0.5, -1.0)])
def test_what_was_turned_over_by_noise_is_shown_and_reaches_no_bound(subject: float, peer: float) -> None:
    figure = measured("x", scenario(lambda _: subject, Under(3), AtMost("peer", 2), peer=peer), SEVEN)
    assert [each.took for each in figure.standings] == [Spread(*[subject] * 3), Spread(*[peer] * 3)]
    assert figure.standings[1].ratio is None
    assert verdict(figure, "ratio").reached is None
    assert verdict(figure, "absolute").reached == (True if subject > 0 else None)


@pytest.mark.parametrize(("times", "reached"), [(2.0, True), (1.9, False)])
def test_a_ratio_reaches_its_bound_or_misses_it(times: float, reached: bool) -> None:
    figure = measured("x", scenario(lambda _: 4, AtMost("peer", times), peer=2.0), SEVEN)
    assert verdict(figure, "ratio").reached == reached
    assert bool(figure.missed) != reached


def test_a_bound_of_the_reference_machine_is_shown_and_fails_nothing() -> None:
    figure = measured("x", scenario(lambda _: 4, Under(3)), SEVEN)
    assert (verdict(figure, "absolute").reached, figure.missed) == (False, [])


def test_a_figure_of_one_of_many_is_divided_and_so_is_what_it_is_held_against() -> None:
    figure = measured("x", scenario(lambda size: 2 * size, Under(3), each=True, peer=1.0), SEVEN)
    assert (figure.size, figure.standings[0].took, figure.standings[1].took) == (
        100,
        Spread(2, 2, 2),
        Spread(*[0.01] * 3),
    )
    assert verdict(figure, "absolute").reached
    assert figure.standings[1].ratio == Spread(200, 200, 200)


def test_an_absent_peer_says_why_and_its_bound_is_not_compared() -> None:
    figure = measured("x", scenario(lambda _: 4, AtMost("docker", 1), docker="not installed"), SEVEN)
    assert (figure.standings[1].absent, figure.standings[1].ratio) == ("not installed", None)
    assert (verdict(figure, "ratio").reached, figure.missed) == (None, [])


def test_a_bound_against_nobody_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no contender is called nobody"):
        measured("x", scenario(lambda _: 4, AtMost("nobody", 1), peer=1.0), SEVEN)


def test_a_full_run_takes_the_largest_size_and_any_other_the_middle() -> None:
    made = scenario(lambda size: size)
    assert (measured("x", made, FULL).size, measured("x", made, SEVEN).size) == (1_000, 100)


def test_a_quick_run_takes_the_size_that_its_scenario_says() -> None:
    made = dataclasses.replace(scenario(lambda size: size), quick=1_000)
    assert measured("x", made, SEVEN).size == 1_000


def test_a_part_of_the_figure_has_no_ratio() -> None:
    @contextmanager
    def contenders(_: int) -> Sides:
        yield [told(SUBJECT, 3.0), told("of it the half", 1.5)._replace(part=True)]

    figure = measured("x", Scenario("t", "things", (1,), contenders), SEVEN)
    assert (figure.standings[1].took, figure.standings[1].ratio) == (Spread(1.5, 1.5, 1.5), None)


def test_against_one_peer_no_other_runs() -> None:
    made = scenario(lambda _: 4, AtMost("other", 1), peer=2.0, other=1.0)
    figure = measured("x", made, SEVEN, against="peer")
    assert ([each.name for each in figure.standings], figure.verdicts) == ([SUBJECT, "peer"], [])
