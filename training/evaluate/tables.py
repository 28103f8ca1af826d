"""Results as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from stancewire.calibration import Task
from training.evaluate.scores import CalibrationScores, Evaluation, Interval, Kept, SetScores


def result(title: str, models: Mapping[str, Evaluation], thresholds: Mapping[str, float]) -> Group:
    """Return what a run prints: all models, the first one's margins and labels, and what is left out.

    Args:
        title: of the whole.
        models: the trained model first, then what it must beat.
        thresholds: by label, of the first model.
    """
    first = next(iter(models.values()))
    note = (
        f"{first.n_rows} test rows in {first.n_groups} events; in brackets {first.confidence:.0%} intervals "
        "over events; ECE, Brier: raw > calibrated"
    )
    return Group(
        headline(title, models),
        *(Text(margin(name, found)) for name, found in first.margins.items()),
        *([Text(kept(first.kept, first.task))] if first.kept else []),
        *([Text(sets(first.sets, len(first.labels)))] if first.sets else []),
        per_label(first, thresholds),
        Text(note, style="dim"),
        *(Text(f"! {warning}", style="yellow") for warning in first.warnings),
    )


def headline(title: str, models: Mapping[str, Evaluation]) -> Table:
    """Return one row per model."""
    table = _table("model", "macro-F1", "micro-F1", "exact", "ECE", "Brier", title=title)
    for name, found in models.items():
        table.add_row(
            Text(name),
            ranged(found.macro_f1),
            f"{found.micro_f1.value:.3f}",
            f"{found.exact_match.value:.3f}",
            _before_after(found, "ece"),
            _before_after(found, "brier"),
        )
    return table


def per_label(found: Evaluation, thresholds: Mapping[str, float]) -> Table:
    """Return one row per label."""
    table = _table("label", "F1", "precision", "recall", "AP", "support", "threshold")
    for label, scores in found.labels.items():
        table.add_row(
            Text(label),
            ranged(scores.f1) if scores.f1 else "-",
            _figure(scores.precision),
            _figure(scores.recall),
            _figure(scores.average_precision),
            str(scores.support),
            f"{thresholds[label]:.2f}",
        )
    return table


def margin(baseline: str, found: Interval) -> str:
    """Say whether the model is better than a baseline: "beats majority by 4.1 points (1.2 to 7.0)"."""
    points = f"({100 * found.low:.1f} to {100 * found.high:.1f})"
    if found.low > 0:
        return f"beats {baseline} by {100 * found.value:.1f} points of macro-F1 {points}"
    if found.high < 0:
        return f"loses to {baseline} by {-100 * found.value:.1f} points of macro-F1 {points}"
    return f"not shown to differ from {baseline}: {100 * found.value:+.1f} points of macro-F1 {points}"


def kept(found: Kept, task: Task) -> str:
    """Say what abstention buys: "not for review: 84% of the rows, 0.93 (0.90-0.96) right"."""
    of = "rows" if task == "stance" else "decisions"
    if found.right is None:
        return f"not for review: none of the {of}; dev does not show {found.asked:g} of them right"
    line = f"not for review: {found.coverage.value:.0%} of the {of}, {ranged(found.right, 2)} right"
    if task == "topics":
        counts = found.labels.values()
        decided, held, right = (
            sum(getattr(c, name) for c in counts) for name in ("decided", "kept", "right")
        )
        line += f"; {held / max(1, decided):.0%} of the decided labels, {right / max(1, held):.2f} right"
    return f"{line} (asked for: {found.asked:g})"


def sets(found: SetScores, n_labels: int) -> str:
    """Say how good the sets of stances are."""
    return (
        f"sets at {found.level:g}: the true stance is in {ranged(found.coverage, 2)} of an event's; "
        f"{found.size:.1f} of {n_labels} stances on average, one alone in {found.single:.0%}"
    )


def ranged(interval: Interval, digits: int = 3) -> str:
    """Return "0.812 (0.78-0.85)"."""
    return f"{interval.value:.{digits}f} ({interval.low:.2f}-{interval.high:.2f})"


def _table(first: str, *others: str, title: str | None = None) -> Table:
    table = Table(
        title=None if title is None else Text(title),
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(first, overflow="fold")
    for column in others:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _before_after(found: Evaluation, name: str) -> str:
    def figure(scores: CalibrationScores) -> str:
        return f"{getattr(scores, name):.3f}"

    after = figure(found.after)
    return after if found.before is None else f"{figure(found.before)} > {after}"
