"""The report in a few sentences, for people who read no tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluate.scores import Interval
from training.evaluate.tables import margin
from training.report.formats import fraction, interval, named, percent, points

UNITS = {"topics": "articles", "stance": "sentences"}


def findings(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what to know first: {"about", "text"}."""
    makers = (
        _score,
        _baselines,
        _weakest_label,
        _weakest_slice,
        _weakest_spot,
        _sureness,
        _doubts,
        _split,
        _cut,
    )
    found = [{"about": about, "text": text} for maker in makers for about, text in maker(report)]
    found += [{"about": "warning", "text": text} for text in report["evaluation"]["warnings"]]
    return found + [{"about": "warning", "text": text} for text in report["judged_on"]["notes"]]


def weakest_label(report: Mapping[str, Any]) -> str | None:
    """Return the label with the lowest F1, or None where none is defined."""
    defined = {
        name: scores["f1"]["value"] for name, scores in report["evaluation"]["labels"].items() if scores["f1"]
    }
    return min(defined, key=lambda name: (defined[name], name)) if defined else None


def _score(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    judged = report["judged_on"]
    rows = f"{judged['rows']:,} {UNITS[report['model']['task']]} of {judged['stories']:,} stories"
    score = interval(report["evaluation"]["macro_f1"])
    confidence = percent(judged["confidence"])
    yield "score", f"Macro-F1 is {score} on {rows}. All ranges in brackets are {confidence} intervals."


def _baselines(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, found in report["evaluation"]["margins"].items():
        told = margin(name, Interval(**found))
        yield "baseline", f"The model {'is ' if told.startswith('not') else ''}{told}."


def _weakest_label(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    label = weakest_label(report)
    if label is None:
        return
    scores = report["evaluation"]["labels"][label]
    text = f"{label} is the weakest label: F1 {interval(scores['f1'])}."
    text += f" Of the {scores['support']:,} that hold it, {percent(scores['recall'])} are found"
    if scores["precision"] is not None:
        text += f"; of the {scores['predicted']:,} decided, {percent(scores['precision'])} are right"
    crossings = report["crossings"]
    if crossings["kind"] == "confusion":
        row = crossings["names"].index(label)
        others = [
            (count, name) for name, count in zip(crossings["names"], crossings["counts"][row], strict=True)
        ]
        count, name = max(pair for pair in others if pair[1] != label)
        text += f". Most often it is taken for {name} ({count:,} times)" if count else ""
    yield "weakest label", f"{text}."


def _weakest_slice(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    scored = [one for one in report["slices"] if one["macro_f1"] is not None]
    if not scored:
        return
    worst = scored[0]
    text = f"The weakest slice is {named(worst)}: macro-F1 {interval(worst['macro_f1'])}"
    rest = worst["over_rest"]
    if rest is None:
        yield "weakest slice", f"{text}."
        return
    low, high = points(-rest["high"]), points(-rest["low"])
    if rest["high"] < 0:
        text += f", {points(-rest['value'])} points below the other rows ({low} to {high})"
    else:
        text += "; that it is worse than the other rows is not shown"
    yield "weakest slice", f"{text}."


def _weakest_spot(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if report["weak_spots"]:
        spot = report["weak_spots"][0]
        text = f"The weakest label on a slice is {spot['label']} on {named(spot)}: F1 {interval(spot['f1'])}"
        yield "weakest spot", f"{text}, {spot['support']:,} rows hold it there."


def _sureness(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    whole, half = (report["coverage_risk"]["table"][at] for at in (0, -1))
    text = f"Wrong rows: {percent(whole['risk'])} of all, {percent(half['risk'])} of the surest half"
    after, before = report["evaluation"]["after"], report["evaluation"]["before"]
    text += f". Probabilities are off by {fraction(after['ece'])} on average"
    text += f" ({fraction(before['ece'])} before calibration)" if before else ""
    yield "confidence", f"{text}."


def _doubts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if kept := report["evaluation"]["kept"]:
        what = "rows" if report["evaluation"]["task"] == "stance" else "decisions"
        right = kept["right"]
        told = f", {percent(right['value'])} of them right" if right else ""
        text = f"Not marked for review: {percent(kept['coverage']['value'])} of the {what}{told}"
        yield "review", f"{text} (asked for: {percent(kept['asked'])})."
    if sets := report["evaluation"]["sets"]:
        text = f"Sets of stances at {percent(sets['level'])} hold the true one"
        yield "sets", f"{text} in {percent(sets['coverage']['value'])} of a story's rows."


def _split(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = report["own_run"]
    if not own:
        return
    (by, honest), *_ = own["splits"].items()
    for name, how in (
        ("time", "by time, judged on the newest stories,"),
        ("outlet", "by outlet, judged on outlets it never saw,"),
        ("random", "by rows, which leaks,"),
    ):
        if name != by and (other := own["splits"].get(name)):
            more = points(other["value"] - honest["value"], sign=True)
            text = f"In its own run, a split {how} would score {fraction(other['value'])}"
            yield "split", f"{text} instead of the {fraction(honest['value'])} by {by} ({more} points)."


def _cut(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    reading = report["reading"]
    if cut := reading["rows"]["text_cut"]:
        share = percent(reading["share_of_text_cut"])
        yield "cut", f"{cut:,} texts were cut, {share} of all characters: the model did not read them whole."
