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
_PANEL_INCHES = 2.9
_CELL_INCHES, _NAME_INCHES = 0.62, 0.085
_PANELS_PER_ROW = 4
# Longer label names are cut: the figure's size depends on how many there are, not on how long.
_NAME_CHARS = 24


def confusion(
    truth: NDArray[np.float32], decisions: NDArray[np.bool_], labels: Sequence[str], task: Task
) -> Figure:
    """Draw true against decided labels; a cell holds its count, its shade the share of the true label's rows.

    Stance: the confusion matrix. Topics: among rows where the row's topic holds (or none does), how often the
    column's was decided; several may be, so counts of a row need not sum to its support. Topics of a row that
    is not labelled in every column are left out of "none".
    """
    holds, decided, names = truth == 1, decisions, [_cut(label) for label in labels]
    if task == "topics":
        holds = np.column_stack([holds, (truth == 0).all(axis=1)])
        decided = np.column_stack([decided, ~decided.any(axis=1)])
        names.append("none")
    counts = holds.T.astype(int) @ decided.astype(int)
    support = holds.sum(axis=0)
    share = counts / np.maximum(1, support)[:, None]
    size = _CELL_INCHES * len(names)
    margin = _NAME_INCHES * max(map(len, names))
    figure = _figure(size + margin + 1.2, size + margin * 0.6 + 0.7)
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if share[row, column] > 0.55 else _INK
        axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=9)
    axes.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    rows = [f"{name}  ({count})" for name, count in zip(names, support, strict=True)]
    axes.set_yticks(range(len(names)), rows)
    axes.set_xlabel("decided")
    axes.set_ylabel("true (rows)")
    _style(axes)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def precision_recall(
    truth: NDArray[np.float32],
    probabilities: Probabilities,
    thresholds: Sequence[float] | None,
    labels: Sequence[str],
) -> Figure:
    """Draw one precision-recall curve per label; a dot marks the threshold in use, where there is one.

    A broken line marks the label's share of the rows: the precision of a guess.
    """
    figure, panels = _panels(len(labels), "recall", "precision")
    for i, (axes, label) in enumerate(zip(panels, labels, strict=True)):
        known = ~np.isnan(truth[:, i])
        y, p = truth[known, i] == 1, probabilities[known, i]
        score = average_precision(truth[:, i], probabilities[:, i])
        if score is not None:
            order = np.argsort(-p, kind="stable")
            ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
            hits = np.cumsum(y[order])[ends]
            axes.axhline(y.mean(), color=_INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.5)
            axes.plot(hits / y.sum(), hits / (ends + 1), color=_ACCENT, drawstyle="steps-pre")
            if thresholds is not None:
                _mark(axes, y, p, thresholds[i])
        figures = "no positives" if score is None else f"AP {score:.2f}"
        axes.set_title(f"{_cut(label)}\n{figures}, {int(y.sum())} of {len(y)} rows", fontsize=9, color=_INK)
    return figure


def reliability(
    truth: NDArray[np.float32],
    raw: Probabilities,
    calibrated: Probabilities,
    labels: Sequence[str],
    task: Task,
    bins: int = 10,
) -> Figure:
    """Draw how often what was said with some confidence held, before and after calibration.

    One point per bin of equal mass; on the diagonal the probabilities are true.
    """
    names = [_cut(label) for label in labels] if task == "topics" else ["likeliest stance"]
    figure, panels = _panels(len(names), "said probability", "share that held")
    asked = zip(questions(truth, raw, task), questions(truth, calibrated, task), strict=True)
    for axes, name, (before, after) in zip(panels, names, asked, strict=True):
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.5)
        for question, color, when in ((before, _SOFT, "raw"), (after, _ACCENT, "calibrated")):
            points = reliability_bins(*question, bins)
            axes.plot(points.confidence, points.accuracy, "o-", color=color, markersize=4, label=when)
        axes.set_title(f"{name}\n{len(before.holds)} rows", fontsize=9, color=_INK)
    panels[0].legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _mark(axes: Axes, y: NDArray[np.bool_], p: NDArray[np.float32], threshold: float) -> None:
    """Mark where a threshold cuts, with its figure on the side that has room."""
    decided = p >= np.float32(threshold)
    if not decided.any():
        return
    recall, precision = y[decided].sum() / y.sum(), y[decided].mean()
    axes.plot(recall, precision, "o", color=_SOFT, clip_on=False, zorder=3)
    across, up = (-6 if recall > 0.5 else 6), (-13 if precision > 0.2 else 7)
    side = "right" if recall > 0.5 else "left"
    axes.annotate(
        f"{threshold:.2f}",
        (recall, precision),
        (across, up),
        textcoords="offset points",
        ha=side,
        fontsize=8,
        color=_SOFT,
    )


def _panels(count: int, x: str, y: str) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many unit squares, at most four side by side; the outer ones are named."""
    columns = min(count, _PANELS_PER_ROW)
    rows = -(-count // columns)
    figure = _figure(_PANEL_INCHES * columns + 0.3, (_PANEL_INCHES + 0.4) * rows)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    for i, axes in enumerate(panels):
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        axes.set_xlabel(x if i + columns >= count else "")
        axes.set_ylabel(y if i % columns == 0 else "")
        axes.grid(color=_GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        _style(axes)
    return figure, panels


def _style(axes: Axes) -> None:
    axes.tick_params(colors=_INK, labelsize=8)
    axes.xaxis.label.set(color=_INK, fontsize=9)
    axes.yaxis.label.set(color=_INK, fontsize=9)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    FigureCanvasAgg(figure)
    return figure


def _cut(name: str) -> str:
    # A dollar sign would open a formula.
    shown = name if len(name) <= _NAME_CHARS else f"{name[: _NAME_CHARS - 1]}…"
    return shown.replace("$", r"\$")
