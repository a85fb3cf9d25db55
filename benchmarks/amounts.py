"""Figures for people: three digits, and the unit in which they are short."""

from __future__ import annotations

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1.0, "B"))


def digits(value: float) -> str:
    """Three digits that say something, all of them before the point where there are more."""
    if value == 0:
        return "0"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.995 else f"{value:#.2g}"


def amount(value: float, unit: str) -> str:
    """A time ("s") or a size ("B") in the unit that fits; any other unit as it is."""
    for factor, name in {"s": _SECONDS, "B": _BYTES}.get(unit, ((1.0, unit),)):
        if abs(value) >= factor * 0.9995:
            return f"{digits(value / factor)} {name}"
    return f"{digits(value / factor)} {name}"
