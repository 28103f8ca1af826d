"""Sections of the page that tell scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.report import charts
from training.report.findings import weakest_label
from training.report.formats import between, fraction, interval, named, percent, points, short
from training.report.markup import Child, Markup, element, joined, table

Report = Mapping[str, Any]

# So many slices are shown before the reader has to ask for more.
_SLICES, _SETS = 14, 12
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
                _score(f1) if f1 else "no row holds it",
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
    if more := scored[_SLICES:]:
        parts.append(_more(f"{len(more)} more", _slices_table(report, more, whole, "Further slices")))
    if other:
        names = "; ".join(f"{named(one)} ({one['rows']:,} rows, {one['stories']:,} stories)" for one in other)
        few = element("p", names, class_="note")
        parts.append(_more(f"{len(other)} slices of too few rows, stories or positives to be judged", few))
    if report["weak_spots"]:
        parts += [element("h3", "The weakest labels on slices"), _spots(report)]
    return joined(parts)


def crossings(report: Report) -> Markup:
    """Return the confusion of stances, or how topics come together."""
    found = report["crossings"]
    if found["kind"] == "confusion":
        note = (
            "Rows are the true stance, columns the decided one; shade and percentage are shares of the row."
        )
        return joined([element("p", note, class_="note"), _heat(found, "Confusion of stances")])
    together = [
        [
            name,
            *(
                f"{found['true_together'][i][j]:,} → {found['decided_together'][i][j]:,}"
                for j in range(len(found["true_together"]))
            ),
        ]
        for i, name in enumerate(found["names"][:-1])
    ]
    sets = [
        [
            " + ".join(one["topics"]) or "none",
            f"{one['true']:,}",
            f"{one['decided']:,}",
            f"{one['right']:,}",
        ]
        for one in found["sets"]
    ]
    head = ["topics", "true", "decided", "both"]
    cross = "Where the row's topic holds, how often the column's was decided; several may be."
    return joined(
        [
            element("h3", "Topics together"),
            element("p", "Rows with both topics: true → decided. The diagonal is one topic.", class_="note"),
            table(["", *found["names"][:-1]], together, caption="Co-occurrence of topics", class_="heat"),
            element("h3", "Where one holds, what was decided"),
            element("p", cross, class_="note"),
            _heat(found, "True against decided topics"),
            element("h3", "Whole sets of topics"),
            table(head, sets[:_SETS], caption="Sets of topics", numeric=(1, 2, 3)),
            *(
                [_more("rarer sets", table(head, sets[_SETS:], caption="Rarer sets", numeric=(1, 2, 3)))]
                * (len(sets) > _SETS)
            ),
        ]
    )


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
    note = "The dot is where the decisions lie. The broken line is the precision of a guess."
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
        [report["model"]["name"], _score(found["macro_f1"]), charts.bar(found["macro_f1"], whole), "", ""]
    ]
    for name, other in report["baselines"].items():
        ahead = found["margins"].get(name)
        told = f"{points(ahead['value'], sign=True)}" if ahead else "–"
        between = f"{points(ahead['low'], sign=True)} to {points(ahead['high'], sign=True)}" if ahead else "–"
        rows.append([name, _score(other["macro_f1"]), charts.bar(other["macro_f1"], whole), told, between])
    head = ["model", "macro-F1", "0 to 1", "ahead by, points", "interval"]
    parts: list[Child] = [
        table(head, rows, caption="Baselines", numeric=(3, 4), wide=(2,)),
        element(
            "p", _MAJORITY[report["model"]["task"]], f" {report['judged_on']['majority_of']}.", class_="note"
        ),
    ]
    if own := report["own_run"]:
        splits: list[list[Child]] = [
            [name, _score(score), charts.bar(score)] for name, score in own["splits"].items()
        ]
        models: list[list[Child]] = [
            [name, _score(score), charts.bar(score)] for name, score in own["models"].items()
        ]
        parts += [
            element("h3", "Splits of its own run"),
            element(
                "p",
                "The first line is the split in use. A random split, by rows, tears stories apart: the "
                "model is then asked about stories that it learned from.",
                class_="note",
            ),
            table(["split by", "macro-F1", "0 to 1"], splits, caption="Splits"),
        ]
        if report["judged_on"]["part"] != "test":
            parts += [
                element("h3", "Its own test, when it was trained"),
                table(["model", "macro-F1", "0 to 1"], models, caption="Own test"),
            ]
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


def _score(found: Mapping[str, float]) -> Markup:
    return element("span", fraction(found["value"]), element("small", between(found)), class_="score")


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
                _score(one["macro_f1"]),
                charts.bar(one["macro_f1"], whole),
                joined(
                    [
                        points(rest["value"], sign=True),
                        element(
                            "small", f"{points(rest['low'], sign=True)} to {points(rest['high'], sign=True)}"
                        ),
                    ]
                )
                if rest
                else "–",
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


def _label_cell(found: Mapping[str, Any]) -> Child:
    return short(found["f1"]["value"]) if found["f1"] else element("small", "few")


def _spots(report: Report) -> Markup:
    rows: list[list[Child]] = [
        [
            spot["label"],
            joined([spot["value"], element("small", spot["dimension"])]),
            _score(spot["f1"]),
            charts.bar(spot["f1"], report["evaluation"]["labels"][spot["label"]]["f1"]["value"]),
            f"{spot['support']:,}",
        ]
        for spot in report["weak_spots"]
    ]
    head = ["label", "slice", "F1", "0 to 1", "hold it"]
    return table(head, rows, caption="Weakest labels on slices", numeric=(4,), wide=(3,))


def _heat(found: Mapping[str, Any], caption: str) -> Markup:
    """Return counts with shades: the share of the row's support."""
    rows: list[list[Child]] = []
    for name, support, counts in zip(found["names"], found["support"], found["counts"], strict=True):
        cells = [_shaded(count, count / max(1, support)) for count in counts]
        rows.append([joined([name, element("small", f"{support:,} rows")]), *cells])
    return table(["true \\ decided", *found["names"]], rows, caption=caption, class_="heat")


def _shaded(count: int, share: float) -> Markup:
    return element(
        "span",
        f"{count:,} ",
        element("small", percent(share)),
        class_="shade",
        style=f"--s:{share:.2f}",
    )


def _more(summary: str, content: Markup) -> Markup:
    return element("details", element("summary", summary), content)
