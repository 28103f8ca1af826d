"""Cells and frames that sections share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.report.formats import between, fraction, percent, points
from training.report.markup import Child, Markup, element, joined, table

Report = Mapping[str, Any]


def score(found: Mapping[str, float]) -> Markup:
    """Return a score with its interval below."""
    return element("span", fraction(found["value"]), element("small", between(found)), class_="score")


def ahead(found: Mapping[str, float] | None) -> Child:
    """Return a difference of scores in points, with its interval."""
    if found is None:
        return "–"
    value, low, high = (points(found[key], sign=True) for key in ("value", "low", "high"))
    return element("span", value, element("small", f"{low} to {high}"), class_="score")


def heat(found: Mapping[str, Any], caption: str) -> Markup:
    """Return counts with shades: the share of the row's support."""
    rows: list[list[Child]] = []
    lines = zip(found["names"], found["support"], found["counts"], found["shares"], strict=True)
    for name, support, counts, shares in lines:
        cells = [shaded(count, share) for count, share in zip(counts, shares, strict=True)]
        rows.append([joined([name, element("small", f"{support:,} rows")]), *cells])
    return table(["true \\ decided", *found["names"]], rows, caption=caption, class_="heat")


def shaded(count: int, share: float) -> Markup:
    """Return a count with a share, and a shade as deep as the share."""
    return element(
        "span",
        f"{count:,} ",
        element("small", percent(share)),
        class_="shade",
        style=f"--s:{share:.2f}",
    )


def more(summary: str, content: Markup) -> Markup:
    """Return what is shown on demand, and on paper."""
    return element("details", element("summary", summary), content)
