"""The page: the audit's data as one HTML file that loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from training.auditing import sections, sections_counts
from training.report.markup import Markup, element, joined
from training.report.style import CSS

Audit = Mapping[str, Any]

# Nothing may be loaded or run, whatever a text holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SECTIONS: tuple[tuple[str, str, Callable[[Audit], Markup]], ...] = (
    ("summary", "In short", sections_counts.summary),
    ("suspects", "Labels that may be wrong", sections.suspects),
    ("twins", "Near-duplicates with other labels", sections.twins),
    ("leaks", "Leaks of the given split", sections_counts.leaks),
    ("balance", "Balance", sections_counts.balance),
    ("agreement", "Agreement of annotators", sections_counts.agreement),
    ("outliers", "Unusual texts", sections.outliers),
    ("corpus", "Corpus", sections_counts.corpus),
)


def page(audit: Audit) -> str:
    """Return the audit as a page."""
    corpus = audit["corpus"]
    told = f"{corpus['articles']:,} articles in {corpus['stories']:,} stories, {corpus['stances']:,} stances"
    links = (element("a", name, href=f"#{anchor}") for anchor, name, _ in _SECTIONS)
    head = joined(
        [
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
            element("title", f"{corpus['source']}: data audit"),
            element("style", Markup(CSS)),
        ]
    )
    body = joined(
        [
            element(
                "header",
                element("p", "Data audit", class_="kicker"),
                element("h1", corpus["source"]),
                element("p", told, class_="note"),
                element("nav", *links, aria_label="Sections"),
            ),
            element(
                "main",
                *(
                    element("section", element("h2", name), make(audit), id=anchor)
                    for anchor, name, make in _SECTIONS
                ),
            ),
            element("footer", "Every figure of this page stands in audit.json beside it."),
        ]
    )
    html = element("html", element("head", head), element("body", body), lang="en")
    return f"<!doctype html>\n{html}\n"
