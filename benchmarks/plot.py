"""The ratios of a run as a drawing: an SVG of one row for each peer, on a logarithmic axis with the bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.amounts import digits
from benchmarks.figures import Figure, Standing, Verdict

WIDTH, LABELS, RIGHT = 900, 330, 70
TOP, ROW, GAP, BOTTOM = 52, 18, 6, 16
INK, FAINT, GOOD, BAD, OPEN = "#24292f", "#d0d7de", "#1a7f37", "#cf222e", "#57606a"


class Axis:
    """From a ratio to a place: whole decades that hold everything that is drawn."""

    def __init__(self, ratios: Sequence[float]) -> None:
        self.first = math.floor(math.log10(min(ratios)))
        self.last = max(math.ceil(math.log10(max(ratios))), self.first + 1)

    def x(self, ratio: float) -> float:
        """Where it is drawn."""
        share = (math.log10(ratio) - self.first) / (self.last - self.first)
        return round(LABELS + share * (WIDTH - LABELS - RIGHT), 1)

    def decades(self) -> list[float]:
        """The powers of ten, the ends among them."""
        return [10.0**power for power in range(self.first, self.last + 1)]


def drawing(figures: Sequence[Figure]) -> str:
    """The SVG. A ratio is a dot with its quartiles, a bound a bar across its row; left of 1 codemode takes less."""
    compared = [figure for figure in figures if _peers(figure)]
    axis = Axis([*_ratios(compared), 1.0])
    height = TOP + sum(GAP + ROW + ROW * len(_peers(figure)) for figure in compared) + BOTTOM
    return "\n".join([*_head(height), *_frame(axis, height), *_body(compared, axis), "</svg>\n"])


def _head(height: int) -> Iterator[str]:
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" role="img">'
    yield "<title>What codemode takes beside others, each scenario of the last recorded run</title>"
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'


def _ratios(figures: Sequence[Figure]) -> Iterator[float]:
    for figure in figures:
        for standing in _peers(figure):
            assert standing.ratio
            yield from (standing.ratio.low, standing.ratio.high)
        yield from (each.most for each in figure.verdicts if each.kind == "ratio")


def _peers(figure: Figure) -> list[Standing]:
    return [each for each in figure.standings if each.ratio and each.ratio.low > 0]


def _frame(axis: Axis, height: int) -> Iterator[str]:
    for decade in axis.decades():
        x = axis.x(decade)
        strong = decade == 1
        yield _line(x, TOP - 8, x, height - BOTTOM, OPEN if strong else FAINT, 1.5 if strong else 1)
        yield _text(x, TOP - 14, f"{decade:,g} ×", anchor="middle")
    yield _text(axis.x(1) - 10, 18, "← codemode takes less", anchor="end", fill=OPEN)
    yield _text(axis.x(1) + 10, 18, "codemode takes more →", fill=OPEN)


def _body(figures: Sequence[Figure], axis: Axis) -> Iterator[str]:
    y = TOP
    for figure in figures:
        y += GAP + ROW
        yield _text(8, y, figure.title, weight="bold")
        for standing in _peers(figure):
            y += ROW
            bound = next((each for each in figure.verdicts if each.peer == standing.name), None)
            yield from _row(standing, bound, axis, y)


def _row(standing: Standing, bound: Verdict | None, axis: Axis, y: int) -> Iterator[str]:
    assert standing.ratio
    middle, ratio = y - 4, standing.ratio
    color = OPEN if bound is None else GOOD if bound.reached else BAD
    yield _text(24, y, standing.name)
    if bound is not None:
        yield _line(axis.x(bound.most), middle - 7, axis.x(bound.most), middle + 7, INK, 2)
    yield _line(axis.x(ratio.low), middle, axis.x(ratio.high), middle, color, 2)
    inside = "#ffffff" if color == BAD else color  # not by colour alone
    yield f'<circle cx="{axis.x(ratio.median)}" cy="{middle}" r="4" fill="{inside}" stroke="{color}" stroke-width="2"/>'
    yield _text(WIDTH - 8, y, f"{digits(ratio.median)} ×", anchor="end", fill=color)


def _line(x1: float, y1: float, x2: float, y2: float, color: str, width: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{color}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", fill: str = INK, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{escape(text)}</text>'
