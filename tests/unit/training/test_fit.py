"""Fitting and judging: what learns from which part, and what is shipped answers as what was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import training.fit
from models.base import Family, LabelledSet
from stancewire.artefact import Artefact
from stancewire.calibration import decide
from stancewire.codebook import Codebook
from stancewire.examples import StanceExample
from tests.corpora import rows_of, write_jsonl
from training.abstain import Chosen, choose_abstention
from training.calibrate import choose_methods, cross_fit
from training.config import RunConfig
from training.conformal import choose_conformal
from training.data.codebook import load_codebook
from training.export import Fitted, export
from training.fit import Trial, fit, judge
from training.parity import ParityError, check_parity
from training.prepare import Corpora, Parts, Prepared, prepare

Case = tuple[Prepared, Trial]


@pytest.fixture(scope="module", params=["topics", "stance"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    path = write_jsonl(tmp_path_factory.mktemp("corpus") / "a.jsonl", rows_of(90))
    values = {"task": request.param, "data": {"path": str(path)}, "model": {"min_documents": 1}}
    config = RunConfig.model_validate(values)
    prepared = prepare(config, Corpora(), lambda step: None)
    return prepared, fit(config, config.model, prepared.parts)


def turned(rows: LabelledSet) -> LabelledSet:
    return replace(rows, truth=np.roll(rows.truth, 1, axis=1))


def refit(prepared: Prepared, parts: Parts) -> Trial:
    return fit(prepared.config, prepared.config.model, parts)


def test_a_model_that_was_fitted_before_is_not_fitted_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, trial = case
    monkeypatch.setattr(training.fit, "family", None)
    again = fit(prepared.config, prepared.config.model, prepared.parts, learned=trial.fitted.family)
    assert again.fitted == trial.fitted
    assert np.array_equal(again.probabilities, trial.probabilities)


def test_a_trial_decides_by_its_own_thresholds(case: Case) -> None:
    prepared, trial = case
    n_labels = len(prepared.parts.train.labels)
    assert trial.raw.shape == trial.probabilities.shape == (len(prepared.parts.test), n_labels)
    thresholds = np.asarray(trial.fitted.thresholds, np.float32)
    expected = decide(trial.probabilities, thresholds, prepared.config.task)
    assert np.array_equal(trial.decisions, expected)
    mended = trial.fitted.calibration.apply(trial.raw, prepared.config.task)
    assert np.array_equal(trial.probabilities, mended)


def test_the_truth_of_test_changes_nothing_that_is_learned(case: Case) -> None:
    prepared, trial = case
    test = prepared.parts.test
    other = refit(prepared, replace(prepared.parts, test=turned(test)))
    assert (other.fitted.calibration, other.fitted.thresholds) == (
        trial.fitted.calibration,
        trial.fitted.thresholds,
    )
    assert np.array_equal(other.raw, trial.raw)


def test_dev_calibrates_and_sets_thresholds_but_teaches_nothing(case: Case) -> None:
    prepared, trial = case
    dev = prepared.parts.dev
    other = refit(prepared, replace(prepared.parts, dev=turned(dev)))
    assert np.array_equal(other.raw, trial.raw)
    assert other.fitted.calibration != trial.fitted.calibration


def test_the_target_blind_variant_ignores_the_target(case: Case) -> None:
    prepared, _ = case
    if prepared.config.task == "topics":
        return
    parts = prepared.parts
    asked = [one for one in parts.test.examples if isinstance(one, StanceExample)]
    swapped = [replace(one, target="another target") for one in asked]
    seen = {}
    for blind in (True, False):
        model = prepared.config.model.model_copy(update={"target_blind": blind})
        family = fit(prepared.config, model, parts).fitted.family
        before, after = (family.predict_probabilities(rows) for rows in (asked, swapped))
        seen[blind] = bool(np.array_equal(before, after))
    assert seen == {True: True, False: False}


def test_every_model_of_a_run_is_judged_on_the_same_rows(case: Case) -> None:
    prepared, trial = case
    none = np.zeros_like(trial.decisions)
    found = judge(prepared.config, trial, prepared.parts, {"itself": trial.decisions, "nothing": none})
    assert found.n_rows == len(prepared.parts.test)
    assert found.margins["itself"].value == found.margins["itself"].low == found.margins["itself"].high == 0
    assert found.margins["nothing"].value == pytest.approx(found.macro_f1.value)


def test_what_dev_cannot_grant_is_told_with_the_scores(case: Case) -> None:
    prepared, _ = case
    label = prepared.parts.train.labels[0]
    wanted = {"by_label": {label: {"objective": "precision", "at_least": 0.999}}}
    values = prepared.config.model_dump(exclude={"model"}) | {"thresholds": wanted}
    values |= {"model": {"min_documents": 1}, "abstention": {"keep_precision": 0.999}}
    config = RunConfig.model_validate(values)
    trial = fit(config, config.model, prepared.parts)
    first, *others = trial.warnings
    assert first.startswith(f"{label}: ")
    assert "a precision of 0.999" in first
    assert others
    assert all(warning.endswith("so all are for review") for warning in others)
    assert set(trial.warnings) <= set(judge(config, trial, prepared.parts).warnings)


def test_doubts_rest_on_dev_as_others_calibrated_it(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, _ = case
    config, dev = prepared.config, prepared.parts.dev
    seen: list[tuple[Any, ...]] = []

    def spy(*rows: Any, **settings: Any) -> Chosen:  # noqa: ANN401 - passed on
        seen.append(rows)
        return choose_abstention(*rows, **settings)

    monkeypatch.setattr(training.fit, "choose_abstention", spy)
    fitted = refit(prepared, prepared.parts).fitted
    raw = fitted.family.predict_probabilities(dev.examples)
    rows, folds = (raw, dev.truth, dev.groups, config.task), config.calibration.folds
    methods = choose_methods(*rows, folds=folds, seed=config.seed)
    said = cross_fit(*rows, methods, folds=folds, seed=config.seed)
    ((asked, truth, decisions, groups, task),) = seen
    assert np.array_equal(asked, said)
    assert np.array_equal(decisions, decide(said, np.asarray(fitted.thresholds, np.float32), config.task))
    assert (truth is dev.truth, groups, task) == (True, dev.groups, config.task)
    if config.task == "stance":
        assert fitted.conformal == choose_conformal(said, dev.truth, dev.groups, 0.9).conformal


def test_sets_of_stances_are_chosen_shipped_and_scored(case: Case, tmp_path: Path) -> None:
    prepared, trial = case
    found, conformal = judge(prepared.config, trial, prepared.parts).sets, trial.fitted.conformal
    assert shipped(prepared, trial.fitted, tmp_path).manifest.conformal == conformal
    if prepared.config.task == "topics":
        assert (found, conformal) == (None, None)
        return
    assert conformal is not None
    assert found is not None
    assert found.level == conformal.level == 0.9
    sizes = conformal.members(trial.probabilities, trial.decisions).sum(axis=1)
    assert found.size == pytest.approx(sizes.mean())


def test_what_is_for_review_is_chosen_shipped_and_scored(case: Case, tmp_path: Path) -> None:
    prepared, _ = case
    values = prepared.config.model_dump(exclude={"model"}) | {"model": {"min_documents": 1}}
    on, off = (
        RunConfig.model_validate(values | {"abstention": {"keep_precision": share}}) for share in (0.4, None)
    )
    trial = fit(on, on.model, prepared.parts)
    abstention = trial.fitted.abstention
    assert abstention is not None
    assert shipped(prepared, trial.fitted, tmp_path).manifest.abstention == abstention
    found = judge(on, trial, prepared.parts).kept
    assert found is not None
    assert found.asked == 0.4
    review = abstention.review(trial.probabilities, trial.decisions)
    known = np.isfinite(prepared.parts.test.truth)
    of_rows = {"topics": (~review)[known].mean(), "stance": (~review.any(axis=1)).mean()}
    assert found.coverage.value == pytest.approx(of_rows[on.task])
    none = fit(off, off.model, prepared.parts)
    assert none.fitted.abstention is None
    assert judge(off, none, prepared.parts).kept is None


def shipped(prepared: Prepared, fitted: Fitted, folder: Path) -> Artefact:
    book: Codebook = load_codebook(prepared.config.data.codebook)
    return export(fitted, folder / "model", name="model", codebook=book, metrics={}, provenance={})


def test_an_exported_model_answers_as_the_trained_one(case: Case, tmp_path: Path) -> None:
    prepared, trial = case
    parity = check_parity(
        shipped(prepared, trial.fitted, tmp_path), trial.fitted, prepared.parts.test, trial.probabilities
    )
    assert (parity.agreement, parity.rows) == (1.0, len(prepared.parts.test))
    assert parity.difference < 1e-6


def test_a_model_that_answers_otherwise_is_not_shipped(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, trial = case
    family = type(trial.fitted.family)
    honest = family.export

    def contrary(self: Family, folder: Path) -> dict[str, Any]:
        section = honest(self, folder)
        weights = folder / "weights.safetensors"
        tensors = load_file(weights)
        save_file(tensors | {"coef": -tensors["coef"], "intercept": -tensors["intercept"]}, weights)
        return section

    monkeypatch.setattr(family, "export", contrary)
    with pytest.raises(ParityError, match=r"wanted an exported model that decides 99\.5% of rows"):
        check_parity(
            shipped(prepared, trial.fitted, tmp_path), trial.fitted, prepared.parts.test, trial.probabilities
        )
