"""Sections of the page that show texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.report.formats import percent, short
from training.report.markup import Child, Markup, element, joined

Report = Mapping[str, Any]

_OPENING = 320


def mistakes(report: Report) -> Markup:
    """Return the surest mistakes with their texts."""
    found = report["mistakes"]
    if not found:
        return element("p", "There is none.")
    note = "The wrong decisions of which the model is surest, and the words that pushed it most."
    return joined([element("p", note, class_="note"), *(_mistake(report, one) for one in found)])


def suspects(report: Report) -> Markup:
    """Return the labels that may be wrong."""
    found = report["suspect_labels"]
    note = (
        f"{found['found']:,} labels of {found['checked']:,} rows look wrong by confident learning (cleanlab) "
        "on probabilities of a model that has not learned from these rows. Only they were looked at, not "
        "train. A weak model suspects many: read them, and change a label only where the codebook says so."
    )
    return joined([element("p", note, class_="note"), *(_suspect(one) for one in found["shown"])])


def _mistake(report: Report, one: Mapping[str, Any]) -> Markup:
    true = " + ".join(one["true"]) or "none"
    if report["model"]["task"] == "stance":
        verdict = f"decided {one['label']}, true {true}"
    else:
        verdict = f"{one['label']} {'decided, does not hold' if one['decided'] else 'missed'}; true: {true}"
    terms = [
        element(
            "span",
            f"{push['term']} ",
            element("small", f"{push['block']} {push['push']:+.2f}"),
            class_="chip",
        )
        for push in one["evidence"]
    ]
    parts: list[Child] = [
        element("p", element("b", verdict), f" · confidence {short(one['confidence'])}"),
        *_text(one),
    ]
    if terms:
        parts.append(element("p", "pushed by: ", *terms))
    return element("div", *parts, class_="case")


def _suspect(one: Mapping[str, Any]) -> Markup:
    given = one["label"] if one["given"] else f"not {one['label']}"
    verdict = f"labelled {given}, rather {one['suggested']}?"
    told = f" · the model gives the label {percent(one['quality'])}"
    return element("div", element("p", element("b", verdict), told), *_text(one), class_="case")


def _text(one: Mapping[str, Any]) -> list[Child]:
    where = " · ".join(str(one[key]) for key in ("article", "outlet", "date") if one[key])
    source = element("p", element("small", where))
    if "sentence" in one:
        target = [f"toward “{one['target']}”", f"holder: {one['holder']}" if one["holder"] else "no holder"]
        parts: list[Child] = [element("p", " · ".join(target))]
        quoted = [element("p", one["sentence"], class_="quote")]
        if one["context"]:
            quoted.insert(0, element("p", one["context"], class_="quote context"))
        return [*parts, *quoted, source]
    text = f"{one['text']}{' …' if one['text_cut'] else ''}"
    title = element("p", element("i", one["title"]), class_="quote") if one["title"] else Markup("")
    if len(text) <= _OPENING:
        return [title, element("p", text, class_="quote"), source]
    opening = text[:_OPENING].rsplit(" ", 1)[0]
    rest = element(
        "details", element("summary", "read on"), element("p", text[len(opening) :], class_="quote")
    )
    return [title, element("p", f"{opening} …", class_="quote"), rest, source]
