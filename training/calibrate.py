"""Choose and fit calibration on dev: rows that trained nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from stancewire.calibration import Calibration, Probabilities, Task
from training.evaluate.reliability import labelled_rows

_LOG = logging.getLogger(__name__)

Method: TypeAlias = Literal["none", "platt", "temperature", "vector"]
# Richest first. Isotonic regression is not among them: its steps need about a thousand rows (Niculescu-Mizil
# and Caruana, 2005) where a dev set has a hundred.
METHODS: dict[Task, tuple[Method, ...]] = {
    "topics": ("platt", "none"),
    "stance": ("vector", "temperature", "none"),
}

_TINY = 1e-7
# Log losses that differ by less are equal: what fits of one thing may differ by.
_EQUAL = 1e-6
# Weight of the prior that nothing need be mended, in rows: slopes stay sane when dev is small or separable.
_PRIOR = 1.0


def choose_methods(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    groups: tuple[str, ...],
    task: Task,
    *,
    folds: int,
    seed: int,
) -> tuple[Method, ...]:
    """Return the method of each label whose cross-fitted log loss is the smallest.

    Each row is judged by fits that never saw its event cluster, so that a richer method wins only where it
    serves other events. Topics choose label by label, stance one method for all. Of methods that do equally
    well the simplest is taken: so "none" where there is one cluster, or nothing is labelled.

    Args:
        probabilities: raw ones, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN (left out), same shape.
        groups: event cluster of each row.
        task: whose methods are tried.
        folds: parts into which the clusters are cut.
        seed: of the cut.
    """
    n_labels = truth.shape[1]
    best, chosen = np.full(n_labels, np.inf), [METHODS[task][-1]] * n_labels
    for method in reversed(METHODS[task]):
        tried = cross_fit(probabilities, truth, groups, task, method, folds=folds, seed=seed)
        loss = _log_loss(tried, truth, task)
        for label in np.flatnonzero(loss < best - _EQUAL):
            best[label], chosen[label] = loss[label], method
        _LOG.info("calibration: %s has a log loss of %s on dev", method, np.round(loss, 4).tolist())
    return tuple(chosen)


def fit_calibration(
    probabilities: Probabilities, truth: NDArray[np.float32], task: Task, method: Method | Sequence[Method]
) -> Calibration:
    """Fit a calibration by penalised maximum likelihood, slopes above zero.

    Args:
        probabilities: raw ones, float32 [n_rows, n_labels].
        truth: 1, 0 or NaN (left out), same shape.
        task: "topics" takes "platt" (Platt, 1999) or "none"; "stance" takes "temperature" or "vector" (both
            Guo et al., 2017) or "none".
        method: see there; one for all labels, or one for each (stance takes one for all). What the rows
            cannot tell stays as it is: a topic that holds always or never, a stance with one class only; with
            a class missing, "vector" becomes "temperature".

    Raises:
        ValueError: for a method that does not fit the task.
    """
    n_labels = truth.shape[1]
    methods = (method,) * n_labels if isinstance(method, str) else tuple(method)
    if wrong := [name for name in methods if name not in METHODS[task]]:
        raise ValueError(f"{task}: wanted a calibration of {', '.join(METHODS[task])}, got {wrong[0]}")
    if len(methods) != n_labels or (task == "stance" and len(set(methods)) > 1):
        wanted = "one method" if task == "stance" else f"one method for each of {n_labels} labels"
        raise ValueError(f"{task}: wanted {wanted}, got {', '.join(methods)}")
    if set(methods) == {"none"}:
        return Calibration.identity(n_labels)
    p = np.clip(probabilities.astype(np.float64), _TINY, 1 - _TINY)
    if task == "topics":
        fits = [
            _platt(np.log(p[:, i]) - np.log1p(-p[:, i]), truth[:, i]) if name == "platt" else (1.0, 0.0)
            for i, name in enumerate(methods)
        ]
        slope, intercept = zip(*fits, strict=True)
        return Calibration("platt", slope, intercept)
    known = labelled_rows(truth)
    return _softmax_fit(np.log(p[known]), truth[known].astype(np.float64), methods[0])


def cross_fit(
    probabilities: Probabilities,
    truth: NDArray[np.float32],
    groups: tuple[str, ...],
    task: Task,
    method: Method | Sequence[Method],
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


def _log_loss(probabilities: Probabilities, truth: NDArray[np.float32], task: Task) -> NDArray[np.float64]:
    """Return the mean log loss of each label's labelled cells; for stance that of the rows, for all labels.

    A label without any has none to lose: 0.
    """
    p = np.clip(probabilities.astype(np.float64), _TINY, 1 - _TINY)
    if task == "stance":
        known = labelled_rows(truth)
        rows = -(truth[known] * np.log(p[known])).sum(axis=1)
        return np.full(truth.shape[1], rows.mean() if len(rows) else 0.0)
    cells = -np.where(truth == 1, np.log(p), np.log1p(-p))
    labelled = ~np.isnan(truth)
    return np.asarray(np.where(labelled, cells, 0).sum(axis=0) / np.maximum(labelled.sum(axis=0), 1))


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
