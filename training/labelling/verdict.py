"""Would more labels help? The slope of the learning curve in words, and whether to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from training.evaluate.scores import Interval
from training.labelling.curve import Curve
from training.report.formats import points

Advice: TypeAlias = Literal["go on", "stop", "unclear"]


@dataclass(frozen=True)
class Verdict:
    """What the curve advises.

    Attributes:
        advice: "go on" if doubling the labels would surely bring what is asked, "stop" if it surely would
            not, "unclear" between.
        sentences: why, in words.
    """

    advice: Advice
    sentences: tuple[str, ...]


def verdict(curve: Curve, least: float) -> Verdict:
    """Read the curve.

    Between the last two points macro-F1 is taken to rise by as much for each doubling of the rows, and to go
    on so. Learning curves flatten, so that this promises too much rather than too little: a stop can be
    trusted more than a start.

    Args:
        curve: measured.
        least: macro-F1 that doubling the labels must bring to be worth it, such as 0.01.
    """
    rise = curve.doubling
    if rise is None:
        return Verdict("unclear", ("There is but one size, so that no slope can be told: label more first.",))
    before, last = curve.points[-2:]
    told = (
        f"From {before.name} labels per class ({before.rows:,.0f} rows) to {_size(last.name)} "
        f"({last.rows:,.0f} rows), macro-F1 goes from {before.macro_f1.value:.3f} to "
        f"{last.macro_f1.value:.3f}: {_range(rise)} points for each doubling of the rows."
    )
    asked = points(least)
    if rise.low >= least:
        advice: Advice = "go on"
        so = f"More labels would help: doubling them should bring {asked} points or more."
    elif rise.high < least:
        advice = "stop"
        so = (
            f"More labels like these would hardly help: doubling them should bring less than {asked} points. "
            "Stop, or label other kinds of articles, or change the model."
        )
    elif rise.value >= least:
        advice = "unclear"
        so = f"More labels would likely help, but the interval also allows less than {asked} points."
    else:
        advice = "unclear"
        so = (
            f"More labels would likely bring less than {asked} points for a doubling, but the interval "
            "allows more."
        )
    return Verdict(advice, (told, so))


def _size(name: str) -> str:
    return "all of them" if name == "all" else name


def _range(found: Interval) -> str:
    value, low, high = (points(one, sign=True) for one in (found.value, found.low, found.high))
    return f"{value} ({low} to {high})"
