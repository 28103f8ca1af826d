"""The learning curve as JSON and as a page that loads nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from training.labelling.curve import Curve
from training.labelling.verdict import Verdict
from training.prepare import Prepared
from training.report.cells import score
from training.report.formats import interval
from training.report.markup import Child, Markup, element, joined, table
from training.report.style import CSS

FORMAT, FORMAT_VERSION = "stancewire-curve", 1
PAGE, DATA = "curve.html", "curve.json"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_DIGITS = 6
# The drawing, in its own units.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 360, 230, 36, 10, 12, 46
_STEP = 0.1


def as_data(prepared: Prepared, curve: Curve, found: Verdict) -> dict[str, Any]:
    """Return everything that the page shows as plain JSON values; equal for equal runs."""
    config, corpus = prepared.config, prepared.corpus
    data: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": config.name,
        "task": config.task,
        "family": config.model.family,
        "seed": config.seed,
        "data": {"source": corpus.source, "sha256": corpus.digest},
        "judged_on": {"part": "dev", "rows": curve.dev_rows, "stories": curve.dev_stories},
        "confidence": curve.confidence,
        "points": [{"name": point.name, **asdict(point)} for point in curve.points],
        "doubling": None if curve.doubling is None else asdict(curve.doubling),
        "advice": found.advice,
        "sentences": list(found.sentences),
        "notes": list(curve.notes),
    }
    rounded: dict[str, Any] = _rounded(data)
    return rounded


def files(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the page and its data by file name."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1)
    return {PAGE: page(data), DATA: f"{text}\n"}


def page(data: Mapping[str, Any]) -> str:
    """Return the page."""
    title = f"{data['name']}: learning curve"
    head = joined(
        [
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            element("title", title),
            element("style", Markup(CSS)),
        ]
    )
    judged = data["judged_on"]
    note = (
        f"{data['task']} · {data['family']} · whole stories sampled from train, judged on dev: "
        f"{judged['rows']:,} rows of {judged['stories']:,} stories"
    )
    body = joined(
        [
            element(
                "header",
                element("p", "Learning curve", class_="kicker"),
                element("h1", data["name"]),
                element("p", note, class_="note"),
            ),
            element("main", _summary(data), _figure(data), _table(data), _method(data)),
            element("footer", f"Every figure of this page stands in {DATA} beside it."),
        ]
    )
    return f"<!doctype html>\n{element('html', element('head', head), element('body', body), lang='en')}\n"


def _summary(data: Mapping[str, Any]) -> Markup:
    lines = [*data["sentences"], *data["notes"]]
    return element(
        "section",
        element("h2", "Would more labels help?"),
        element("ul", *(element("li", line) for line in lines), class_="findings"),
    )


def _table(data: Mapping[str, Any]) -> Markup:
    labels = list(data["points"][-1]["labels"])
    rows: list[list[Child]] = []
    for point in data["points"]:
        by_label: list[Child] = [
            "–" if point["labels"][label] is None else score(point["labels"][label]) for label in labels
        ]
        size = joined([point["name"], element("small", f"{point['rows']:,.0f} rows")])
        rows.append([size, score(point["macro_f1"]), *by_label])
    head = ["labels per class", "macro-F1", *labels]
    return element(
        "section", element("h2", "Figures"), table(head, rows, caption="Scores by number of labels")
    )


def _method(data: Mapping[str, Any]) -> Markup:
    told = (
        f"Each size was sampled {data['points'][0]['samples']} times; figures are means over the samples. "
        f"Intervals hold {100 * data['confidence']:g} % of resamples of dev's stories and of the samples. "
        "Decisions are cut at 0.5 (topics) or go to the likeliest label (stance), so that dev judges nothing "
        "that was set on it; a trained model, whose thresholds are set on dev, may score higher on test. The "
        "slope takes macro-F1 to rise by as much for every doubling; curves flatten, so that it promises too "
        "much rather than too little."
    )
    return element("section", element("h2", "How it was measured"), element("p", told))


def _figure(data: Mapping[str, Any]) -> Markup:
    caption = "macro-F1 on dev over training rows, which double at equal distances; bars are intervals"
    drawing = chart(data["points"])
    return element("figure", drawing, element("figcaption", caption), style="max-width:560px")


def chart(found: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw macro-F1 with its intervals over the logarithm of the rows."""
    logs = [math.log2(float(point["rows"])) for point in found]
    least = math.floor(min(float(point["macro_f1"]["low"]) for point in found) / _STEP) * _STEP
    most = math.ceil(max(float(point["macro_f1"]["high"]) for point in found) / _STEP) * _STEP
    across, up = max(logs[-1] - logs[0], 1e-9), max(most - least, _STEP)

    def x(log: float) -> float:
        return round(_LEFT + 14 + (log - logs[0]) / across * (_WIDTH - _LEFT - _RIGHT - 28), 1)

    def y(value: float) -> float:
        return round(_TOP + (least + up - value) / up * (_HEIGHT - _TOP - _BOTTOM), 1)

    marks: list[Markup] = [element("title", "Learning curve")]
    for tick in range(round(up / _STEP) + 1):
        value = least + tick * _STEP
        marks.append(_line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "grid"))
        marks.append(_text(_LEFT - 6, y(value) + 4, f"{value:.1f}", "end"))
    path = " ".join(
        f"{x(log):g},{y(point['macro_f1']['value']):g}" for log, point in zip(logs, found, strict=True)
    )
    marks.append(element("polyline", points=path, class_="curve after"))
    for log, point in zip(logs, found, strict=True):
        scored = point["macro_f1"]
        marks.append(_line(x(log), y(scored["low"]), x(log), y(scored["high"]), "range"))
        dot = element(
            "circle",
            element("title", interval(scored)),
            cx=x(log),
            cy=y(scored["value"]),
            r=4,
            class_="after",
        )
        marks.append(dot)
        marks.append(_text(x(log), _HEIGHT - _BOTTOM + 16, f"{point['rows']:,.0f}", "middle"))
        marks.append(_text(x(log), _HEIGHT - _BOTTOM + 29, f"({point['name']})", "middle"))
    marks.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 3, "training rows (labels per class)", "middle"))
    return element("svg", *marks, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=f"{x1:g}", y1=f"{y1:g}", x2=f"{x2:g}", y2=f"{y2:g}", class_=class_)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return element("text", text, x=f"{x:g}", y=f"{y:g}", text_anchor=anchor)


def _rounded(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value
