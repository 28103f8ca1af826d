"""What an evaluation finds: plain frozen figures that go to the manifest as JSON and come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stancewire.calibration import Task


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelScores:
    """One label's scores; None where the data cannot tell.

    Attributes:
        precision: share of right ones among the decided; None when none was decided.
        recall: share of found ones among the positives; None without positives.
        f1: their harmonic mean, with its interval; None without positives.
        average_precision: area under the precision-recall curve as a step sum; None without positives.
        support: labelled rows where the label holds.
        predicted: labelled rows where it was decided.
    """

    precision: float | None
    recall: float | None
    f1: Interval | None
    average_precision: float | None
    support: int
    predicted: int


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How far probabilities are from frequencies: ECE (see reliability) and Brier score."""

    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class KeptLabel:
    """How often a label was decided; so many of those were kept from review; so many of these were right."""

    decided: int
    kept: int
    right: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What abstention buys.

    Attributes:
        asked: share of right ones that it was chosen, on dev, to keep.
        coverage: share of decisions kept from review: of labelled cells (topics) or rows (stance).
        right: share of right ones among those; None when none was kept.
        labels: counts by label, of where it was decided.
    """

    asked: float
    coverage: Interval
    right: Interval | None
    labels: dict[str, KeptLabel]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Kept:
        """Read what `asdict` made."""
        right = values["right"]
        return cls(
            values["asked"],
            Interval(**values["coverage"]),
            None if right is None else Interval(**right),
            {label: KeptLabel(**counts) for label, counts in values["labels"].items()},
        )


@dataclass(frozen=True, slots=True)
class SetScores:
    """How good conformal sets of stances are.

    Attributes:
        level: share that they were chosen, on dev, to hold.
        coverage: share of an event's rows whose set holds the true stance, averaged over events.
        size: stances in a row's set, on average.
        single: share of rows with one stance in their set.
    """

    level: float
    coverage: Interval
    size: float
    single: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model's scores on one set of rows.

    Attributes:
        macro_f1: mean F1 over the labels that have positives.
        micro_f1: F1 of all cells pooled; for stance this is accuracy.
        exact_match: share of rows with every labelled cell right, among rows with any.
        labels: scores by label, in the model's order.
        before: calibration of the raw probabilities; None when they were not given.
        after: calibration of the calibrated probabilities.
        n_rows, n_groups: rows and event clusters judged.
        confidence: of every interval; they are percentiles over resampled event clusters.
        warnings: what the figures leave out.
        margins: by baseline, this model's macro-F1 minus the baseline's, both on the same resamples: an
            interval above 0 says that the model is better than the baseline, which overlapping intervals of
            the two scores cannot deny.
        kept: what is kept from review; None where the model flags nothing.
        sets: how good the sets of stances are; None where the model makes none.
    """

    task: Task
    macro_f1: Interval
    micro_f1: Interval
    exact_match: Interval
    labels: dict[str, LabelScores]
    before: CalibrationScores | None
    after: CalibrationScores
    n_rows: int
    n_groups: int
    confidence: float
    warnings: tuple[str, ...]
    margins: dict[str, Interval] = field(default_factory=dict)
    kept: Kept | None = None
    sets: SetScores | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: no NaN, no tuple."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """Read what `to_dict` wrote, such as a manifest's metrics.

        Raises:
            KeyError, TypeError: for anything else.
        """
        before = values["before"]
        scores = {name: Interval(**values[name]) for name in ("macro_f1", "micro_f1", "exact_match")}
        labels = {
            label: LabelScores(**{**found, "f1": None if found["f1"] is None else Interval(**found["f1"])})
            for label, found in values["labels"].items()
        }
        rest = {
            **scores,
            "labels": labels,
            "before": None if before is None else CalibrationScores(**before),
            "after": CalibrationScores(**values["after"]),
            "warnings": tuple(values["warnings"]),
            "margins": {name: Interval(**found) for name, found in values["margins"].items()},
            "kept": None if values.get("kept") is None else Kept.from_dict(values["kept"]),
            "sets": None if values.get("sets") is None else _sets(values["sets"]),
        }
        return cls(**{**values, **rest})

    def flat_metrics(self, prefix: str) -> dict[str, float]:
        """Return every figure under a slash name, such as "test/macro_f1_low" or "test/f1/sanctions"."""
        flat = {
            **_flat(f"{prefix}/macro_f1", self.macro_f1),
            **_flat(f"{prefix}/micro_f1", self.micro_f1),
            **_flat(f"{prefix}/exact_match", self.exact_match),
        }
        for label, scores in self.labels.items():
            if scores.f1:
                flat |= {
                    f"{prefix}/f1/{label}": scores.f1.value,
                    f"{prefix}/f1_low/{label}": scores.f1.low,
                    f"{prefix}/f1_high/{label}": scores.f1.high,
                }
            for name in ("precision", "recall", "average_precision"):
                value: float | None = getattr(scores, name)
                flat |= {} if value is None else {f"{prefix}/{name}/{label}": value}
            flat[f"{prefix}/support/{label}"] = float(scores.support)
        for when, found in (("before", self.before), ("after", self.after)):
            if found is not None:
                flat |= {f"{prefix}/ece_{when}": found.ece, f"{prefix}/brier_{when}": found.brier}
        if self.kept is not None:
            flat |= _flat(f"{prefix}/kept", self.kept.coverage)
            flat |= _flat(f"{prefix}/kept_right", self.kept.right) if self.kept.right else {}
        if self.sets is not None:
            flat |= _flat(f"{prefix}/set_coverage", self.sets.coverage) | {
                f"{prefix}/set_size": self.sets.size
            }
        for name, margin in self.margins.items():
            flat |= _flat(f"{prefix}/macro_f1_over_{name}", margin)
        return flat


def _sets(values: Mapping[str, Any]) -> SetScores:
    return SetScores(**{**values, "coverage": Interval(**values["coverage"])})


def _flat(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
