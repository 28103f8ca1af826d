"""Sections of the page that tell how the model decides: confusions, curves, calibration, baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.report import charts
from training.report.cells import ahead, heat, more, score
from training.report.formats import fraction, percent, short
from training.report.markup import Child, Markup, element, joined, table

Report = Mapping[str, Any]

# So many sets of topics are shown before the reader has to ask for more.
_SETS = 12
_KEY = (
    element("span", class_="key before"),
    " before calibration, ",
    element("span", class_="key"),
    " after it.",
)
# What looks at no text.
_MAJORITY = {
    "topics": "Majority decides every topic on every row; its probabilities are shares of",
    "stance": "Majority decides always the most frequent stance of",
}


def crossings(report: Report) -> Markup:
    """Return the confusion of stances, or how topics come together."""
    found = report["crossings"]
    if found["kind"] == "co-occurrence":
        return _together(found)
    note = "Rows are the true stance, columns the decided one; shade and percentage are shares of the row."
    return joined([element("p", note, class_="note"), heat(found, "Confusion of stances")])


def _together(found: Mapping[str, Any]) -> Markup:
    topics = found["names"][:-1]
    pairs = [
        [name, *(f"{true:,} → {decided:,}" for true, decided in zip(*counts, strict=True))]
        for name, *counts in zip(topics, found["true_together"], found["decided_together"], strict=True)
    ]
    cross = "Where the row's topic holds, how often the column's was decided; several may be."
    sets = [
        [" + ".join(one["topics"]) or "none", *(f"{one[key]:,}" for key in ("true", "decided", "right"))]
        for one in found["sets"]
    ]
    parts = [
        element("h3", "Topics together"),
        element("p", "Rows with both topics: true → decided. The diagonal is one topic.", class_="note"),
        table(["", *topics], pairs, caption="Co-occurrence of topics", class_="heat"),
        element("h3", "Where one holds, what was decided"),
        element("p", cross, class_="note"),
        heat(found, "True against decided topics"),
        element("h3", "Whole sets of topics"),
        _sets(sets[:_SETS], "Sets of topics"),
    ]
    if rarer := sets[_SETS:]:
        parts.append(more("rarer sets", _sets(rarer, "Rarer sets")))
    return joined(parts)


def _sets(rows: Sequence[Sequence[str]], caption: str) -> Markup:
    return table(["topics", "true", "decided", "both"], rows, caption=caption, numeric=(1, 2, 3))


def precision_recall(report: Report) -> Markup:
    """Return one curve for each label."""
    panels = []
    stance = report["model"]["task"] == "stance"
    for label, curve in report["precision_recall"].items():
        if curve is None:
            panels.append(element("figure", element("figcaption", element("b", label), ": no row holds it")))
            continue
        figures = f"AP {fraction(curve['average_precision'])}; at the threshold {short(curve['threshold'])}: "
        figures += f"precision {fraction(curve['precision'])}, recall {fraction(curve['recall'])}"
        caption = element("figcaption", element("b", label), element("br"), figures)
        panels.append(element("figure", charts.precision_recall(label, curve), caption))
    note = (
        "The dot is where the decisions lie, with the threshold in use. The broken line is the precision "
        "of a guess."
    )
    if stance:
        note += (
            " A stance is decided where its probability divided by its threshold is largest: the dot need "
            "not lie on the curve."
        )
    return joined([element("p", note, class_="note"), element("div", *panels, class_="panels")])


def calibration(report: Report) -> Markup:
    """Return reliability before and after, ECE and Brier."""
    before, after = report["evaluation"]["before"], report["evaluation"]["after"]
    panels = [
        element(
            "figure",
            charts.reliability(one),
            element("figcaption", element("b", one["name"]), f", {one['rows']:,} rows"),
        )
        for one in report["reliability"]
    ]
    rows: list[list[Child]] = [
        [name, fraction(before[key]) if before else "–", fraction(after[key])]
        for name, key in (("ECE", "ece"), ("Brier score", "brier"))
    ]
    note: list[Child] = [
        f"Method: {report['model']['calibration']}, fitted on dev. On the diagonal, what is said with a "
        "probability comes true as often. Lower figures are better. ",
        *_KEY,
    ]
    return joined(
        [
            element("p", *note, class_="note"),
            element("div", *panels, class_="panels"),
            element(
                "div",
                table(["", "before", "after"], rows, caption="Calibration", numeric=(1, 2)),
                class_="one",
            ),
        ]
    )


def coverage(report: Report) -> Markup:
    """Return the coverage-risk curve and its table."""
    found = report["coverage_risk"]
    rows: list[list[Child]] = [
        [percent(one["coverage"]), short(one["least_confidence"]), percent(one["risk"])]
        for one in found["table"]
    ]
    note = (
        "If only the surest rows were taken and the rest left to people: how many of those taken are wrong. "
        f"Area under the curve {fraction(found['area'])}; lower is better."
    )
    figure = element("figure", charts.coverage_risk(found))
    head = ["rows taken", "confidence from", "wrong"]
    told = table(head, rows, caption="Coverage and risk", numeric=(1, 2))
    return joined([element("p", note, class_="note"), element("div", figure, told, class_="pair")])


def baselines(report: Report) -> Markup:
    """Return the models that must be beaten, and what other splits would claim."""
    found = report["evaluation"]
    whole = found["macro_f1"]["value"]
    rows: list[list[Child]] = [
        [report["model"]["name"], score(found["macro_f1"]), charts.bar(found["macro_f1"], whole), ""]
    ]
    for name, other in report["baselines"].items():
        margin = found["margins"].get(name)
        rows.append([name, score(other["macro_f1"]), charts.bar(other["macro_f1"], whole), ahead(margin)])
    head = ["model", "macro-F1", "0 to 1", "the model is ahead by, points"]
    majority = f"{_MAJORITY[report['model']['task']]} {report['judged_on']['majority_of']}."
    parts: list[Child] = [
        table(head, rows, caption="Baselines", numeric=(3,), wide=(2,)),
        element("p", majority, class_="note"),
    ]
    if own := report["own_run"]:
        note = (
            "The first line is the split in use. A random split, by rows, tears stories apart: the model is "
            "then asked about stories that it learned from."
        )
        parts += [
            element("h3", "Splits of its own run"),
            element("p", note, class_="note"),
            _scores("split by", own["splits"], "Splits"),
        ]
        if report["judged_on"]["part"] != "test":
            parts += [
                element("h3", "Its own test, when it was trained"),
                _scores("model", own["models"], "Own test"),
            ]
    return joined(parts)


def _scores(first: str, scores: Mapping[str, Any], caption: str) -> Markup:
    rows = [[name, score(found), charts.bar(found)] for name, found in scores.items()]
    return table([first, "macro-F1", "0 to 1"], rows, caption=caption)
