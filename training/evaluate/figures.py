"""Figures of one style: confusion, precision-recall with the threshold, reliability before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from training.evaluate.metrics import average_precision
from training.evaluate.reliability import questions, reliability_bins

_INK, _ACCENT, _SOFT, _GRID = "#22303c", "#1f6f8b", "#c8553d", "#d9dee3"
_PANEL_INCHES = 3.2


def confusion(
    truth: NDArray[np.float32], decisions: NDArray[np.bool_], labels: Sequence[str], task: Task
) -> Figure:
    """Draw true against decided labels.

    Stance: the confusion matrix. Topics: among rows where the row's topic holds (or none does), the share in
    which the column's was decided; several may be, so rows need not sum to one.
    """
    holds, names = (truth == 1), list(labels)
    decided = decisions
    if task == "topics":
        holds = np.column_stack([holds, ~holds.any(axis=1)])
        decided = np.column_stack([decided, ~decided.any(axis=1)])
        names.append("none")
    counts = holds.T.astype(int) @ decided.astype(int)
    support = np.maximum(1, holds.sum(axis=0))[:, None]
    figure = _figure(1.3 + 0.95 * len(names), 0.9 + 0.75 * len(names))
    axes = figure.add_subplot()
    axes.imshow(counts / support, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count / support[row, 0] > 0.55 else _INK
        axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("decided")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    return figure


def precision_recall(
    truth: NDArray[np.float32],
    probabilities: Probabilities,
    thresholds: Sequence[float] | None,
    labels: Sequence[str],
) -> Figure:
    """Draw one precision-recall curve per label; a dot marks the threshold in use, where there is one."""
    figure = _figure(_PANEL_INCHES * len(labels), _PANEL_INCHES)
    for i, label in enumerate(labels):
        axes = figure.add_subplot(1, len(labels), i + 1)
        known = ~np.isnan(truth[:, i])
        y, p = truth[known, i] == 1, probabilities[known, i]
        if y.any():
            order = np.argsort(-p, kind="stable")
            hits = np.cumsum(y[order])
            axes.step(hits / y.sum(), hits / np.arange(1, len(y) + 1), where="post", color=_ACCENT)
            if thresholds is not None and (chosen := p >= thresholds[i]).any():
                point = (y[chosen].sum() / y.sum(), y[chosen].mean())
                axes.plot(*point, "o", color=_SOFT)
                axes.annotate(
                    f"{thresholds[i]:.2f}", point, (-6, -14), textcoords="offset points", ha="right"
                )
        score = average_precision(truth[:, i], probabilities[:, i])
        axes.set_title(label if score is None else f"{label}  AP {score:.2f}", fontsize=10)
        _unit(axes, "recall", "precision" if not i else "")
    return figure


def reliability(
    truth: NDArray[np.float32],
    raw: Probabilities,
    calibrated: Probabilities,
    labels: Sequence[str],
    task: Task,
    bins: int = 10,
) -> Figure:
    """Draw how often what was said with some confidence held, before and after calibration."""
    names = list(labels) if task == "topics" else ["decided stance"]
    before, after = questions(truth, raw, task), questions(truth, calibrated, task)
    figure = _figure(_PANEL_INCHES * len(names), _PANEL_INCHES)
    for i, (name, one, other) in enumerate(zip(names, before, after, strict=False)):
        axes = figure.add_subplot(1, len(names), i + 1)
        axes.plot([0, 1], [0, 1], color=_GRID, zorder=0)
        for (holds, confidence), color, when in ((one, _SOFT, "raw"), (other, _ACCENT, "calibrated")):
            points = reliability_bins(holds, confidence, bins)
            axes.plot(points.confidence, points.accuracy, "o-", color=color, markersize=4, label=when)
        axes.set_title(name, fontsize=10)
        _unit(axes, "said probability", "share that held" if not i else "")
        if not i:
            axes.legend(frameon=False, fontsize=8)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _unit(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
