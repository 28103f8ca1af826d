"""An encoder and a linear model in one artefact: they answer together, and lies are found at loading."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from stancewire.artefact import Artefact, read_artefact
from stancewire.calibration import Calibration, Task
from stancewire.errors import ArtefactError
from stancewire.predictor import TopicsPredictor, load
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from stancewire.runtime.pooling import blend
from stancewire.terminal import print_artefact
from tests.encoders import STANCES, TOPICS, tiny_encoder, tiny_graph
from tests.small_models import small_artefact, stance_rows, topics_rows

ORT = RuntimeOptions("onnxruntime", threads=1)
SHARE = 0.4
ROWS = {"topics": topics_rows(), "stance": stance_rows()}
BOTH = pytest.mark.parametrize("task", ["topics", "stance"])


def linear(folder: Path, task: str) -> Artefact:
    return small_artefact(folder, "topics" if task == "topics" else "stance")


def together(
    folder: Path,
    task: str,
    *,
    files: Mapping[str, bytes] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of any kind
) -> Artefact:
    """Write the tiny encoder with the small linear model beside it; None leaves a key out."""
    words = linear(folder / "linear", task)
    section: dict[str, Any] = {"share": SHARE, **words.manifest.model, **changes}
    kept = {"weights.safetensors": words.read_bytes("weights.safetensors")} if files is None else files
    model = {"linear": {key: value for key, value in section.items() if value is not None}}
    return tiny_encoder(folder, task, model=model, files=kept, name=f"both-{task}")


@BOTH
def test_the_answer_is_the_pool_of_both(tmp_path: Path, task: Task) -> None:
    examples = ROWS[task].examples
    both = open_runtime(together(tmp_path, task), ORT).predict(examples)
    alone = open_runtime(tiny_encoder(tmp_path / "alone", task), ORT).predict(examples)
    words = open_runtime(read_artefact(tmp_path / "linear" / f"small-{task}")).predict(examples)
    wanted = blend(alone.probabilities, words.probabilities, SHARE, task)
    np.testing.assert_array_equal(both.probabilities, wanted)
    assert not np.allclose(both.probabilities, alone.probabilities, atol=0.01)
    np.testing.assert_array_equal(both.blank, alone.blank)
    assert both.cut is not None
    assert alone.cut is not None
    np.testing.assert_array_equal(both.cut, alone.cut)


@BOTH
def test_an_answer_hangs_on_its_row_alone(tmp_path: Path, task: Task) -> None:
    runtime = open_runtime(together(tmp_path, task), ORT)
    examples = ROWS[task].examples
    whole = runtime.predict(examples).probabilities
    back = runtime.predict(examples[::-1]).probabilities[::-1]
    single = np.concatenate([runtime.predict(examples[row : row + 1]).probabilities for row in range(5)])
    np.testing.assert_allclose(back, whole, atol=1e-4)
    np.testing.assert_allclose(single, whole[:5], atol=1e-4)
    assert runtime.predict([]).probabilities.shape == (0, len(ROWS[task].labels))


def test_it_loads_as_any_other(tmp_path: Path) -> None:
    predictor = load(together(tmp_path, "topics").path, runtime="onnxruntime")
    assert predictor.labels == TOPICS
    assert isinstance(predictor, TopicsPredictor)
    assert len(predictor.predict(["The envoys met for talks about missiles."])) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"share": 1.5}, r"model\.linear\.share: expected a number from 0 to 1, found a number: 1\.5"),
        ({"share": "half"}, r"model\.linear\.share: expected a number"),
        ({"share": None}, r"model\.linear: missing key 'share'"),
        ({"more": 1}, r"model\.linear: unknown key 'more'"),
        ({"features": 99}, r"model\.linear\.features: expected version \d+, found 99; upgrade"),
        ({"terms": {}}, r"model\.linear\.terms: expected at least one block"),
        ({"terms": {"odd": 3}}, r"model\.linear\.terms: unknown block 'odd'"),
    ],
)
def test_a_section_that_lies_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    artefact = together(tmp_path, "stance", **changes)
    with pytest.raises(ArtefactError, match=says):
        open_runtime(artefact, ORT)


def test_weights_that_are_not_there_or_of_other_labels_are_refused(tmp_path: Path) -> None:
    missing = together(tmp_path / "missing", "stance", files={})
    with pytest.raises(ArtefactError, match=r"weights\.safetensors"):
        open_runtime(missing, ORT)
    words = linear(tmp_path / "words", "topics")
    other = tiny_encoder(
        tmp_path / "other",
        "topics",
        labels=TOPICS[:2],
        thresholds=(0.5, 0.5),
        calibration=Calibration.identity(2),
        model={"linear": {"share": SHARE, **words.manifest.model}},
        files={
            "weights.safetensors": words.read_bytes("weights.safetensors"),
            "model.onnx": tiny_graph(2).SerializeToString(),
        },
    )
    with pytest.raises(ArtefactError, match="for 2 labels"):
        open_runtime(other, ORT)


def probabilities(seed: int, task: Task, n_rows: int = 6) -> np.ndarray[Any, np.dtype[np.float32]]:
    drawn = np.random.default_rng(seed).random((n_rows, len(STANCES))) + 1e-3
    wide = drawn / drawn.sum(axis=1, keepdims=True) if task == "stance" else drawn / 1.01
    return wide.astype(np.float32)


@BOTH
@given(seed=st.integers(0, 1000), share=st.floats(0, 1))
def test_the_pool_lies_between_its_members(task: Task, seed: int, share: float) -> None:
    one, other = probabilities(seed, task), probabilities(seed + 1, task)
    found = blend(one, other, share, task)
    np.testing.assert_allclose(found, blend(other, one, 1 - share, task), atol=1e-6)
    np.testing.assert_allclose(blend(one, other, 0, task), one, atol=1e-6)
    np.testing.assert_allclose(blend(one, one, share, task), one, atol=1e-6)
    if task == "stance":
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        agree = one.argmax(axis=1) == other.argmax(axis=1)
        assert (found.argmax(axis=1) == one.argmax(axis=1))[agree].all()
    else:
        assert (found >= np.minimum(one, other) - 1e-6).all()
        assert (found <= np.maximum(one, other) + 1e-6).all()


def test_who_is_unsure_has_little_say() -> None:
    sure, unsure = np.array([[0.99, 0.01]], np.float32), np.array([[0.4, 0.6]], np.float32)
    assert blend(sure, unsure, 0.5, "stance").argmax() == 0
    assert blend(unsure, sure, 0.5, "stance").argmax() == 0


@BOTH
def test_certainty_stays_finite_and_nan_stays_nan(task: Task) -> None:
    one, other = np.array([[1, 0], [0, 1]], np.float32), np.array([[0, 1], [0.5, 0.5]], np.float32)
    assert np.isfinite(blend(one, other, SHARE, task)).all()
    one[0, 0] = np.nan
    assert np.isnan(blend(one, other, SHARE, task)[0, 0])


def test_inspect_says_so(tmp_path: Path) -> None:
    told = StringIO()
    print_artefact(Console(file=told, width=100), together(tmp_path, "stance"))
    assert "a linear model, whose share is 0.4" in told.getvalue()
