"""The linear runtime on hand-made tables: worked figures, refusals, threads and batches."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from stancewire.artefact import write_artefact
from stancewire.calibration import Calibration
from stancewire.errors import ArtefactError
from stancewire.examples import Article, StanceExample
from stancewire.runtime.linear import LinearRuntime, pack_terms, sigmoid, softmax
from stancewire.runtime.open import open_runtime
from tests.corpora import text_of
from tests.tiny import tiny_manifest

TOPICS: dict[str, Any] = {"features": 1, "terms": {"words": 2}}
STANCE: dict[str, Any] = {"features": 1, "terms": {"sentence": 2, "lead": 1}}


def topics_tensors() -> dict[str, Any]:
    """Two terms for three labels."""
    return {
        "terms": pack_terms(["shell", "talk"]),
        "idf": np.array([2.0, 1.0], np.float32),
        "coef": np.array([[1, 0], [0, 1], [2, -1]], np.float32),
        "intercept": np.array([0.0, -1.0, 0.5]),
    }


def stance_tensors() -> dict[str, Any]:
    """Two blocks for two labels."""
    return {
        "terms": pack_terms(["condemn", "oslo", "condemn"]),
        "idf": np.array([1.0, 1.0, 3.0], np.float32),
        "coef": np.array([[1, 0, 2], [0, 1, -2]], np.float32),
        "intercept": np.array([0.25, 0.0]),
    }


def runtime(
    folder: Path, tensors: dict[str, Any], model: dict[str, Any], task: str = "topics"
) -> LinearRuntime:
    """The runtime of an artefact of these tables."""
    staging = folder / "staging"
    staging.mkdir(exist_ok=True)
    save_file(tensors, staging / "weights.safetensors")
    changes: dict[str, Any] = {"model": model, "chunking": None}
    if task == "stance":
        changes |= {
            "task": "stance",
            "labels": ("against", "favor"),
            "thresholds": (0.5, 0.5),
            "calibration": Calibration.identity(2),
        }
    found = open_runtime(write_artefact(folder / "artefact", tiny_manifest(**changes), staging))
    assert isinstance(found, LinearRuntime)
    return found


def test_topics_by_hand(tmp_path: Path) -> None:
    found = runtime(tmp_path, topics_tensors(), TOPICS).predict(
        [Article(title="Shells", text="shell talks soon")]
    )
    x = np.array([(1 + math.log(2)) * 2, 1.0])
    x /= math.hypot(*x)
    scores = np.array([x[0], x[1] - 1, 2 * x[0] - x[1] + 0.5])
    np.testing.assert_allclose(found.probabilities[0], 1 / (1 + np.exp(-scores)), atol=1e-7)
    assert found.probabilities.dtype == np.float32
    assert not found.blank.any()


def test_stance_by_hand_each_block_of_length_one(tmp_path: Path) -> None:
    example = StanceExample(sentence="Oslo condemned the sale", target="the sale")
    found = runtime(tmp_path, stance_tensors(), STANCE, "stance").predict([example])
    half = math.sqrt(0.5)
    scores = np.array([half + 2 + 0.25, half - 2])
    np.testing.assert_allclose(found.probabilities[0], np.exp(scores) / np.exp(scores).sum(), atol=1e-7)


def test_a_row_without_known_words_is_blank_and_gets_the_bias(tmp_path: Path) -> None:
    found = runtime(tmp_path, topics_tensors(), TOPICS).predict([Article(text="😀"), Article(text="talk")])
    assert found.blank.tolist() == [True, False]
    np.testing.assert_allclose(found.probabilities[0], 1 / (1 + np.exp([0.0, 1.0, -0.5])), atol=1e-7)


def test_a_row_known_outside_its_content_alone_is_blank(tmp_path: Path) -> None:
    tensors = stance_tensors() | {"terms": pack_terms(["x", "y", "condemn"])}
    example = StanceExample(sentence="Oslo condemned the sale", target="the sale")
    found = runtime(tmp_path, tensors, STANCE, "stance").predict([example])
    assert found.blank.tolist() == [True]
    assert found.probabilities[0, 0] > 0.9


def test_no_rows(tmp_path: Path) -> None:
    found = runtime(tmp_path, topics_tensors(), TOPICS).predict([])
    assert found.probabilities.shape == (0, 3)
    assert found.blank.shape == (0,)


def articles(n_rows: int) -> list[Article]:
    """Articles of random words, some with known ones."""
    words = ("shells", "talks", "shell talk", "")
    return [Article(text=f"{words[i % 4]} " * (i % 7 + 1) + text_of(i, 1)) for i in range(n_rows)]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_any_batch_gives_the_same_labels(tmp_path: Path, size: int) -> None:
    model = runtime(tmp_path, topics_tensors(), TOPICS)
    rows = articles(600)
    whole = model.predict(rows)
    parts = [model.predict(rows[start : start + size]) for start in range(0, len(rows), size)]
    found = np.concatenate([part.probabilities for part in parts])
    np.testing.assert_array_equal(found > 0.5, whole.probabilities > 0.5)
    np.testing.assert_allclose(found, whole.probabilities, atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([part.blank for part in parts]), whole.blank)


@pytest.mark.parametrize(("n_words", "n_rows", "passes"), [(3, 256, 20), (10**6, 1, 50), (10**6, 49, 2)])
def test_a_pass_that_is_full_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_words: int, n_rows: int, passes: int
) -> None:
    model = runtime(tmp_path, topics_tensors(), TOPICS)
    rows = articles(50)
    wanted = model.predict(rows).probabilities
    monkeypatch.setattr("stancewire.features.base.MAX_WORDS", n_words)
    monkeypatch.setattr("stancewire.features.base.MAX_ROWS", n_rows)
    scores = Mock(side_effect=model._scores)
    monkeypatch.setattr(model, "_scores", scores)
    np.testing.assert_allclose(model.predict(rows).probabilities, wanted, atol=1e-7)
    assert scores.call_count >= passes


def test_threads_answer_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stancewire.memo._MOST_REMEMBERED", 20)  # forget all the time
    model = runtime(tmp_path, topics_tensors(), TOPICS)
    rows = articles(200)
    wanted = model.predict(rows).probabilities
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: model.predict(rows).probabilities, range(24)):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"features": 2, "terms": {"words": 2}}, "expected version 1, found 2; upgrade stancewire"),
        ({"features": 1, "terms": {"phrases": 2}}, "unknown block 'phrases'; the known ones are words"),
        ({"features": 1, "terms": {}}, "expected at least one block"),
        ({"features": 1, "terms": {"words": -1}}, "terms.words"),
        ({"features": 1, "terms": {"words": True}}, "terms.words"),
        ({"features": 1, "terms": {"words": 3}}, r"idf: expected float32 \[3\].*found float32 \[2\]"),
        ({"features": 1}, "terms"),
        ({"features": 1, "terms": {"words": 2}, "code": "os"}, "code"),
    ],
)
def test_sections_that_do_not_fit(tmp_path: Path, model: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtefactError, match=message):
        runtime(tmp_path, topics_tensors(), model)


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("coef", np.full((3, 2), np.nan, np.float32), "'coef': 6 of 6 figures are NaN"),
        ("intercept", np.array([0, np.inf, 0.0]), "'intercept': 1 of 3 figures are NaN or infinite"),
        ("idf", np.array([1, 0], np.float32), "idf: expected figures above 0, found 0"),
        ("coef", np.zeros((2, 2), np.float32), r"coef: expected float32 \[3, 2\].*found float32 \[2, 2\]"),
        ("coef", np.zeros((3, 2), np.float64), "coef: expected float32.*found float64"),
        ("intercept", np.zeros(3, np.float32), "intercept: expected float64"),
        (
            "extra",
            np.zeros(3, np.float32),
            "expected the tensors coef, idf, intercept, terms, found coef, extra",
        ),
        ("terms", pack_terms(["shell"]), "terms: expected 2, found 1"),
        ("terms", pack_terms(["talk", "shell"]), "block words: expected sorted and unique terms"),
        ("terms", pack_terms(["talk", "talk"]), "block words: expected sorted and unique terms"),
        ("terms", np.array([255, 10, 97], np.uint8), "terms: expected UTF-8, found another byte at 0"),
    ],
)
def test_tensors_that_do_not_fit(
    tmp_path: Path, name: str, tensor: NDArray[np.generic], message: str
) -> None:
    with pytest.raises(ArtefactError, match=message):
        runtime(tmp_path, topics_tensors() | {name: tensor}, TOPICS)


def test_a_missing_tensor(tmp_path: Path) -> None:
    tensors = topics_tensors()
    del tensors["idf"]
    with pytest.raises(ArtefactError, match="found coef, intercept, terms"):
        runtime(tmp_path, tensors, TOPICS)


def test_a_term_never_holds_a_line_break() -> None:
    with pytest.raises(ValueError, match="line break"):
        pack_terms(["a\nb"])
    assert bytes(pack_terms(["a", "制"])) == "a\n制".encode()
    assert len(pack_terms([])) == 0


def test_links_do_not_overflow() -> None:
    scores = np.array([[-1e4, 0.0, 1e4]])
    np.testing.assert_array_equal(sigmoid(scores), [[0, 0.5, 1]])
    np.testing.assert_array_equal(softmax(scores), [[0, 0, 1]])


def test_an_article_beyond_the_cap_is_cut(tmp_path: Path) -> None:
    model = runtime(tmp_path, topics_tensors(), TOPICS)  # max_chars is 1,000
    long = Article(text="x " * 500 + "talk")
    found = model.predict([long, replace(long, text="x " * 500)])
    assert found.blank.tolist() == [True, True]
