"""Sections of the page that show figures: summary, leaks, balance, agreement, corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.auditing.findings import clearest
from training.report.cells import ahead, more
from training.report.formats import percent, short
from training.report.markup import Child, Markup, element, joined, table

Audit = Mapping[str, Any]

# So many are shown before the reader has to ask for more.
_SLICES, _LEAKS = 14, 12
_DASH = "–"


def summary(audit: Audit) -> Markup:
    """Return the tiles and the findings."""
    suspects, twins, leaks = audit["suspects"], audit["twins"], audit["leaks"]
    tiles = [
        _tile(f"suspect labels, {task}", _DASH if "skipped" in found else f"{found['found']:,}")
        for task, found in suspects.items()
    ]
    tiles.append(_tile("pairs with other labels", f"{twins['topics']['found'] + twins['stance']['found']:,}"))
    tiles.append(_tile("leaks of the given split", _DASH if leaks is None else f"{leaks['found']:,}"))
    for task in ("topics", "stance"):
        if audit["agreement"] and (of := audit["agreement"][task]):
            tiles.append(_tile(f"alpha, {task}", *_alpha_parts(of["whole"])))
    items = (
        element("li", one["text"], class_="warning" if one["about"] == "warning" else None)
        for one in audit["findings"]
    )
    return joined([element("div", *tiles, class_="tiles"), element("ul", *items, class_="findings")])


def _tile(name: str, told: str, below: str = "") -> Markup:
    parts = [element("span", name), element("b", told), *([element("span", below)] if below else [])]
    return element("div", *parts, class_="tile")


def leaks(audit: Audit) -> Markup:
    """Return what stands on two sides of the split that the corpus gives."""
    found = audit["leaks"]
    if found is None:
        return element("p", "The corpus gives its articles no parts: training splits by whole stories.")
    sizes = ", ".join(f"{name} {rows:,}" for name, rows in found["parts"].items())
    without = f"; {found['without_a_part']:,} articles have no part" if found["without_a_part"] else ""
    parts: list[Child] = [element("p", f"Articles: {sizes}{without}.", class_="note")]
    if not found["found"]:
        return joined([*parts, element("p", "There is none.")])
    counts = ", ".join(f"{kind} {count:,}" for kind, count in found["kinds"].items() if count)
    rows: list[list[Child]] = [
        [
            joined([f"{one['first']} ~ {one['second']}", element("small", " ~ ".join(one["parts"]))]),
            one["code"],
            short(one["similarity"]) if one["similarity"] else _DASH,
            one["snippet"],
        ]
        for one in found["shown"]
    ]
    note = f"{found['found']:,} leaks: {counts}. Those that reach into test come first."
    shown = [_leaks_table(rows[:_LEAKS])]
    if further := rows[_LEAKS:]:
        shown.append(more(f"{len(further)} more leaks", _leaks_table(further)))
    return joined([*parts, element("p", note), *shown])


def _leaks_table(rows: list[list[Child]]) -> Markup:
    head = ["articles", "kind", "alike", "begins"]
    return table(head, rows, caption="Leaks", numeric=(2,), wide=(1, 2))


def balance(audit: Audit) -> Markup:
    """Return how often labels hold, and on which slices more or less often."""
    note = (
        "A label that is much more frequent on a slice invites a model to learn the slice. Differences to "
        "the other rows in points, with intervals over stories; orange where the interval leaves out 0. Of "
        "many slices, some look lopsided by chance alone."
    )
    return joined([element("p", note, class_="note"), *(_of_task(audit, task) for task in audit["balance"])])


def _of_task(audit: Audit, task: str) -> Markup:
    found = audit["balance"][task]
    heading = element("h3", task.capitalize())
    if "skipped" in found:
        return joined([heading, element("p", f"Not looked at: {found['skipped']}.")])
    labels = found["labels"]
    rows = [
        [name, f"{of['rows']:,}", percent(of["share"]), f"{of['stories']:,}", f"{of['labelled']:,}"]
        for name, of in labels.items()
    ]
    head = ["label", "rows that hold it", "share", "stories", "rows labelled"]
    parts: list[Child] = [heading, table(head, rows, caption=f"Labels of {task}", numeric=range(1, 5))]
    if found["none"] is not None:
        parts.append(element("p", f"{found['none']:,} articles have no topic.", class_="note"))
    scored = [one for one in found["slices"] if one["enough"]]
    parts.append(_slices(task, scored[:_SLICES], list(labels)))
    if further := scored[_SLICES:]:
        parts.append(more(f"{len(further)} more slices", _slices(task, further, list(labels))))
    few = len(found["slices"]) - len(scored)
    if few:
        parts.append(element("p", f"{few:,} slices have too few rows or stories to tell.", class_="note"))
    return joined(parts)


def _slices(task: str, slices: list[Mapping[str, Any]], labels: list[str]) -> Markup:
    rows: list[list[Child]] = []
    for one in slices:
        label, side = clearest(one)
        name = joined([one["value"], element("small", one["dimension"])])
        size = f"{one['rows']:,} / {one['stories']:,}"
        cells: list[Child] = [_share(one["labels"][each]) for each in labels]
        rows.append([name, f"{label} {percent(side['share'])}", ahead(side["over_rest"]), size, *cells])
    head = ["slice", "clearest", "points over the rest", "rows / stories", *labels]
    last = 4 + len(labels)
    shown = range(2, last)
    return table(head, rows, caption=f"Slices of {task}", numeric=shown, wide=range(3, last))


def _share(of: Mapping[str, Any]) -> Child:
    rest = of["over_rest"]
    sure = rest is not None and (rest["low"] > 0 or rest["high"] < 0)
    return element("span", percent(of["share"]), class_="weak" if sure else None)


def agreement(audit: Audit) -> Markup:
    """Return Krippendorff's alpha by task, label and person, and what is disputed."""
    found = audit["agreement"]
    if found is None:
        return element("p", "No annotations were given (--annotations FILE).")
    note = (
        "Krippendorff's alpha for nominal values: 1 is perfect, 0 is chance. Intervals over resampled "
        "articles. By his rule of thumb, conclusions are firm from 0.80 and tentative from 0.67."
    )
    parts: list[Child] = [element("p", note, class_="note")]
    for task in ("topics", "stance"):
        if (of := found[task]) is not None:
            parts += _agreement_on(task, of)
    return joined(parts)


