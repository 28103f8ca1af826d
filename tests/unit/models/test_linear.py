"""The linear family's own: partial labels, weights, the choice of C, equality with its runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.base import FitContext, LabelledSet
from models.errors import FitError
from models.linear import Linear, LinearConfig
from models.linear_rows import frequent, macro_f1
from stancewire.examples import Article, StanceExample
from stancewire.runtime.linear import LinearRuntime
from tests.unit.models.rows import bundled_articles, bundled_stances, exported, stance_rows, topics_rows
from tests.unit.models.test_family_contract import CASES, Case

LINEAR = {name: case for name, case in CASES.items() if case.family == "linear"}


@pytest.mark.parametrize("case", LINEAR.values(), ids=LINEAR.keys())
def test_the_runtime_equals_scikit_learn(case: Case, tmp_path: Path) -> None:
    """Trained on real text, so that most features of the thousand and more rows are known to it."""
    rows = case.rows()
    examples: Any = bundled_articles() if rows.task == "topics" else bundled_stances()
    assert len(examples) >= 1_000
    train = examples[:120]
    truth = np.tile(rows.truth, (len(train) // len(rows) + 1, 1))[: len(train)]
    taught = LabelledSet(rows.task, train, rows.labels, truth, tuple(f"e{i % 30}" for i in range(len(train))))
    model = Linear(LinearConfig(**case.config(), regularisation=(10.0,)), seed=0).fit(taught, taught)
    found = LinearRuntime(exported(model, tmp_path)).predict(examples)
    wanted = model.predict_probabilities(examples)
    assert np.abs(found.probabilities - wanted).max() <= 1e-6
    assert np.ptp(wanted, axis=0).min() > 0.3
    assert 0 < found.blank.sum() < len(examples) / 10


def test_an_unlabelled_topic_is_not_a_negative() -> None:
    rows = topics_rows(80)
    truth = rows.truth.copy()
    with_envoys = np.flatnonzero(truth[:, 1] == 1)
    truth[with_envoys[5:], 1] = np.nan
    partial = replace(rows, truth=truth)
    config = LinearConfig(regularisation=(3.0,), class_weights=None)
    article = (Article(text="envoys envoys"),)
    masked = Linear(config, seed=0).fit(partial, partial).predict_probabilities(article)
    negative = replace(rows, truth=np.nan_to_num(truth))
    wrong = Linear(config, seed=0).fit(negative, negative).predict_probabilities(article)
    left_out = partial.take(np.flatnonzero(~np.isnan(truth[:, 1])))
    right = Linear(config, seed=0).fit(left_out, left_out).predict_probabilities(article)
    assert masked[0, 1] > wrong[0, 1] + 0.2
    assert abs(masked[0, 1] - right[0, 1]) < abs(masked[0, 1] - wrong[0, 1]) / 2


def test_unlabelled_topics_do_not_count_in_the_choice_of_c() -> None:
    truth = np.asarray([[1, np.nan], [0, 1], [np.nan, 0]], np.float32)
    rows = LabelledSet("topics", (Article(text="a"),) * 3, ("a", "b"), truth, ("x", "y", "z"))
    assert macro_f1(np.asarray([[0.9, 0.9], [0.1, 0.9], [0.9, 0.1]]), rows) == 1
    assert macro_f1(np.asarray([[0.9, 0.9], [0.1, 0.1], [0.9, 0.1]]), rows) == 0.5


def test_a_stance_row_without_its_label_is_refused() -> None:
    rows = stance_rows()
    rows.truth[0] = np.nan
    with pytest.raises(FitError, match="exactly one label on every training row"):
        Linear(LinearConfig(), seed=0).fit(rows, rows)


def probability(weights: object, label: int) -> float:
    """Probability of a label for a sentence that says nothing, under these class weights."""
    rows = stance_rows(90)
    rows = rows.take([i for i in range(90) if i % 3 or i < 30])  # few are against
    config = LinearConfig.model_validate({"regularisation": [1.0], "class_weights": weights})
    model = Linear(config, seed=0).fit(rows, rows)
    example = StanceExample(sentence="Seoul", target="the embargo")
    return float(model.predict_probabilities([example])[0, label])


def test_class_weights_by_label_name() -> None:
    none, heavy, other = probability(None, 0), probability({"against": 9}, 0), probability({"favor": 9}, 0)
    assert other < none < probability("balanced", 0) < heavy
    assert probability({"favor": 9}, 1) > probability(None, 1)


def test_topics_are_weighted_by_name_too() -> None:
    rows = topics_rows()
    heavy = LinearConfig(class_weights={"talks": 20}, regularisation=(0.1,))
    plain = LinearConfig(class_weights=None, regularisation=(0.1,))
    article = (Article(text="nothing"),)
    weighted = Linear(heavy, seed=0).fit(rows, rows).predict_probabilities(article)[0]
    unweighted = Linear(plain, seed=0).fit(rows, rows).predict_probabilities(article)[0]
    assert weighted[0] == unweighted[0]
    assert weighted[1] > unweighted[1] + 0.2


def test_a_weight_for_an_unknown_label_is_refused() -> None:
    rows = topics_rows()
    with pytest.raises(FitError, match="unknown label talk; the labels are arms, talks"):
        Linear(LinearConfig(class_weights={"talk": 2}), seed=0).fit(rows, rows)


@pytest.mark.parametrize(
    "wrong", [{"arms": 0}, {"arms": -1}, {"arms": float("nan")}, "balance", {"arms": True}]
)
def test_a_weight_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        LinearConfig.model_validate({"class_weights": wrong})


def test_several_strengths_need_enough_groups() -> None:
    rows = replace(topics_rows(), groups=("a", "b", "c", "d") * 10)
    with pytest.raises(FitError, match="needs 5 groups of rows, got 4; give one value, or fewer folds"):
        Linear(LinearConfig(), seed=0).fit(rows, rows)
    assert Linear(LinearConfig(folds=4), seed=0).fit(rows, rows).regularisation_ in (1.0, 3.0, 10.0)
    assert Linear(LinearConfig(regularisation=(2.0,)), seed=0).fit(rows, rows).regularisation_ == 2


def test_the_strength_that_generalises_is_chosen() -> None:
    every = topics_rows(160)
    rows = every.take([i for i in range(160) if i % 4 != 3 and (i % 4 == 0 or i < 80)])  # most hold neither
    config = LinearConfig(regularisation=(1e-6, 10.0), class_weights=None)
    assert Linear(config, seed=0).fit(rows, rows).regularisation_ == 10
    turned = LinearConfig(regularisation=(10.0, 1e-6), class_weights=None)
    assert Linear(turned, seed=0).fit(rows, rows).regularisation_ == 10


def test_further_rows_teach_by_their_weight() -> None:
    train = topics_rows()
    others = replace(train, truth=1 - train.truth).take(range(10))
    config = LinearConfig(regularisation=(1.0,))

    def learned(rows: LabelledSet, *extra: tuple[LabelledSet, float]) -> np.ndarray:
        fitted = Linear(config, seed=0).fit(rows, rows, FitContext(extra=extra))
        return fitted.predict_probabilities(train.examples[:8])

    plain, once, twice = learned(train), learned(train, (others, 1.0)), learned(train, (others, 2.0))
    both = replace(
        train,
        examples=(*train.examples, *others.examples),
        truth=np.concatenate([train.truth, others.truth]),
        groups=(*train.groups, *others.groups),
    )
    assert np.array_equal(once, learned(both))
    assert np.abs(twice - plain).max() > np.abs(once - plain).max() > 0.02


def test_further_rows_judge_in_no_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[LabelledSet] = []

    def told(probabilities: np.ndarray, rows: LabelledSet) -> float:
        judged.append(rows)
        return macro_f1(probabilities, rows)

    monkeypatch.setattr("models.linear.macro_f1", told)
    train = topics_rows()
    others = replace(train, truth=1 - train.truth)
    Linear(LinearConfig(), seed=0).fit(train, train, FitContext(extra=((others, 1.0),)))
    assert [rows.examples for rows in judged] == [train.examples] * 3


def test_frequent_terms() -> None:
    rows = [["b", "b", "b", "a"], ["a", "c"], ["c", "d"], ["c"]]
    assert frequent(rows, 1, 9) == ["a", "b", "c", "d"]
    assert frequent(rows, 2, 9) == ["a", "c"]
    assert frequent(rows, 1, 2) == ["a", "c"]


def test_few_terms_only_when_asked(tmp_path: Path) -> None:
    rows = topics_rows()
    model = Linear(LinearConfig(max_terms=3), seed=0).fit(rows, rows)
    assert exported(model, tmp_path).manifest.model["terms"] == {"words": 3}
