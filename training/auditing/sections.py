"""Sections of the page that show texts: suspect labels, near-duplicates, unusual texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.report.cells import more
from training.report.formats import percent, short
from training.report.markup import Child, Markup, element, joined, table

Audit = Mapping[str, Any]

# So many are shown before the reader has to ask for more.
_FIRST = 8
_OPENING = 320


def suspects(audit: Audit) -> Markup:
    """Return the labels that may be wrong, of both tasks."""
    settings = audit["settings"]
    note = (
        "By confident learning (cleanlab) on probabilities of the linear family, trained "
        f"{settings['folds']} times without the stories that it was then asked about. The least likely "
        "labels come first. A weak model suspects many right labels: read them, and change one only where "
        "the codebook says so."
    )
    return joined([element("p", note, class_="note"), *(_of_task(audit, task) for task in audit["suspects"])])


def _of_task(audit: Audit, task: str) -> Markup:
    found = audit["suspects"][task]
    heading = element("h3", task.capitalize())
    if "skipped" in found:
        return joined([heading, element("p", f"Not looked at: {found['skipped']}.")])
    counts = ", ".join(f"{label} {count:,}" for label, count in found["by_label"].items() if count)
    told = f"{found['found']:,} of {found['checked']:,} rows" + (f": {counts}." if counts else ".")
    return joined([heading, element("p", told), *_folded([_suspect(one) for one in found["shown"]])])


def _folded(cases: Sequence[Markup]) -> list[Markup]:
    """Return cases, those beyond the first ones on demand."""
    rest = [more(f"{len(cases) - _FIRST} more", joined(cases[_FIRST:]))] if len(cases) > _FIRST else []
    return [*cases[:_FIRST], *rest]


def _suspect(one: Mapping[str, Any]) -> Markup:
    given = one["label"] if one["given"] else f"not {one['label']}"
    verdict = f"labelled {given}, rather {one['suggested']}?"
    told = f" · the model gives the label {percent(one['quality'])}"
    return element("div", element("p", element("b", verdict), told), *_text(one), class_="case")


def _text(one: Mapping[str, Any]) -> list[Child]:
    if "sentence" in one:
        quoted: list[Child] = [element("p", one["sentence"], class_="quote")]
        if one.get("context"):
            quoted.insert(0, element("p", one["context"], class_="quote context"))
        return [element("p", _asked(one)), *quoted, _source(one)]
    opening = one["text"][:_OPENING] + (" …" if len(one["text"]) > _OPENING else "")
    parts: list[Child] = [element("p", element("i", one["title"]), class_="quote")] if one["title"] else []
    return [*parts, element("p", opening, class_="quote"), _source(one)]


def _asked(one: Mapping[str, Any]) -> str:
    holder = f"holder: {one['holder']}" if one["holder"] else "no holder"
    return f"toward “{one['target']}” · {holder}"


def _source(one: Mapping[str, Any]) -> Markup:
    where = " · ".join(str(one[key]) for key in ("article", "outlet", "date") if one.get(key))
    return element("p", element("small", where))


def twins(audit: Audit) -> Markup:
    """Return near-duplicates whose labels differ."""
    found = audit["twins"]
    note = (
        f"{found['near_duplicates']:,} pairs of articles share at least {percent(found['threshold'])} of the "
        "shorter one's wording. Where their topics differ, one may be wrong. For stance, sentences that are "
        "the same or nearly the same are compared where target and holder are."
    )
    topics, stance = found["topics"], found["stance"]
    return joined(
        [
            element("p", note, class_="note"),
            element("h3", f"Topics: {topics['found']:,}"),
            *_folded([_articles(one) for one in topics["shown"]]),
            element("h3", f"Stance: {stance['found']:,}"),
            *_folded([_records(one) for one in stance["shown"]]),
        ]
    )


def _articles(one: Mapping[str, Any]) -> Markup:
    verdict = f"differ in {', '.join(one['differ'])}"
    parts: list[Child] = [element("p", element("b", verdict), f" · alike {short(one['similarity'])}")]
    for each in one["articles"]:
        labels = " + ".join(each["topics"]) or "none"
        parts += [element("p", element("span", labels, class_="chip")), *_text(each)]
    return element("div", *parts, class_="case")


def _records(one: Mapping[str, Any]) -> Markup:
    verdict = " or ".join(each["label"] for each in one["records"])
    parts: list[Child] = [element("p", element("b", f"{verdict}?"), f" · alike {short(one['similarity'])}")]
    for each in one["records"]:
        parts += [element("p", element("span", each["label"], class_="chip")), *_text(each)]
    return element("div", *parts, class_="case")


def outliers(audit: Audit) -> Markup:
    """Return texts of unusual length and language."""
    found = audit["outliers"]
    parts: list[Child] = []
    for what in ("articles", "sentences"):
        if (of := found[what]) is None:
            continue
        words, fences = of["words"], of["fences"]
        note = (
            f"{of['texts']:,} {what} have {words['least']:,} to {words['most']:,} words, in the middle "
            f"{words['median']:,.0f}. {of['found']:,} lie outside {fences['low']:,.0f} to "
            f"{fences['high']:,.0f}, that is three times the width of the middle half away from it on a "
            "logarithmic scale, and a factor of two at least."
        )
        parts += [element("h3", f"Length of {what}"), element("p", note, class_="note")]
        if of["shown"]:
            rows = [[one["article"], f"{one['words']:,}", one["text"]] for one in of["shown"]]
            parts.append(
                table(["article", "words", "begins"], rows, caption=f"Length of {what}", numeric=(1,))
            )
    return joined([*parts, *_language(found["language"]), *_mixed(found["mixed_script"])])


def _language(found: Mapping[str, Any]) -> list[Child]:
    note = (
        f"Articles in which fewer than {percent(found['least_share'])} of the words are among the 40 most "
        f"frequent English ones, such as “the” and “of”: {found['found']:,} of {found['judged']:,}, which "
        f"have {percent(found['median'])} in the middle. A hint, no language detector: lists and tables are "
        f"found as well, and {found['too_short']:,} articles are too short to tell."
    )
    parts: list[Child] = [element("h3", "Language"), element("p", note, class_="note")]
    if found["shown"]:
        rows = [[one["article"], percent(one["share"]), one["text"]] for one in found["shown"]]
        parts.append(table(["article", "share", "begins"], rows, caption="Language", numeric=(1,)))
    return parts


def _mixed(found: Mapping[str, Any]) -> list[Child]:
    if not found["shown"]:
        return [
            element("p", "No word mixes Latin letters with look-alikes of other alphabets.", class_="note")
        ]
    rows = [[one["article"], ", ".join(one["words"])] for one in found["shown"]]
    note = (
        f"{found['found']:,} articles have words that mix Latin letters with look-alikes of other alphabets."
    )
    return [element("p", note, class_="note"), table(["article", "words"], rows, caption="Mixed alphabets")]
