"""Results as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group
from rich.table import Table
from rich.text import Text

from training.evaluate.metrics import Evaluation, Interval


def headline(title: str, models: Mapping[str, Evaluation]) -> Table:
    """Return one row per model: the trained one first, then what it must beat."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("model", no_wrap=True)
    for column in ("macro-F1", "micro-F1", "exact", "ECE", "Brier"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, found in models.items():
        table.add_row(
            name,
            ranged(found.macro_f1),
            f"{found.micro_f1.value:.3f}",
            f"{found.exact_match.value:.3f}",
            _before_after(found.before.ece if found.before else None, found.after.ece),
            f"{found.after.brier:.3f}",
        )
    return table


def per_label(found: Evaluation, thresholds: Mapping[str, float]) -> Table:
    """Return one row per label."""
    table = Table(header_style="bold")
    table.add_column("label", no_wrap=True)
    for column in ("precision", "recall", "F1", "AP", "support", "threshold"):
        table.add_column(column, justify="right", no_wrap=True)
    for label, scores in found.labels.items():
        table.add_row(
            label,
            _figure(scores.precision),
            _figure(scores.recall),
            ranged(scores.f1) if scores.f1 else "-",
            _figure(scores.average_precision),
            str(scores.support),
            f"{thresholds[label]:.2f}",
        )
    return table


def result(title: str, models: Mapping[str, Evaluation], thresholds: Mapping[str, float]) -> Group:
    """Return the headline and the first model's labels, and what its figures leave out."""
    first = next(iter(models.values()))
    share = f"{first.confidence:.0%}"
    note = (
        f"{first.n_rows} test rows in {first.n_groups} events; {share} intervals over events; "
        "ECE raw → calibrated"
    )
    warnings = [Text(f"! {warning}", style="yellow") for warning in first.warnings]
    return Group(headline(title, models), per_label(first, thresholds), Text(note, style="dim"), *warnings)


def ranged(interval: Interval) -> str:
    """Return "0.812 (0.78–0.85)"."""
    return f"{interval.value:.3f} ({interval.low:.2f}–{interval.high:.2f})"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _before_after(before: float | None, after: float) -> str:
    return f"{after:.3f}" if before is None else f"{before:.3f} → {after:.3f}"
