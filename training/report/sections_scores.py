"""Sections of the page that tell how good the model is: in short, by label, by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.report import charts
from training.report.cells import ahead, more, score
from training.report.findings import weakest_label
from training.report.formats import between, fraction, interval, named, percent, short
from training.report.markup import Child, Markup, element, joined, table

Report = Mapping[str, Any]

# So many slices are shown before the reader has to ask for more.
_SLICES = 14


def summary(report: Report) -> Markup:
    """Return the tiles and the findings."""
    found = report["evaluation"]
    tiles = [_tile("macro-F1", found["macro_f1"])]
    if (label := weakest_label(report)) is not None:
        tiles.append(_tile("weakest label", found["labels"][label]["f1"], label))
    if report["slices"] and (worst := report["slices"][0])["macro_f1"] is not None:
        tiles.append(_tile("weakest slice", worst["macro_f1"], worst["value"], worst["dimension"]))
    if report["weak_spots"]:
        spot = report["weak_spots"][0]
        tiles.append(_tile("weakest label on a slice", spot["f1"], spot["label"], named(spot)))
    items = (
        element("li", one["text"], class_="warning" if one["about"] == "warning" else None)
        for one in report["findings"]
    )
    return joined([element("div", *tiles, class_="tiles"), element("ul", *items, class_="findings")])


def labels(report: Report) -> Markup:
    """Return the table of labels."""
    scores = report["evaluation"]["labels"]
    weakest = weakest_label(report)
    rows: list[list[Child]] = []
    for name, found in scores.items():
        f1 = found["f1"]
        rows.append(
            [
                element("span", name, class_="weak" if name == weakest else None),
                score(f1) if f1 else "no row holds it",
                charts.bar(f1),
                fraction(found["precision"]),
                fraction(found["recall"]),
                fraction(found["average_precision"]),
                f"{found['support']:,}",
                f"{found['predicted']:,}",
                short(report["model"]["thresholds"][name]),
            ]
        )
    head = ["label", "F1", "0 to 1", "precision", "recall", "AP", "hold it", "decided", "threshold"]
    found = report["evaluation"]
    note = f"Micro-F1 {interval(found['micro_f1'])}, all right {interval(found['exact_match'])}."
    return joined(
        [
            table(head, rows, caption="Scores by label", numeric=range(3, 9), wide=(2, 5, 7, 8)),
            element("p", note, class_="note"),
        ]
    )


def slices(report: Report) -> Markup:
    """Return the slices, the worst first, and the labels on them."""
    scored = [one for one in report["slices"] if one["macro_f1"] is not None]
    other = [one for one in report["slices"] if one["macro_f1"] is None]
    whole = report["evaluation"]["macro_f1"]["value"]
    parts: list[Child] = [
        element(
            "p",
            "The worst come first, by the upper end of their interval: what is bad even at its best. The "
            "upright line is the score of all rows. Orange: worse than the other rows, interval and all. Of "
            "many slices, some look bad by chance alone.",
            class_="note",
        ),
        _slices_table(report, scored[:_SLICES], whole, "Slices, the worst first"),
    ]
    if further := scored[_SLICES:]:
        parts.append(more("more slices", _slices_table(report, further, whole, "Further slices")))
    if other:
        parts.append(more("slices of too few rows, stories or positives to be judged", _few(other)))
    if report["weak_spots"]:
        parts += [element("h3", "The weakest labels on slices"), _spots(report)]
    return joined(parts)


def _tile(name: str, found: Mapping[str, float], what: str = "", where: str = "") -> Markup:
    told = f"F1 {interval(found)}" if what else between(found)
    return element(
        "div",
        element("span", name),
        element("b", what or fraction(found["value"])),
        *([element("span", where)] if where else []),
        element("span", told),
        charts.bar(found),
        class_="tile",
    )


def _slices_table(report: Report, scored: Sequence[Mapping[str, Any]], whole: float, caption: str) -> Markup:
    names = list(report["evaluation"]["labels"])
    rows: list[list[Child]] = []
    for one in scored:
        rest = one["over_rest"]
        worse = rest is not None and rest["high"] < 0
        name = element("span", one["value"], class_="weak" if worse else None)
        size = f"{one['rows']:,} / {one['stories']:,}"
        rows.append(
            [
                joined([name, element("small", one["dimension"])]),
                score(one["macro_f1"]),
                charts.bar(one["macro_f1"], whole),
                ahead(rest),
                percent(one["all_right"]),
                size,
                *(_label_cell(one["labels"][label]) for label in names),
            ]
        )
    head = ["slice", "macro-F1", "0 to 1", "points over the rest", "all right", "rows / stories"]
    last = 6 + len(names)
    return table(
        [*head, *(f"F1 {name}" for name in names)],
        rows,
        caption=caption,
        numeric=range(3, last),
        wide=range(3, last),
    )


def _few(other: Sequence[Mapping[str, Any]]) -> Markup:
    """Return what is too small to be judged, with its rows and stories."""
    lines = []
    for dimension in dict.fromkeys(one["dimension"] for one in other):
        sizes = (
            f"{one['value']} {one['rows']:,} / {one['stories']:,}"
            for one in other
            if one["dimension"] == dimension
        )
        lines.append(element("p", f"{dimension}, rows / stories: {'; '.join(sizes)}", class_="note"))
    return joined(lines)


def _label_cell(found: Mapping[str, Any]) -> Child:
    return short(found["f1"]["value"]) if found["f1"] else element("small", "few")


def _spots(report: Report) -> Markup:
    rows: list[list[Child]] = [
        [
            spot["label"],
            joined([spot["value"], element("small", spot["dimension"])]),
            score(spot["f1"]),
            charts.bar(spot["f1"], report["evaluation"]["labels"][spot["label"]]["f1"]["value"]),
            f"{spot['support']:,}",
        ]
        for spot in report["weak_spots"]
    ]
    head = ["label", "slice", "F1", "0 to 1", "hold it"]
    return table(head, rows, caption="Weakest labels on slices", numeric=(4,), wide=(3,))
