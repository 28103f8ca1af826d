"""How figures are written, everywhere alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fraction(value: float | None) -> str:
    """Return "0.812", or a dash for what is undefined."""
    return "–" if value is None else f"{value:.3f}"


def short(value: float) -> str:
    """Return "0.81"."""
    return f"{value:.2f}"


def interval(found: Mapping[str, float]) -> str:
    """Return "0.812 (0.78 to 0.85)"."""
    return f"{fraction(found['value'])} ({between(found)})"


def between(found: Mapping[str, float]) -> str:
    """Return "0.78 to 0.85"."""
    return f"{short(found['low'])} to {short(found['high'])}"


def percent(value: float | None) -> str:
    """Return "45 %"; one decimal where it is needed to tell it from 0 or 100."""
    if value is None:
        return "–"
    return f"{100 * value:.0f} %" if value in (0, 1) or 0.01 <= value <= 0.99 else f"{100 * value:.1f} %"


def points(value: float, *, sign: bool = False) -> str:
    """Return a difference of scores in points: "2.1"."""
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"


def named(one: Mapping[str, Any]) -> str:
    """Return the name of a slice: "outlet: wire"."""
    return f"{one['dimension']}: {one['value']}"
