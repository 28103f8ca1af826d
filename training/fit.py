"""Fit a family on train, mend its probabilities and set its thresholds on dev, ask it about test once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.base import ALONE, Family, FamilyConfig, FitContext, LabelledSet
from models.registry import family
from stancewire.calibration import Calibration, Probabilities, decide
from stancewire.doubt import Abstention, Conformal
from training.abstain import choose_abstention
from training.calibrate import choose_methods, cross_fit, fit_calibration
from training.config import RunConfig
from training.conformal import choose_conformal
from training.evaluate.doubts import with_doubts
from training.evaluate.metrics import evaluate
from training.evaluate.scores import Evaluation
from training.export import Fitted
from training.prepare import Parts
from training.thresholds import choose_thresholds

Decisions = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """A fitted model and its answers on test.

    Attributes:
        fitted: the family, its calibration and thresholds.
        raw: probabilities before calibration, float32 [n_rows, n_labels].
        probabilities: after it.
        decisions: bool, same shape.
        warnings: what dev could not grant.
    """

    fitted: Fitted
    raw: Probabilities
    probabilities: Probabilities
    decisions: Decisions
    warnings: tuple[str, ...] = ()


def fit(
    config: RunConfig,
    model: FamilyConfig,
    parts: Parts,
    context: FitContext = ALONE,
    *,
    learned: Family | None = None,
) -> Trial:
    """Fit one model.

    Args:
        config: of the run.
        model: of the family; the run's own, or a variant such as the target-blind one.
        parts: of the data.
        context: where the fit is kept and logged.
        learned: the model, where it was fitted on these parts before.

    Raises:
        FitError: if the rows cannot teach what is asked.
    """
    train, dev, test = parts.train, parts.dev, parts.test
    learned = learned or family(model.family)(model, seed=config.seed).fit(train, dev, parts.around(context))
    raw_dev = learned.predict_probabilities(dev.examples)
    calibration, held_out = _calibrate(config, raw_dev, dev)
    thresholds, warnings = choose_thresholds(
        held_out,
        dev.truth,
        dev.groups,
        config.task,
        labels=dev.labels,
        objectives=config.thresholds.of(dev.labels),
        min_positives=config.thresholds.min_positives,
        seed=config.seed,
    )
    abstention, doubts = _abstain(config, held_out, dev, thresholds)
    conformal, too_few = _conform(config, held_out, dev)
    raw = learned.predict_probabilities(test.examples)
    probabilities = calibration.apply(raw, config.task)
    decisions = decide(probabilities, np.asarray(thresholds, dtype=np.float32), config.task)
    fitted = Fitted(learned, config.task, train.labels, calibration, thresholds, abstention, conformal)
    return Trial(fitted, raw, probabilities, decisions, warnings + doubts + too_few)


def _calibrate(config: RunConfig, raw: Probabilities, dev: LabelledSet) -> tuple[Calibration, Probabilities]:
    """Return the calibration, and dev as calibrated by others' labels than the row's own story's."""
    asked, cut = config.calibration, {"folds": config.calibration.folds, "seed": config.seed}
    method = (
        choose_methods(raw, dev.truth, dev.groups, config.task, **cut)
        if asked.method == "auto"
        else asked.method
    )
    held_out = cross_fit(raw, dev.truth, dev.groups, config.task, method, **cut)
    return fit_calibration(raw, dev.truth, config.task, method), held_out


def _abstain(
    config: RunConfig, held_out: Probabilities, dev: LabelledSet, thresholds: tuple[float, ...]
) -> tuple[Abstention | None, tuple[str, ...]]:
    """Return which decisions are for review, and what dev cannot vouch for."""
    share = config.abstention.share(config.task)
    if share is None:
        return None, ()
    decisions = decide(held_out, np.asarray(thresholds, dtype=np.float32), config.task)
    return choose_abstention(
        held_out,
        dev.truth,
        decisions,
        dev.groups,
        config.task,
        labels=dev.labels,
        keep_precision=share,
        seed=config.seed,
    )


def _conform(
    config: RunConfig, held_out: Probabilities, dev: LabelledSet
) -> tuple[Conformal | None, tuple[str, ...]]:
    """Return which stances stay possible, and whether dev is too small to tell."""
    if config.task != "stance" or config.conformal.level is None:
        return None, ()
    return choose_conformal(held_out, dev.truth, dev.groups, config.conformal.level)


def judge(
    config: RunConfig, trial: Trial, parts: Parts, baselines: dict[str, Decisions] | None = None
) -> Evaluation:
    """Score a trial on test, with margins over the decisions of others."""
    found = judge_answers(
        config, trial.probabilities, trial.decisions, parts, raw=trial.raw, baselines=baselines
    )
    fitted = trial.fitted
    return with_doubts(
        replace(found, warnings=found.warnings + trial.warnings),
        parts.test,
        trial.probabilities,
        trial.decisions,
        abstention=fitted.abstention,
        conformal=fitted.conformal,
        samples=config.evaluation.samples,
        seed=config.seed,
    )


def judge_answers(
    config: RunConfig,
    probabilities: Probabilities,
    decisions: Decisions,
    parts: Parts,
    *,
    raw: Probabilities | None = None,
    baselines: dict[str, Decisions] | None = None,
) -> Evaluation:
    """Score answers on test as the config says; every model of a run is judged on the same resamples."""
    return evaluate(
        parts.test.truth,
        probabilities,
        decisions,
        labels=parts.test.labels,
        task=config.task,
        groups=parts.test.groups,
        raw_probabilities=raw,
        baselines=baselines,
        samples=config.evaluation.samples,
        confidence=config.evaluation.confidence,
        bins=config.evaluation.bins,
        seed=config.seed,
    )
