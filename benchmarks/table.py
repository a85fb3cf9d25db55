"""The figures of a run as a table for a terminal, in `WIDTH` columns at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.amounts import amount, digits
from benchmarks.figures import Figure, Spread, Standing, Verdict

WIDTH = 100
HEAD = f"{'':<28}{'median':>8}  {'quartiles':<18}{'ratio':>9}  {'quartiles':<18}bound"


def block(figure: Figure) -> str:
    """The lines of one scenario: what it is, then a line for each contender and each bound that is of none."""
    return "\n".join([_title(figure), *(_line(figure, each) for each in figure.standings), *_others(figure)])


def _title(figure: Figure) -> str:
    size = f"{figure.size:,} {figure.of}{', each' if figure.each else ''}"
    return f"\n{_cut(figure.title, WIDTH - len(size) - 2)}: {size}"


def _line(figure: Figure, standing: Standing) -> str:
    name = f"  {_cut(standing.name, 25):<26}"
    if standing.took is None:
        return f"{name}absent: {_cut(standing.absent or '', WIDTH - len(name) - 8)}"
    took = f"{amount(standing.took.median, figure.unit):>8}  {_amounts(standing.took, figure.unit):<18}"
    if standing.ratio is None:
        return f"{name}{took}".rstrip()
    ratio = f"{digits(standing.ratio.median):>7} ×  {_digits(standing.ratio):<18}"
    bound = next((each for each in figure.verdicts if each.kind == "ratio" and each.peer == standing.name), None)
    return f"{name}{took}{ratio}{said(bound, figure.unit) if bound else ''}".rstrip()


def _others(figure: Figure) -> Iterator[str]:
    for verdict in figure.verdicts:
        if verdict.kind == "absolute":
            yield f"  on the reference machine {said(verdict, figure.unit)}"
    if figure.growth:
        bound = next(each for each in figure.verdicts if each.kind == "growth")
        courses = ", ".join(amount(took, figure.unit) for took in figure.growth.took)
        sizes = ", ".join(f"{size:,}" for size in figure.growth.sizes)
        yield f"  grows with size ^ {figure.growth.exponent:.2f}, {said(bound, '')}: {courses} for {sizes}"


def said(verdict: Verdict, unit: str) -> str:
    """The bound and whether it was reached."""
    most = amount(verdict.most, unit) if verdict.kind == "absolute" else f"{verdict.most:.3g}"
    return f"≤ {most} {'not compared' if verdict.reached is None else 'reached' if verdict.reached else 'MISSED'}"


def summary(figures: Sequence[Figure]) -> str:
    """How many bounds there were, and each that was missed."""
    verdicts = [verdict for figure in figures for verdict in figure.verdicts]
    reached = [verdict for verdict in verdicts if verdict.reached]
    missed = [_miss(figure, each) for figure in figures for each in figure.verdicts if each.reached is False]
    open_ = len(verdicts) - len(reached) - len(missed)
    count = f"\n{len(reached)} of {len(reached) + len(missed)} bounds reached"
    count += f", {open_} not compared" if open_ else ""
    return "\n".join([f"{count}; missed:" if missed else count, *missed])


def _miss(figure: Figure, verdict: Verdict) -> str:
    of = {"growth": "growth", "absolute": "on the reference machine"}.get(verdict.kind, verdict.peer)
    of = f"{of} {said(verdict, figure.unit)}"
    return f"  {_cut(figure.title, WIDTH - len(of) - 4)}: {of}"


def _amounts(spread: Spread, unit: str) -> str:
    return f"{amount(spread.low, unit)} – {amount(spread.high, unit)}"


def _digits(spread: Spread) -> str:
    return f"{digits(spread.low)} – {digits(spread.high)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
