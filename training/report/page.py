"""The page: the report's data as one HTML file that loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from training.report import sections_curves, sections_data, sections_scores, sections_texts
from training.report.findings import UNITS
from training.report.markup import Markup, element, joined
from training.report.style import CSS

Report = Mapping[str, Any]

# Nothing may be loaded or run, whatever a text holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SECTIONS: tuple[tuple[str, str, Callable[[Report], Markup]], ...] = (
    ("summary", "In short", sections_scores.summary),
    ("labels", "Labels", sections_scores.labels),
    ("slices", "Slices", sections_scores.slices),
    ("crossings", "What is taken for what", sections_curves.crossings),
    ("thresholds", "Precision and recall", sections_curves.precision_recall),
    ("calibration", "Calibration", sections_curves.calibration),
    ("coverage", "Coverage and risk", sections_curves.coverage),
    ("baselines", "Baselines and splits", sections_curves.baselines),
    ("mistakes", "Surest mistakes", sections_texts.mistakes),
    ("suspects", "Suspect labels", sections_texts.suspects),
    ("data", "Data and model", sections_data.data),
)


def page(report: Report) -> str:
    """Return the report as a page."""
    model = report["model"]
    judged = report["judged_on"]
    told = f"{model['task']} · {model['family']} · judged on {judged['part']}: {judged['rows']:,} "
    title = f"{model['name']}: evaluation"
    links = (element("a", name, href=f"#{anchor}") for anchor, name, _ in _SECTIONS)
    head = joined(
        [
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            element("title", title),
            element("style", Markup(CSS)),
        ]
    )
    body = joined(
        [
            element(
                "header",
                element("p", "Evaluation report", class_="kicker"),
                element("h1", model["name"]),
                element("p", f"{told}{UNITS[model['task']]} of {judged['stories']:,} stories", class_="note"),
                element("nav", *links, aria_label="Sections"),
            ),
            element("main", *(_section(report, *one) for one in _SECTIONS)),
            element("footer", "Every figure of this page stands in report.json beside it."),
        ]
    )
    html = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{html}\n"


def _section(report: Report, anchor: str, name: str, make: Callable[[Report], Markup]) -> Markup:
    return element("section", element("h2", name), make(report), id=anchor)
