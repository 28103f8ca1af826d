"""Failure rates as a table for a terminal, and as columns for MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stancewire.terminal import escape
from training.behaviour.report import Answer, BehaviourReport, CapabilityResult, Failure
from training.evaluate.scores import Interval

_WORST = 3


def report_tables(title: str, report: BehaviourReport, blind: BehaviourReport | None) -> Group:
    """Return the rates of every capability, worst first, then failing examples.

    Args:
        title: of the whole.
        report: of the model.
        blind: of the model that sees no target, by the same cases; None where there is none.
    """
    columns = [Text(name) for name in ("capability", "fails", "failed", "rules")]
    table = Table(
        title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for number, column in enumerate(columns + [Text("target-blind fails")] * (blind is not None)):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for name, found in worst(report):
        cells = [name, ranged(found.rate), f"{found.failures} of {found.cases}", str(found.rules)]
        table.add_row(*cells, *([ranged(blind.capabilities[name].rate)] if blind else []))
    note = (
        f"in brackets {report.confidence:.0%} intervals over rules, that is hand-written cases and "
        "templates; all fills of a template are one"
    )
    return Group(table, Text(note, style="dim"), *_examples(report))


def short_line(report: BehaviourReport, blind: BehaviourReport | None) -> str:
    """Return the worst capabilities in one line."""
    told = []
    for name, found in worst(report)[:_WORST]:
        beside = f" (target-blind {blind.capabilities[name].rate.value:.0%})" if blind else ""
        told.append(f"{name} {found.rate.value:.0%}{beside}")
    return f"fails most at {', '.join(told)}"


def worst(report: BehaviourReport) -> list[tuple[str, CapabilityResult]]:
    """Return the capabilities, the highest rate first."""
    return sorted(report.capabilities.items(), key=lambda pair: (-pair[1].rate.value, pair[0]))


def rate_columns(report: BehaviourReport, blind: BehaviourReport | None) -> dict[str, list[Any]]:
    """Return the rates as columns, worst first."""
    rows = worst(report)
    columns: dict[str, list[Any]] = {
        "capability": [name for name, _ in rows],
        "asks": [found.asks for _, found in rows],
        "rules": [found.rules for _, found in rows],
        "cases": [found.cases for _, found in rows],
        "failures": [found.failures for _, found in rows],
    }
    columns |= _rates("", {name: found.rate for name, found in rows})
    if blind:
        columns |= _rates("target-blind ", {name: blind.capabilities[name].rate for name, _ in rows})
    return columns


def failure_columns(report: BehaviourReport) -> dict[str, list[Any]]:
    """Return the failing examples as columns, a row for every question."""
    rows = [
        (name, failure, answer)
        for name, found in worst(report)
        for failure in found.examples
        for answer in failure.answers
    ]
    return {
        "capability": [name for name, _, _ in rows],
        "rule": [failure.rule for _, failure, _ in rows],
        "question": [" | ".join(f"{key}: {text}" for key, text in a.question.items()) for _, _, a in rows],
        "wanted": [_wanted(failure, answer) for _, failure, answer in rows],
        "got": [_got(answer) for _, _, answer in rows],
    }


def ranged(rate: Interval) -> str:
    """Return "34% (25-45)"."""
    return f"{rate.value:.0%} ({100 * rate.low:.0f}-{100 * rate.high:.0f})"


def _rates(prefix: str, rates: Mapping[str, Interval]) -> dict[str, list[Any]]:
    return {
        f"{prefix}rate": [round(rate.value, 4) for rate in rates.values()],
        f"{prefix}low": [round(rate.low, 4) for rate in rates.values()],
        f"{prefix}high": [round(rate.high, 4) for rate in rates.values()],
    }


def _examples(report: BehaviourReport) -> Iterator[RenderableType]:
    for name, found in worst(report):
        if not found.examples:
            continue
        yield Text.assemble("\n", (name, "bold"), f"  {found.asks}")
        for failure in found.examples:
            says = "" if failure.kind == "minimum" else f": wanted {failure.says}"
            yield Text(f"  {failure.rule}  {failure.kind}{says}", style="dim")
            for answer in failure.answers:
                yield Text(f"    {_question(answer)}")
                yield Text(f"      {_verdict(failure, answer)}", style=_style(answer))


def _question(answer: Answer) -> str:
    asked = dict(answer.question)
    text = asked.pop("sentence", "") or asked.pop("text", "")
    rest = "; ".join(f"{name}: {value}" for name, value in asked.items())
    return escape(f"{text} [{rest}]" if rest else text)


def _verdict(failure: Failure, answer: Answer) -> str:
    wanted = _wanted(failure, answer)
    return f"{_got(answer)}{f', wanted {wanted}' if answer.wanted is not None else ''}"


def _style(answer: Answer) -> str:
    if answer.wanted is None:
        return ""
    return "green" if answer.wanted == answer.got else "red"


def _wanted(failure: Failure, answer: Answer) -> str:
    return failure.says if answer.wanted is None else _labels(answer.wanted)


def _got(answer: Answer) -> str:
    moved = "" if answer.probability is None else f" (p {answer.probability:.2f})"
    return f"{_labels(answer.got)}{moved}"


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) or "none"
