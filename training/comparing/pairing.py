"""Two models' answers to the same rows: differences with paired intervals, and who is right where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Probabilities
from stancewire.predictor import BATCH_ROWS, Predictor
from training.comparing.ground import Report
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import Decisions, counts_of, evaluate, f1, intervals, macro, rows_right
from training.evaluate.scores import Evaluation, Interval


@dataclass(frozen=True)
class Resampling:
    """How sure to be: resamples of whole stories, the share that an interval holds, and the draw."""

    samples: int = 2000
    confidence: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class Answers:
    """A model's calibrated probabilities and its decisions, both [n_rows, n_labels]."""

    probabilities: Probabilities
    decisions: Decisions


@dataclass(frozen=True)
class Differences:
    """B minus A, each with the interval of the difference over the same resamples of stories for both.

    Attributes:
        macro_f1: mean F1 over the labels with positives.
        micro_f1: F1 of all cells pooled.
        exact_match: share of rows with every labelled cell right.
        labels: F1 by label; None without positives.
    """

    macro_f1: Interval
    micro_f1: Interval
    exact_match: Interval
    labels: Mapping[str, Interval | None]


@dataclass(frozen=True)
class McNemar:
    """Rows that one model alone gets right, and how likely so uneven a share is by chance.

    Attributes:
        fixed: rows that A gets wrong and B right.
        broken: rows that A gets right and B wrong.
        p_value: two-sided.
    """

    fixed: int
    broken: int
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """What two models' answers to the same rows say.

    Attributes:
        evaluations: of A and of B, on the same resamples.
        differences: B minus A.
        mcnemar: on rows.
        differing: rows that A and B decide differently.
        resampling: behind every interval.
    """

    evaluations: tuple[Evaluation, Evaluation]
    differences: Differences
    mcnemar: McNemar
    differing: int
    resampling: Resampling

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values but the evaluations."""
        differences = asdict(self.differences)
        return {
            "resampling": asdict(self.resampling),
            "difference": {**differences, "labels": dict(differences["labels"])},
            "mcnemar": asdict(self.mcnemar),
            "differing_rows": self.differing,
        }


def ask(predictor: Predictor, rows: LabelledSet, name: str, report: Report) -> Answers:
    """Ask a model about rows, through the predictor that users load.

    Raises:
        InputError: for a row that cannot be predicted.
    """
    scores: list[list[tuple[float, bool]]] = []
    for start in range(0, len(rows), BATCH_ROWS):
        report(f"asking {name}: {start:,} of {len(rows):,} rows")
        examples: Any = rows.examples[start : start + BATCH_ROWS]
        found = predictor.predict(examples)
        scores += [[(score.probability, score.decision) for score in one.scores] for one in found]
    held = np.asarray(scores, np.float64)
    return Answers(held[:, :, 0].astype(np.float32), held[:, :, 1].astype(np.bool_))


def compare(rows: LabelledSet, a: Answers, b: Answers, resampling: Resampling) -> Comparison:
    """Compare two models.

    Raises:
        EvaluationError: if no row holds any label.
    """
    first, second = (_evaluated(rows, answers, resampling) for answers in (a, b))
    return Comparison(
        evaluations=(first, second),
        differences=differences(rows, a.decisions, b.decisions, resampling),
        mcnemar=mcnemar(rows, a.decisions, b.decisions),
        differing=int((a.decisions != b.decisions).any(axis=1).sum()),
        resampling=resampling,
    )


def differences(rows: LabelledSet, a: Decisions, b: Decisions, resampling: Resampling) -> Differences:
    """Return B minus A in every figure, with paired intervals.

    Both are scored on each resample of stories before they are subtracted, so that what makes a resample
    easy or hard for both cancels out.
    """
    group_of = group_numbers(rows.groups)
    weights = resample_weights(int(group_of.max()) + 1, resampling.samples, resampling.seed)
    interval = intervals(resampling.confidence)

    def by_group(values: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sums = sum_by_group(values, group_of)
        return sums.sum(axis=0), np.tensordot(weights, sums, axes=1)

    (total_a, spread_a), (total_b, spread_b) = (by_group(counts_of(rows.truth, d)) for d in (a, b))
    (right_a, rights_a), (right_b, rights_b) = (by_group(rows_right(rows.truth, d)) for d in (a, b))
    of_labels = f1(total_b) - f1(total_a)
    spreads = f1(spread_b) - f1(spread_a)
    return Differences(
        macro_f1=interval(macro(total_b) - macro(total_a), macro(spread_b) - macro(spread_a)),
        micro_f1=interval(
            f1(total_b.sum(axis=0)) - f1(total_a.sum(axis=0)),
            f1(spread_b.sum(axis=1)) - f1(spread_a.sum(axis=1)),
        ),
        exact_match=interval(_share(right_b - right_a, right_a), _share(rights_b - rights_a, rights_a)),
        labels={
            label: None if np.isnan(of_labels[i]) else interval(of_labels[i], spreads[:, i])
            for i, label in enumerate(rows.labels)
        },
    )


def mcnemar(rows: LabelledSet, a: Decisions, b: Decisions) -> McNemar:
    """Test whether two models are equally often right, on the rows where only one is.

    The exact test: if both were as good, each such row would be either's with probability one half (McNemar,
    "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 1947). It takes rows for independent, which those of one story are not: where it and
    the interval over stories disagree, believe the interval.
    """
    from scipy.stats import binomtest

    fixed, broken = (int(rows_of_change.sum()) for rows_of_change in changed(rows, a, b))
    decided = fixed + broken
    return McNemar(fixed, broken, float(binomtest(fixed, decided).pvalue) if decided else 1.0)


def changed(rows: LabelledSet, a: Decisions, b: Decisions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rows B fixes and which it breaks: bool [n_rows] each; a row without labels is neither."""
    right_a, right_b = (rows_right(rows.truth, decisions)[:, 0] for decisions in (a, b))
    return ~right_a & right_b, right_a & ~right_b


def _evaluated(rows: LabelledSet, answers: Answers, resampling: Resampling) -> Evaluation:
    return evaluate(
        rows.truth,
        answers.probabilities,
        answers.decisions,
        labels=rows.labels,
        task=rows.task,
        groups=rows.groups,
        samples=resampling.samples,
        confidence=resampling.confidence,
        seed=resampling.seed,
    )


def _share(difference: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a difference of right rows as a share of the labelled ones."""
    labelled = of[..., 1]
    return np.where(labelled > 0, difference[..., 0] / np.maximum(labelled, 1), np.nan)
