"""Losses against plain formulas, and what masks, weights and smoothing mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from models.base import LabelledSet
from models.encoder.config import EncoderConfig
from models.encoder.losses import Loss
from tests.unit.models.rows import stance_rows, topics_rows

RNG = np.random.default_rng(0)
LOGITS = torch.from_numpy(RNG.normal(size=(6, 3)).astype(np.float32))
CLASSES = np.array([0, 1, 2, 1, 0, 1])
STANCE: NDArray[np.float32] = np.eye(3, dtype=np.float32)[CLASSES]
TOPICS = (RNG.random((6, 3)) < 0.5).astype(np.float32)


def plain(task: str, **changes: object) -> Loss:
    ones = np.ones(3, np.float32)
    loss = Loss("topics" if task == "topics" else "stance", ones, ones, 0.0, 0.0)
    return replace(loss, **changes)  # type: ignore[arg-type]


def mean(loss: Loss, truth: NDArray[np.float32], logits: torch.Tensor = LOGITS) -> float:
    return float(loss.total(logits, truth)) / loss.size(truth)


def test_stance_is_cross_entropy() -> None:
    wanted = functional.cross_entropy(LOGITS, torch.from_numpy(CLASSES))
    assert mean(plain("stance"), STANCE) == pytest.approx(float(wanted), abs=1e-6)


def test_topics_are_binary_cross_entropy() -> None:
    wanted = functional.binary_cross_entropy_with_logits(LOGITS, torch.from_numpy(TOPICS))
    assert mean(plain("topics"), TOPICS) == pytest.approx(float(wanted), abs=1e-6)


def test_smoothing_is_that_of_torch() -> None:
    wanted = functional.cross_entropy(LOGITS, torch.from_numpy(CLASSES), label_smoothing=0.2)
    assert mean(plain("stance", smoothing=0.2), STANCE) == pytest.approx(float(wanted), abs=1e-6)


def test_class_weights_are_those_of_torch() -> None:
    weights = np.array([1.0, 3.0, 0.5], np.float32)
    wanted = functional.cross_entropy(LOGITS, torch.from_numpy(CLASSES), weight=torch.from_numpy(weights))
    assert mean(plain("stance", holds=weights), STANCE) == pytest.approx(float(wanted), abs=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_of_a_class_is_its_formula(gamma: float) -> None:
    p = torch.softmax(LOGITS, dim=1)[torch.arange(6), torch.from_numpy(CLASSES)]
    wanted = -((1 - p) ** gamma * p.log()).mean()
    assert mean(plain("stance", focal_gamma=gamma), STANCE) == pytest.approx(float(wanted), abs=1e-6)


def test_the_focal_loss_of_topics_is_its_formula() -> None:
    p = torch.sigmoid(LOGITS)
    right = torch.where(torch.from_numpy(TOPICS) == 1, p, 1 - p)
    wanted = -((1 - right) ** 2 * right.log()).mean()
    assert mean(plain("topics", focal_gamma=2.0), TOPICS) == pytest.approx(float(wanted), abs=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_what_is_not_labelled_is_no_negative(gamma: float) -> None:
    truth = TOPICS.copy()
    truth[0, 1] = truth[3] = np.nan
    loss = plain("topics", focal_gamma=gamma, smoothing=0.1)
    known = ~np.isnan(truth)
    cells = loss._topics(LOGITS, torch.from_numpy(np.nan_to_num(truth)))
    assert mean(loss, truth) == pytest.approx(float(cells[torch.from_numpy(known)].mean()), abs=1e-6)
    logits = LOGITS.clone().requires_grad_()
    loss.total(logits, truth).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[3] == 0).all()
    assert logits.grad[0, 1] == 0
    assert loss.size(truth) == known.sum()


def test_parts_of_a_step_add_up_to_the_whole() -> None:
    for loss, truth in ((plain("stance"), STANCE), (plain("topics"), TOPICS)):
        parts = sum(float(loss.total(LOGITS[i:j], truth[i:j])) for i, j in ((0, 2), (2, 5), (5, 6)))
        assert parts == pytest.approx(float(loss.total(LOGITS, truth)), abs=1e-5)


def weights_of(rows: LabelledSet, weights: object) -> tuple[list[float], list[float]]:
    loss = Loss.of(EncoderConfig.model_validate({"class_weights": weights}), rows)
    return loss.holds.tolist(), loss.fails.tolist()


def test_weights_by_name_are_of_rows_where_the_label_holds() -> None:
    rows = topics_rows()
    assert weights_of(rows, {"talks": 4.0}) == ([1.0, 4.0], [1.0, 1.0])
    assert weights_of(rows, None) == ([1.0, 1.0], [1.0, 1.0])


def test_balanced_weights_make_classes_weigh_alike() -> None:
    stances = stance_rows().take([*range(30), 31, 34, 37])
    loss = Loss.of(EncoderConfig(class_weights="balanced"), stances)
    totals = (stances.truth * loss.holds).sum(axis=0)
    assert totals == pytest.approx([totals[0]] * 3)
    topics = topics_rows()
    topics.truth[:25, 0] = 0
    topics.truth[30:, 1] = np.nan
    loss = Loss.of(EncoderConfig(class_weights="balanced"), topics)
    with_it, without = (topics.truth == 1).sum(axis=0), (topics.truth == 0).sum(axis=0)
    assert with_it * loss.holds == pytest.approx(without * loss.fails)


def test_the_loss_of_a_config() -> None:
    rows = stance_rows()
    assert Loss.of(EncoderConfig(), rows).focal_gamma == 0
    focal = Loss.of(EncoderConfig(loss="focal", focal_gamma=1.5, label_smoothing=0.1), rows)
    assert (focal.focal_gamma, focal.smoothing, focal.task) == (1.5, 0.1, "stance")
