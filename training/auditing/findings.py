"""The audit in a few sentences: what to look at, and what is well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.auditing.balance import lopsided
from training.report.formats import named, percent, points, short

Audit = Mapping[str, Any]


def findings(audit: Audit) -> list[dict[str, str]]:
    """Return what to know first: {"about", "text"}; about is "warning" where somebody should look."""
    makers = (_suspects, _twins, _leaks, _balance, _agreement, _outliers)
    return [{"about": about, "text": text} for make in makers for about, text in make(audit)]


def _suspects(audit: Audit) -> Iterator[tuple[str, str]]:
    for task, found in audit["suspects"].items():
        if "skipped" in found:
            yield "labels", f"Labels of {task} were not looked at: {found['skipped']}."
            continue
        text = f"Labels that look wrong to a simple model, in {found['checked']:,} rows with {task}: "
        text += f"{found['found']:,}"
        share = found["found"] / found["checked"]
        if share > _WEAK:
            text += "; so many that the model is at fault too: begin with the first of the list"
        yield ("warning" if found["found"] else "labels"), f"{text}."


# Above such a share of suspects, a model that is often wrong is the likelier reason.
_WEAK = 0.1


def _twins(audit: Audit) -> Iterator[tuple[str, str]]:
    found = audit["twins"]
    topics, stance = found["topics"]["found"], found["stance"]["found"]
    text = f"Pairs of near-duplicate articles: {found['near_duplicates']:,}, with other topics: {topics:,}"
    text += f". Pairs of near-duplicate sentences with another stance toward one target: {stance:,}"
    yield ("warning" if topics or stance else "near-duplicates"), f"{text}."


def _leaks(audit: Audit) -> Iterator[tuple[str, str]]:
    found = audit["leaks"]
    if found is None:
        yield "leaks", "The corpus gives no split, so none can leak: training splits by whole stories."
        return
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in found["kinds"].items() if count)
    told = f"{found['found']:,} ({kinds})" if found["found"] else "none"
    yield ("warning" if found["found"] else "leaks"), f"Leaks of the split that the corpus gives: {told}."


def _balance(audit: Audit) -> Iterator[tuple[str, str]]:
    for task, found in audit["balance"].items():
        if "skipped" in found:
            continue
        rarest = min(found["labels"].items(), key=lambda pair: (pair[1]["rows"], pair[0]))
        name, of = rarest
        text = f"The rarest label of {task} is {name}: {of['rows']:,} rows of {of['stories']:,} stories"
        yield "balance", f"{text}, {percent(of['share'])} of those labelled."
        if found["slices"] and lopsided(worst := found["slices"][0]):
            label, side = clearest(worst)
            rest = side["over_rest"]
            yield (
                "balance",
                f"The most lopsided slice for {task} is {named(worst)}: {label} holds on "
                f"{percent(side['share'])} of its rows and on {percent(side['rest'])} of the others, "
                f"{points(rest['value'], sign=True)} points ({points(rest['low'], sign=True)} to "
                f"{points(rest['high'], sign=True)}).",
            )


def clearest(one: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the label of a slice whose difference to the other rows is clearest."""
    labels: Mapping[str, Mapping[str, Any]] = one["labels"]

    def sureness(pair: tuple[str, Mapping[str, Any]]) -> float:
        rest = pair[1]["over_rest"]
        return max(rest["low"], -rest["high"]) if rest else -1.0

    return max(labels.items(), key=sureness)


def _agreement(audit: Audit) -> Iterator[tuple[str, str]]:
    found = audit["agreement"]
    if found is None:
        yield "agreement", "No annotations were given, so agreement is not known (--annotations FILE)."
        return
    for task in ("topics", "stance"):
        if (of := found[task]) is None:
            continue
        whole = of["whole"]
        if whole["alpha"] is None:
            yield "agreement", f"Agreement on {task} is not defined: no unit has two labels, or all are one."
            continue
        text = f"Krippendorff's alpha on {task} is {short(whole['alpha'])}"
        if whole["low"] is not None:
            text += f" ({short(whole['low'])} to {short(whole['high'])})"
        text += f" over {whole['units']:,} units with two labels or more"
        text += f"; disputed: {of['disputed']['found']:,}"
        yield ("warning" if whole["alpha"] < _FIRM else "agreement"), f"{text}."


# Under it, Krippendorff calls conclusions tentative.
_FIRM = 0.8


def _outliers(audit: Audit) -> Iterator[tuple[str, str]]:
    found = audit["outliers"]
    lengths = found["articles"]["found"] if found["articles"] else 0
    odd, mixed = found["language"]["found"], found["mixed_script"]["found"]
    text = f"Articles of unusual length: {lengths:,}; hardly like English prose: {odd:,}"
    yield ("warning" if lengths or odd or mixed else "outliers"), f"{text}; with mixed alphabets: {mixed:,}."
