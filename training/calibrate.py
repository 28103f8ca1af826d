"""Fit calibration on dev: rows that trained nothing."""

from __future__ import annotations

import logging
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from stancewire.calibration import Calibration, Probabilities, Task
from training.evaluate.reliability import labelled_rows

_LOG = logging.getLogger(__name__)

Method: TypeAlias = Literal["none", "platt", "temperature", "vector"]
METHODS: dict[Task, tuple[Method, ...]] = {
    "topics": ("platt", "none"),
    "stance": ("vector", "temperature", "none"),
}

_TINY = 1e-7
# Weight of the prior that nothing need be mended, in rows: slopes stay sane when dev is small or separable.
_PRIOR = 1.0


def fit_calibration(
    probabilities: Probabilities, truth: NDArray[np.float32], task: Task, method: Method
) -> Calibration:
    """Fit a calibration by penalised maximum likelihood, slopes above zero.

    Args:
        probabilities: raw ones, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN (left out), same shape.
        task: "topics" takes "platt" (Platt, 1999) or "none"; "stance" takes "temperature" or "vector" (both
            Guo et al., 2017) or "none".
        method: see there. What the rows cannot tell stays as it is: a topic that holds always or never, a
            stance with one class only; with a class missing, "vector" becomes "temperature".

    Raises:
        ValueError: for a method that does not fit the task.
    """
    if method not in METHODS[task]:
        raise ValueError(f"{task}: wanted a calibration of {', '.join(METHODS[task])}, got {method}")
    n_labels = truth.shape[1]
    if method == "none":
        return Calibration.identity(n_labels)
    p = np.clip(probabilities.astype(np.float64), _TINY, 1 - _TINY)
    if task == "topics":
        fits = [_platt(np.log(p[:, i]) - np.log1p(-p[:, i]), truth[:, i]) for i in range(n_labels)]
        slope, intercept = zip(*fits, strict=True)
        return Calibration(method, slope, intercept)
    known = labelled_rows(truth)
    return _softmax_fit(np.log(p[known]), truth[known].astype(np.float64), method)


def cross_fit(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    groups: tuple[str, ...],
    task: Task,
    method: Method,
    *,
    folds: int,
    seed: int,
) -> Probabilities:
    """Return calibrated probabilities where no row was calibrated by a fit that saw its event cluster.

    Thresholds are chosen on these, so that they never rest on rows that calibrated themselves. With one
    cluster there is nothing else to fit on: its rows stay as they are.
    """
    calibrated = probabilities.copy()
    fold_of = assign_folds(groups, folds, seed)
    for fold in np.unique(fold_of):
        held = fold_of == fold
        fit = fit_calibration(probabilities[~held], truth[~held], task, method)
        calibrated[held] = fit.apply(probabilities[held], task)
    return calibrated


def assign_folds(groups: tuple[str, ...], folds: int, seed: int) -> NDArray[np.intp]:
    """Return a fold for each row, whole groups together, sizes as even as groups allow; deterministic."""
    names, group_of, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold_of_group, load = np.zeros(len(names), dtype=np.intp), np.zeros(max(1, min(folds, len(names))))
    for group in order:
        fold_of_group[group] = int(np.argmin(load))
        load[fold_of_group[group]] += sizes[group]
    return np.asarray(fold_of_group[group_of])


def _platt(logit: NDArray[np.float64], truth: NDArray[np.float32]) -> tuple[float, float]:
    """Return slope and intercept for one label; (1, 0) where dev has one class only."""
    known = ~np.isnan(truth)
    y, z = truth[known].astype(np.float64), logit[known]
    positives = float(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        _LOG.info("calibration: a label that holds on %d of %d rows stays as it is", positives, len(y))
        return 1.0, 0.0
    # Platt's smoothed targets: no row is certain.
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(x: NDArray[np.float64]) -> float:
        q = np.clip(expit(np.exp(x[0]) * z + x[1]), _TINY, 1 - _TINY)
        likelihood = target * np.log(q) + (1 - target) * np.log1p(-q)
        return float(-likelihood.sum() + _PRIOR * (x @ x) / 2)

    x = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-10, 10)]).x
    return float(np.exp(x[0])), float(x[1])


def _softmax_fit(logs: NDArray[np.float64], truth: NDArray[np.float64], method: Method) -> Calibration:
    n_labels = truth.shape[1]
    n_present = int((truth.sum(axis=0) > 0).sum())
    if n_present < 2:
        _LOG.info("calibration: %d rows of %d classes leave stance as it is", len(truth), n_present)
        return Calibration.identity(n_labels)
    if method == "vector" and n_present < n_labels:
        # Its own intercept would push the missing class toward never.
        _LOG.info("calibration: a class without rows, so one temperature for all")
        method = "temperature"

    def unpack(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if method == "temperature":
            return np.full(n_labels, np.exp(x[0])), np.zeros(n_labels)
        return np.exp(x[:n_labels]), x[n_labels:]

    def loss(x: NDArray[np.float64]) -> float:
        slope, intercept = unpack(x)
        likelihood = (truth * log_softmax(slope * logs + intercept, axis=1)).sum()
        return float(-likelihood + _PRIOR * (x @ x) / 2)

    size = 1 if method == "temperature" else 2 * n_labels
    bounds = [(-3.0, 3.0)] * (size if method == "temperature" else n_labels)
    bounds += [(-10.0, 10.0)] * (size - len(bounds))
    slope, intercept = unpack(minimize(loss, np.zeros(size), method="L-BFGS-B", bounds=bounds).x)
    return Calibration(method, tuple(slope.tolist()), tuple(intercept.tolist()))