def _agreement_on(task: str, of: Mapping[str, Any]) -> list[Child]:
    whole = "whole sets of topics" if task == "topics" else "all labels"
    lines = [(whole, of["whole"]), *of["labels"].items()]
    rows = [[name, _alpha(one), percent(one["observed"]), f"{one['units']:,}"] for name, one in lines]
    people = [
        [name, f"{one['labelled']:,}", f"{one['pairs']:,}", percent(one["agrees"])]
        for name, one in of["people"].items()
    ]
    head = ["of", "alpha", "pairs that agree", "units"]
    parts: list[Child] = [
        element("h3", task.capitalize()),
        table(head, rows, caption=f"Agreement on {task}", numeric=(1, 2, 3)),
        table(
            ["annotator", "labelled", "shared with another", "agrees"],
            people,
            caption=f"Annotators of {task}",
            numeric=(1, 2, 3),
        ),
        element("p", f"{of['disputed']['found']:,} units are disputed, the most disputed first:"),
    ]
    return parts + [_disputed(one) for one in of["disputed"]["shown"]]


def _disputed(one: Mapping[str, Any]) -> Markup:
    chips = [element("span", f"{who}: {said}", class_="chip") for who, said in one["said"].items()]
    parts: list[Child] = [element("p", *chips)]
    if "sentence" in one:
        holder = f"holder: {one['holder']}" if one["holder"] else "no holder"
        parts += [
            element("p", f"toward “{one['target']}” · {holder}"),
            element("p", one["sentence"], class_="quote"),
        ]
    return element("div", *parts, element("p", element("small", one["article"])), class_="case")


def _alpha(one: Mapping[str, Any]) -> str:
    told, interval = _alpha_parts(one)
    return f"{told} ({interval})" if interval else told


def _alpha_parts(one: Mapping[str, Any]) -> tuple[str, str]:
    if one["alpha"] is None:
        return _DASH, ""
    return short(one["alpha"]), "" if one["low"] is None else f"{short(one['low'])} to {short(one['high'])}"


def corpus(audit: Audit) -> Markup:
    """Return what was audited."""
    found, settings = audit["corpus"], audit["settings"]
    book = found["codebook"]
    dates = f"{found['first_date']} to {found['last_date']}" if found["first_date"] else _DASH
    warnings = ", ".join(f"{code} {count:,}" for code, count in found["warnings"].items()) or "none"
    facts: list[tuple[str, Child]] = [
        ("source", found["source"]),
        ("its digest", element("code", found["sha256"])),
        ("codebook", joined([f"{book['id']} {book['version']}, ", element("code", book["sha256"])])),
        ("dates", dates),
        ("outlets", f"{found['outlets']:,}"),
        ("articles without topics labelled", f"{found['unlabelled']:,}"),
        ("warnings of the check", warnings),
        ("intervals", f"{percent(settings['confidence'])}, {settings['samples']:,} resamples"),
    ]
    pairs = (part for name, told in facts for part in (element("dt", name), element("dd", told)))
    return element("dl", *pairs, class_="facts")
