"""From a fitted family to an artefact that answers alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.base import ALONE, Examples, Family, FitContext, LabelledSet
from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
from stancewire.predictor import load
from stancewire.text import MAX_CHARS
from tests.small_models import CODEBOOK, fitted, small_artefact, stance_rows, topics_rows
from training.export import export


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_an_exported_model_answers_as_the_fitted_one(tmp_path: Path, task: str) -> None:
    model, artefact = fitted(task), small_artefact(tmp_path, task)
    rows = topics_rows() if task == "topics" else stance_rows()
    raw = model.family.predict_probabilities(rows.examples)
    wanted = model.calibration.apply(raw, model.task)
    answers = load(artefact.path).predict(rows.examples)  # type: ignore[arg-type]
    said = np.array([[score.probability for score in answer.scores] for answer in answers])
    assert said == pytest.approx(wanted, abs=1e-6)
    assert [score.threshold for score in answers[0].scores] == list(model.thresholds)


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_the_manifest_holds_what_was_fitted(tmp_path: Path, task: str) -> None:
    model, artefact = fitted(task), small_artefact(tmp_path, task)
    manifest = read_artefact(artefact.path).manifest
    assert manifest == artefact.manifest
    assert (manifest.task, manifest.family) == (task, "linear")
    assert manifest.labels == model.labels
    assert manifest.thresholds == model.thresholds
    assert manifest.calibration == model.calibration
    assert manifest.max_chars == MAX_CHARS
    assert manifest.codebook.sha256 == CODEBOOK.digest
    assert manifest.metrics == {"macro_f1": 1.0}
    assert manifest.provenance == {"data": "made up"}


def test_equal_fits_give_equal_artefacts(tmp_path: Path) -> None:
    one, other = small_artefact(tmp_path / "a", "topics"), small_artefact(tmp_path / "b", "topics")
    assert one.digest == other.digest


def test_a_new_artefact_takes_the_place_of_the_old(tmp_path: Path) -> None:
    old = small_artefact(tmp_path, "topics")
    new = small_artefact(tmp_path, "topics", "renamed")
    assert new.path == old.path
    assert read_artefact(new.path).digest == new.digest != old.digest
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == ["small-topics"]


class Broken(Family):
    """Writes half of its files and fails."""

    name = "linear"

    def fit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Broken:
        return self

    def predict_probabilities(self, examples: Examples) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.zeros((len(examples), 3), np.float32)

    def export(self, folder: Path) -> dict[str, object]:
        (folder / "weights.safetensors").write_bytes(b"half")
        raise OSError("disk full")


def test_a_failed_export_leaves_the_old_artefact(tmp_path: Path) -> None:
    old = small_artefact(tmp_path, "topics")
    model = fitted("topics")
    broken = replace(model, family=Broken(model.family.config, seed=0))
    with pytest.raises(OSError, match="disk full"):
        export(broken, old.path, name="small-topics", codebook=CODEBOOK, metrics={}, provenance={})
    assert read_artefact(old.path).digest == old.digest


def test_figures_that_json_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="nan"):
        export(
            fitted("topics"),
            tmp_path / "a",
            name="a",
            codebook=CODEBOOK,
            metrics={"macro_f1": float("nan")},
            provenance={},
        )
    assert not (tmp_path / "a").exists()
